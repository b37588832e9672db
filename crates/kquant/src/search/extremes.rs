//! Smallest, largest, and largest in magnitude.
//!
//! Four at a time: which of two equal numbers is found can only be told when they are zeros of different sign
//! or opposite numbers, and those cases are looked at again.

/// The smallest and the largest weight; of zeros, the first.
#[inline(always)]
pub(crate) fn range<const N: usize>(x: &[f32; N]) -> (f32, f32) {
    const { assert!(N.is_multiple_of(4)) }
    let (mut min, mut max) = ([f32::INFINITY; 4], [f32::NEG_INFINITY; 4]);
    for x in x.as_chunks::<4>().0 {
        for lane in 0..4 {
            min[lane] = smaller(x[lane], min[lane]);
            max[lane] = larger(x[lane], max[lane]);
        }
    }
    let first_zero = |value: f32| {
        if value == 0.0 { x.iter().copied().find(|&x| x == 0.0).unwrap_or(value) } else { value }
    };
    (
        first_zero(smaller(smaller(min[0], min[1]), smaller(min[2], min[3]))),
        first_zero(larger(larger(max[0], max[1]), larger(max[2], max[3]))),
    )
}

/// The value of largest magnitude, of equal ones the first; +0 if all are zero.
#[inline(always)]
pub(crate) fn largest_magnitude<const N: usize>(x: &[f32; N]) -> f32 {
    let (min, max) = range(x);
    if max > -min {
        max
    } else if max < -min {
        min
    } else if max == 0.0 {
        0.0
    } else {
        x.iter().copied().find(|x| x.abs() == max).unwrap_or(0.0)
    }
}

/// The largest magnitude. Magnitudes lie in the order of their bits, and a loop over integers is vector code.
#[inline(always)]
pub(crate) fn largest_size(x: &[f32]) -> f32 {
    let mut largest = 0;
    for x in x {
        largest = x.abs().to_bits().max(largest);
    }
    f32::from_bits(largest)
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_first() {
        assert_eq!(largest_magnitude(&[1.0, -3.0, 3.0, 2.0]), -3.0);
        assert_eq!(largest_magnitude(&[1.0, 3.0, -3.0, 2.0]), 3.0);
        assert_eq!(largest_magnitude(&[-0.0, -0.0, 0.0, -0.0]).to_bits(), 0);
        for (zeros, sign) in [([-0.0, 0.0, 1.0, 2.0], true), ([1.0, 0.0, -0.0, 2.0], false)] {
            assert_eq!(range(&zeros).0.is_sign_negative(), sign);
            assert_eq!(range(&zeros).1, 2.0);
        }
    }

    #[test]
    fn only_nan_is_no_panic() {
        assert_eq!(largest_magnitude(&[f32::NAN; 16]), 0.0);
        assert!(largest_size(&[f32::NAN; 16]).is_nan());
    }

    #[test]
    fn largest_size_is_without_sign() {
        for (x, expected) in
            [([-0.0, 0.0], 0.0), ([-3.0, 2.0], 3.0), ([1e-45, 0.0], 1e-45), ([-1.0, 3e38], 3e38)]
        {
            assert_eq!(largest_size(&x).to_bits(), f32::to_bits(expected));
        }
    }
}
