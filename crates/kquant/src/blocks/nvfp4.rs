//! `NVFP4`: 64 weights in 36 bytes. 4 sub-blocks of 16 weights, `x = d · q`, d an unsigned eight-bit float for each
//! sub-block, q a [four-bit float](super::fp4) for each weight.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::{Block, ImportanceUse, fp4};
use crate::lanes::Vector;
use crate::search::extremes::largest_size;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockNvfp4 {
    d: [Ue4m3; 4],
    /// In each sub-block, byte j holds weight j below weight j + 8.
    qs: [[u8; 8]; 4],
}

impl Block<64> for BlockNvfp4 {
    const TYPE: GgmlType = GgmlType::NVFP4;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline(always)]
    fn encode(x: &[f32; 64]) -> Self {
        let mut block = Self { d: [Ue4m3(0); 4], qs: [[0; 8]; 4] };
        for (j, x) in x.as_chunks::<16>().0.iter().enumerate() {
            let largest = largest_size(x);
            block.d[j] = Ue4m3::from_f32(largest / 6.0);
            let codes = fp4::codes(x, largest, block.d[j].half());
            for (i, byte) in block.qs[j].iter_mut().enumerate() {
                *byte = codes[i] | codes[i + 8] << 4;
            }
        }
        block
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 64]) {
        for ((y, code), scale) in y.iter_mut().zip(self.codes()).zip(self.scales()) {
            *y = fp4::VALUES[usize::from(code & 15)] * scale;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 64]) {
        let (codes, scales) = (self.codes(), self.scales());
        for (i, y) in y.chunks_exact_mut(V::LANES).enumerate() {
            let at = i * V::LANES;
            (V::lookup(isa, &fp4::VALUES, &codes[at..]) * V::load(isa, &scales[at..])).store(y);
        }
    }
}

impl BlockNvfp4 {
    /// In the order of the weights.
    #[inline(always)]
    fn codes(&self) -> [u8; 64] {
        let mut codes = [0; 64];
        for (codes, qs) in codes.as_chunks_mut::<16>().0.iter_mut().zip(&self.qs) {
            for (i, byte) in qs.iter().enumerate() {
                codes[i] = byte & 15;
                codes[i + 8] = byte >> 4;
            }
        }
        codes
    }

    /// Half the scale of each weight, for doubled codes.
    #[inline(always)]
    fn scales(&self) -> [f32; 64] {
        let mut scales = [[0.0; 16]; 4];
        for (scales, d) in scales.iter_mut().zip(self.d) {
            *scales = [d.half(); 16];
        }
        bytemuck::cast(scales)
    }
}

/// Four bits of exponent (bias 7), three of mantissa; the eighth bit means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
struct Ue4m3(u8);

impl Ue4m3 {
    /// 448, the largest.
    const MAX: Self = Self(0x7e);

    /// To nearest, halves up; all from 256 on is [`Ue4m3::MAX`], and nothing that is subnormal here rounds up to a normal
    /// number (both as in ggml).
    #[inline(always)]
    fn from_f32(x: f32) -> Self {
        const LEAST_NORMAL: f32 = 0.015_625;
        const REBIAS: u32 = (127 - 7) << 3;
        if x >= LEAST_NORMAL {
            let bits = x.min(448.0).to_bits();
            let rounded = (bits >> 20) - REBIAS + (bits >> 19 & 1);
            if rounded < 15 << 3 { Self(rounded as u8) } else { Self::MAX }
        } else if x > 0.0 {
            Self(((x * 512.0 + 0.5) as u8).min(7))
        } else {
            Self(0)
        }
    }

    /// Half the value, for doubled codes. `0x7F` is 0.
    #[inline(always)]
    fn half(self) -> f32 {
        let (exponent, mantissa) = (u32::from(self.0 >> 3 & 15), u32::from(self.0 & 7));
        if self.0 == 0x7f {
            0.0
        } else if exponent == 0 {
            mantissa as f32 / 1024.0
        } else {
            f32::from_bits((exponent + 127 - 8) << 23 | mantissa << 20)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_go_there_and_back() {
        for byte in 0..0x78 {
            let scale = Ue4m3(byte);
            assert_eq!(Ue4m3::from_f32(2.0 * scale.half()), scale);
            assert_eq!(Ue4m3(byte | 0x80).half(), scale.half());
        }
        assert_eq!(Ue4m3::from_f32(f32::MAX), Ue4m3::MAX);
        assert_eq!(2.0 * Ue4m3::MAX.half(), 448.0);
        assert_eq!(Ue4m3::from_f32(f32::NAN), Ue4m3(0));
        for byte in (1..0x77).filter(|&byte| byte != 7) {
            let (low, high) = (Ue4m3(byte).half(), Ue4m3(byte + 1).half());
            assert_eq!(Ue4m3::from_f32(low + high), Ue4m3(byte + 1), "halves go up");
        }
    }
}
