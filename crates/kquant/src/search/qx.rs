//! Symmetric fit by trying scales: `make_qx_quants` in ggml.

use super::ALL_ZERO;
use super::extremes::largest_magnitude;
use super::rounding::NEAREST;

/// The 18 trials, as tenths of a level more or less than `half`, in order, and filled up to whole batches.
const STEPS: [[i8; BATCH]; 5] =
    [[-9, -8, -7, -6], [-5, -4, -3, -2], [-1, 1, 2, 3], [4, 5, 6, 7], [8, 9, NONE, NONE]];
const BATCH: usize = 4;
/// No trial.
const NONE: i8 = 0;

/// Finds the scale and the levels for `x ≈ scale · (level − half)`, levels 0 … 2 · `half` − 1.
///
/// For given levels the best scale under weights `w` is `Σ w·x·l / Σ w·l²`, and the error it leaves falls as
/// `(Σ w·x·l)² / Σ w·l²` grows. So the search takes the inverse scale that puts the largest magnitude on the
/// level −half, and 18 around it, and keeps the one with the largest quotient (compared without dividing). An
/// all-zero group gives scale 0 and levels 0.
///
/// The trials do not depend on each other: four run at a time, each summing in order.
#[inline]
pub(crate) fn search<const N: usize>(half: i32, x: &[f32; N], w: &[f32; N], levels: &mut [u8; N]) -> f32 {
    let extreme = largest_magnitude(x);
    if extreme.abs() < ALL_ZERO {
        *levels = [0; N];
        return 0.0;
    }
    let mut wx = *w;
    for (wx, x) in wx.iter_mut().zip(x) {
        *wx *= x;
    }
    let half = half as f32;

    let mut best_inverse = -half / extreme;
    let ([sum_xl], [sum_ll]) = sums(half, x, w, &wx, [best_inverse]);
    let mut scale = if sum_ll == 0.0 { 0.0 } else { sum_xl / sum_ll };
    let mut best = scale * sum_xl;
    for steps in STEPS {
        let inverses = steps.map(|step| -(half + 0.1 * f32::from(step)) / extreme);
        let (sums_xl, sums_ll) = sums(half, x, w, &wx, inverses);
        for trial in (0..BATCH).filter(|&trial| steps[trial] != NONE) {
            let (sum_xl, sum_ll) = (sums_xl[trial], sums_ll[trial]);
            if sum_ll > 0.0 && sum_xl * sum_xl > best * sum_ll {
                best_inverse = inverses[trial];
                scale = sum_xl / sum_ll;
                best = scale * sum_xl;
            }
        }
    }
    for (out, &x) in levels.iter_mut().zip(x) {
        *out = (level(half, best_inverse * x) + half) as u8;
    }
    scale
}

/// The nearest level −`half` … `half` − 1.
///
/// The value is in range or, when `x` holds scales of which one has overflowed, NaN: the level of that is 0.
#[inline(always)]
fn level(half: f32, value: f32) -> f32 {
    let value = if value.is_nan() { 0.0 } else { value };
    let nearest = (value + NEAREST) - NEAREST;
    let nearest = if nearest > -half { nearest } else { -half };
    if nearest < half - 1.0 { nearest } else { half - 1.0 }
}

/// `Σ w·x·l` and `Σ w·l²` of `T` trials, each in order. `wx` holds `w·x`.
#[inline(always)]
fn sums<const N: usize, const T: usize>(
    half: f32,
    x: &[f32; N],
    w: &[f32; N],
    wx: &[f32; N],
    inverses: [f32; T],
) -> ([f32; T], [f32; T]) {
    let (mut sums_xl, mut sums_ll) = ([0.0; T], [0.0; T]);
    for i in 0..N {
        for trial in 0..T {
            let l = level(half, inverses[trial] * x[i]);
            sums_xl[trial] += wx[i] * l;
            sums_ll[trial] += w[i] * l * l;
        }
    }
    (sums_xl, sums_ll)
}
