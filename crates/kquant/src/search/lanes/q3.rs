//! Symmetric fit by coordinate descent, as [`search::q3`](crate::search::q3).

use super::ROUNDABLE;
use super::qx::{Rounder, extreme};
use crate::lanes::Vector;
use crate::search::ALL_ZERO;
use crate::search::q3::PASSES;

/// See [`search::q3`](crate::search::q3): the scale, and where it may be used. The levels are not told: the few that a
/// block keeps are found again.
#[inline(always)]
pub(crate) fn search<V: Vector, const S: usize>(isa: V::Isa, half: i32, x: &[V; S]) -> (V, V::Mask) {
    let zero = V::splat(isa, 0.0);
    let rounder = Rounder::new(isa, half);
    let (extreme, size, number) = extreme(isa, x);
    let blank = size.lt(V::splat(isa, ALL_ZERO));
    let mut sound = number & size.lt(V::splat(isa, f32::INFINITY));
    let inverse = V::splat(isa, -half as f32) / extreme;
    let (mut w, mut wx) = (*x, *x);
    for i in 0..S {
        w[i] = x[i] * x[i];
        wx[i] = w[i] * x[i];
    }
    let mut levels = [zero; S];
    let (mut sum_xl, mut sum_ll) = (zero, zero);
    for i in 0..S {
        let level = rounder.level(inverse * x[i]);
        levels[i] = level;
        sum_xl = sum_xl + wx[i] * level;
        sum_ll = sum_ll + w[i] * level * level;
    }
    let stay = Stay::new(isa, half);
    // A lane in which a pass changed nothing is where it was before: more passes do nothing either.
    for _ in 0..PASSES {
        let mut changed = zero.lt(zero);
        for i in 0..S {
            let (x, w, wx, old) = (x[i], w[i], wx[i], levels[i]);
            let others_xl = sum_xl - wx * old;
            let others_ll = sum_ll - w * old * old;
            let usable = others_xl.gt(zero);
            let top = x * others_ll;
            // Mostly, and after the first pass nearly always: then this weight waits for none of those before it.
            if !V::any(usable & !stay.certainly(old, top, others_xl)) {
                continue;
            }
            let value = top / others_xl;
            sound = sound & (value.abs().lt(V::splat(isa, ROUNDABLE)) | !usable);
            let new = rounder.level(value);
            let new_xl = others_xl + wx * new;
            let new_ll = others_ll + w * new * new;
            let better = usable
                & !new.same(old)
                & new_ll.gt(zero)
                & (new_xl * new_xl * sum_ll).gt(sum_xl * sum_xl * new_ll);
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
    (V::select(blank, zero, scale), sound | (blank & number))
}

/// Tells without a division where the level of `top / bottom` is certainly the one that is there.
struct Stay<V> {
    least: V,
    most: V,
    below: V,
    above: V,
    far: V,
    least_bottom: V,
}

/// Half a step, but for what rounding can do to a quotient of levels this small: much less than this margin.
const WITHIN: f32 = 0.4999;
/// How far a quotient may be beyond the outer levels: not so far that it could not be rounded.
const FAR: f32 = 1e6;
/// Products with bottoms above this have their full precision, or what they lack is nothing beside the margin.
const LEAST_BOTTOM: f32 = 1e-30;

impl<V: Vector> Stay<V> {
    #[inline(always)]
    fn new(isa: V::Isa, half: i32) -> Self {
        let half = half as f32;
        Self {
            least: V::splat(isa, -half),
            most: V::splat(isa, half - 1.0),
            below: V::splat(isa, -WITHIN),
            above: V::splat(isa, WITHIN),
            far: V::splat(isa, FAR),
            least_bottom: V::splat(isa, LEAST_BOTTOM),
        }
    }

    /// `bottom` is positive.
    #[inline(always)]
    fn certainly(&self, level: V, top: V, bottom: V) -> V::Mask {
        let low = V::select(level.same(self.least), self.least - self.far, level + self.below);
        let high = V::select(level.same(self.most), self.far, level + self.above);
        bottom.gt(self.least_bottom) & top.gt(low * bottom) & top.lt(high * bottom)
    }
}
