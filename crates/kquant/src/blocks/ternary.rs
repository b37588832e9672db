//! Rounding to −1, 0, 1, as TQ1_0, TQ2_0 and Q2_0 do: by the largest magnitude of the block.

use super::lanes::levels;
use crate::lanes::Vector;
use crate::search::extremes::largest_size;

/// Weights as 0, 1, 2, for −1, 0, 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trits<const N: usize> {
    /// The largest magnitude.
    pub(super) scale: f32,
    pub(super) trits: [u8; N],
}

/// Divides by the largest magnitude and rounds, halves away from zero.
///
/// If the largest magnitude is so small that its inverse is infinity, no quotient fits an integer; ggml's conversion then
/// gives what `beyond` says.
#[inline(always)]
pub(super) fn round<const N: usize>(x: &[f32; N], beyond: u8) -> Trits<N> {
    let scale = largest_size(x);
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let mut trits = [beyond; N];
    if inverse < f32::INFINITY {
        for (trit, &x) in trits.iter_mut().zip(x) {
            let value = x * inverse;
            *trit = 1 + u8::from(value >= 0.5) - u8::from(value <= -0.5);
        }
    }
    Trits { scale, trits }
}

/// The same in vectors.
#[inline(always)]
pub(super) fn round_on<V: Vector, const N: usize>(isa: V::Isa, x: &[f32; N], beyond: u8) -> Trits<N> {
    let scale = levels::largest_size::<V>(isa, x);
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let trits = if inverse < f32::INFINITY { levels::trits::<V, N>(isa, x, inverse) } else { [beyond; N] };
    Trits { scale, trits }
}
