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
    let mut levels = [zero; S];
    let (mut sum_xl, mut sum_ll) = (zero, zero);
    for i in 0..S {
        let (w, level) = (x[i] * x[i], rounder.level(inverse * x[i]));
        levels[i] = level;
        sum_xl = sum_xl + w * x[i] * level;
        sum_ll = sum_ll + w * level * level;
    }
    // A lane in which a pass changed nothing is where it was before: more passes do nothing either.
    for _ in 0..PASSES {
        let mut changed = zero.lt(zero);
        for i in 0..S {
            let (x, w, old) = (x[i], x[i] * x[i], levels[i]);
            let others_xl = sum_xl - w * x * old;
            let others_ll = sum_ll - w * old * old;
            let usable = others_xl.gt(zero);
            let value = x * others_ll / others_xl;
            sound = sound & (value.abs().lt(V::splat(isa, ROUNDABLE)) | !usable);
            let new = rounder.level(value);
            let new_xl = others_xl + w * x * new;
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
