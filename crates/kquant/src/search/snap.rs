//! From fits to three levels to the points of a grid, eight weights a point: the second half of `IQ1_S` and `IQ1_M`.

use crate::grids::{IQ1, Nearby, Ternary};
use crate::search::split::{Fit, LEVELS};

/// What a block stores of a sub-block of `8 · P` weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coded<const P: usize> {
    /// The points' places in the grid.
    pub(crate) indices: [u16; P],
    pub(crate) scale: f32,
    /// As in [`Fit`].
    pub(crate) shifts: [u8; 2],
}

impl<const P: usize> Coded<P> {
    /// Of a sub-block that is as good as zero.
    pub(crate) const BLANK: Self = Self { indices: [0; P], scale: 0.0, shifts: [0; 2] };

    /// The point's levels as a decoder sees them, but for the scale.
    #[inline(always)]
    pub(crate) fn levels(&self, point: usize) -> &'static [f32; 3] {
        &LEVELS[usize::from(self.shifts[point * 2 / P])]
    }
}

/// Moves a fit to points of the grid. If any was not on it, the scale is fitted again.
///
/// `None` where no point has a finite error or the scale is NaN, as with weights beyond 10¹⁵: there ggml goes on with
/// numbers beyond the sub-block, or aborts.
pub(crate) fn snap<const P: usize, const N: usize>(
    x: &[f32; N],
    w: &[f32; N],
    fit: &Fit<N>,
) -> Option<Coded<P>> {
    const { assert!(N == 8 * P) }
    let neighbours = IQ1.neighbours();
    let mut coded = Coded { indices: [0; P], scale: fit.scale, shifts: fit.shifts };
    let (x, w, levels) = (x.as_chunks::<8>().0, w.as_chunks().0, fit.levels.as_chunks().0);
    let mut codes = [0; P];
    let mut moved = false;
    for point in 0..P {
        let levels: &[u8; 8] = &levels[point];
        let rank = levels.iter().rev().fold(0, |rank, &level| rank * 3 + usize::from(level));
        codes[point] = match neighbours.of(rank) {
            Nearby::Itself => (0..8).fold(0, |code, i| code | u16::from(levels[i]) << (2 * i)),
            Nearby::Others { all, .. } => {
                moved = true;
                nearest(all, &x[point], &w[point], fit.scale, coded.levels(point))?
            }
        };
        coded.indices[point] = neighbours.index(codes[point]);
    }
    if moved {
        let (mut sum_xl, mut sum_ll) = (0.0f32, 0.0f32);
        for point in 0..P {
            let value = coded.levels(point);
            let levels = Ternary::levels(codes[point]);
            for ((x, w), level) in x[point].iter().zip(&w[point]).zip(levels) {
                let l = value[level];
                sum_xl += w * l * x;
                sum_ll += w * l * l;
            }
        }
        if sum_xl > 0.0 && sum_ll > 0.0 {
            coded.scale = sum_xl / sum_ll;
        }
    }
    (!coded.scale.is_nan()).then_some(coded)
}

/// The code with the least `Σ w · (scale · level − x)²`, of equals the first.
fn nearest(codes: &[u16], x: &[f32; 8], w: &[f32; 8], scale: f32, values: &[f32; 3]) -> Option<u16> {
    let (mut best, mut least) = (None, f32::MAX);
    for &code in codes {
        let mut sum = 0.0f32;
        for ((x, w), level) in x.iter().zip(w).zip(Ternary::levels(code)) {
            let diff = scale * values[level] - x;
            sum += w * diff * diff;
        }
        if sum < least {
            (best, least) = (Some(code), sum);
        }
    }
    best
}
