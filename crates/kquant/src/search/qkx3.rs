//! Fit with scale and offset under importance: `make_qkx3_quants` in ggml.

use super::affine::{self, Affine, Sweep};
use super::rounding::NEAREST;

/// A finer sweep than any of [`qkx2`](super::qkx2), the same for every type.
pub(crate) const SWEEP: Sweep = Sweep { first: -0.9, delta: 0.05, last: 36 };

/// Finds scale, offset and levels 0 … `top` for `x ≈ scale · level − offset`; an error counts by its square.
///
/// Unlike [`qkx2`](super::qkx2), values are brought into the range of levels before they are rounded, so that
/// one too large to round gets the top level, not what `nearest_int` makes of it, and NaN gets 0.
#[inline(always)]
pub(crate) fn search<const N: usize>(top: i32, x: &[f32; N], w: &[f32; N], levels: &mut [u8; N]) -> Affine {
    let limit = top as f32;
    let trial_level = |value: f32| {
        let value = if value > 0.0 { value } else { 0.0 };
        let value = if value < limit { value } else { limit };
        (value + NEAREST) - NEAREST
    };
    affine::search(top, SWEEP, x, w, levels, trial_level, |diff| diff * diff)
}
