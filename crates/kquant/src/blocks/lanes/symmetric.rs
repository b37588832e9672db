//! Super-blocks of 16 sub-blocks with a scale each and no offset: Q3_K, Q6_K.

use gguf_format::SUPER_BLOCK_LEN;

use super::Importance;
use super::results::{Numbers, Shared, Sound, groups};
use super::weighted::{Weighted, importance_of};
use crate::blocks::Block;
use crate::blocks::{BlockQ3K, BlockQ6K};
use crate::lanes::{Vector, columns};
use crate::search::lanes::{q3, qx, sum};
use crate::search::rounding::levels_of_scale_search;

const SUB_LEN: usize = 16;
const SUB_BLOCKS: usize = SUPER_BLOCK_LEN / SUB_LEN;

/// Encodes a batch of Q6_K: its errors count by the square of the weight, or by the importance alone.
#[inline(always)]
pub(in crate::blocks) fn encode_q6_k<V: Vector>(
    isa: V::Isa,
    src: &[f32],
    importance: Option<Importance<'_>>,
    dst: &mut [BlockQ6K],
) {
    let mut scales = Numbers::<SUB_BLOCKS>::new();
    let mut inverses = Numbers::<SUB_BLOCKS>::new();
    let mut sound = Sound::<SUB_BLOCKS>::new();
    for (group, src) in
        src.chunks_exact(V::LANES * SUB_LEN).take(groups::<V>(dst.len(), SUB_BLOCKS)).enumerate()
    {
        let x: [V; SUB_LEN] = columns(isa, src);
        let w = match importance {
            Some(importance) => importance_of(isa, importance, group),
            None => {
                let mut w = x;
                for w in &mut w {
                    *w = *w * *w;
                }
                w
            }
        };
        let fit = qx::search(isa, BlockQ6K::HALF, &x, &w);
        scales.set(group, fit.scale);
        inverses.set(group, fit.inverse);
        sound.set::<V>(group, fit.sound);
    }
    for (i, (block, x)) in dst.iter_mut().zip(src.as_chunks::<SUPER_BLOCK_LEN>().0).enumerate() {
        *block = if sound.all::<V>(i) {
            BlockQ6K::from_search(x, scales.of(i), |j, x| {
                levels_of_scale_search(x, inverses.of(i)[j], BlockQ6K::HALF)
            })
        } else {
            match importance {
                Some(importance) => BlockQ6K::encode_weighted(x, &importance.of_super_block(i), 0.0),
                None => BlockQ6K::encode(x),
            }
        };
    }
}

/// Encodes a batch of Q3_K without importance.
#[inline(always)]
pub(in crate::blocks) fn encode_q3_k<V: Vector>(isa: V::Isa, src: &[f32], dst: &mut [BlockQ3K]) {
    let mut scales = Numbers::<SUB_BLOCKS>::new();
    let mut sound = Sound::<SUB_BLOCKS>::new();
    for (group, src) in
        src.chunks_exact(V::LANES * SUB_LEN).take(groups::<V>(dst.len(), SUB_BLOCKS)).enumerate()
    {
        let x: [V; SUB_LEN] = columns(isa, src);
        let (scale, is_sound) = q3::search(isa, BlockQ3K::HALF, &x);
        scales.set(group, scale);
        sound.set::<V>(group, is_sound);
    }
    for (i, (block, x)) in dst.iter_mut().zip(src.as_chunks::<SUPER_BLOCK_LEN>().0).enumerate() {
        *block = if sound.all::<V>(i) {
            BlockQ3K::from_search(x, scales.of(i), |_, x| {
                let mut levels = [0; SUB_LEN];
                crate::search::q3::search(BlockQ3K::HALF, x, &mut levels);
                levels
            })
        } else {
            BlockQ3K::encode(x)
        };
    }
}

/// Encodes a batch of Q3_K under importance.
#[inline(always)]
pub(in crate::blocks) fn encode_q3_k_weighted<V: Vector>(
    isa: V::Isa,
    src: &[f32],
    importance: Importance<'_>,
    dst: &mut [BlockQ3K],
) {
    let weights = Weighted::new::<V>(isa, src, importance, 2.0);
    let mut scales = Numbers::<SUB_BLOCKS>::new();
    let mut inverses = Numbers::<SUB_BLOCKS>::new();
    let mut totals = Numbers::<SUB_BLOCKS>::new();
    let mut sound = Sound::<SUB_BLOCKS>::new();
    for (group, src) in
        src.chunks_exact(V::LANES * SUB_LEN).take(groups::<V>(dst.len(), SUB_BLOCKS)).enumerate()
    {
        let x: [V; SUB_LEN] = columns(isa, src);
        let w = weights.of(isa, group, &x);
        let fit = qx::search(isa, BlockQ3K::HALF, &x, &w);
        totals.set(group, sum(isa, &w));
        scales.set(group, fit.scale);
        inverses.set(group, fit.inverse);
        sound.set::<V>(group, fit.sound);
    }
    let columns: [V; SUB_BLOCKS] = scales.columns(isa);
    let shared = qx::search(isa, BlockQ3K::HALF_SCALE, &columns, &totals.columns(isa));
    // A super-block a lane: its scale, and in place of levels the inverse scale that gives them.
    let shared = Shared::new(shared.scale, &[shared.inverse], shared.sound);
    for (i, (block, x)) in dst.iter_mut().zip(src.as_chunks::<SUPER_BLOCK_LEN>().0).enumerate() {
        *block = if sound.all::<V>(i) && shared.is_sound(i) {
            let scale_levels =
                levels_of_scale_search(scales.of(i), shared.number(0, i), BlockQ3K::HALF_SCALE);
            BlockQ3K::finish(x, shared.scale[i], &scale_levels, |j, x| {
                levels_of_scale_search(x, inverses.of(i)[j], BlockQ3K::HALF)
            })
        } else {
            BlockQ3K::encode_weighted(x, &importance.of_super_block(i), 0.0)
        };
    }
}
