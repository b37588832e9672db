//! The scale around which a sweep over a grid is: [`search::qp`](crate::search::qp) for one group, with the trials side by
//! side and then the weights.

use super::ROUNDABLE;
use crate::lanes::{MAX_LANES, Vector};
use crate::search::ALL_ZERO;
use crate::search::qp::{self, PASSES};
use crate::search::rounding::NEAREST;

/// The largest magnitude below this: it does not come near the largest float.
const LARGEST: f32 = 1e30;
/// Magnitudes at most so many times the largest positive one: levels are more than −256.
const SPREAD: f32 = 40.0;
/// The first trial and four steps to each side.
const TRIALS: usize = 9;

/// See [`qp::search`], of which this is the scale for levels 0 … 4.
#[inline(always)]
pub(crate) fn search<V: Vector, const N: usize>(isa: V::Isa, x: &[f32; N], w: &[f32; N]) -> f32 {
    match try_search::<V, N>(isa, x, w) {
        Some(scale) => scale,
        None => qp::search(TOP, x, w, &mut [0; N]),
    }
}

const TOP: i32 = 4;

/// None where it takes integers to round as ggml does.
#[inline(always)]
fn try_search<V: Vector, const N: usize>(isa: V::Isa, x: &[f32; N], w: &[f32; N]) -> Option<f32> {
    const { assert!(N.is_multiple_of(V::LANES) && MAX_LANES >= TRIALS) }
    let (zero, one, nearest) = (V::splat(isa, 0.0), V::splat(isa, 1.0), V::splat(isa, NEAREST));
    let (top, byte) = (V::splat(isa, TOP as f32), V::splat(isa, 256.0));
    let mut largest = zero;
    let mut first = 0;
    while first < N {
        largest = largest.larger(V::load(isa, &x[first..]));
        first += V::LANES;
    }
    let max = largest.largest_lane();
    if !(ALL_ZERO..LARGEST).contains(&max) {
        return None;
    }
    let mut fits = zero.same(zero);
    let mut first = 0;
    while first < N {
        fits = fits & V::load(isa, &x[first..]).abs().lt(V::splat(isa, SPREAD * max));
        first += V::LANES;
    }
    if V::any(!fits) {
        return None;
    }

    // The first trial, then those of the steps, in order; and what is left over.
    let mut inverses = [TOP as f32 / max; MAX_LANES];
    for (inverse, step) in inverses[1..TRIALS].iter_mut().zip([-4i8, -3, -2, -1, 1, 2, 3, 4]) {
        *inverse = (0.1 * f32::from(step) + TOP as f32) / max;
    }
    // Only the first trial sees the levels as bytes. (None of its levels is beyond the limit.)
    let mut wraps = [0.0; MAX_LANES];
    wraps[0] = 256.0;
    let mut errors = [0.0; MAX_LANES];
    let mut first = 0;
    while first < TRIALS {
        let (inverse, wrap) = (V::load(isa, &inverses[first..]), V::load(isa, &wraps[first..]));
        let scale = one / inverse;
        let mut sum = zero;
        for i in 0..N {
            let (x, w) = (V::splat(isa, x[i]), V::splat(isa, w[i]));
            let level = ((inverse * x + nearest) - nearest).smaller(top);
            let level = V::select(level.lt(zero), level + wrap, level);
            let diff = x - scale * level;
            sum = sum + w * diff * diff;
        }
        sum.store(&mut errors[first..]);
        first += V::LANES;
    }
    let (mut inverse, mut best_error) = (inverses[0], errors[0]);
    for trial in 1..TRIALS {
        if errors[trial] < best_error {
            (inverse, best_error) = (inverses[trial], errors[trial]);
        }
    }

    let (mut terms_xl, mut terms_ll, mut levels) = ([0.0; N], [0.0; N], [0.0; N]);
    let mut first = 0;
    while first < N {
        let (x, w) = (V::load(isa, &x[first..]), V::load(isa, &w[first..]));
        let level = ((V::splat(isa, inverse) * x + nearest) - nearest).smaller(top);
        (w * x * level).store(&mut terms_xl[first..]);
        (w * level * level).store(&mut terms_ll[first..]);
        // The sums see a negative level, what follows sees its low byte.
        V::select(level.lt(zero), level + byte, level).store(&mut levels[first..]);
        first += V::LANES;
    }
    let (mut sum_xl, mut sum_ll) = (0.0f32, 0.0f32);
    for (xl, ll) in terms_xl.iter().zip(&terms_ll) {
        sum_xl += xl;
        sum_ll += ll;
    }

    // Each weight in turn, but until one changes its level the sums stay: so all of a vector at once, and once more from
    // behind the first that changes.
    let (mut news, mut news_xl, mut news_ll) = ([0.0; MAX_LANES], [0.0; MAX_LANES], [0.0; MAX_LANES]);
    for _ in 0..PASSES {
        let mut changed = false;
        let mut first = 0;
        while first < N {
            let (x, w) = (V::load(isa, &x[first..]), V::load(isa, &w[first..]));
            let mut ahead = u32::MAX;
            loop {
                let old = V::load(isa, &levels[first..]);
                let (all_xl, all_ll) = (V::splat(isa, sum_xl), V::splat(isa, sum_ll));
                let others_xl = all_xl - w * x * old;
                let others_ll = all_ll - w * old * old;
                let usable = others_xl.gt(zero) & others_ll.gt(zero);
                let value = x * others_ll / others_xl;
                if V::any(usable & !value.abs().lt(V::splat(isa, ROUNDABLE))) {
                    return None;
                }
                let new = ((value + nearest) - nearest).smaller(top);
                let new_xl = others_xl + w * x * new;
                let new_ll = others_ll + w * new * new;
                let better =
                    usable & !new.same(old) & (new_xl * new_xl * all_ll).gt(all_xl * all_xl * new_ll);
                let better = V::bits(better) & ahead;
                if better == 0 {
                    break;
                }
                let lane = better.trailing_zeros();
                new.store(&mut news);
                new_xl.store(&mut news_xl);
                new_ll.store(&mut news_ll);
                let lane_at = lane as usize % MAX_LANES;
                levels[first + lane_at] = f32::from(news[lane_at] as i32 as u8);
                (sum_xl, sum_ll) = (news_xl[lane_at], news_ll[lane_at]);
                changed = true;
                ahead = (u32::MAX << lane) << 1;
            }
            first += V::LANES;
        }
        if !changed {
            break;
        }
    }
    Some(if sum_ll > 0.0 { sum_xl / sum_ll } else { 0.0 })
}
