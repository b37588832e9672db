//! Rounding weights to levels.

/// 1.5 · 2²³: where the step of a float is 1.
pub(crate) const NEAREST: f32 = 12_582_912.0;

/// The nearest integer, ties to even, for values within ±2²².
///
/// Adding [`NEAREST`] moves the value to where the step of a float is 1, so that the addition rounds; the integer
/// then stands in the mantissa. Outside ±2²² the mantissa holds something else, which ggml (`nearest_int`)
/// goes on to use: infinity and values beyond 2³¹ or so give −2²² or other integers of that size, NaN gives 0.
/// A degenerate sub-block (a scale that over- or underflows) gets there, so this is part of the byte identity.
#[inline(always)]
pub(crate) fn nearest_int(value: f32) -> i32 {
    ((value + NEAREST).to_bits() & 0x007f_ffff) as i32 - 0x0040_0000
}

/// The levels, from 0, that a search for a scale found, from its best inverse scale; all 0 if that is 0.
#[inline(always)]
pub(crate) fn levels_of_scale_search<const N: usize>(x: &[f32; N], inverse: f32, half: i32) -> [u8; N] {
    let mut levels = [0; N];
    if inverse != 0.0 {
        for (level, x) in levels.iter_mut().zip(x) {
            *level = (nearest_int(inverse * x).clamp(-half, half - 1) + half) as u8;
        }
    }
    levels
}

/// The levels of a sub-block when its scale and offset are settled: `x ≈ scale · level − offset`, 0 … `top`.
#[inline(always)]
pub(crate) fn requantize_affine<const N: usize>(
    x: &[f32; N],
    scale: f32,
    offset: f32,
    top: i32,
    levels: &mut [u8; N],
) {
    for (level, &x) in levels.iter_mut().zip(x) {
        *level = nearest_int((x + offset) / scale).clamp(0, top) as u8;
    }
}

/// The levels that a search with scale and offset found, from its best inverse scale and the minimum it counted from.
#[inline(always)]
pub(crate) fn levels_of_search<const N: usize>(x: &[f32; N], inverse: f32, base: f32, top: i32) -> [u8; N] {
    let limit = top as f32;
    let mut levels = [0; N];
    for (level, x) in levels.iter_mut().zip(x) {
        let value = inverse * (x - base);
        let value = if value > 0.0 { value } else { 0.0 };
        let value = if value < limit { value } else { limit };
        *level = nearest_int(value) as u8;
    }
    levels
}

/// The levels of a sub-block when its scale is settled: `x ≈ scale · (level − half)`, 0 … 2 · `half` − 1.
#[inline(always)]
pub(crate) fn requantize_symmetric<const N: usize>(
    x: &[f32; N],
    scale: f32,
    half: i32,
    levels: &mut [u8; N],
) {
    for (level, &x) in levels.iter_mut().zip(x) {
        *level = (nearest_int(x / scale).clamp(-half, half - 1) + half) as u8;
    }
}

/// A float as an integer, towards zero, with the answer of x86's `cvttss2si` where it does not fit: −2³¹.
///
/// C leaves that case undefined; ggml's `(int8_t) x` gets there when a subnormal scale has no finite inverse.
/// Rust's `as` would saturate, and the low byte would differ.
#[inline(always)]
pub(crate) fn truncate(value: f32) -> i32 {
    if value.abs() < 2_147_483_648.0 { value as i32 } else { i32::MIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_int_takes_ties_to_even() {
        for (value, expected) in [
            (0.5, 0),
            (1.5, 2),
            (2.5, 2),
            (-0.5, 0),
            (-1.5, -2),
            (3.49, 3),
            (-3.51, -4),
            (4_194_303.0, 4_194_303),
        ] {
            assert_eq!(nearest_int(value), expected, "{value}");
        }
        for i in -400_000..400_000 {
            let value = i as f32 * 0.125;
            assert_eq!(nearest_int(value), value.round_ties_even() as i32);
        }
    }

    #[test]
    fn nearest_int_out_of_range_is_what_the_mantissa_holds() {
        assert_eq!(nearest_int(f32::INFINITY), -4_194_304);
        assert_eq!(nearest_int(f32::NEG_INFINITY), -4_194_304);
        assert_eq!(nearest_int(f32::NAN), 0);
        assert_eq!(nearest_int(f32::MAX), 0x7f_ffff - 0x40_0000);
    }

    #[test]
    fn truncate_is_cvttss2si() {
        for (value, expected) in [
            (1.9, 1),
            (-1.9, -1),
            (2e9, 2_000_000_000),
            (-2_147_483_648.0, i32::MIN),
            (3e9, i32::MIN),
            (-3e9, i32::MIN),
        ] {
            assert_eq!(truncate(value), expected, "{value}");
        }
        assert_eq!(truncate(f32::NAN), i32::MIN);
        assert_eq!(truncate(f32::INFINITY), i32::MIN);
    }
}
