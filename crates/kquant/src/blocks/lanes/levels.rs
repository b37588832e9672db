//! From levels to weights and, without a search, from weights to levels: vectors along a block.

use bytemuck::cast_slice;

use crate::dispatch::AHEAD;
use crate::lanes::Vector;
use crate::search::rounding::NEAREST;

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

/// As [`levels_of_scale_search`](crate::search::rounding::levels_of_scale_search), of a search that was sound: no level
/// is far from its limits.
#[inline(always)]
pub(in crate::blocks) fn of_scale_search<V: Vector, const N: usize>(
    isa: V::Isa,
    x: &[f32; N],
    inverse: f32,
    half: i32,
) -> [u8; N] {
    let mut levels = [0; N];
    if inverse != 0.0 {
        let (inverse, nearest) = (V::splat(isa, inverse), V::splat(isa, NEAREST));
        let (half, zero) = (half as f32, V::splat(isa, 0.0));
        let (from_nearest, top) = (V::splat(isa, NEAREST - half), V::splat(isa, 2.0 * half - 1.0));
        for (levels, x) in levels.chunks_exact_mut(V::LANES).zip(x.chunks_exact(V::LANES)) {
            let level = (V::load(isa, x) * inverse + nearest) - from_nearest;
            level.larger(zero).smaller(top).store_integer_bytes(levels);
        }
    }
    levels
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
        V::prefetch(isa, cast_slice(x), AHEAD);
        let value = V::load(isa, x) * inverse;
        let up = value.gt(half) | value.same(half);
        let down = value.lt(minus_half) | value.same(minus_half);
        V::select(up, high, V::select(down, low, middle)).store_integer_bytes(trits);
    }
    trits
}
