//! Symmetric fit by trying scales: `make_qx_quants` in ggml.

use super::ALL_ZERO;
use super::rounding::nearest_int;

/// Finds the scale and the levels for `x ≈ scale · (level − half)`, levels 0 … 2 · `half` − 1.
///
/// For given levels the best scale under weights `w` is `Σ w·x·l / Σ w·l²`, and the error it leaves falls as
/// `(Σ w·x·l)² / Σ w·l²` grows. So the search sweeps 19 inverse scales around the one that puts the largest
/// magnitude on the level −half, takes the levels of each, and keeps those with the largest quotient
/// (compared without dividing). An all-zero group gives scale 0 and levels 0.
#[inline]
pub(crate) fn search<const N: usize>(half: i32, x: &[f32; N], w: &[f32; N], levels: &mut [u8; N]) -> f32 {
    let extreme = largest_magnitude(x);
    if extreme.abs() < ALL_ZERO {
        *levels = [0; N];
        return 0.0;
    }
    let round = |inverse: f32| x.map(|x| nearest_int(inverse * x).clamp(-half, half - 1) as f32);

    let mut best_levels = round(-(half as f32) / extreme);
    let (sum_xl, sum_ll) = sums(x, w, &best_levels);
    let mut scale = if sum_ll == 0.0 { 0.0 } else { sum_xl / sum_ll };
    let mut best = scale * sum_xl;
    for step in (-9i8..=9).filter(|&step| step != 0) {
        let trial = round(-(half as f32 + 0.1 * f32::from(step)) / extreme);
        let (sum_xl, sum_ll) = sums(x, w, &trial);
        if sum_ll > 0.0 && sum_xl * sum_xl > best * sum_ll {
            best_levels = trial;
            scale = sum_xl / sum_ll;
            best = scale * sum_xl;
        }
    }
    for (level, best) in levels.iter_mut().zip(best_levels) {
        *level = (best as i32 + half) as u8;
    }
    scale
}

/// The value of largest magnitude, the first if there are several; 0 for an empty group or only NaN.
#[inline]
pub(crate) fn largest_magnitude(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |extreme: f32, &x| if x.abs() > extreme.abs() { x } else { extreme })
}

/// `Σ w·x·l` and `Σ w·l²`, in order.
#[inline]
fn sums<const N: usize>(x: &[f32; N], w: &[f32; N], levels: &[f32; N]) -> (f32, f32) {
    let (mut sum_xl, mut sum_ll) = (0.0, 0.0);
    for i in 0..N {
        sum_xl += w[i] * x[i] * levels[i];
        sum_ll += w[i] * levels[i] * levels[i];
    }
    (sum_xl, sum_ll)
}
