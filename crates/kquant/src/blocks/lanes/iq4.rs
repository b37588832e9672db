//! IQ4_NL and IQ4_XS: the searches in lanes; the packing is that of the plain version.

use super::{Importance, sums_of_squares};
use crate::lanes::{MAX_LANES, Vector, columns};
use crate::search::lanes::{iq4, sum_of_squares};

/// Weights of a sub-block; a block of IQ4_NL is one.
const SUB_LEN: usize = 32;
/// Sub-blocks of a super-block of IQ4_XS.
const SUB_BLOCKS: usize = 8;

/// The scales of a batch of IQ4_NL.
#[inline(always)]
pub(in crate::blocks) fn of_blocks<V: Vector>(
    isa: V::Isa,
    src: &[f32],
    importance: Option<Importance<'_>>,
) -> [f32; MAX_LANES] {
    let x: [V; SUB_LEN] = columns(isa, src);
    let variance = sum_of_squares(isa, &x) * V::splat(isa, 2.0 / SUB_LEN as f32);
    let w = weights(isa, &x, importance, 0, variance);
    let mut scales = [0.0; MAX_LANES];
    iq4::search(isa, &x, &w).store(&mut scales);
    scales
}

/// The scales of the sub-blocks of the first `super_blocks` super-blocks in a batch of IQ4_XS.
#[inline(always)]
pub(in crate::blocks) fn of_super_blocks<V: Vector>(
    isa: V::Isa,
    src: &[f32],
    importance: Option<Importance<'_>>,
    super_blocks: usize,
) -> [[f32; SUB_BLOCKS]; MAX_LANES] {
    let mut variances = [0.0; MAX_LANES];
    if importance.is_some() {
        (sums_of_squares::<V>(isa, src) * V::splat(isa, 2.0 / 256.0)).store(&mut variances);
    }
    let mut scales = [[0.0; SUB_BLOCKS]; MAX_LANES];
    let groups =
        scales.as_flattened_mut().chunks_exact_mut(V::LANES).zip(src.chunks_exact(V::LANES * SUB_LEN));
    let used = (super_blocks * SUB_BLOCKS).div_ceil(V::LANES);
    for (group, (scales, src)) in groups.take(used).enumerate() {
        let first = group * V::LANES;
        let mut variance = [0.0; MAX_LANES];
        for (lane, variance) in variance.iter_mut().enumerate().take(V::LANES) {
            *variance = variances[(first + lane) / SUB_BLOCKS];
        }
        let x: [V; SUB_LEN] = columns(isa, src);
        let w = weights(isa, &x, importance, first * SUB_LEN, V::load(isa, &variance));
        iq4::search(isa, &x, &w).store(scales);
    }
    scales
}

/// How much the errors of some sub-blocks count, whose weights begin at the place `at` of the batch; `variance` is what
/// [`by_importance`](crate::search::weights::by_importance) adds.
#[inline(always)]
fn weights<V: Vector>(
    isa: V::Isa,
    x: &[V; SUB_LEN],
    importance: Option<Importance<'_>>,
    at: usize,
    variance: V,
) -> [V; SUB_LEN] {
    let mut w = *x;
    match importance {
        None => {
            for w in &mut w {
                *w = *w * *w;
            }
        }
        Some(importance) => {
            let mut of_columns = [0.0; MAX_LANES * SUB_LEN];
            importance.copy(at, &mut of_columns[..V::LANES * SUB_LEN]);
            w = columns(isa, &of_columns);
            for (w, &x) in w.iter_mut().zip(x) {
                *w = *w * (variance + x * x).sqrt();
            }
        }
    }
    w
}
