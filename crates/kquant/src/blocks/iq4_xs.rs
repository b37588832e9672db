//! `IQ4_XS`: 256 weights in 136 bytes. 8 sub-blocks of 32 weights, `x = d · s · level(q)`, s of six bits (−32 … 31) for each
//! sub-block, q of four bits for each weight, the level from a [codebook](crate::search::codebook).

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::{self, Importance, LaneBlock};
use super::super_block::{sub_blocks, sub_blocks_mut};
use super::{Block, nibbles};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::codebook::LEVELS;
use crate::search::extremes::largest_magnitude;
use crate::search::rounding::nearest_int;
use crate::search::{iq4, weights};

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq4Xs {
    d: F16,
    /// The two high bits of each s + 32, little-endian.
    scales_high: [u8; 2],
    /// The four low bits.
    scales_low: [u8; 4],
    /// 16 bytes for each sub-block.
    qs: [[u8; 16]; 8],
}

/// Half the number of values that s has.
const HALF: i32 = 32;

impl BlockIq4Xs {
    /// Packs a super-block whose sub-blocks' scales have been found.
    #[inline(always)]
    pub(super) fn finish(x: &[f32; 256], scales: &[f32; 8]) -> Self {
        let d = -largest_magnitude(scales) / HALF as f32;
        let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
        let mut block =
            Self { d: F16::from_f32(d), scales_high: [0; 2], scales_low: [0; 4], qs: [[0; 16]; 8] };
        let mut high = 0u16;
        let sub_blocks: &[[f32; 32]; 8] = sub_blocks(x);
        for (j, (x, scale)) in sub_blocks.iter().zip(scales).enumerate() {
            let s = nearest_int(inverse * scale).clamp(-HALF, HALF - 1);
            block.qs[j] = nibbles::pack_low(&iq4::places(x, d * s as f32));
            let stored = (s + HALF) as u16;
            block.scales_low[j / 2] |= ((stored & 15) as u8) << (4 * (j % 2));
            high |= (stored >> 4) << (2 * j);
        }
        block.scales_high = high.to_le_bytes();
        block
    }

    #[inline(always)]
    fn search(x: &[f32; 256], weigh: impl Fn(usize, &[f32; 32]) -> [f32; 32]) -> Self {
        let sub_blocks: &[[f32; 32]; 8] = sub_blocks(x);
        let mut scales = [0.0; 8];
        for (j, (scale, x)) in scales.iter_mut().zip(sub_blocks).enumerate() {
            *scale = iq4::search(x, &weigh(j, x));
        }
        Self::finish(x, &scales)
    }

    /// d · s of each sub-block.
    #[inline(always)]
    fn scales(&self) -> [f32; 8] {
        let d = self.d.to_f32();
        let high = u16::from_le_bytes(self.scales_high);
        let mut scales = [0.0; 8];
        for (j, scale) in scales.iter_mut().enumerate() {
            let low = self.scales_low[j / 2] >> (4 * (j % 2)) & 15;
            let stored = i32::from(low) | i32::from(high >> (2 * j) & 3) << 4;
            *scale = d * (stored - HALF) as f32;
        }
        scales
    }
}

impl Block<256> for BlockIq4Xs {
    const TYPE: GgmlType = GgmlType::IQ4_XS;

    #[inline]
    fn encode(x: &[f32; 256]) -> Self {
        Self::search(x, |_, x| weights::squares(x))
    }

    #[inline]
    fn encode_weighted(x: &[f32; 256], importance: &[f32; 256], _: f32) -> Self {
        let variance = weights::sum_of_squares(x) * (2.0 / 256.0);
        let importance: &[[f32; 32]; 8] = sub_blocks(importance);
        Self::search(x, |j, x| weights::by_importance(x, &importance[j], variance))
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        let sub_blocks: &mut [[f32; 32]; 8] = sub_blocks_mut(y);
        for ((y, qs), scale) in sub_blocks.iter_mut().zip(&self.qs).zip(self.scales()) {
            for (y, q) in y.iter_mut().zip(nibbles::unpack_low(qs)) {
                *y = scale * LEVELS[usize::from(q & 15)];
            }
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        let sub_blocks: &mut [[f32; 32]; 8] = sub_blocks_mut(y);
        for ((y, qs), scale) in sub_blocks.iter_mut().zip(&self.qs).zip(self.scales()) {
            nibbles::decode_by::<V>(isa, &LEVELS, scale, qs, y);
        }
    }
}

impl LaneBlock for BlockIq4Xs {
    #[inline(always)]
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    ) {
        let scales = lanes::iq4::of_super_blocks::<V>(isa, src, importance, dst.len());
        for ((block, x), scales) in dst.iter_mut().zip(src.as_chunks().0).zip(&scales) {
            *block = Self::finish(x, scales);
        }
    }
}
