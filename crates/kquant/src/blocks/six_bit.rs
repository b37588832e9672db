//! What Q4_K and Q5_K share: 8 sub-blocks of 32 weights, each with a scale and a minimum of six bits, packed in
//! 12 bytes; two searches for them.

use super::lanes::levels::decode_above;
use super::super_block::{largest, sub_blocks, sub_blocks_mut};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::qkx2::{Cost, Sweep};
use crate::search::rounding::{nearest_int, requantize_affine};
use crate::search::{qkx2, qkx3, qp, weights};

pub(super) const TOP_SCALE: i32 = 63;

/// A super-block but for its levels' packing.
pub(super) struct Fit {
    pub(super) d: F16,
    pub(super) dmin: F16,
    pub(super) scales: [u8; 12],
    /// 0 … `top` of the call.
    pub(super) levels: [u8; 256],
}

/// Without importance: a weight's error counts by its magnitude plus the root mean square of its sub-block.
#[inline(always)]
pub(super) fn fit(top: i32, sweep: Sweep, x: &[f32; 256]) -> Fit {
    let mut levels = [0; 256];
    let (mut scales, mut mins) = ([0.0; 8], [0.0; 8]);
    let sub_levels = sub_blocks_mut::<32, 8, u8>(&mut levels);
    for (j, (x, levels)) in sub_blocks::<32, 8, f32>(x).iter().zip(sub_levels).enumerate() {
        let root_mean_square = (weights::sum_of_squares(x) / 32.0).sqrt();
        let w = x.map(|x| root_mean_square + x.abs());
        let fit = qkx2::search(top, sweep, Cost::Square, x, &w, levels);
        (scales[j], mins[j]) = (fit.scale, fit.offset);
    }
    from_search(top, x, &scales, &mins, |j, _| sub_blocks::<32, 8, u8>(&levels)[j])
}

/// From the scales and offsets that searches found.
#[inline(always)]
pub(super) fn from_search(
    top: i32,
    x: &[f32; 256],
    scales: &[f32; 8],
    offsets: &[f32; 8],
    search_levels: impl Fn(usize, &[f32; 32]) -> [u8; 32],
) -> Fit {
    let (d, scale_levels) = share(scales);
    let (dmin, min_levels) = share(offsets);
    finish(top, x, d, dmin, scale_levels, min_levels, search_levels)
}

/// Under importance.
///
/// A level of a scale can leave its six bits: when the importance of most columns is 0, a search may give a
/// negative scale or offset, whose level is then the low byte of a negative number. `scale_limit` is the
/// largest level that is let through to the packing.
#[inline(always)]
pub(super) fn fit_weighted(top: i32, scale_limit: u8, x: &[f32; 256], importance: &[f32; 256]) -> Fit {
    let variance = 2.0 * weights::sum_of_squares(x) / 256.0;
    let mut levels = [0; 256];
    let (mut scales, mut mins, mut totals) = ([0.0; 8], [0.0; 8], [0.0; 8]);
    let subs = sub_blocks::<32, 8, f32>(x).iter().zip(sub_blocks::<32, 8, f32>(importance));
    for (j, ((x, importance), levels)) in subs.zip(sub_blocks_mut::<32, 8, u8>(&mut levels)).enumerate() {
        let w = weights::by_importance(x, importance, variance);
        totals[j] = weights::sum(&w);
        let fit = qkx3::search(top, x, &w, levels);
        (scales[j], mins[j]) = (fit.scale, fit.offset);
    }
    let (mut scale_levels, mut min_levels) = ([0; 8], [0; 8]);
    let d = qp::search(TOP_SCALE, &scales, &totals, &mut scale_levels);
    let dmin = qp::search(TOP_SCALE, &mins, &totals, &mut min_levels);
    let limit = |levels: [u8; 8]| levels.map(|level| level.min(scale_limit));
    finish(top, x, d, dmin, limit(scale_levels), limit(min_levels), |j, _| {
        sub_blocks::<32, 8, u8>(&levels)[j]
    })
}

/// Decodes levels 0 … 31.
#[inline(always)]
pub(super) fn decode(d: F16, dmin: F16, scales: &[u8; 12], levels: &[u8; 256], y: &mut [f32; 256]) {
    let (d, dmin) = (d.to_f32(), dmin.to_f32());
    let (scales, mins) = unpack(scales);
    for (j, (y, levels)) in
        sub_blocks_mut::<32, 8, f32>(y).iter_mut().zip(levels.as_chunks::<32>().0).enumerate()
    {
        let (scale, min) = (d * f32::from(scales[j]), dmin * f32::from(mins[j]));
        for (y, &q) in y.iter_mut().zip(levels) {
            *y = scale * f32::from(q) - min;
        }
    }
}

/// The same in vectors.
#[inline(always)]
pub(super) fn decode_on<V: Vector>(
    isa: V::Isa,
    d: F16,
    dmin: F16,
    scales: &[u8; 12],
    levels: &[u8; 256],
    y: &mut [f32; 256],
) {
    let (d, dmin) = (d.to_f32(), dmin.to_f32());
    let (scales, mins) = unpack(scales);
    let y = sub_blocks_mut::<32, 8, f32>(y).iter_mut();
    for (j, (y, levels)) in y.zip(sub_blocks::<32, 8, u8>(levels)).enumerate() {
        decode_above::<V>(isa, d * f32::from(scales[j]), dmin * f32::from(mins[j]), levels, y);
    }
}

/// One scale for 8 numbers, the largest on the top level, and the levels.
#[inline(always)]
fn share(values: &[f32; 8]) -> (f32, [u8; 8]) {
    let max = largest(values);
    let inverse = if max > 0.0 { TOP_SCALE as f32 / max } else { 0.0 };
    // A byte in ggml, before the limit.
    let mut levels = [0; 8];
    for (level, v) in levels.iter_mut().zip(values) {
        *level = (nearest_int(inverse * v) as u8).min(TOP_SCALE as u8);
    }
    (max / TOP_SCALE as f32, levels)
}

/// Rounds the weights once more, now to the scales that the block has.
///
/// A sub-block whose scale came out as zero keeps the levels of its search, which `search_levels` tells.
#[inline(always)]
pub(super) fn finish(
    top: i32,
    x: &[f32; 256],
    d: f32,
    dmin: f32,
    scales: [u8; 8],
    mins: [u8; 8],
    search_levels: impl Fn(usize, &[f32; 32]) -> [u8; 32],
) -> Fit {
    let (d, dmin) = (F16::from_f32(d), F16::from_f32(dmin));
    let packed = pack(&scales, &mins);
    // What a reader will see: a level that does not fit its six bits is not what went in.
    let (scales, mins) = unpack(&packed);
    let mut levels = [0; 256];
    let sub_levels = sub_blocks_mut::<32, 8, u8>(&mut levels);
    for (j, (x, levels)) in sub_blocks::<32, 8, f32>(x).iter().zip(sub_levels).enumerate() {
        let scale = d.to_f32() * f32::from(scales[j]);
        if scale != 0.0 {
            requantize_affine(x, scale, dmin.to_f32() * f32::from(mins[j]), top, levels);
        } else {
            *levels = search_levels(j, x);
        }
    }
    Fit { d, dmin, scales: packed, levels }
}

/// Bytes 0–3: scales 0–3; bytes 4–7: minima 0–3, six bits each; bytes 8–11: the low four bits of scale and
/// minimum j = 4–7, whose upper two bits are the top bits of byte j − 4 (scale) and byte j (minimum).
#[inline(always)]
fn pack(scales: &[u8; 8], mins: &[u8; 8]) -> [u8; 12] {
    let mut bytes = [0; 12];
    for j in 0..4 {
        bytes[j] = scales[j] | ((scales[j + 4] >> 4) << 6);
        bytes[j + 4] = mins[j] | ((mins[j + 4] >> 4) << 6);
        bytes[j + 8] = (scales[j + 4] & 15) | ((mins[j + 4] & 15) << 4);
    }
    bytes
}

#[inline(always)]
fn unpack(bytes: &[u8; 12]) -> ([u8; 8], [u8; 8]) {
    // Four numbers a word.
    let [scales, mins, both] = bytemuck::cast::<_, [[u8; 4]; 3]>(*bytes).map(u32::from_le_bytes);
    let (all, low) = (u32::from_le_bytes([63; 4]), u32::from_le_bytes([15; 4]));
    let high = u32::from_le_bytes([48; 4]);
    let scales = [scales & all, both & low | scales >> 2 & high];
    let mins = [mins & all, both >> 4 & low | mins >> 2 & high];
    (bytemuck::cast(scales.map(u32::to_le_bytes)), bytemuck::cast(mins.map(u32::to_le_bytes)))
}

/// The low four bits of the levels, two sub-blocks in 32 bytes.
#[inline(always)]
pub(super) fn pack_nibbles(levels: &[u8; 256]) -> [u8; 128] {
    let low = u64::from_le_bytes([15; 8]);
    let mut bytes = [0; 128];
    for (pair, bytes) in levels.as_chunks::<64>().0.iter().zip(bytes.as_chunks_mut::<32>().0) {
        let pair: &[[[u8; 8]; 4]; 2] = bytemuck::cast_ref(pair);
        for (i, bytes) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
            let [first, second] = [pair[0][i], pair[1][i]].map(u64::from_le_bytes);
            *bytes = (first & low | (second & low) << 4).to_le_bytes();
        }
    }
    bytes
}

/// The levels 0 … 15 again.
#[inline(always)]
pub(super) fn unpack_nibbles(bytes: &[u8; 128]) -> [u8; 256] {
    let low = u64::from_le_bytes([15; 8]);
    let mut levels = [0; 256];
    for (pair, bytes) in levels.as_chunks_mut::<64>().0.iter_mut().zip(bytes.as_chunks::<32>().0) {
        let pair: &mut [[[u8; 8]; 4]; 2] = bytemuck::cast_mut(pair);
        for (i, bytes) in bytes.as_chunks().0.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            pair[0][i] = (word & low).to_le_bytes();
            pair[1][i] = (word >> 4 & low).to_le_bytes();
        }
    }
    levels
}
