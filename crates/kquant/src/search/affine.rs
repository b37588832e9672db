//! Fit with scale and offset by trying scales: the common part of `make_qkx2_quants` and `make_qkx3_quants`.

use super::rounding::nearest_int;

/// A scale and an offset: `x ≈ scale · level − offset`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine {
    pub(crate) scale: f32,
    /// Not negative, save for a negative zero: the range that a sub-block covers always holds 0.
    pub(crate) offset: f32,
}

/// The inverse scales to try: `(top + first + delta · i) / range` for i = 0 … `last`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sweep {
    pub(crate) first: f32,
    pub(crate) delta: f32,
    pub(crate) last: u8,
}

/// Finds scale, offset and levels 0 … `top`.
///
/// For given levels, scale and offset solve a weighted linear regression of `x` on the levels. The search
/// starts from the levels of the range of `x` (widened to hold 0), then tries the inverse scales of the sweep:
/// levels, regression, error; the best is kept, and its minimum is where the later trials count levels from.
/// If a regression wants a positive minimum, it is held at 0 and only the scale is fitted.
///
/// `trial_level` rounds a weight, already multiplied by the inverse scale, to a level in the sweep; `cost`
/// turns a difference into an error.
#[inline(always)]
pub(super) fn search<const N: usize>(
    top: i32,
    sweep: Sweep,
    x: &[f32; N],
    w: &[f32; N],
    levels: &mut [u8; N],
    trial_level: impl Fn(f32) -> f32,
    cost: impl Fn(f32) -> f32,
) -> Affine {
    let (mut min, mut max) = (x[0], x[0]);
    let mut sum_w = w[0];
    let mut sum_x = w[0] * x[0];
    for i in 1..N {
        if x[i] < min {
            min = x[i];
        }
        if x[i] > max {
            max = x[i];
        }
        sum_w += w[i];
        sum_x += w[i] * x[i];
    }
    if min > 0.0 {
        min = 0.0;
    }
    if max == min {
        *levels = [0; N];
        return Affine { scale: 0.0, offset: -min };
    }
    let error = |scale: f32, min: f32, l: &[f32; N]| {
        let mut sum = 0.0f32;
        for i in 0..N {
            sum += w[i] * cost(scale * l[i] + min - x[i]);
        }
        sum
    };

    let inverse = top as f32 / (max - min);
    let mut scale = 1.0 / inverse;
    let mut best_levels = x.map(|x| nearest_int(inverse * (x - min)).clamp(0, top) as f32);
    let mut best_error = error(scale, min, &best_levels);
    for step in 0..=sweep.last {
        let inverse = (sweep.first + sweep.delta * f32::from(step) + top as f32) / (max - min);
        let trial = x.map(|x| trial_level(inverse * (x - min)));
        let (mut sum_l, mut sum_ll, mut sum_xl) = (0.0f32, 0.0f32, 0.0f32);
        for i in 0..N {
            let wl = w[i] * trial[i];
            sum_l += wl;
            sum_ll += wl * trial[i];
            sum_xl += wl * x[i];
        }
        let determinant = sum_w * sum_ll - sum_l * sum_l;
        if determinant > 0.0 {
            let mut trial_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
            let mut trial_min = (sum_ll * sum_x - sum_l * sum_xl) / determinant;
            if trial_min > 0.0 {
                trial_min = 0.0;
                trial_scale = sum_xl / sum_ll;
            }
            let trial_error = error(trial_scale, trial_min, &trial);
            if trial_error < best_error {
                (best_error, best_levels) = (trial_error, trial);
                (scale, min) = (trial_scale, trial_min);
            }
        }
    }
    for (level, best) in levels.iter_mut().zip(best_levels) {
        *level = best as u8;
    }
    Affine { scale, offset: -min }
}
