//! Symmetric fit to the levels of a codebook: the search in ggml's `quantize_row_iq4_nl_impl`.

use super::ALL_ZERO;
use super::codebook::{BOUNDS, LEVELS, nearest};
use super::extremes::largest_magnitude;

/// The trials put the weight of largest magnitude on −134, −133, … −120: seven beyond the outermost level and seven
/// this side of it.
pub(super) const TRIALS: usize = 15;
pub(super) const FURTHEST: f32 = LEVELS[0] - 7.0;
const NEAREST: f32 = LEVELS[0] + 7.0;
/// The trials and an idle one, so that they fill vectors.
const LANES: usize = 16;

/// Finds the scale for `x ≈ scale · level`.
///
/// For given levels the best scale under weights `w` is `Σ w·l·x / Σ w·l²`, and the error it leaves falls as
/// `(Σ w·l·x)² / Σ w·l²` grows. The search begins with the levels when the weight of largest magnitude is put on +127, which
/// is not a level, then tries −134 … −120, and keeps the scale with the largest quotient (compared without dividing). An
/// all-zero group gives scale 0.
#[inline(always)]
pub(crate) fn search(x: &[f32; 32], w: &[f32; 32]) -> f32 {
    let extreme = largest_magnitude(x);
    if extreme.abs() < ALL_ZERO {
        return 0.0;
    }
    let (sum_lx, sum_ll) = sums(x, w, 1.0 / (extreme / -LEVELS[0]));
    let mut scale = if sum_ll > 0.0 { sum_lx / sum_ll } else { 0.0 };
    let mut best = scale * sum_lx;
    let (sums_lx, sums_ll) = sums_of_trials(x, w, &inverses(extreme));
    for (sum_lx, sum_ll) in sums_lx.into_iter().zip(sums_ll).take(TRIALS) {
        if sum_ll > 0.0 && sum_lx * sum_lx > best * sum_ll {
            scale = sum_lx / sum_ll;
            best = scale * sum_lx;
        }
    }
    scale
}

/// The trials' inverse scales.
#[inline(always)]
fn inverses(extreme: f32) -> [f32; LANES] {
    std::array::from_fn(|trial| (FURTHEST + trial as f32) / extreme)
}

/// `Σ w·l·x` and `Σ w·l²` of one inverse scale, in order.
#[inline(always)]
fn sums(x: &[f32; 32], w: &[f32; 32], inverse: f32) -> (f32, f32) {
    let places = x.map(|x| nearest(inverse * x));
    let (mut sum_lx, mut sum_ll) = (0.0f32, 0.0f32);
    for i in 0..32 {
        let l = LEVELS[usize::from(places[i] & 15)];
        let wl = w[i] * l;
        sum_lx += wl * x[i];
        sum_ll += wl * l;
    }
    (sum_lx, sum_ll)
}

/// The sums of all trials, side by side, each in order.
///
/// In all of them a weight takes one of the same two levels (see [`Choice`]). So what it adds to the sums is one of two
/// numbers, computed once, and a trial only chooses.
#[inline(always)]
fn sums_of_trials(x: &[f32; 32], w: &[f32; 32], inverses: &[f32; LANES]) -> ([f32; LANES], [f32; LANES]) {
    let choice = Choice::new(&x.map(|x| {
        let (furthest, nearest) = (inverses[0] * x, inverses[TRIALS - 1] * x);
        if furthest < nearest { furthest } else { nearest }
    }));
    let mut terms = [[0.0f32; 5]; 32];
    for (i, terms) in terms.iter_mut().enumerate() {
        let (low, high) = (choice.low[i], choice.high[i]);
        let (low_w, high_w) = (w[i] * low, w[i] * high);
        *terms = [choice.bound[i], low_w * x[i], low_w * low, high_w * x[i], high_w * high];
    }
    let (mut sums_lx, mut sums_ll) = ([0.0f32; LANES], [0.0f32; LANES]);
    for (&x, &[bound, low_lx, low_ll, high_lx, high_ll]) in x.iter().zip(&terms) {
        for lane in 0..LANES {
            let is_low = inverses[lane] * x < bound;
            sums_lx[lane] += if is_low { low_lx } else { high_lx };
            sums_ll[lane] += if is_low { low_ll } else { high_ll };
        }
    }
    (sums_lx, sums_ll)
}

/// For each weight, the two levels that it can take in the trials, and the bound from which on it takes the upper one.
///
/// If a weight is r times the one of largest magnitude, the trials scale it to between 120 · r and 134 · r. No two bounds
/// are so near to each other that both lie in such an interval, so the least of the scaled weights tells.
struct Choice {
    low: [f32; 32],
    high: [f32; 32],
    bound: [f32; 32],
}

/// Bounds on one side of zero are further apart than the trials, with room for roundings.
const _: () = {
    let mut i = 1;
    while i < BOUNDS.len() {
        let (a, b) = (BOUNDS[i - 1], BOUNDS[i]);
        let (inner, outer) = if a < 0.0 { (-b, -a) } else { (a, b) };
        assert!(inner < 0.0 || inner * (FURTHEST / NEAREST) < 0.99 * outer);
        i += 1;
    }
};

impl Choice {
    /// From the least of the scaled weights.
    #[inline(always)]
    fn new(least: &[f32; 32]) -> Self {
        let mut choice = Self { low: [LEVELS[0]; 32], high: [LEVELS[1]; 32], bound: [BOUNDS[0]; 32] };
        for place in 1..LEVELS.len() {
            let next = (place + 1).min(LEVELS.len() - 1);
            let bound = BOUNDS.get(place).copied().unwrap_or(f32::INFINITY);
            for (i, &x) in least.iter().enumerate() {
                let reached = x >= BOUNDS[place - 1];
                choice.low[i] = if reached { LEVELS[place] } else { choice.low[i] };
                choice.high[i] = if reached { LEVELS[next] } else { choice.high[i] };
                choice.bound[i] = if reached { bound } else { choice.bound[i] };
            }
        }
        choice
    }
}

/// The places of the levels when the scale is settled; of scale 0, those of the level nearest to zero.
#[inline(always)]
pub(crate) fn places(x: &[f32; 32], scale: f32) -> [u8; 32] {
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let mut places = [0; 32];
    for (place, &x) in places.iter_mut().zip(x) {
        *place = nearest(inverse * x);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_side_by_side_are_those_one_by_one() {
        let mut state = 1u32;
        for round in 0..20_000u32 {
            let mut x: [f32; 32] = std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            });
            if round % 2 == 0 {
                // Weights on the bounds of a trial, and next to them.
                let trial = FURTHEST + (round % 15) as f32;
                x = std::array::from_fn(|i| BOUNDS[i % 15].max(-trial.abs()) / trial * (1.0 + (x[i] * 1e-6)));
            }
            let extreme = largest_magnitude(&x);
            let w = x.map(|x| x * x);
            let (sums_lx, sums_ll) = sums_of_trials(&x, &w, &inverses(extreme));
            for (trial, inverse) in inverses(extreme).into_iter().enumerate().take(TRIALS) {
                assert_eq!((sums_lx[trial], sums_ll[trial]), sums(&x, &w, inverse), "{x:?}");
            }
        }
    }
}
