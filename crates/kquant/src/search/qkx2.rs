//! Fit with scale and offset, no importance given: `make_qkx2_quants` in ggml.

pub(crate) use super::affine::Sweep;
use super::affine::{self, Affine};
use super::rounding::nearest_int;

/// How an error counts, before its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// By its magnitude.
    Absolute,
    /// By its square.
    Square,
}

/// Finds scale, offset and levels 0 … `top` for `x ≈ scale · level − offset`.
#[inline(always)]
pub(crate) fn search<const N: usize>(
    top: i32,
    sweep: Sweep,
    cost: Cost,
    x: &[f32; N],
    w: &[f32; N],
    levels: &mut [u8; N],
) -> Affine {
    let trial_level = |value: f32| nearest_int(value).clamp(0, top) as f32;
    match cost {
        Cost::Absolute => affine::search(top, sweep, x, w, levels, trial_level, f32::abs),
        Cost::Square => affine::search(top, sweep, x, w, levels, trial_level, |diff| diff * diff),
    }
}
