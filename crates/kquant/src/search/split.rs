//! Fit to three levels by trying every split: the searches in ggml's `quantize_row_iq1_s_impl` and
//! `quantize_row_iq1_m_impl`.
//!
//! Whatever the scale, the weights that go to the lowest level are the least ones and those that go to the highest are the
//! greatest. So in ascending order a fit is two places: where the middle level begins and where the highest does. For each
//! of them the best scale is `Σ w·x·l / Σ w·l²`, which prefix sums give at once, and the fit that explains most,
//! `(Σ w·x·l)² / Σ w·l²`, is kept.

use std::array;

/// −1, 0 and 1, moved up by an eighth or, shift 1, down.
pub(crate) const LEVELS: [[f32; 3]; 2] = [[-0.875, 0.125, 1.125], [-1.125, -0.125, 0.875]];

/// A sub-block's fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fit<const N: usize> {
    /// Places in [`LEVELS`], of each weight.
    pub(crate) levels: [u8; N],
    /// Not negative. (NaN where sums overflow.)
    pub(crate) scale: f32,
    /// Which [`LEVELS`] each half has; only one shift is tried by [`one_shift`], which both halves then have.
    pub(crate) shifts: [u8; 2],
}

/// The best split that has been found.
struct Best {
    first: usize,
    second: usize,
    scale: f32,
    shifts: [u8; 2],
    score: f32,
}

impl Best {
    /// Any split is better.
    const NONE: Self = Self { first: 0, second: 0, scale: f32::NAN, shifts: [0; 2], score: f32::MIN };

    #[inline(always)]
    fn offer(&mut self, sum_xl: f32, sum_ll: f32, first: usize, second: usize, shifts: [u8; 2]) {
        if sum_ll > 0.0 && sum_xl * sum_xl > self.score * sum_ll {
            let scale = sum_xl / sum_ll;
            *self = Self { first, second, scale, shifts, score: scale * sum_xl };
        }
    }

    /// `None` if there was no split with a score.
    fn fit<const N: usize>(&self, order: &[usize; N]) -> Option<Fit<N>> {
        if self.score == f32::MIN {
            return None;
        }
        // A negative scale turns the levels around.
        let (scale, turned) = if self.scale < 0.0 { (-self.scale, true) } else { (self.scale, false) };
        let mut levels = [0; N];
        for (place, &i) in order.iter().enumerate() {
            let level = u8::from(place >= self.first) + u8::from(place >= self.second);
            levels[i] = if turned { 2 - level } else { level };
        }
        Some(Fit { levels, scale, shifts: self.shifts.map(|shift| shift ^ u8::from(turned)) })
    }
}

/// The weights' places in ascending order, of equal ones the first first.
fn ascending<const N: usize>(x: &[f32; N]) -> [usize; N] {
    let mut order = array::from_fn(|i| i);
    // The addition makes −0 a zero like the other.
    order.sort_by(|&a, &b| (x[a] + 0.0).total_cmp(&(x[b] + 0.0)));
    order
}

/// A fit where all weights have the same shift. `None` if nothing has weight.
pub(crate) fn one_shift(x: &[f32; 32], w: &[f32; 32]) -> Option<Fit<32>> {
    let order = ascending(x);
    let (mut xs, mut ws) = ([0.0f32; 33], [0.0f32; 33]);
    for (place, &i) in order.iter().enumerate() {
        xs[place + 1] = xs[place] + w[i] * x[i];
        ws[place + 1] = ws[place] + w[i];
    }
    let mut best = Best::NONE;
    for first in 0..=32 {
        for second in first..=32 {
            for (shift, l) in (0..).zip(&LEVELS) {
                let sum_xl =
                    xs[first] * l[0] + (xs[second] - xs[first]) * l[1] + (xs[32] - xs[second]) * l[2];
                let sum_ll = ws[first] * l[0] * l[0]
                    + (ws[second] - ws[first]) * l[1] * l[1]
                    + (ws[32] - ws[second]) * l[2] * l[2];
                best.offer(sum_xl, sum_ll, first, second, [shift; 2]);
            }
        }
    }
    best.fit(&order)
}

/// A fit where each half of the weights has its own shift. `None` if nothing has weight.
pub(crate) fn shift_by_half(x: &[f32; 16], w: &[f32; 16]) -> Option<Fit<16>> {
    let order = ascending(x);
    let (mut xs, mut ws) = ([[0.0f32; 17]; 2], [[0.0f32; 17]; 2]);
    for (place, &i) in order.iter().enumerate() {
        for half in 0..2 {
            let here = i / 8 == half;
            xs[half][place + 1] = if here { xs[half][place] + w[i] * x[i] } else { xs[half][place] };
            ws[half][place + 1] = if here { ws[half][place] + w[i] } else { ws[half][place] };
        }
    }
    let mut best = Best::NONE;
    for first in 0..=16 {
        for second in first..=16 {
            // By half and shift. Levels are one apart, so that going one down takes away the sum of what goes down.
            let (mut sum_xl, mut sum_ll) = ([[0.0; 2]; 2], [[0.0; 2]; 2]);
            for half in 0..2 {
                let (xs, ws) = (&xs[half], &ws[half]);
                let below = xs[first] + xs[second];
                for (shift, &[low, middle, high]) in LEVELS.iter().enumerate() {
                    sum_xl[half][shift] = xs[16] * high - below;
                    sum_ll[half][shift] = ws[16] * high * high
                        + ws[first] * (low * low - middle * middle)
                        + ws[second] * (middle * middle - high * high);
                }
            }
            for shifts in [[0, 0], [0, 1], [1, 0], [1, 1]] {
                let [a, b] = shifts.map(usize::from);
                let (sum_xl, sum_ll) = (sum_xl[0][a] + sum_xl[1][b], sum_ll[0][a] + sum_ll[1][b]);
                best.offer(sum_xl, sum_ll, first, second, shifts);
            }
        }
    }
    best.fit(&order)
}
