//! `MXFP4`: 32 weights in 17 bytes, `x = 2^(e − 127) · q`, e eight bits, q a [four-bit float](super::fp4).

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::{Block, ImportanceUse, fp4, nibbles};
use crate::lanes::Vector;
use crate::search::extremes::largest_size;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockMxfp4 {
    e: u8,
    qs: [u8; 16],
}

impl Block<32> for BlockMxfp4 {
    const TYPE: GgmlType = GgmlType::MXFP4;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline(always)]
    fn encode(x: &[f32; 32]) -> Self {
        let largest = largest_size(x);
        let e = if largest > 0.0 { exponent(largest) } else { 0 };
        Self { e, qs: nibbles::pack_low(&fp4::codes(x, largest, half_scale(e))) }
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 32]) {
        let scale = half_scale(self.e);
        for (y, q) in y.iter_mut().zip(nibbles::unpack_low(&self.qs)) {
            *y = fp4::VALUES[usize::from(q & 15)] * scale;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 32]) {
        nibbles::decode_by::<V>(isa, &fp4::VALUES, half_scale(self.e), &self.qs, y);
    }
}

/// `2^(e − 128)`: half the scale, for doubled codes. No e stands for NaN here, as in ggml.
#[inline(always)]
fn half_scale(e: u8) -> f32 {
    f32::from_bits(match e {
        0 | 1 => 0x0020_0000 << e,
        _ => u32::from(e - 1) << 23,
    })
}

/// The exponent that puts the largest magnitude on the code 4 or 6, kept as its low byte, as x86 makes it from the negative
/// exponents of weights below 2⁻¹²⁵. (Their blocks are then all zeros under a large scale.)
#[inline(always)]
fn exponent(largest: f32) -> u8 {
    (floor_log2(largest) - 2 + 127) as u8
}

/// `⌊log₂ x⌋` as `floorf(log2f(x))` has it: where the logarithm is so close below an integer that binary32 cannot tell them
/// apart, it is that integer.
#[inline(always)]
fn floor_log2(x: f32) -> i32 {
    let bits = x.to_bits();
    let exponent = if bits < 0x0080_0000 { bits.ilog2() as i32 - 149 } else { (bits >> 23) as i32 - 127 };
    // x = 2^next · (1 − n · 2⁻²⁴), so that log₂ x = next − n · 2⁻²⁴ / ln 2.
    let next = exponent + 1;
    let n = if bits < 0x0080_0000 {
        ((1u32 << (next + 149)) - bits) << (-125 - next)
    } else {
        0x0100_0000 - (bits & 0x007f_ffff | 0x0080_0000)
    };
    // It rounds up if it is less than half a step from `next`, where the numbers below `next` are 2^(m − 23) apart.
    let below = if next > 0 { next - 1 } else { -next };
    if below > 0 && n <= UP[below.ilog2() as usize & 7] { next } else { exponent }
}

/// `⌊2^m · ln 2⌋`.
const UP: [u32; 8] = [0, 1, 2, 5, 11, 22, 44, 88];

#[cfg(test)]
mod tests {
    use super::*;

    /// The logarithm in binary64, rounded to binary32.
    fn reference(x: f32) -> i32 {
        (f64::from(x).log2() as f32).floor() as i32
    }

    #[test]
    fn floor_log2_is_that_of_the_rounded_logarithm() {
        for exponent in 0..255u32 {
            let power = exponent << 23;
            for bits in power.saturating_sub(300).max(1)..power + 300 {
                let x = f32::from_bits(bits);
                assert_eq!(floor_log2(x), reference(x), "{x:e}");
            }
        }
        for bit in 0..23u32 {
            for bits in (1u32 << bit).saturating_sub(300).max(1)..(1 << bit) + 300 {
                let x = f32::from_bits(bits);
                assert_eq!(floor_log2(x), reference(x), "{x:e}");
            }
        }
        for bits in (1..f32::INFINITY.to_bits()).step_by(997) {
            let x = f32::from_bits(bits);
            assert_eq!(floor_log2(x), reference(x), "{x:e}");
        }
    }

    #[test]
    fn scales_are_powers_of_two() {
        for e in 0..=255u8 {
            assert_eq!(f64::from(half_scale(e)), 2f64.powi(i32::from(e) - 128));
        }
    }
}
