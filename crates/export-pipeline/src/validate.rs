//! Checks on what goes in (finite weights) and on what came out (an error that the type explains).

use gguf_format::{GgmlType, SUPER_BLOCK_LEN};

/// How far a type may be from its source.
///
/// For a block with largest magnitude `A`, the root mean square error of its weights may be at most
/// `relative * A + absolute`.
struct Bound {
    /// Half a step of the type's grid for a range of `[-A, A]`, with room for a one-sided grid (Q4_0 goes from
    /// -8 to 7), for scales that are quantized themselves, and for a search that weighs weights unequally.
    relative: f64,
    /// The scale is an f16, whose own error does not shrink below 2^-25: that, times the largest factor that
    /// the block multiplies it with.
    absolute: f64,
}

/// Half the smallest f16, the rounding error of a scale that is almost nothing.
const F16_HALF_STEP: f64 = 1.0 / 33_554_432.0; // 2^-25

/// The bound of each type that is encoded. These are limits that no correct encoder exceeds, not what one
/// reaches: a wrong kernel or a wrong byte order is off by the order of `A` itself.
fn bound(ty: GgmlType) -> Bound {
    let (relative, factor) = match ty {
        GgmlType::F32 => (0.0, 0.0),
        GgmlType::F16 => (0.0005, 1.0),
        // No step of its own near zero: bfloat16 has the range of f32.
        GgmlType::BF16 => (0.004, 0.0),
        GgmlType::Q8_0 => (0.006, 127.0),
        GgmlType::Q6_K => (0.04, 32.0 * 128.0),
        GgmlType::Q5_K => (0.08, 31.0 * 63.0 + 63.0),
        GgmlType::Q4_K => (0.15, 15.0 * 63.0 + 63.0),
        GgmlType::Q3_K => (0.30, 4.0 * 32.0),
        GgmlType::Q2_K => (0.55, 3.0 * 15.0 + 15.0),
        GgmlType::Q5_1 => (0.06, 32.0),
        GgmlType::Q5_0 => (0.07, 16.0),
        GgmlType::Q4_1 => (0.12, 16.0),
        GgmlType::Q4_0 => (0.14, 8.0),
        // Types that come later: nothing that is finite and of the source's magnitude is refused.
        _ => (1.0, 65504.0),
    };
    Bound { relative, absolute: factor * F16_HALF_STEP }
}

/// The first element that is not finite.
pub(crate) fn first_not_finite(weights: &[f32]) -> Option<usize> {
    // Without an early exit inside a part, the compiler can test many weights at once.
    let finite = weights.chunks(4096).all(|part| part.iter().fold(true, |all, w| all & w.is_finite()));
    if finite { None } else { weights.iter().position(|w| !w.is_finite()) }
}

/// Sums over a part of a tensor: added up, they say how far the file is from the source.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ErrorSums {
    /// Weights counted.
    pub(crate) count: u64,
    /// Sum of the squares of the differences; not finite if a decoded weight is not.
    pub(crate) error: f64,
    /// Sum of the squares of the weights.
    pub(crate) square: f64,
    /// Sum, over blocks, of the squares of the largest errors the type's bound allows in root mean square.
    allowed: f64,
}

impl ErrorSums {
    /// Compares encoded and decoded weights with what they were made of.
    pub(crate) fn of(ty: GgmlType, weights: &[f32], decoded: &[f32]) -> Self {
        let bound = bound(ty);
        let block_len = if ty.block_len() == 1 { SUPER_BLOCK_LEN } else { ty.block_len() };
        let mut sums = Self::default();
        for (source, result) in weights.chunks(block_len).zip(decoded.chunks(block_len)) {
            let (error, square, largest) = compare(source, result);
            let allowed = bound.relative * f64::from(largest) + bound.absolute;
            sums.count += source.len() as u64;
            sums.error += error;
            sums.square += square;
            sums.allowed += allowed * allowed * source.len() as f64;
        }
        sums
    }

    /// Adds another part of the same tensor.
    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.error += other.error;
        self.square += other.square;
        self.allowed += other.allowed;
    }

    /// Root mean square error over the tensor, if it is more than the type explains, with what it explains.
    pub(crate) fn too_far(&self) -> Option<(f64, f64)> {
        // `!(a <= b)` and not `a > b`: a NaN must not pass.
        let fits = self.error <= self.allowed;
        let rms = |sum: f64| (sum / self.count as f64).sqrt();
        (!fits).then(|| (rms(self.error), rms(self.allowed)))
    }

    /// Root mean square error relative to the root mean square of the weights; 0 for a tensor of zeros that
    /// stayed zeros.
    pub(crate) fn relative_error(&self) -> f64 {
        if self.error == 0.0 { 0.0 } else { (self.error / self.square).sqrt() }
    }
}

/// Of one block: sum of squared differences, sum of squared weights, largest magnitude.
///
/// In f32 where no square leaves its range, for then twice as many fit in a register and nothing is converted; at most
/// [`SUPER_BLOCK_LEN`] terms, so that rounding stays below one part in a hundred thousand, and the bounds are no such fine
/// matter.
fn compare(source: &[f32], result: &[f32]) -> (f64, f64, f32) {
    // Squares of what is below 2^-24 of the largest may vanish: they count for nothing beside the bound, which
    // is never that small a part of the largest weight.
    const IN_RANGE: std::ops::RangeInclusive<f32> = 1e-12..=1e15;
    let (error, square, largest) = sums_f32(source, result);
    // An error so large that it overflows, or NaN, is left to the wider sums too.
    if IN_RANGE.contains(&largest) && error.is_finite() {
        (error.into(), square.into(), largest)
    } else {
        let (error, square) = sums_f64(source, result);
        (error, square, largest)
    }
}

/// Sums side by side, for a sum of its own waits for each addition; they are added up in the order of the lanes, so the
/// result is the same on every machine.
const LANES: usize = 16;

fn sums_f32(source: &[f32], result: &[f32]) -> (f32, f32, f32) {
    let (mut error, mut square, mut largest) = ([0f32; LANES], [0f32; LANES], [0f32; LANES]);
    let (sources, results) = (source.as_chunks::<LANES>(), result.as_chunks::<LANES>());
    let last = (pad(sources.1), pad(results.1));
    let whole = sources.0.iter().zip(results.0);
    for (w, d) in whole.chain([(&last.0, &last.1)]) {
        for lane in 0..LANES {
            let difference = w[lane] - d[lane];
            error[lane] += difference * difference;
            square[lane] += w[lane] * w[lane];
            let magnitude = w[lane].abs();
            largest[lane] = if magnitude > largest[lane] { magnitude } else { largest[lane] };
        }
    }
    (error.iter().sum(), square.iter().sum(), largest.iter().copied().fold(0.0, f32::max))
}

fn sums_f64(source: &[f32], result: &[f32]) -> (f64, f64) {
    let (mut error, mut square) = (0.0, 0.0);
    for (&w, &d) in source.iter().zip(result) {
        let difference = f64::from(w) - f64::from(d);
        error += difference * difference;
        square += f64::from(w) * f64::from(w);
    }
    (error, square)
}

/// What is left of a slice, and zeros, which add nothing.
fn pad(rest: &[f32]) -> [f32; LANES] {
    std::array::from_fn(|i| rest.get(i).copied().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_weight_that_is_not_finite() {
        let mut weights = vec![1.0f32; 10_000];
        assert_eq!(first_not_finite(&weights), None);
        weights[9_999] = f32::NAN;
        assert_eq!(first_not_finite(&weights), Some(9_999));
        weights[4_096] = f32::NEG_INFINITY;
        assert_eq!(first_not_finite(&weights), Some(4_096));
    }

    #[test]
    fn a_decoded_nan_or_infinity_never_passes() {
        let weights = vec![0.5f32; 32];
        for bad in [f32::NAN, f32::INFINITY] {
            let mut decoded = weights.clone();
            decoded[7] = bad;
            assert!(ErrorSums::of(GgmlType::Q8_0, &weights, &decoded).too_far().is_some());
        }
        assert!(ErrorSums::of(GgmlType::Q8_0, &weights, &weights).too_far().is_none());
    }

    #[test]
    fn narrow_and_wide_sums_tell_the_same() {
        let shape: Vec<f32> = (0..251).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
        for scale in [1e-38f32, 1e-20, 1e-12, 1e-3, 1.0, 1e15, 1e18, 1e38] {
            let weights: Vec<f32> = shape.iter().map(|w| w * scale).collect();
            let decoded: Vec<f32> = weights.iter().map(|w| w * 1.01).collect();
            let (error, square, largest) = compare(&weights, &decoded);
            let (wide_error, wide_square) = sums_f64(&weights, &decoded);
            assert_eq!(largest, weights.iter().fold(0.0, |a, w| w.abs().max(a)));
            // 251 roundings of 2^-24, and the differences' own.
            assert!((error - wide_error).abs() <= wide_error * 2e-5, "{scale}: {error} {wide_error}");
            assert!((square - wide_square).abs() <= wide_square * 2e-5, "{scale}: {square} {wide_square}");
        }
    }

    #[test]
    fn weights_in_the_wrong_order_do_not_pass() {
        // What a wrong byte order, a wrong permutation or a wrong offset looks like.
        for &ty in &[GgmlType::Q2_K, GgmlType::Q3_K, GgmlType::Q4_K, GgmlType::Q6_K, GgmlType::Q8_0] {
            let weights: Vec<f32> = (0..256).map(|i| (i as f32 - 127.5) / 128.0).collect();
            let reversed: Vec<f32> = weights.iter().rev().copied().collect();
            assert!(ErrorSums::of(ty, &weights, &reversed).too_far().is_some(), "{ty}");
        }
    }
}
