//! Four-bit floats (E2M1 of the OCP Microscaling specification), as MXFP4 and NVFP4 store them under a scale.

/// Twice the magnitudes of the codes 0 … 7; code 8 + c is the negative of code c. ggml keeps them doubled, with scales of
/// half the size (`kvalues_fp4` in `ggml-common.h`; MIT, see `NOTICE`).
const DOUBLED: [f32; 8] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];

/// The middle between each magnitude and the next.
const BOUNDS: [f32; 7] = [0.5, 1.5, 2.5, 3.5, 5.0, 7.0, 10.0];

/// Weights beyond as many times the scale are too large for [`BOUNDS`]; see [`codes`].
const LIMIT: f32 = 524_288.0;

/// The codes nearest to some weights under a scale (half of what the format calls so), which is not negative; of two
/// equally near codes the smaller in magnitude, and never that of −0. `largest` is the largest magnitude of the weights.
///
/// ggml computes the distance to every code and takes the first of the least. A distance to a code of the other sign is
/// never less than that to 0, so the magnitude alone decides. As long as the weight's step is no coarser than the scale's,
/// the two distances compared near a bound are exact, and this is a comparison with the bound. Beyond, different codes may
/// round to the same distance, so they are computed as ggml does; and so they are under a scale of 0 and under one so large
/// that codes stand for infinity.
#[inline(always)]
pub(super) fn codes<const N: usize>(x: &[f32; N], largest: f32, scale: f32) -> [u8; N] {
    if largest <= scale * LIMIT && scale < f32::MAX / 16.0 {
        by_bounds(x, scale)
    } else {
        let mut codes = [0; N];
        for (code, &x) in codes.iter_mut().zip(x) {
            *code = by_distance(x, scale);
        }
        codes
    }
}

/// In integers as wide as the weights, so that vectors hold as many of both.
#[inline(always)]
fn by_bounds<const N: usize>(x: &[f32; N], scale: f32) -> [u8; N] {
    let mut wide = [0; N];
    for bound in BOUNDS {
        let bound = bound * scale;
        for (code, x) in wide.iter_mut().zip(x) {
            *code += i32::from(x.abs() > bound);
        }
    }
    let mut codes = [0; N];
    for ((code, wide), &x) in codes.iter_mut().zip(wide).zip(x) {
        *code = (wide | i32::from((wide != 0) & (x < 0.0)) << 3) as u8;
    }
    codes
}

#[inline(always)]
fn by_distance(x: f32, scale: f32) -> u8 {
    let size = x.abs();
    let (mut best, mut least) = (0, size);
    for (magnitude, doubled) in (0..8).zip(DOUBLED) {
        let distance = (doubled * scale - size).abs();
        if distance < least {
            (best, least) = (magnitude, distance);
        }
    }
    if best != 0 && x < 0.0 { best | 8 } else { best }
}

/// Twice the value of each code; that of 8 is a zero without a sign, since it decodes as an integer does.
pub(super) const VALUES: [f32; 16] = {
    let mut values = [0.0; 16];
    let mut code = 0;
    while code < 8 {
        values[code] = DOUBLED[code];
        values[code + 8] = 0.0 - DOUBLED[code];
        code += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    /// All sixteen in ggml's order, the first of those at the least distance.
    fn first_nearest(x: f32, scale: f32) -> u8 {
        let distance = |code: u8| (VALUES[usize::from(code)] * scale - x).abs();
        (1..16u8).fold(0, |best, code| if distance(code) < distance(best) { code } else { best })
    }

    #[test]
    fn codes_are_the_first_of_the_nearest() {
        let powers = [-128, -127, -9, 0, 124, 125, 126, 127].map(|e| (2f64.powi(e)) as f32);
        for scale in powers.into_iter().chain([0.0, 13.0 * 2f32.powi(-5), 224.0, 240.0]) {
            let middles = BOUNDS.map(|bound| (bound * scale).to_bits());
            let near_bounds =
                middles.into_iter().flat_map(|bits| bits.saturating_sub(2000)..bits.saturating_add(2000));
            let others = (0..f32::INFINITY.to_bits()).step_by(70_001);
            for x in near_bounds.chain(others).map(f32::from_bits).filter(|x| x.is_finite()) {
                let expected = [first_nearest(x, scale), first_nearest(-x, scale)];
                assert_eq!(codes(&[x, -x], x, scale), expected, "{x:e} / {scale:e}");
            }
        }
    }

    #[test]
    fn codes_decode_to_their_values() {
        for code in (0..16u8).filter(|&code| code != 8) {
            assert_eq!(codes(&[VALUES[usize::from(code)]], 12.0, 1.0), [code]);
        }
    }
}
