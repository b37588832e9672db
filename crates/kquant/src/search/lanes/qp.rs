//! Fit of numbers that are not negative, as [`search::qp`](crate::search::qp).

use super::ROUNDABLE;
use crate::lanes::Vector;
use crate::search::ALL_ZERO;
use crate::search::qp::PASSES;
use crate::search::rounding::NEAREST;

/// What was found, lane by lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit<V: Vector, const N: usize> {
    pub(crate) scale: V,
    /// 0 … `top`.
    pub(crate) levels: [V; N],
    /// Where no number was negative, and every value could be rounded: elsewhere nothing above is to be used.
    pub(crate) sound: V::Mask,
}

/// The largest scale whose inverse scales need no care.
const LARGEST: f32 = 1e30;

/// See [`search::qp`](crate::search::qp).
#[inline(always)]
pub(crate) fn search<V: Vector, const N: usize>(isa: V::Isa, top: i32, x: &[V; N], w: &[V; N]) -> Fit<V, N> {
    let top = top as f32;
    let (zero, one, limit) = (V::splat(isa, 0.0), V::splat(isa, 1.0), V::splat(isa, top));
    let nearest = V::splat(isa, NEAREST);
    let (mut max, mut min) = (zero, zero);
    let mut number = zero.same(zero);
    for &x in x {
        max = max.larger(x);
        min = x.smaller(min);
        number = number & x.same(x);
    }
    let blank = max.lt(V::splat(isa, ALL_ZERO));
    let mut sound = number & max.lt(V::splat(isa, LARGEST)) & !min.lt(zero);

    // The first trial is without the limit, which only rounding could pass.
    let mut inverse = limit / max;
    let mut best_error = error(x, w, inverse, one / inverse, zero, nearest, V::splat(isa, f32::INFINITY));
    for step in (-4i8..=4).filter(|&step| step != 0) {
        let trial = V::splat(isa, 0.1 * f32::from(step) + top) / max;
        let trial_error = error(x, w, trial, one / trial, zero, nearest, limit);
        let better = trial_error.lt(best_error);
        best_error = V::select(better, trial_error, best_error);
        inverse = V::select(better, trial, inverse);
    }

    let (mut sum_xl, mut sum_ll) = (zero, zero);
    let mut levels = [zero; N];
    for i in 0..N {
        let l = ((inverse * x[i] + nearest) - nearest).smaller(limit);
        levels[i] = l;
        sum_xl = sum_xl + w[i] * x[i] * l;
        sum_ll = sum_ll + w[i] * l * l;
    }
    // A lane in which a pass changed nothing is where it was before: more passes do nothing either.
    for _ in 0..PASSES {
        let mut changed = zero.lt(zero);
        for i in 0..N {
            let (x, w, old) = (x[i], w[i], levels[i]);
            let others_xl = sum_xl - w * x * old;
            let others_ll = sum_ll - w * old * old;
            let usable = others_xl.gt(zero) & others_ll.gt(zero);
            let value = x * others_ll / others_xl;
            sound = sound & (value.lt(V::splat(isa, ROUNDABLE)) | !usable);
            let new = ((value + nearest) - nearest).smaller(limit);
            let new_xl = others_xl + w * x * new;
            let new_ll = others_ll + w * new * new;
            let better = usable & !new.same(old) & (new_xl * new_xl * sum_ll).gt(sum_xl * sum_xl * new_ll);
            levels[i] = V::select(better, new, old);
            sum_xl = V::select(better, new_xl, sum_xl);
            sum_ll = V::select(better, new_ll, sum_ll);
            changed = changed | better;
        }
        if !V::any(changed) {
            break;
        }
    }
    let scale = V::select(sum_ll.gt(zero), sum_xl / sum_ll, zero);
    for l in &mut levels {
        *l = V::select(blank, zero, *l);
    }
    Fit { scale: V::select(blank, zero, scale), levels, sound: sound | (blank & number) }
}

/// Σ w · (x − scale · level)², in order, with levels up to `limit`.
#[inline(always)]
fn error<V: Vector, const N: usize>(
    x: &[V; N],
    w: &[V; N],
    inverse: V,
    scale: V,
    zero: V,
    nearest: V,
    limit: V,
) -> V {
    let mut sum = zero;
    for i in 0..N {
        let level = ((inverse * x[i] + nearest) - nearest).smaller(limit);
        let diff = x[i] - scale * level;
        sum = sum + w[i] * diff * diff;
    }
    sum
}
