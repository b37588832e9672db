//! Q4_K and Q5_K: see [`six_bit`].

use gguf_format::SUPER_BLOCK_LEN;

use super::super::six_bit::{self, Fit, TOP_SCALE};
use super::{Importance, variances};
use crate::lanes::{MAX_LANES, Vector, columns};
use crate::search::lanes::affine::{self, Rounding};
use crate::search::lanes::{qp, sum, sum_of_squares};
use crate::search::qkx2::{Cost, Sweep};
use crate::search::qkx3;
use crate::search::rounding::levels_of_search;

const SUB_BLOCKS: usize = 8;
const SUB_LEN: usize = 32;
/// Sub-blocks of a batch, at most.
const MOST: usize = MAX_LANES * SUB_BLOCKS;

/// The searches' results, a sub-block a place.
struct Found {
    scale: [f32; MOST],
    offset: [f32; MOST],
    inverse: [f32; MOST],
    base: [f32; MOST],
    /// A lane's bit of its group: whether to use the above.
    sound: [u32; SUB_BLOCKS],
}

impl Found {
    #[inline(always)]
    fn new() -> Self {
        let zeros = [0.0; MOST];
        Self { scale: zeros, offset: zeros, inverse: zeros, base: zeros, sound: [0; SUB_BLOCKS] }
    }

    #[inline(always)]
    fn set<V: Vector>(&mut self, group: usize, fit: affine::Fit<V>) {
        let at = group * V::LANES;
        fit.scale.store(&mut self.scale[at..]);
        fit.offset.store(&mut self.offset[at..]);
        fit.inverse.store(&mut self.inverse[at..]);
        fit.base.store(&mut self.base[at..]);
        self.sound[group] = V::bits(fit.sound);
    }

    /// Whether all sub-blocks of a super-block are sound.
    #[inline(always)]
    fn is_sound(&self, lanes: usize, super_block: usize) -> bool {
        let first = super_block * SUB_BLOCKS;
        (self.sound[first / lanes] >> (first % lanes)) & 0xff == 0xff
    }

    /// The levels of a sub-block's search.
    #[inline(always)]
    fn levels(&self, sub_block: usize, x: &[f32; SUB_LEN], top: i32) -> [u8; SUB_LEN] {
        levels_of_search(x, self.inverse[sub_block], self.base[sub_block], top)
    }
}

/// How many groups of as many sub-blocks as there are lanes hold some super-blocks.
#[inline(always)]
fn groups<V: Vector>(super_blocks: usize) -> usize {
    (super_blocks * SUB_BLOCKS).div_ceil(V::LANES)
}

/// Encodes a batch without importance; `plain` encodes a super-block by itself.
#[inline(always)]
pub(in crate::blocks) fn encode_batch<V: Vector, B: From<Fit>>(
    isa: V::Isa,
    top: i32,
    sweep: Sweep,
    src: &[f32],
    dst: &mut [B],
    plain: impl Fn(&[f32; SUPER_BLOCK_LEN]) -> B,
) {
    let mut found = Found::new();
    for (group, src) in src.chunks_exact(V::LANES * SUB_LEN).take(groups::<V>(dst.len())).enumerate() {
        let x: [V; SUB_LEN] = columns(isa, src);
        let root_mean_square = (sum_of_squares(isa, &x) / V::splat(isa, 32.0)).sqrt();
        let mut w = x;
        for w in &mut w {
            *w = root_mean_square + w.abs();
        }
        found.set(group, affine::search(isa, top, sweep, Rounding::RoundFirst, Cost::Square, &x, &w));
    }
    for (i, (block, x)) in dst.iter_mut().zip(src.as_chunks().0).enumerate() {
        if !found.is_sound(V::LANES, i) {
            *block = plain(x);
            continue;
        }
        let (d, scales) = six_bit::share(&found.scale.as_chunks().0[i]);
        let (dmin, mins) = six_bit::share(&found.offset.as_chunks().0[i]);
        let levels = |j, x: &[f32; SUB_LEN]| found.levels(i * SUB_BLOCKS + j, x, top);
        *block = six_bit::finish(top, x, d, dmin, scales, mins, levels).into();
    }
}

/// Encodes a batch under importance; for `scale_limit` see [`six_bit::fit_weighted`].
#[inline(always)]
pub(in crate::blocks) fn encode_batch_weighted<V: Vector, B: From<Fit>>(
    isa: V::Isa,
    top: i32,
    scale_limit: u8,
    src: &[f32],
    importance: Importance<'_>,
    dst: &mut [B],
    plain: impl Fn(&[f32; SUPER_BLOCK_LEN], &[f32; SUPER_BLOCK_LEN]) -> B,
) {
    let variances = variances::<V>(isa, src);
    let mut found = Found::new();
    let mut totals = [0.0; MOST];
    let mut columns_importance = [0.0; MAX_LANES * SUB_LEN];
    let columns_importance = &mut columns_importance[..V::LANES * SUB_LEN];
    for (group, src) in src.chunks_exact(V::LANES * SUB_LEN).take(groups::<V>(dst.len())).enumerate() {
        importance.copy(group * V::LANES * SUB_LEN, columns_importance);
        let mut variance = [0.0; MAX_LANES];
        for (lane, variance) in variance.iter_mut().take(V::LANES).enumerate() {
            *variance = variances[(group * V::LANES + lane) / SUB_BLOCKS];
        }
        let variance = V::load(isa, &variance);
        let x: [V; SUB_LEN] = columns(isa, src);
        let mut w: [V; SUB_LEN] = columns(isa, columns_importance);
        for (w, &x) in w.iter_mut().zip(&x) {
            *w = *w * (variance + x * x).sqrt();
        }
        sum(isa, &w).store(&mut totals[group * V::LANES..]);
        found.set(group, affine::search(isa, top, qkx3::SWEEP, Rounding::LimitFirst, Cost::Square, &x, &w));
    }

    let (scales, offsets): ([V; 8], [V; 8]) = (columns(isa, &found.scale), columns(isa, &found.offset));
    let totals = columns(isa, &totals);
    let (scales, mins) = (Shared::find(isa, &scales, &totals), Shared::find(isa, &offsets, &totals));
    for (i, (block, x)) in dst.iter_mut().zip(src.as_chunks().0).enumerate() {
        if !(found.is_sound(V::LANES, i) && scales.is_sound(i) && mins.is_sound(i)) {
            let mut columns = [0.0; SUPER_BLOCK_LEN];
            importance.copy(i * SUPER_BLOCK_LEN, &mut columns);
            *block = plain(x, &columns);
            continue;
        }
        let levels = |j, x: &[f32; SUB_LEN]| found.levels(i * SUB_BLOCKS + j, x, top);
        let (scale_levels, min_levels) = (scales.levels(i, scale_limit), mins.levels(i, scale_limit));
        *block =
            six_bit::finish(top, x, scales.scale[i], mins.scale[i], scale_levels, min_levels, levels).into();
    }
}

/// A scale for the eight numbers of each super-block, and their levels.
struct Shared {
    scale: [f32; MAX_LANES],
    levels: [[f32; MAX_LANES]; SUB_BLOCKS],
    sound: u32,
}

impl Shared {
    #[inline(always)]
    fn find<V: Vector>(isa: V::Isa, x: &[V; SUB_BLOCKS], w: &[V; SUB_BLOCKS]) -> Self {
        let fit = qp::search(isa, TOP_SCALE, x, w);
        let mut all = Self {
            scale: [0.0; MAX_LANES],
            levels: [[0.0; MAX_LANES]; SUB_BLOCKS],
            sound: V::bits(fit.sound),
        };
        fit.scale.store(&mut all.scale);
        for (to, from) in all.levels.iter_mut().zip(fit.levels) {
            from.store(to);
        }
        all
    }

    #[inline(always)]
    fn is_sound(&self, super_block: usize) -> bool {
        self.sound >> super_block & 1 != 0
    }

    #[inline(always)]
    fn levels(&self, super_block: usize, limit: u8) -> [u8; SUB_BLOCKS] {
        let mut levels = [0; SUB_BLOCKS];
        for (to, from) in levels.iter_mut().zip(&self.levels) {
            *to = (from[super_block] as u8).min(limit);
        }
        levels
    }
}
