//! How much each weight's error counts in a search.

/// Σ x², in order.
#[inline]
pub(crate) fn sum_of_squares(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |sum, &x| sum + x * x)
}

/// Σ w, in order.
#[inline]
pub(crate) fn sum(weights: &[f32]) -> f32 {
    weights.iter().fold(0.0, |sum, &w| sum + w)
}

/// `x²`: without importance, an error counts by the square of the weight.
#[inline]
pub(crate) fn squares<const N: usize>(x: &[f32; N]) -> [f32; N] {
    x.map(|x| x * x)
}

/// `importance · √(variance + x²)`: a column's importance, raised where the weight stands out of its
/// surroundings.
#[inline]
pub(crate) fn by_importance<const N: usize>(x: &[f32; N], importance: &[f32; N], variance: f32) -> [f32; N] {
    let mut weights = *importance;
    for (w, &x) in weights.iter_mut().zip(x) {
        *w *= (variance + x * x).sqrt();
    }
    weights
}
