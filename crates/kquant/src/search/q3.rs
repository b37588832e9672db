//! Symmetric fit by coordinate descent: `make_q3_quants` in ggml.

use super::ALL_ZERO;
use super::extremes::largest_magnitude;
use super::rounding::nearest_int;

/// Passes over the sub-block, at most.
pub(super) const PASSES: usize = 5;

/// Finds the scale and the levels for `x ≈ scale · (level − half)`, levels 0 … 2 · `half` − 1; an error counts
/// by the square of its weight.
///
/// Starts from the levels that put the largest magnitude on −half. Then visits one weight after the other:
/// takes it out of the sums, asks which level the best scale of the others would give it, and keeps that if
/// `(Σ w·x·l)² / Σ w·l²` grows. Ends when a pass changes nothing. An all-zero group gives scale 0 and levels 0.
#[inline]
pub(crate) fn search<const N: usize>(half: i32, x: &[f32; N], levels: &mut [u8; N]) -> f32 {
    let extreme = largest_magnitude(x);
    if extreme.abs() < ALL_ZERO {
        *levels = [0; N];
        return 0.0;
    }
    let inverse = -(half as f32) / extreme;
    let mut l = x.map(|x| nearest_int(inverse * x).clamp(-half, half - 1));
    let (mut sum_xl, mut sum_ll) = (0.0f32, 0.0f32);
    for i in 0..N {
        let (w, level) = (x[i] * x[i], l[i] as f32);
        sum_xl += w * x[i] * level;
        sum_ll += w * level * level;
    }
    for _ in 0..PASSES {
        let mut changed = false;
        for i in 0..N {
            let (x, w, old) = (x[i], x[i] * x[i], l[i] as f32);
            let mut others_xl = sum_xl - w * x * old;
            if others_xl > 0.0 {
                let mut others_ll = sum_ll - w * old * old;
                let level = nearest_int(x * others_ll / others_xl).clamp(-half, half - 1);
                if level != l[i] {
                    let new = level as f32;
                    others_xl += w * x * new;
                    others_ll += w * new * new;
                    if others_ll > 0.0 && others_xl * others_xl * sum_ll > sum_xl * sum_xl * others_ll {
                        l[i] = level;
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
    for (level, l) in levels.iter_mut().zip(l) {
        *level = (l + half) as u8;
    }
    if sum_ll > 0.0 { sum_xl / sum_ll } else { 0.0 }
}
