//! `Q3_K`: 256 weights in 110 bytes. 16 sub-blocks of 16 weights; `x = d · (s − 32) · (q − 4)`, where s is of six
//! bits for each sub-block and q of three bits for each weight.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::levels::decode_around;
use super::lanes::{Importance, LaneBlock, symmetric};
use super::super_block::{add_planes, pack_planes, sub_blocks, sub_blocks_mut};
use super::{Block, two_bit};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::extremes::largest_magnitude;
use crate::search::rounding::{nearest_int, requantize_symmetric};
use crate::search::{q3, qx, weights};

const HALF: i32 = BlockQ3K::HALF;
const HALF_SCALE: i32 = BlockQ3K::HALF_SCALE;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ3K {
    /// The third bit of every level: bit k of byte j belongs to weight 32 · k + j.
    hmask: [u8; 32],
    /// The low two bits: see [`two_bit`].
    qs: [u8; 64],
    /// Low four bits of the scales 0–7 in the low nibbles of bytes 0–7, of 8–15 in the high nibbles; the upper
    /// two bits of scale j at bit 2 · (j / 4) of byte 8 + j mod 4.
    scales: [u8; 12],
    d: F16,
}

impl BlockQ3K {
    /// The levels 0 … 7 again.
    #[inline(always)]
    fn levels(&self) -> [u8; 256] {
        let mut levels = two_bit::unpack(&self.qs);
        add_planes(&mut levels, &self.hmask, 4);
        levels
    }

    /// Levels of weights are from −`HALF`.
    pub(super) const HALF: i32 = 4;
    /// Levels of scales are from −`HALF_SCALE`.
    pub(super) const HALF_SCALE: i32 = 32;

    /// From the scales that searches without importance found.
    #[inline(always)]
    pub(super) fn from_search(
        x: &[f32; 256],
        scales: &[f32; 16],
        search_levels: impl Fn(usize, &[f32; 16]) -> [u8; 16],
    ) -> Self {
        let extreme = largest_magnitude(scales);
        if extreme == 0.0 {
            // The stored scales are zero bytes here, which stand for −32, not for 0.
            return Self::finish(x, 0.0, &[0; 16], search_levels);
        }
        let inverse = -(HALF_SCALE as f32) / extreme;
        let mut levels = [0; 16];
        for (to, scale) in levels.iter_mut().zip(scales) {
            let level = nearest_int(inverse * scale) as i8; // a byte in ggml, before the limits
            *to = (i32::from(level).clamp(-HALF_SCALE, HALF_SCALE - 1) + HALF_SCALE) as u8;
        }
        Self::finish(x, 1.0 / inverse, &levels, search_levels)
    }

    /// Rounds the weights once more, now to the scales that the block has, and packs them.
    ///
    /// A sub-block whose scale came out as zero keeps the levels of its search, which `search_levels` tells.
    #[inline(always)]
    pub(super) fn finish(
        x: &[f32; 256],
        d: f32,
        scales: &[u8; 16],
        search_levels: impl Fn(usize, &[f32; 16]) -> [u8; 16],
    ) -> Self {
        let d = F16::from_f32(d);
        let mut levels = [0; 256];
        let sub_levels = sub_blocks_mut::<16, 16, u8>(&mut levels);
        for (j, (x, levels)) in sub_blocks::<16, 16, f32>(x).iter().zip(sub_levels).enumerate() {
            let scale = d.to_f32() * (i32::from(scales[j]) - HALF_SCALE) as f32;
            if scale != 0.0 {
                requantize_symmetric(x, scale, HALF, levels);
            } else {
                *levels = search_levels(j, x);
            }
        }
        let hmask = pack_planes(&levels, 2);
        Self { hmask, qs: two_bit::pack(&levels), scales: pack_scales(scales), d }
    }
}

impl Block<256> for BlockQ3K {
    const TYPE: GgmlType = GgmlType::Q3_K;

    #[inline]
    fn encode(x: &[f32; 256]) -> Self {
        let mut levels = [0; 256];
        let mut scales = [0.0; 16];
        let sub_levels = sub_blocks_mut::<16, 16, u8>(&mut levels);
        for ((scale, x), levels) in scales.iter_mut().zip(sub_blocks::<16, 16, f32>(x)).zip(sub_levels) {
            *scale = q3::search(HALF, x, levels);
        }
        Self::from_search(x, &scales, |j, _| sub_blocks::<16, 16, u8>(&levels)[j])
    }

    #[inline]
    fn encode_weighted(x: &[f32; 256], importance: &[f32; 256], _: f32) -> Self {
        let variance = 2.0 * weights::sum_of_squares(x) / 256.0;
        let mut levels = [0; 256];
        let (mut scales, mut totals) = ([0.0; 16], [0.0; 16]);
        let subs = sub_blocks::<16, 16, f32>(x).iter().zip(sub_blocks::<16, 16, f32>(importance));
        for (j, ((x, importance), levels)) in subs.zip(sub_blocks_mut::<16, 16, u8>(&mut levels)).enumerate()
        {
            let w = weights::by_importance(x, importance, variance);
            totals[j] = weights::sum(&w);
            scales[j] = qx::search(HALF, x, &w, levels);
        }
        let mut scale_levels = [0; 16];
        let d = qx::search(HALF_SCALE, &scales, &totals, &mut scale_levels);
        Self::finish(x, d, &scale_levels, |j, _| sub_blocks::<16, 16, u8>(&levels)[j])
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let (levels, scales) = (self.levels(), unpack_scales(&self.scales));
        let levels = sub_blocks::<16, 16, u8>(&levels);
        for ((y, levels), scale) in sub_blocks_mut::<16, 16, f32>(y).iter_mut().zip(levels).zip(scales) {
            let scale = d * (i32::from(scale) - HALF_SCALE) as f32;
            for (y, &q) in y.iter_mut().zip(levels) {
                *y = scale * (i32::from(q) - HALF) as f32;
            }
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        let d = V::widen(isa, self.d);
        let (levels, scales) = (self.levels(), unpack_scales(&self.scales));
        let levels = sub_blocks::<16, 16, u8>(&levels);
        for ((y, levels), scale) in sub_blocks_mut::<16, 16, f32>(y).iter_mut().zip(levels).zip(scales) {
            let scale = d * (i32::from(scale) - HALF_SCALE) as f32;
            decode_around::<V::Part>(isa, HALF as f32, scale, levels, y);
        }
    }
}

#[inline(always)]
fn pack_scales(scales: &[u8; 16]) -> [u8; 12] {
    let mut bytes = [0; 12];
    for (j, &scale) in scales.iter().enumerate() {
        bytes[j % 8] |= (scale & 15) << (4 * (j / 8));
        bytes[8 + j % 4] |= (scale >> 4) << (2 * (j / 4));
    }
    bytes
}

#[inline(always)]
fn unpack_scales(bytes: &[u8; 12]) -> [u8; 16] {
    // Four scales a word.
    let [a, b, high] = bytemuck::cast::<_, [[u8; 4]; 3]>(*bytes).map(u32::from_le_bytes);
    let (low_bits, high_bits) = (u32::from_le_bytes([15; 4]), u32::from_le_bytes([3; 4]));
    let mut words = [a, b, a >> 4, b >> 4];
    for (i, word) in words.iter_mut().enumerate() {
        *word = *word & low_bits | (high >> (2 * i) & high_bits) << 4;
    }
    bytemuck::cast(words.map(u32::to_le_bytes))
}

impl LaneBlock for BlockQ3K {
    #[inline(always)]
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    ) {
        match importance {
            Some(importance) => symmetric::encode_q3_k_weighted::<V>(isa, src, importance, dst),
            None => symmetric::encode_q3_k::<V>(isa, src, dst),
        }
    }
}
