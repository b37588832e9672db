//! From levels to weights and, without a search, from weights to levels: vectors along a block.

use bytemuck::cast_slice;

use super::rounded::Scale;
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

/// Levels of 32 weights, with their fifth bits.
pub(crate) struct Levels {
    pub(in crate::blocks) levels: [u8; 32],
    /// Bit i is that of level i.
    pub(in crate::blocks) fifth: [u8; 4],
}

/// The integer part of `(x − m) / d + half`, at most `top`.
#[inline(always)]
pub(in crate::blocks) fn rounded<V: Vector>(
    isa: V::Isa,
    x: &[f32; 32],
    scale: &Scale<f32>,
    half: f32,
    top: u8,
) -> Levels {
    let (base, inverse) = (V::splat(isa, scale.m), V::splat(isa, scale.inverse));
    let (half, top) = (V::splat(isa, half), V::splat(isa, top.into()));
    let sixteen = V::splat(isa, 16.0);
    let (mut levels, mut fifth) = ([0; 32], 0);
    for (i, (levels, x)) in levels.chunks_exact_mut(V::LANES).zip(x.chunks_exact(V::LANES)).enumerate() {
        let value = ((V::load(isa, x) - base) * inverse + half).smaller(top);
        value.store_integer_bytes(levels);
        fifth |= V::bits(!value.lt(sixteen)) << (i * V::LANES);
    }
    Levels { levels, fifth: fifth.to_le_bytes() }
}

/// The levels, from 0 to `top`, that a search found from its best inverse scale and what it counted from: the integer
/// nearest to `(x − base) · inverse`, `below` more. The search was sound: no level is far from its limits.
#[inline(always)]
pub(in crate::blocks) fn of_search<V: Vector>(
    isa: V::Isa,
    x: &[f32; 32],
    (inverse, base): (f32, f32),
    below: i32,
    top: i32,
) -> Levels {
    let (inverse, base) = (V::splat(isa, inverse), V::splat(isa, base));
    let (nearest, from_nearest) = (V::splat(isa, NEAREST), V::splat(isa, NEAREST - below as f32));
    let (zero, sixteen, top) = (V::splat(isa, 0.0), V::splat(isa, 16.0), V::splat(isa, top as f32));
    let (mut levels, mut fifth) = ([0; 32], 0);
    for (i, (levels, x)) in levels.chunks_exact_mut(V::LANES).zip(x.chunks_exact(V::LANES)).enumerate() {
        let value = inverse * (V::load(isa, x) - base);
        let level = ((value + nearest) - from_nearest).larger(zero).smaller(top);
        level.store_integer_bytes(levels);
        fifth |= V::bits(!level.lt(sixteen)) << (i * V::LANES);
    }
    Levels { levels, fifth: fifth.to_le_bytes() }
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
