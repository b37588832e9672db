//! `Q2_K`: 256 weights in 84 bytes. 16 sub-blocks of 16 weights; `x = d · s · q − dmin · m`, where s and m are
//! of four bits for each sub-block and q of two bits for each weight.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::affine::{self, Affine, AffineBlock, SearchLevels};
use super::lanes::levels::decode_above;
use super::lanes::{Importance, LaneBlock};
use super::super_block::{largest, sub_blocks, sub_blocks_mut};
use super::{Block, two_bit};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::qkx2::{Cost, Sweep};
use crate::search::rounding::{nearest_int, requantize_affine};
use crate::search::{qkx2, qkx3, qp, weights};

const TOP: i32 = 3;
const TOP_SCALE: i32 = 15;
const SWEEP: Sweep = Sweep { first: -0.5, delta: 0.1, last: 15 };

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ2K {
    /// For each sub-block: scale in the low nibble, minimum in the high one.
    scales: [u8; 16],
    /// See [`two_bit`].
    qs: [u8; 64],
    d: F16,
    dmin: F16,
}

impl BlockQ2K {
    /// Rounds the weights once more, now to the scales that the block has, and packs them.
    ///
    /// A sub-block whose scale came out as zero keeps the levels of its search, which `search_levels` tells.
    #[inline(always)]
    fn finish(
        x: &[f32; 256],
        d: f32,
        dmin: f32,
        scales: [u8; 16],
        mins: [u8; 16],
        search_levels: impl Fn(usize, &[f32; 16]) -> [u8; 16],
    ) -> Self {
        let (d, dmin) = (F16::from_f32(d), F16::from_f32(dmin));
        let mut bytes = [0; 16];
        for j in 0..16 {
            bytes[j] = scales[j] | (mins[j] << 4);
        }
        let mut levels = [0; 256];
        let sub_levels = sub_blocks_mut::<16, 16, u8>(&mut levels);
        for (j, (x, levels)) in sub_blocks::<16, 16, f32>(x).iter().zip(sub_levels).enumerate() {
            let scale = d.to_f32() * f32::from(bytes[j] & 15);
            if scale != 0.0 {
                requantize_affine(x, scale, dmin.to_f32() * f32::from(bytes[j] >> 4), TOP, levels);
            } else {
                *levels = search_levels(j, x);
            }
        }
        Self { scales: bytes, qs: two_bit::pack(&levels), d, dmin }
    }
}

impl Block<256> for BlockQ2K {
    const TYPE: GgmlType = GgmlType::Q2_K;

    #[inline]
    fn encode(x: &[f32; 256]) -> Self {
        let mut levels = [0; 256];
        let (mut scales, mut mins) = ([0.0; 16], [0.0; 16]);
        let sub_levels = sub_blocks_mut::<16, 16, u8>(&mut levels);
        for (j, (x, levels)) in sub_blocks::<16, 16, f32>(x).iter().zip(sub_levels).enumerate() {
            let fit = qkx2::search(TOP, SWEEP, Cost::Absolute, x, &x.map(f32::abs), levels);
            (scales[j], mins[j]) = (fit.scale, fit.offset);
        }
        let (d, scale_levels) = share(&scales);
        let (dmin, min_levels) = share(&mins);
        Self::finish(x, d, dmin, scale_levels, min_levels, |j, _| sub_blocks::<16, 16, u8>(&levels)[j])
    }

    #[inline]
    fn encode_weighted(x: &[f32; 256], importance: &[f32; 256], _: f32) -> Self {
        let variance = weights::sum_of_squares(x) / 256.0;
        let mut levels = [0; 256];
        let (mut scales, mut mins, mut totals) = ([0.0; 16], [0.0; 16], [0.0; 16]);
        let subs = sub_blocks::<16, 16, f32>(x).iter().zip(sub_blocks::<16, 16, f32>(importance));
        for (j, ((x, importance), levels)) in subs.zip(sub_blocks_mut::<16, 16, u8>(&mut levels)).enumerate()
        {
            let w = weights::by_importance(x, importance, variance);
            totals[j] = weights::sum(&w);
            let fit = qkx3::search(TOP, x, &w, levels);
            (scales[j], mins[j]) = (fit.scale, fit.offset);
        }
        let (mut scale_levels, mut min_levels) = ([0; 16], [0; 16]);
        let d = qp::search(TOP_SCALE, &scales, &totals, &mut scale_levels);
        let dmin = qp::search(TOP_SCALE, &mins, &totals, &mut min_levels);
        Self::finish(x, d, dmin, scale_levels, min_levels, |j, _| sub_blocks::<16, 16, u8>(&levels)[j])
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        let (d, dmin) = (self.d.to_f32(), self.dmin.to_f32());
        let mut levels = two_bit::unpack(&self.qs);
        let levels = sub_blocks_mut::<16, 16, u8>(&mut levels);
        for ((y, levels), &byte) in sub_blocks_mut::<16, 16, f32>(y).iter_mut().zip(levels).zip(&self.scales)
        {
            let (scale, min) = (d * f32::from(byte & 15), dmin * f32::from(byte >> 4));
            for (y, &mut q) in y.iter_mut().zip(levels) {
                *y = scale * f32::from(q) - min;
            }
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        let (d, dmin) = (V::widen(isa, self.d), V::widen(isa, self.dmin));
        let levels = two_bit::unpack(&self.qs);
        let y = sub_blocks_mut::<16, 16, f32>(y).iter_mut();
        for ((y, levels), &byte) in y.zip(sub_blocks::<16, 16, u8>(&levels)).zip(&self.scales) {
            let (scale, min) = (d * f32::from(byte & 15), dmin * f32::from(byte >> 4));
            decode_above::<V::Part>(isa, scale, min, levels, y);
        }
    }
}

/// One scale for 16 numbers, the largest on the top level, and the levels.
#[inline(always)]
fn share(values: &[f32; 16]) -> (f32, [u8; 16]) {
    let max = largest(values);
    let mut levels = [0; 16];
    if max == 0.0 {
        return (0.0, levels);
    }
    let inverse = TOP_SCALE as f32 / max;
    for (level, v) in levels.iter_mut().zip(values) {
        *level = nearest_int(inverse * v) as u8;
    }
    (max / TOP_SCALE as f32, levels)
}

impl LaneBlock for BlockQ2K {
    #[inline(always)]
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    ) {
        affine::encode_batch::<V, _, 16, 16>(isa, src, importance, dst);
    }
}

impl AffineBlock<16, 16> for BlockQ2K {
    const AFFINE: Affine =
        Affine { top: TOP, sweep: SWEEP, cost: Cost::Absolute, top_scale: TOP_SCALE, variance_factor: 1.0 };

    #[inline(always)]
    fn from_search(
        x: &[f32; 256],
        scales: &[f32; 16],
        offsets: &[f32; 16],
        levels: SearchLevels<'_, 16>,
    ) -> Self {
        let (d, scale_levels) = share(scales);
        let (dmin, min_levels) = share(offsets);
        Self::finish(x, d, dmin, scale_levels, min_levels, |j, x| levels.of(j, x))
    }

    #[inline(always)]
    fn from_levels(
        x: &[f32; 256],
        d: f32,
        dmin: f32,
        scales: [u8; 16],
        offsets: [u8; 16],
        levels: SearchLevels<'_, 16>,
    ) -> Self {
        Self::finish(x, d, dmin, scales, offsets, |j, x| levels.of(j, x))
    }
}
