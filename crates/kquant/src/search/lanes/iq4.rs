//! Symmetric fit to the levels of a codebook, as [`search::iq4`](crate::search::iq4).

use crate::lanes::Vector;
use crate::search::ALL_ZERO;
use crate::search::codebook::{BOUNDS, LEVELS};
use crate::search::iq4::{FURTHEST, TRIALS};

const LEN: usize = 32;
/// Trials that are summed together: more would not find room in registers.
const TOGETHER: usize = 5;

/// The scale for `x ≈ scale · level`: see [`search::iq4`](crate::search::iq4).
#[inline(always)]
pub(crate) fn search<V: Vector>(isa: V::Isa, x: &[V; LEN], w: &[V; LEN]) -> V {
    let zero = V::splat(isa, 0.0);
    let (mut size, mut extreme) = (zero, zero);
    for &x in x {
        let further = x.abs().gt(size);
        size = V::select(further, x.abs(), size);
        extreme = V::select(further, x, extreme);
    }

    let (sum_lx, sum_ll) = first_sums(isa, x, w, V::splat(isa, 1.0) / (extreme / V::splat(isa, -LEVELS[0])));
    let mut scale = V::select(sum_ll.gt(zero), sum_lx / sum_ll, zero);
    let mut best = scale * sum_lx;

    let mut inverses = [zero; TRIALS];
    for (trial, inverse) in inverses.iter_mut().enumerate() {
        *inverse = V::splat(isa, FURTHEST + trial as f32) / extreme;
    }
    let terms = Terms::new(isa, x, w, inverses[0], inverses[TRIALS - 1]);
    for inverses in inverses.as_chunks::<TOGETHER>().0 {
        let (sums_lx, sums_ll) = terms.sums(isa, x, inverses);
        for trial in 0..TOGETHER {
            let (sum_lx, sum_ll) = (sums_lx[trial], sums_ll[trial]);
            let better = sum_ll.gt(zero) & (sum_lx * sum_lx).gt(best * sum_ll);
            let trial_scale = sum_lx / sum_ll;
            scale = V::select(better, trial_scale, scale);
            best = V::select(better, trial_scale * sum_lx, best);
        }
    }
    V::select(size.lt(V::splat(isa, ALL_ZERO)), zero, scale)
}

/// `Σ w·l·x` and `Σ w·l²` of one inverse scale, in order.
#[inline(always)]
fn first_sums<V: Vector>(isa: V::Isa, x: &[V; LEN], w: &[V; LEN], inverse: V) -> (V, V) {
    let (mut sum_lx, mut sum_ll) = (V::splat(isa, 0.0), V::splat(isa, 0.0));
    for i in 0..LEN {
        let value = inverse * x[i];
        let mut l = V::splat(isa, LEVELS[LEVELS.len() - 1]);
        for place in (0..BOUNDS.len()).rev() {
            l = V::select(value.lt(V::splat(isa, BOUNDS[place])), V::splat(isa, LEVELS[place]), l);
        }
        let wl = w[i] * l;
        sum_lx = sum_lx + wl * x[i];
        sum_ll = sum_ll + wl * l;
    }
    (sum_lx, sum_ll)
}

/// What each weight adds to the sums, with the lower and with the upper of the two levels that it can take in the trials
/// (see [`search::iq4`](crate::search::iq4)), and the bound from which on it takes the upper one.
struct Terms<V> {
    bound: [V; LEN],
    low_lx: [V; LEN],
    low_ll: [V; LEN],
    high_lx: [V; LEN],
    high_ll: [V; LEN],
}

impl<V: Vector> Terms<V> {
    #[inline(always)]
    fn new(isa: V::Isa, x: &[V; LEN], w: &[V; LEN], first: V, last: V) -> Self {
        let zeros = [V::splat(isa, 0.0); LEN];
        let mut terms = Self { bound: zeros, low_lx: zeros, low_ll: zeros, high_lx: zeros, high_ll: zeros };
        let half = V::splat(isa, 0.5);
        let top = LEVELS.len() - 1;
        for i in 0..LEN {
            let least = (first * x[i]).smaller(last * x[i]);
            let (mut low, mut high) = (V::splat(isa, LEVELS[top]), V::splat(isa, LEVELS[top]));
            for place in (0..top).rev() {
                let below = least.lt(V::splat(isa, BOUNDS[place]));
                low = V::select(below, V::splat(isa, LEVELS[place]), low);
                high = V::select(below, V::splat(isa, LEVELS[place + 1]), high);
            }
            // At the top both levels are the same, and any bound will do.
            terms.bound[i] = (low + high) * half;
            let (low_w, high_w) = (w[i] * low, w[i] * high);
            terms.low_lx[i] = low_w * x[i];
            terms.low_ll[i] = low_w * low;
            terms.high_lx[i] = high_w * x[i];
            terms.high_ll[i] = high_w * high;
        }
        terms
    }

    /// The sums of some trials, each in order.
    #[inline(always)]
    fn sums(&self, isa: V::Isa, x: &[V; LEN], inverses: &[V; TOGETHER]) -> ([V; TOGETHER], [V; TOGETHER]) {
        let zeros = [V::splat(isa, 0.0); TOGETHER];
        let (mut sums_lx, mut sums_ll) = (zeros, zeros);
        for (i, &x) in x.iter().enumerate() {
            for trial in 0..TOGETHER {
                let is_low = (inverses[trial] * x).lt(self.bound[i]);
                sums_lx[trial] = sums_lx[trial] + V::select(is_low, self.low_lx[i], self.high_lx[i]);
                sums_ll[trial] = sums_ll[trial] + V::select(is_low, self.low_ll[i], self.high_ll[i]);
            }
        }
        (sums_lx, sums_ll)
    }
}
