//! Symmetric fit by trying scales, as [`search::qx`](crate::search::qx).

use crate::lanes::Vector;
use crate::search::ALL_ZERO;
use crate::search::rounding::NEAREST;

/// What was found, lane by lane: `x ≈ scale · level`, levels −half … half − 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit<V: Vector> {
    pub(crate) scale: V,
    /// The levels of the search are `x · inverse`, rounded and brought into range; 0 marks a lane of zeros.
    pub(crate) inverse: V,
    /// Where every weight was a number: elsewhere nothing above is to be used.
    pub(crate) sound: V::Mask,
}

/// See [`search::qx`](crate::search::qx).
#[inline(always)]
pub(crate) fn search<V: Vector, const S: usize>(isa: V::Isa, half: i32, x: &[V; S], w: &[V; S]) -> Fit<V> {
    let zero = V::splat(isa, 0.0);
    let rounder = Rounder::new(isa, half);
    let (extreme, size, number) = extreme(isa, x);
    let blank = size.lt(V::splat(isa, ALL_ZERO));
    // Then no inverse overflows and no product leaves the range in which it can be rounded.
    let sound = number & size.lt(V::splat(isa, f32::INFINITY));
    let mut wx = *w;
    for (wx, x) in wx.iter_mut().zip(x) {
        *wx = *wx * *x;
    }

    let half = half as f32;
    let best_inverse = V::splat(isa, -half) / extreme;
    let (sum_xl, sum_ll) = sums::<V, S, UPPER>(isa, rounder, x, w, &wx, best_inverse);
    let scale = V::select(sum_ll.same(zero), zero, sum_xl / sum_ll);
    let mut best = Best { inverse: best_inverse, scale, score: scale * sum_xl };
    for step in -9..=-6 {
        best.improve::<S, NONE>(isa, rounder, x, w, &wx, inverse(isa, half, step, extreme));
    }
    for step in (-5..=4).filter(|&step| step != 0) {
        best.improve::<S, UPPER>(isa, rounder, x, w, &wx, inverse(isa, half, step, extreme));
    }
    for step in 5..=9 {
        best.improve::<S, BOTH>(isa, rounder, x, w, &wx, inverse(isa, half, step, extreme));
    }
    Fit { scale: V::select(blank, zero, best.scale), inverse: V::select(blank, zero, best.inverse), sound }
}

/// The inverse scale of a step: the value of largest magnitude comes to `−(half + step / 10)`.
#[inline(always)]
fn inverse<V: Vector>(isa: V::Isa, half: f32, step: i8, extreme: V) -> V {
    V::splat(isa, -(half + 0.1 * f32::from(step))) / extreme
}

// Which limits a level can pass. No magnitude is beyond the extreme's, so that at a step no `x · inverse` is beyond
// `half + step / 10`, but for three roundings, of less than 10⁻⁶ of it. Up to step −6 that is below half − ½, so that no
// level is beyond half − 1; up to step 4 it is below half + ½, so that no level is below −half.
const NONE: u8 = 0;
const UPPER: u8 = 1;
const BOTH: u8 = 2;

/// The best trial so far.
struct Best<V: Vector> {
    inverse: V,
    scale: V,
    score: V,
}

impl<V: Vector> Best<V> {
    #[inline(always)]
    fn improve<const S: usize, const LIMITS: u8>(
        &mut self,
        isa: V::Isa,
        rounder: Rounder<V>,
        x: &[V; S],
        w: &[V; S],
        wx: &[V; S],
        inverse: V,
    ) {
        let (sum_xl, sum_ll) = sums::<V, S, LIMITS>(isa, rounder, x, w, wx, inverse);
        let better = sum_ll.gt(V::splat(isa, 0.0)) & (sum_xl * sum_xl).gt(self.score * sum_ll);
        if V::any(better) {
            self.inverse = V::select(better, inverse, self.inverse);
            self.scale = V::select(better, sum_xl / sum_ll, self.scale);
            self.score = V::select(better, self.scale * sum_xl, self.score);
        }
    }
}

/// The value of largest magnitude, of equal ones the first, or +0; the magnitude; and whether all are numbers.
#[inline(always)]
pub(super) fn extreme<V: Vector, const S: usize>(isa: V::Isa, x: &[V; S]) -> (V, V, V::Mask) {
    let zero = V::splat(isa, 0.0);
    let (mut extreme, mut size, mut number) = (zero, zero, zero.same(zero));
    for &x in x {
        let larger = x.abs().gt(size);
        extreme = V::select(larger, x, extreme);
        size = V::select(larger, x.abs(), size);
        number = number & x.same(x);
    }
    (extreme, size, number)
}

/// Rounds values within ±2²¹ to levels −half … half − 1.
#[derive(Clone, Copy)]
pub(super) struct Rounder<V> {
    nearest: V,
    least: V,
    most: V,
}

impl<V: Vector> Rounder<V> {
    #[inline(always)]
    pub(super) fn new(isa: V::Isa, half: i32) -> Self {
        let half = half as f32;
        Self {
            nearest: V::splat(isa, NEAREST),
            least: V::splat(isa, NEAREST - half),
            most: V::splat(isa, NEAREST + half - 1.0),
        }
    }

    #[inline(always)]
    pub(super) fn level(self, value: V) -> V {
        self.level_within::<BOTH>(value)
    }

    /// With only the limits that it can pass.
    #[inline(always)]
    fn level_within<const LIMITS: u8>(self, value: V) -> V {
        let mut level = value + self.nearest;
        if LIMITS == BOTH {
            level = level.larger(self.least);
        }
        if LIMITS != NONE {
            level = level.smaller(self.most);
        }
        level - self.nearest
    }
}

/// `Σ w·x·l` and `Σ w·l²`, in order. `wx` holds `w·x`.
#[inline(always)]
fn sums<V: Vector, const S: usize, const LIMITS: u8>(
    isa: V::Isa,
    rounder: Rounder<V>,
    x: &[V; S],
    w: &[V; S],
    wx: &[V; S],
    inverse: V,
) -> (V, V) {
    let (mut sum_xl, mut sum_ll) = (V::splat(isa, 0.0), V::splat(isa, 0.0));
    for i in 0..S {
        let l = rounder.level_within::<LIMITS>(inverse * x[i]);
        sum_xl = sum_xl + wx[i] * l;
        sum_ll = sum_ll + w[i] * l * l;
    }
    (sum_xl, sum_ll)
}
