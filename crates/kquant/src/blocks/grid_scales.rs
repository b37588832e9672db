//! What the types whose weights are points of a grid have in common.

use crate::search::rounding::nearest_int;

/// One scale for those of a super-block, `scale ≈ d · (2 · level + 1)` with levels 0 … `top`; none if all are zero.
#[inline(always)]
pub(super) fn share<const N: usize>(scales: &[f32; N], top: u8) -> Option<(f32, [u8; N])> {
    let max = scales.iter().fold(0.0, |max: f32, &scale| if max > scale { max } else { scale });
    (max != 0.0).then(|| {
        let d = max / f32::from(2 * top + 1);
        let inverse = 1.0 / d;
        let level = |scale| nearest_int(0.5 * (inverse * scale - 1.0)).clamp(0, top.into()) as u8;
        (d, scales.map(level))
    })
}

/// The largest of some numbers, zero or not.
#[inline(always)]
pub(super) fn max<const N: usize>(x: &[f32; N]) -> f32 {
    x[1..].iter().fold(x[0], |max, &x| if max > x { max } else { x })
}

/// The weights of a point: a scale times its coordinates, negative where the bit of `signs` is set.
#[inline(always)]
pub(super) fn decode_point(scale: f32, values: &[i8; 8], signs: u8) -> [f32; 8] {
    std::array::from_fn(|i| {
        let sign = if signs >> i & 1 == 0 { 1.0 } else { -1.0 };
        scale * f32::from(values[i]) * sign
    })
}

/// Two points of four coordinates side by side.
#[inline(always)]
pub(super) fn side_by_side(a: &[i8; 4], b: &[i8; 4]) -> [i8; 8] {
    [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]]
}

/// Two levels a byte, the even one in the low nibble.
#[inline(always)]
pub(super) fn pack_nibbles<const N: usize, const B: usize>(levels: &[u8; N]) -> [u8; B] {
    const { assert!(N == 2 * B) }
    std::array::from_fn(|i| levels[2 * i] | levels[2 * i + 1] << 4)
}

/// The same back.
#[inline(always)]
pub(super) fn unpack_nibbles<const B: usize, const N: usize>(bytes: &[u8; B]) -> [u8; N] {
    const { assert!(N == 2 * B) }
    std::array::from_fn(|i| bytes[i / 2] >> (4 * (i % 2)) & 15)
}
