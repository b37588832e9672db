//! Fit of magnitudes to points of a grid: the search of `IQ2_*` and `IQ3_*`.
//!
//! `x ≈ scale · (2 · level + 1)`, where the levels of a few neighbouring weights must together be a point of the grid.
//! Many scales are tried. For each, a weight gets its nearest level; where that gives no point of the grid, the one of
//! the grid's nearby points that costs least is taken. The scale and the points of the best trial are then refined.
//!
//! The trials do not depend on each other: here they come one after the other, in
//! [`lanes::grid`](super::lanes::grid) side by side.

use super::qp;
use super::rounding::nearest_int;
use crate::grids::{Grid, Nearby, Neighbours};

/// The inverse scales to try: the one that puts some magnitude on the largest level, and `steps` more on each side.
#[derive(Clone, Copy)]
pub(crate) struct Sweep {
    pub(crate) steps: i8,
    /// From one to the next.
    pub(crate) delta: f32,
}

/// The most trials of a sweep, up to whole vectors.
pub(crate) const MOST_TRIALS: usize = 32;

impl Sweep {
    #[inline(always)]
    pub(crate) fn count(self) -> usize {
        2 * self.steps as usize + 1
    }

    /// What is beyond [`Sweep::count`] repeats the last.
    #[inline(always)]
    pub(crate) fn inverses<const L: usize>(self, largest: f32) -> [f32; MOST_TRIALS] {
        let mut inverses = [0.0; MOST_TRIALS];
        let steps = i32::from(self.steps);
        for (inverse, trial) in inverses.iter_mut().zip(0..) {
            let step = steps.min(trial - steps);
            *inverse = ((2 * L - 1) as f32 + step as f32 * self.delta) / largest;
        }
        inverses
    }
}

/// What is fitted once more when the best scale is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refine {
    /// Every group.
    All,
    /// Every group, unless all were on the grid by themselves.
    AllUnlessOnGrid,
    /// The groups that were not on the grid by themselves.
    OffGrid,
}

/// What a search found.
pub(crate) struct Fit<const G: usize> {
    /// Not negative.
    pub(crate) scale: f32,
    /// Whether every weight has the other sign: the search came out at a negative scale.
    pub(crate) flipped: bool,
    /// A code for each group.
    pub(crate) codes: [u16; G],
}

/// The best trial so far.
pub(crate) struct Best<const G: usize> {
    scale: f32,
    score: f32,
    pub(crate) codes: [u16; G],
    /// Whether the nearest levels of each group are a point of the grid.
    pub(crate) on_grid: [bool; G],
}

impl<const G: usize> Best<G> {
    /// Takes a trial's scale if it leaves less error, and says so; the caller sets the codes.
    #[inline(always)]
    pub(crate) fn improve(&mut self, sum_xq: f32, sum_qq: f32) -> bool {
        let better = sum_qq > 0.0 && sum_xq * sum_xq > self.score * sum_qq;
        if better {
            self.scale = sum_xq / sum_qq;
            self.score = self.scale * sum_xq;
        }
        better
    }
}

/// How trials are run.
pub(crate) trait Search {
    /// A first scale for levels 0 … 4, as if each weight could have any: that of [`qp::search`].
    fn first_scale<const N: usize>(&mut self, x: &[f32; N], w: &[f32; N]) -> f32;

    /// Runs all trials of a sweep. None if no point has a finite cost for some group.
    fn trials<const N: usize, const C: usize, const L: usize, const G: usize>(
        &mut self,
        sub_block: &SubBlock<'_, N, C>,
        neighbours: &Neighbours<C, L>,
        sweep: Sweep,
        largest: f32,
        best: &mut Best<G>,
    ) -> Option<()>;

    /// Finds the points of some groups at a scale: those for which `again` holds. None as for [`Search::trials`].
    fn snap_again<const N: usize, const C: usize, const L: usize, const G: usize>(
        &mut self,
        sub_block: &SubBlock<'_, N, C>,
        neighbours: &Neighbours<C, L>,
        scale: f32,
        again: &[bool; G],
        codes: &mut [u16; G],
    ) -> Option<()>;
}

/// One after the other.
pub(crate) struct Plain;

impl Search for Plain {
    #[inline]
    fn first_scale<const N: usize>(&mut self, x: &[f32; N], w: &[f32; N]) -> f32 {
        qp::search(4, x, w, &mut [0; N])
    }

    #[inline]
    fn trials<const N: usize, const C: usize, const L: usize, const G: usize>(
        &mut self,
        sub_block: &SubBlock<'_, N, C>,
        neighbours: &Neighbours<C, L>,
        sweep: Sweep,
        largest: f32,
        best: &mut Best<G>,
    ) -> Option<()> {
        for inverse in sweep.inverses::<L>(largest).into_iter().take(sweep.count()) {
            let (mut codes, mut on_grid) = ([0; G], [false; G]);
            for g in 0..G {
                (codes[g], on_grid[g]) = sub_block.snap(neighbours, g, inverse, 1.0 / inverse)?;
            }
            let (sum_xq, sum_qq) = sub_block.sums::<L>(&codes);
            if best.improve(sum_xq, sum_qq) {
                (best.codes, best.on_grid) = (codes, on_grid);
            }
        }
        Some(())
    }

    #[inline]
    fn snap_again<const N: usize, const C: usize, const L: usize, const G: usize>(
        &mut self,
        sub_block: &SubBlock<'_, N, C>,
        neighbours: &Neighbours<C, L>,
        scale: f32,
        again: &[bool; G],
        codes: &mut [u16; G],
    ) -> Option<()> {
        for g in 0..G {
            if again[g] {
                codes[g] = sub_block.snap(neighbours, g, 1.0 / scale, scale)?.0;
            }
        }
        Some(())
    }
}

/// Weights to fit: `N` of them in groups of `C`.
pub(crate) struct SubBlock<'a, const N: usize, const C: usize> {
    /// Magnitudes; a few may be negative.
    pub(crate) x: &'a [f32; N],
    /// How much errors count.
    pub(crate) w: &'a [f32; N],
    /// How much they count in the choice of a point: √w.
    pub(crate) root_w: [f32; N],
}

impl<'a, const N: usize, const C: usize> SubBlock<'a, N, C> {
    #[inline(always)]
    pub(crate) fn new(x: &'a [f32; N], w: &'a [f32; N]) -> Self {
        Self { x, w, root_w: w.map(f32::sqrt) }
    }

    /// Finds a scale and a point for each of the `G` groups.
    ///
    /// `largest` is the magnitude that the sweep puts on the largest level, `scale` what is returned if no trial is
    /// better than nothing. None if no point has a finite cost or the scale is NaN: magnitudes beyond 10¹⁵ or so do that,
    /// and ggml aborts.
    #[inline(always)]
    pub(crate) fn search<const L: usize, const G: usize>(
        &self,
        how: &mut impl Search,
        neighbours: &Neighbours<C, L>,
        sweep: Sweep,
        largest: f32,
        scale: f32,
        refine: Refine,
    ) -> Option<Fit<G>> {
        const { assert!(N == C * G) }
        // With AllUnlessOnGrid, what no trial has touched is not on the grid.
        let on_grid = [refine == Refine::OffGrid; G];
        let mut best = Best { scale, score: 0.0, codes: [0; G], on_grid };
        how.trials(self, neighbours, sweep, largest, &mut best)?;
        let Best { mut scale, mut codes, on_grid, .. } = best;
        if scale > 0.0 && (refine == Refine::All || on_grid.contains(&false)) {
            let mut again = [true; G];
            if refine == Refine::OffGrid {
                for (again, on_grid) in again.iter_mut().zip(on_grid) {
                    *again = !on_grid;
                }
            }
            how.snap_again(self, neighbours, scale, &again, &mut codes)?;
            let (sum_xq, sum_qq) = self.sums::<L>(&codes);
            if sum_qq > 0.0 {
                scale = sum_xq / sum_qq;
            }
        }
        let flipped = scale < 0.0;
        let scale = if flipped { -scale } else { scale };
        (!scale.is_nan()).then_some(Fit { scale, flipped, codes })
    }

    /// The point of the grid for group `g` at a scale, as a code, and whether the nearest levels are it.
    #[inline]
    fn snap<const L: usize>(
        &self,
        neighbours: &Neighbours<C, L>,
        g: usize,
        inverse: f32,
        scale: f32,
    ) -> Option<(u16, bool)> {
        let (x, root_w) = (self.x.as_chunks::<C>().0.get(g)?, self.root_w.as_chunks::<C>().0.get(g)?);
        let levels = x.map(|x| nearest_int(0.5 * (inverse * x - 1.0)).clamp(0, L as i32 - 1) as usize);
        match neighbours.of(Grid::<C, L>::rank(&levels)) {
            Nearby::Itself => Some((Grid::<C, L>::code(&levels), true)),
            Nearby::Others { all, short } => {
                let values: [f32; L] = std::array::from_fn(|level| scale * (2 * level + 1) as f32);
                let costs = Costs::<C, L>::new(&values, x, root_w);
                // With more levels than three, telling that costs grow takes longer than what it saves.
                let list = if L == 3 && costs.grow_from(&levels) { short } else { all };
                Some((costs.cheapest(list)?, false))
            }
        }
    }

    /// `Σ w·x·q` and `Σ w·q²`, q being `2 · level + 1`.
    #[inline(always)]
    fn sums<const L: usize>(&self, codes: &[u16]) -> (f32, f32) {
        let (mut sum_xq, mut sum_qq) = (0.0, 0.0);
        let groups = self.x.as_chunks::<C>().0.iter().zip(self.w.as_chunks::<C>().0);
        for ((x, w), &code) in groups.zip(codes) {
            for (i, level) in Grid::<C, L>::levels(code).into_iter().enumerate() {
                let q = (2 * level + 1) as f32;
                sum_xq += w[i] * x[i] * q;
                sum_qq += w[i] * q * q;
            }
        }
        (sum_xq, sum_qq)
    }
}

/// What each level of each coordinate of a group costs.
pub(super) struct Costs<const C: usize, const L: usize>([[f32; C]; L]);

impl<const C: usize, const L: usize> Costs<C, L> {
    /// `w · (value − x)²`, for a value of each level.
    #[inline(always)]
    pub(super) fn new(values: &[f32; L], x: &[f32; C], w: &[f32; C]) -> Self {
        Self(values.map(|value| {
            std::array::from_fn(|i| {
                let diff = value - x[i];
                w[i] * diff * diff
            })
        }))
    }

    /// Whether the costs of every coordinate grow, or stay, from the levels `own` on to both sides. Not so with NaN.
    #[inline(always)]
    pub(super) fn grow_from(&self, own: &[usize; C]) -> bool {
        (1..L).all(|level| {
            let (low, high) = (&self.0[level - 1], &self.0[level]);
            (0..C).all(|i| if level > own[i] { low[i] <= high[i] } else { high[i] <= low[i] })
        })
    }

    /// The code that costs least, of equals the first; none if none costs less than the largest float.
    #[inline(always)]
    pub(super) fn cheapest(&self, list: &[u16]) -> Option<u16> {
        let (mut least, mut cheapest) = (f32::MAX, None);
        for &code in list {
            let levels = Grid::<C, L>::levels(code);
            let cost = (0..C).fold(0.0, |sum, i| sum + self.0[levels[i].min(L - 1)][i]);
            if cost < least {
                (least, cheapest) = (cost, Some(code));
            }
        }
        cheapest
    }
}
