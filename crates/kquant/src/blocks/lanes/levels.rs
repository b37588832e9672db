//! From levels to weights and, without a search, from weights to levels: vectors along a block.

use crate::lanes::Vector;
use crate::search::extremes;

/// `y = scale · (level − middle)`, where the levels lie in bytes.
#[inline(always)]
pub(in crate::blocks) fn decode_around<V: Vector>(
    isa: V::Isa,
    middle: f32,
    scale: f32,
    levels: &[u8],
    y: &mut [f32],
) {
    let (middle, scale) = (V::splat(isa, middle), V::splat(isa, scale));
    for (y, levels) in y.chunks_exact_mut(V::LANES).zip(levels.chunks_exact(V::LANES)) {
        (scale * (V::load_bytes(isa, levels) - middle)).store(y);
    }
}

/// `y = scale · level − offset`.
#[inline(always)]
pub(in crate::blocks) fn decode_above<V: Vector>(
    isa: V::Isa,
    scale: f32,
    offset: f32,
    levels: &[u8],
    y: &mut [f32],
) {
    let (scale, offset) = (V::splat(isa, scale), V::splat(isa, offset));
    for (y, levels) in y.chunks_exact_mut(V::LANES).zip(levels.chunks_exact(V::LANES)) {
        (scale * V::load_bytes(isa, levels) - offset).store(y);
    }
}

/// `y = scale · level`, where the levels have a sign.
#[inline(always)]
pub(in crate::blocks) fn decode_signed<V: Vector>(isa: V::Isa, scale: f32, levels: &[i8], y: &mut [f32]) {
    let scale = V::splat(isa, scale);
    for (y, levels) in y.chunks_exact_mut(V::LANES).zip(levels.chunks_exact(V::LANES)) {
        (scale * V::load_signed_bytes(isa, levels)).store(y);
    }
}

/// The largest magnitude, or 0 where there is no number.
#[inline(always)]
pub(in crate::blocks) fn largest_size<V: Vector>(isa: V::Isa, x: &[f32]) -> f32 {
    let mut largest = V::splat(isa, 0.0);
    for x in x.chunks_exact(V::LANES) {
        largest = V::load(isa, x).abs().larger(largest);
    }
    largest.largest_lane()
}

/// As [`extremes::largest_magnitude`].
#[inline(always)]
pub(in crate::blocks) fn largest_magnitude<V: Vector>(isa: V::Isa, x: &[f32; 32]) -> f32 {
    let size = largest_size::<V>(isa, x);
    let (mut positive, mut negative) = (0u32, 0u32);
    for (i, x) in x.chunks_exact(V::LANES).enumerate() {
        let x = V::load(isa, x);
        positive |= V::bits(x.same(V::splat(isa, size))) << (i * V::LANES);
        negative |= V::bits(x.same(V::splat(isa, -size))) << (i * V::LANES);
    }
    // The first of equal magnitudes; of nothing but zeros, +0.
    if negative.trailing_zeros() < positive.trailing_zeros() && size != 0.0 { -size } else { size }
}

/// As [`extremes::range`].
#[inline(always)]
pub(in crate::blocks) fn range<V: Vector>(isa: V::Isa, x: &[f32; 32]) -> (f32, f32) {
    let zero = V::splat(isa, 0.0);
    let mut max = V::splat(isa, f32::NEG_INFINITY);
    let mut lowest = max;
    for x in x.chunks_exact(V::LANES) {
        let x = V::load(isa, x);
        max = x.larger(max);
        lowest = (zero - x).larger(lowest);
    }
    let (min, max) = (-lowest.largest_lane(), max.largest_lane());
    // Of a zero, the sign matters, and it is that of the first.
    if min == 0.0 || max == 0.0 { extremes::range(x) } else { (min, max) }
}

/// Levels of 32 weights, with their fifth bits.
pub(in crate::blocks) struct Levels {
    pub(in crate::blocks) levels: [u8; 32],
    /// Bit i is that of level i.
    pub(in crate::blocks) fifth: u32,
}

/// Rounds weights to levels without a search: the integer part of `(x − base) / d + half`, at most `top`.
///
/// If the scale is so small that its inverse is infinity, or is infinity itself, then the scaled weights are
/// not numbers that fit an integer, and x86 gives them a low byte of 0; so do we.
#[inline(always)]
pub(in crate::blocks) fn round<V: Vector>(
    isa: V::Isa,
    x: &[f32; 32],
    base: f32,
    d: f32,
    half: f32,
    top: u8,
) -> Levels {
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    let mut found = Levels { levels: [0; 32], fifth: 0 };
    if !(d.is_finite() && inverse.is_finite()) {
        return found;
    }
    let (base, inverse) = (V::splat(isa, base), V::splat(isa, inverse));
    let (half, top) = (V::splat(isa, half), V::splat(isa, top.into()));
    let sixteen = V::splat(isa, 16.0);
    let levels = found.levels.chunks_exact_mut(V::LANES).zip(x.chunks_exact(V::LANES));
    for (i, (levels, x)) in levels.enumerate() {
        let value = ((V::load(isa, x) - base) * inverse + half).smaller(top);
        value.store_integer_bytes(levels);
        found.fifth |= V::bits(!value.lt(sixteen)) << (i * V::LANES);
    }
    found
}

/// Weights rounded to −1, 0, 1, as 0, 1, 2; halves away from zero. See [`ternary`](crate::blocks::ternary).
#[inline(always)]
pub(in crate::blocks) fn trits<V: Vector, const N: usize>(
    isa: V::Isa,
    x: &[f32; N],
    inverse: f32,
) -> [u8; N] {
    let inverse = V::splat(isa, inverse);
    let (half, minus_half) = (V::splat(isa, 0.5), V::splat(isa, -0.5));
    let (low, middle, high) = (V::splat(isa, 0.0), V::splat(isa, 1.0), V::splat(isa, 2.0));
    let mut trits = [0; N];
    for (trits, x) in trits.chunks_exact_mut(V::LANES).zip(x.chunks_exact(V::LANES)) {
        let value = V::load(isa, x) * inverse;
        let up = value.gt(half) | value.same(half);
        let down = value.lt(minus_half) | value.same(minus_half);
        V::select(up, high, V::select(down, low, middle)).store_integer_bytes(trits);
    }
    trits
}
