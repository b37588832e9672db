//! How much each weight's error counts under importance, a sub-block a lane.

use gguf_format::SUPER_BLOCK_LEN;

use super::{Importance, sums_of_squares};
use crate::lanes::{MAX_LANES, Vector, columns};

/// Weights of errors for the sub-blocks of a batch: `importance · √(variance + x²)`.
pub(super) struct Weighted<'a> {
    importance: Importance<'a>,
    variances: [f32; MAX_LANES],
}

impl<'a> Weighted<'a> {
    /// The variance of a super-block is `factor · Σ x² / 256`.
    #[inline(always)]
    pub(super) fn new<V: Vector>(isa: V::Isa, src: &[f32], importance: Importance<'a>, factor: f32) -> Self {
        let mut variances = [0.0; MAX_LANES];
        (V::splat(isa, factor) * sums_of_squares(isa, src) / V::splat(isa, 256.0)).store(&mut variances);
        Self { importance, variances }
    }

    /// Those of group number `group`, whose weights are `x`.
    #[inline(always)]
    pub(super) fn of<V: Vector, const S: usize>(&self, isa: V::Isa, group: usize, x: &[V; S]) -> [V; S] {
        let mut variance = [0.0; MAX_LANES];
        for (lane, variance) in variance.iter_mut().take(V::LANES).enumerate() {
            *variance = self.variances[(group * V::LANES + lane) * S / SUPER_BLOCK_LEN];
        }
        let variance = V::load(isa, &variance);
        let mut w: [V; S] = importance_of(isa, self.importance, group);
        for (w, &x) in w.iter_mut().zip(x) {
            *w = *w * (variance + x * x).sqrt();
        }
        w
    }
}

/// The importance of group number `group`.
#[inline(always)]
pub(super) fn importance_of<V: Vector, const S: usize>(
    isa: V::Isa,
    importance: Importance<'_>,
    group: usize,
) -> [V; S] {
    const { assert!(S <= 32) }
    if let Some(importance) = importance.within_row(group * V::LANES * S, V::LANES * S) {
        return columns(isa, importance);
    }
    let mut buffer = [0.0; MAX_LANES * 32];
    let buffer = &mut buffer[..V::LANES * S];
    importance.copy(group * V::LANES * S, buffer);
    columns(isa, buffer)
}
