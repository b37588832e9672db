//! Super-blocks whose sub-blocks have scale and offset: Q2_K (16 of 16 weights), Q4_K and Q5_K (8 of 32).

use gguf_format::SUPER_BLOCK_LEN;

use super::Importance;
use super::results::{Numbers, Shared, Sound, groups};
use super::weighted::Weighted;
use crate::lanes::{Vector, columns};
use crate::search::lanes::affine::{Fit, Rounding, search};
use crate::search::lanes::{qp, sum, sum_of_squares};
use crate::search::qkx2::{Cost, Sweep};
use crate::search::qkx3;
use crate::search::rounding::levels_of_search;

/// What the search without importance is, for a type.
#[derive(Clone, Copy, Debug)]
pub(in crate::blocks) struct Affine {
    /// The highest level.
    pub(in crate::blocks) top: i32,
    pub(in crate::blocks) sweep: Sweep,
    pub(in crate::blocks) cost: Cost,
    /// The highest level of scales and offsets.
    pub(in crate::blocks) top_scale: i32,
    /// Of the sum of squares over the super-block, under importance.
    pub(in crate::blocks) variance_factor: f32,
}

/// The searches' results.
struct Found<const C: usize> {
    scale: Numbers<C>,
    offset: Numbers<C>,
    inverse: Numbers<C>,
    base: Numbers<C>,
    sound: Sound<C>,
}

impl<const C: usize> Found<C> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            scale: Numbers::new(),
            offset: Numbers::new(),
            inverse: Numbers::new(),
            base: Numbers::new(),
            sound: Sound::new(),
        }
    }

    #[inline(always)]
    fn set<V: Vector>(&mut self, group: usize, fit: Fit<V>) {
        self.scale.set(group, fit.scale);
        self.offset.set(group, fit.offset);
        self.inverse.set(group, fit.inverse);
        self.base.set(group, fit.base);
        self.sound.set::<V>(group, fit.sound);
    }

    #[inline(always)]
    fn levels(&self, super_block: usize, top: i32) -> SearchLevels<'_, C> {
        SearchLevels { inverse: self.inverse.of(super_block), base: self.base.of(super_block), top }
    }
}

/// The levels that the searches of a super-block found: a block keeps them where a scale comes out as zero.
pub(in crate::blocks) struct SearchLevels<'a, const C: usize> {
    inverse: &'a [f32; C],
    base: &'a [f32; C],
    top: i32,
}

impl<const C: usize> SearchLevels<'_, C> {
    #[inline(always)]
    pub(in crate::blocks) fn of<const S: usize>(&self, sub_block: usize, x: &[f32; S]) -> [u8; S] {
        levels_of_search(x, self.inverse[sub_block], self.base[sub_block], self.top)
    }
}

/// A block type of this kind: `C` sub-blocks of `S` weights.
pub(in crate::blocks) trait AffineBlock<const S: usize, const C: usize>:
    super::LaneBlock
{
    const AFFINE: Affine;

    /// From the scales and offsets that the searches found.
    fn from_search(
        x: &[f32; 256],
        scales: &[f32; C],
        offsets: &[f32; C],
        levels: SearchLevels<'_, C>,
    ) -> Self;

    /// From scales and offsets in levels.
    fn from_levels(
        x: &[f32; 256],
        d: f32,
        dmin: f32,
        scales: [u8; C],
        offsets: [u8; C],
        levels: SearchLevels<'_, C>,
    ) -> Self;
}

/// Encodes a batch.
#[inline(always)]
pub(in crate::blocks) fn encode_batch<V: Vector, B: AffineBlock<S, C>, const S: usize, const C: usize>(
    isa: V::Isa,
    src: &[f32],
    importance: Option<Importance<'_>>,
    dst: &mut [B],
) {
    match importance {
        None => plain::<V, B, S, C>(isa, src, dst),
        Some(importance) => weighted::<V, B, S, C>(isa, src, importance, dst),
    }
}

#[inline(always)]
fn plain<V: Vector, B: AffineBlock<S, C>, const S: usize, const C: usize>(
    isa: V::Isa,
    src: &[f32],
    dst: &mut [B],
) {
    let Affine { top, sweep, cost, .. } = B::AFFINE;
    let mut found = Found::<C>::new();
    for (group, src) in src.chunks_exact(V::LANES * S).take(groups::<V>(dst.len(), C)).enumerate() {
        let x: [V; S] = columns(isa, src);
        let mut w = x;
        match cost {
            Cost::Absolute => {
                for w in &mut w {
                    *w = w.abs();
                }
            }
            Cost::Square => {
                let root_mean_square = (sum_of_squares(isa, &x) / V::splat(isa, S as f32)).sqrt();
                for w in &mut w {
                    *w = root_mean_square + w.abs();
                }
            }
        }
        found.set(group, search(isa, top, sweep, Rounding::RoundFirst, cost, &x, &w));
    }
    for (i, (block, x)) in dst.iter_mut().zip(src.as_chunks::<SUPER_BLOCK_LEN>().0).enumerate() {
        *block = if found.sound.all::<V>(i) {
            B::from_search(x, found.scale.of(i), found.offset.of(i), found.levels(i, top))
        } else {
            B::encode(x)
        };
    }
}

#[inline(always)]
fn weighted<V: Vector, B: AffineBlock<S, C>, const S: usize, const C: usize>(
    isa: V::Isa,
    src: &[f32],
    importance: Importance<'_>,
    dst: &mut [B],
) {
    let Affine { top, top_scale, variance_factor, .. } = B::AFFINE;
    let weights = Weighted::new::<V>(isa, src, importance, variance_factor);
    let mut found = Found::<C>::new();
    let mut totals = Numbers::<C>::new();
    for (group, src) in src.chunks_exact(V::LANES * S).take(groups::<V>(dst.len(), C)).enumerate() {
        let x: [V; S] = columns(isa, src);
        let w = weights.of(isa, group, &x);
        totals.set(group, sum(isa, &w));
        found.set(group, search(isa, top, qkx3::SWEEP, Rounding::LimitFirst, Cost::Square, &x, &w));
    }
    let totals = totals.columns::<V>(isa);
    let scales = share(isa, top_scale, &found.scale, &totals);
    let offsets = share(isa, top_scale, &found.offset, &totals);
    for (i, (block, x)) in dst.iter_mut().zip(src.as_chunks::<SUPER_BLOCK_LEN>().0).enumerate() {
        *block = if found.sound.all::<V>(i) && scales.is_sound(i) && offsets.is_sound(i) {
            let levels = found.levels(i, top);
            B::from_levels(x, scales.scale[i], offsets.scale[i], scales.levels(i), offsets.levels(i), levels)
        } else {
            B::encode_weighted(x, &importance.of_super_block(i), 0.0)
        };
    }
}

#[inline(always)]
fn share<V: Vector, const C: usize>(
    isa: V::Isa,
    top: i32,
    numbers: &Numbers<C>,
    totals: &[V; C],
) -> Shared<C> {
    let fit = qp::search(isa, top, &numbers.columns::<V>(isa), totals);
    Shared::new(fit.scale, &fit.levels, fit.sound)
}
