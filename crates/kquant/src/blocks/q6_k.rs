//! `Q6_K`: 256 weights in 210 bytes. 16 sub-blocks of 16 weights; `x = d · s · (q − 32)`, where s is a signed byte
//! for each sub-block and q of six bits for each weight.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::Block;
use super::lanes::levels::decode_around;
use super::lanes::{Importance, LaneBlock, symmetric};
use super::super_block::{sub_blocks, sub_blocks_mut};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::extremes::largest_magnitude;
use crate::search::rounding::{nearest_int, requantize_symmetric};
use crate::search::{ALL_ZERO, qx, weights};

const HALF: i32 = BlockQ6K::HALF;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ6K {
    /// The low four bits, 64 bytes for each half of the super-block: byte j has weight j of the half in its low
    /// nibble and weight j + 64 in the high one.
    ql: [u8; 128],
    /// The upper two bits, 32 bytes for each half: byte j has those of weights j, j + 32, j + 64, j + 96, lowest
    /// bits first.
    qh: [u8; 64],
    scales: [i8; 16],
    d: F16,
}

impl BlockQ6K {
    /// Levels are from −`HALF`.
    pub(super) const HALF: i32 = 32;

    /// `weights_of` gives sub-block j's weights in the search.
    #[inline(always)]
    fn fit(x: &[f32; 256], weights_of: impl Fn(usize, &[f32; 16]) -> [f32; 16]) -> Self {
        let mut levels = [0; 256];
        let mut scales = [0.0; 16];
        let sub_levels = sub_blocks_mut::<16, 16, u8>(&mut levels);
        for (j, (x, levels)) in sub_blocks::<16, 16, f32>(x).iter().zip(sub_levels).enumerate() {
            scales[j] = qx::search(HALF, x, &weights_of(j, x), levels);
        }
        Self::from_search(x, &scales, |j, _| sub_blocks::<16, 16, u8>(&levels)[j])
    }

    /// From the scales that searches found; a sub-block whose scale comes out as zero keeps the levels of its search,
    /// which `search_levels` tells.
    #[inline(always)]
    pub(super) fn from_search(
        x: &[f32; 256],
        scales: &[f32; 16],
        search_levels: impl Fn(usize, &[f32; 16]) -> [u8; 16],
    ) -> Self {
        let extreme = largest_magnitude(scales);
        if extreme.abs() < ALL_ZERO {
            return Self::zeroed();
        }
        let inverse = -128.0 / extreme;
        let d = F16::from_f32(1.0 / inverse);
        let mut block = Self { ql: [0; 128], qh: [0; 64], scales: [0; 16], d };
        for (to, scale) in block.scales.iter_mut().zip(scales) {
            *to = nearest_int(inverse * scale).min(127) as i8;
        }
        let mut levels = [0; 256];
        let sub_levels = sub_blocks_mut::<16, 16, u8>(&mut levels);
        for (j, (x, levels)) in sub_blocks::<16, 16, f32>(x).iter().zip(sub_levels).enumerate() {
            let scale = d.to_f32() * f32::from(block.scales[j]);
            if scale != 0.0 {
                requantize_symmetric(x, scale, HALF, levels);
            } else {
                *levels = search_levels(j, x);
            }
        }
        (block.ql, block.qh) = pack(&levels);
        block
    }
}

impl Block<256> for BlockQ6K {
    const TYPE: GgmlType = GgmlType::Q6_K;

    #[inline]
    fn encode(x: &[f32; 256]) -> Self {
        Self::fit(x, |_, x| weights::squares(x))
    }

    /// The importance alone weighs the errors here, whatever the weights themselves.
    #[inline]
    fn encode_weighted(x: &[f32; 256], importance: &[f32; 256], _: f32) -> Self {
        let importance = sub_blocks::<16, 16, f32>(importance);
        Self::fit(x, |j, _| importance[j])
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let mut levels = unpack(&self.ql, &self.qh);
        let levels = sub_blocks_mut::<16, 16, u8>(&mut levels);
        for ((y, levels), &scale) in sub_blocks_mut::<16, 16, f32>(y).iter_mut().zip(levels).zip(&self.scales)
        {
            let scale = d * f32::from(scale);
            for (y, &mut q) in y.iter_mut().zip(levels) {
                *y = scale * f32::from(q as i8 - HALF as i8);
            }
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        let d = V::widen(isa, self.d);
        let levels = unpack(&self.ql, &self.qh);
        let y = sub_blocks_mut::<16, 16, f32>(y).iter_mut();
        for ((y, levels), &scale) in y.zip(sub_blocks::<16, 16, u8>(&levels)).zip(&self.scales) {
            decode_around::<V::Part>(isa, HALF as f32, d * f32::from(scale), levels, y);
        }
    }
}

#[inline(always)]
fn pack(levels: &[u8; 256]) -> ([u8; 128], [u8; 64]) {
    let (low, high) = (u64::from_le_bytes([15; 8]), u64::from_le_bytes([3; 8]));
    let (mut ql, mut qh) = ([0; 128], [0; 64]);
    let halves = ql.as_chunks_mut::<64>().0.iter_mut().zip(qh.as_chunks_mut::<32>().0);
    for (levels, (ql, qh)) in levels.as_chunks::<128>().0.iter().zip(halves) {
        let words: [[u8; 8]; 16] = bytemuck::cast(*levels);
        let words = words.map(u64::from_le_bytes);
        for (i, ql) in ql.as_chunks_mut().0.iter_mut().enumerate() {
            *ql = (words[i] & low | (words[i + 8] & low) << 4).to_le_bytes();
        }
        for (i, qh) in qh.as_chunks_mut().0.iter_mut().enumerate() {
            let mut word = 0;
            for plane in 0..4 {
                word |= (words[i + 4 * plane] >> 4 & high) << (2 * plane);
            }
            *qh = word.to_le_bytes();
        }
    }
    (ql, qh)
}

#[inline(always)]
fn unpack(ql: &[u8; 128], qh: &[u8; 64]) -> [u8; 256] {
    let mut levels = [0; 256];
    let halves = levels.chunks_exact_mut(128).zip(ql.chunks_exact(64)).zip(qh.chunks_exact(32));
    for ((levels, ql), qh) in halves {
        for (j, &byte) in ql.iter().enumerate() {
            levels[j] = byte & 15;
            levels[j + 64] = byte >> 4;
        }
        for (j, &byte) in qh.iter().enumerate() {
            for plane in 0..4 {
                levels[j + 32 * plane] |= ((byte >> (2 * plane)) & 3) << 4;
            }
        }
    }
    levels
}

impl LaneBlock for BlockQ6K {
    #[inline(always)]
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    ) {
        symmetric::encode_q6_k::<V>(isa, src, importance, dst);
    }
}
