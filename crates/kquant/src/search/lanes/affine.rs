//! Fit with scale and offset by trying scales, as [`search::affine`](crate::search::affine).

use super::ROUNDABLE;
use crate::lanes::Vector;
use crate::search::qkx2::{Cost, Sweep};
use crate::search::rounding::NEAREST;

/// How a trial's levels are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// As in `make_qkx2_quants`: rounded, then brought into range.
    RoundFirst,
    /// As in `make_qkx3_quants`: brought into range, then rounded.
    LimitFirst,
}

/// What was found, lane by lane: `x ≈ scale · level − offset`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit<V: Vector> {
    pub(crate) scale: V,
    pub(crate) offset: V,
    /// The levels of the search are `(x − base) · inverse`, rounded and brought into range; of a lane where all weights
    /// are alike, both are 0.
    pub(crate) inverse: V,
    pub(crate) base: V,
    /// Where every value could be rounded: elsewhere nothing above is to be used.
    pub(crate) sound: V::Mask,
}

/// See [`search::affine`](crate::search::affine).
#[inline(always)]
pub(crate) fn search<V: Vector, const S: usize>(
    isa: V::Isa,
    top: i32,
    sweep: Sweep,
    rounding: Rounding,
    cost: Cost,
    x: &[V; S],
    w: &[V; S],
) -> Fit<V> {
    let zero = V::splat(isa, 0.0);
    let top = top as f32;
    let rounder = Rounder::new(isa, top);
    let limit = rounder.limit;

    let (mut min, mut max) = (x[0], x[0]);
    let (mut sum_w, mut sum_x) = (w[0], w[0] * x[0]);
    for i in 1..S {
        min = x[i].smaller(min);
        max = x[i].larger(max);
        sum_w = sum_w + w[i];
        sum_x = sum_x + w[i] * x[i];
    }
    let largest = max.abs().larger(min.abs());
    min = V::select(min.gt(zero), zero, min);
    let flat = max.same(min);

    let mut inverse = limit / (max - min);
    let mut base = min;
    let mut scale = V::splat(isa, 1.0) / inverse;
    let mut sound = (inverse * (largest - min)).abs().lt(V::splat(isa, ROUNDABLE));
    let mut levels = [zero; S];
    for i in 0..S {
        levels[i] = rounder.round_first(inverse * (x[i] - min));
    }
    let mut best_error = error(isa, cost, x, w, &levels, scale, min);
    for step in 0..=sweep.last {
        let numerator = V::splat(isa, sweep.first + sweep.delta * f32::from(step) + top);
        let trial_inverse = numerator / (max - min);
        if rounding == Rounding::RoundFirst {
            sound = sound & (trial_inverse * (largest - min)).abs().lt(V::splat(isa, ROUNDABLE));
        }
        let (mut sum_l, mut sum_ll, mut sum_xl) = (zero, zero, zero);
        for i in 0..S {
            let value = trial_inverse * (x[i] - min);
            let l = match rounding {
                Rounding::RoundFirst => rounder.round_first(value),
                Rounding::LimitFirst => rounder.limit_first(value),
            };
            levels[i] = l;
            let wl = w[i] * l;
            sum_l = sum_l + wl;
            sum_ll = sum_ll + wl * l;
            sum_xl = sum_xl + wl * x[i];
        }
        let determinant = sum_w * sum_ll - sum_l * sum_l;
        let mut trial_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
        let mut trial_min = (sum_ll * sum_x - sum_l * sum_xl) / determinant;
        let positive = trial_min.gt(zero);
        if V::any(positive) {
            trial_min = V::select(positive, zero, trial_min);
            trial_scale = V::select(positive, sum_xl / sum_ll, trial_scale);
        }
        let trial_error = error(isa, cost, x, w, &levels, trial_scale, trial_min);
        let better = determinant.gt(zero) & trial_error.lt(best_error);
        if V::any(better) {
            best_error = V::select(better, trial_error, best_error);
            inverse = V::select(better, trial_inverse, inverse);
            base = V::select(better, min, base);
            scale = V::select(better, trial_scale, scale);
            min = V::select(better, trial_min, min);
        }
    }
    Fit {
        scale: V::select(flat, zero, scale),
        // Not 0 − min, which would turn a zero's sign.
        offset: min * V::splat(isa, -1.0),
        inverse: V::select(flat, zero, inverse),
        base: V::select(flat, zero, base),
        sound: sound | flat,
    }
}

/// Rounds to levels.
#[derive(Clone, Copy)]
struct Rounder<V> {
    zero: V,
    limit: V,
    nearest: V,
    nearest_limit: V,
}

impl<V: Vector> Rounder<V> {
    #[inline(always)]
    fn new(isa: V::Isa, top: f32) -> Self {
        Self {
            zero: V::splat(isa, 0.0),
            limit: V::splat(isa, top),
            nearest: V::splat(isa, NEAREST),
            nearest_limit: V::splat(isa, NEAREST + top),
        }
    }

    /// For values within ±[`ROUNDABLE`]: there, the sum with [`NEAREST`] can be limited instead of the integer in it.
    #[inline(always)]
    fn round_first(self, value: V) -> V {
        (value + self.nearest).larger(self.nearest).smaller(self.nearest_limit) - self.nearest
    }

    #[inline(always)]
    fn limit_first(self, value: V) -> V {
        (value.larger(self.zero).smaller(self.limit) + self.nearest) - self.nearest
    }
}

/// Σ w · cost(scale · level + min − x), in order.
#[inline(always)]
fn error<V: Vector, const S: usize>(
    isa: V::Isa,
    cost: Cost,
    x: &[V; S],
    w: &[V; S],
    levels: &[V; S],
    scale: V,
    min: V,
) -> V {
    let mut sum = V::splat(isa, 0.0);
    for i in 0..S {
        let diff = scale * levels[i] + min - x[i];
        let cost = match cost {
            Cost::Square => diff * diff,
            Cost::Absolute => diff.abs(),
        };
        sum = sum + w[i] * cost;
    }
    sum
}
