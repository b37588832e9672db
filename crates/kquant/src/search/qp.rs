//! Fit of numbers that are not negative, such as scales and offsets: `make_qp_quants` in ggml.

use super::ALL_ZERO;
use super::rounding::nearest_int;

/// Passes over the group, at most.
pub(super) const PASSES: usize = 5;

/// Finds the scale and the levels for `x ≈ scale · level`, levels 0 … `top`.
///
/// Sweeps nine inverse scales around the one that puts the largest value on `top` and keeps the one with the
/// least squared error; then coordinate descent, as in [`q3`](super::q3). A group without a positive value
/// gives scale 0 and levels 0.
///
/// A search can hand over a negative number, if rarely; its levels are then kept as the low byte, as ggml
/// does.
#[inline]
pub(crate) fn search<const N: usize>(top: i32, x: &[f32; N], w: &[f32; N], levels: &mut [u8; N]) -> f32 {
    let max = x.iter().fold(0.0, |max: f32, &x| if max > x { max } else { x });
    if max < ALL_ZERO {
        *levels = [0; N];
        return 0.0;
    }
    let error = |scale: f32, level: &dyn Fn(f32) -> f32| {
        let mut sum = 0.0f32;
        for i in 0..N {
            let diff = x[i] - scale * level(x[i]);
            sum += w[i] * diff * diff;
        }
        sum
    };

    let mut inverse = top as f32 / max;
    // Only the first trial sees the levels as bytes, and without a limit.
    let mut best_error = error(1.0 / inverse, &|x| f32::from(nearest_int(inverse * x) as u8));
    for step in (-4i8..=4).filter(|&step| step != 0) {
        let trial = (0.1 * f32::from(step) + top as f32) / max;
        let trial_error = error(1.0 / trial, &|x| nearest_int(trial * x).min(top) as f32);
        if trial_error < best_error {
            best_error = trial_error;
            inverse = trial;
        }
    }

    let (mut sum_xl, mut sum_ll) = (0.0f32, 0.0f32);
    for i in 0..N {
        let level = nearest_int(inverse * x[i]).min(top);
        levels[i] = level as u8;
        let l = level as f32;
        sum_xl += w[i] * x[i] * l;
        sum_ll += w[i] * l * l;
    }
    for _ in 0..PASSES {
        let mut changed = false;
        for i in 0..N {
            let (x, w, old) = (x[i], w[i], f32::from(levels[i]));
            let mut others_xl = sum_xl - w * x * old;
            let mut others_ll = sum_ll - w * old * old;
            if others_xl > 0.0 && others_ll > 0.0 {
                let level = nearest_int(x * others_ll / others_xl).min(top);
                if level != i32::from(levels[i]) {
                    let new = level as f32;
                    others_xl += w * x * new;
                    others_ll += w * new * new;
                    if others_xl * others_xl * sum_ll > sum_xl * sum_xl * others_ll {
                        levels[i] = level as u8;
                        (sum_xl, sum_ll) = (others_xl, others_ll);
                        changed = true;
                    }
                }
            }
        }
        if !changed {
            break;
        }
    }
    if sum_ll > 0.0 { sum_xl / sum_ll } else { 0.0 }
}
