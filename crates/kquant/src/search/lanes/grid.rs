//! Fit of magnitudes to points of a grid, as [`search::grid`](crate::search::grid): trials side by side where they are
//! rounded and summed, the points of a list side by side where one is chosen.

use super::grid_scale;
use crate::grids::{Grid, List, Neighbours};
use crate::lanes::{MAX_LANES, TERMS, Vector};
use crate::search::grid::{Best, MOST_TRIALS, Plain, Search, SubBlock, Sweep};
use crate::search::rounding::NEAREST;

/// Vectors in the search.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<V: Vector>(pub(crate) V::Isa);

/// Magnitudes, roots of weights and scales below this: no cost comes near the largest float.
const LARGEST: f32 = 1e10;
/// The largest magnitude at least this, or the scale: no inverse scale comes near it either.
const LEAST: f32 = 1e-20;
/// Magnitudes at most so many times the one that the sweep is around, or the scale: every level can be rounded.
const SPREAD: f32 = 1e5;

/// How far from its level a magnitude may be, in steps, so that certainly no other level costs less.
///
/// Half a step but for rounding. With inverse · scale = 1 + ε and levels below 8, rounding moves a magnitude by less than
/// 10⁻⁵ of a step against the levels' values; within this distance, the square of the difference from the own level is
/// 0.4 % or more below that from the level beyond. From there outwards, costs cannot fall: values grow with levels, and a
/// rounded difference, product or square is no smaller when the exact one is larger. A magnitude beyond the outer levels
/// is on the same side of all values.
const CERTAIN: f32 = 0.499;

/// The first numbers, as many as a vector may have lanes.
const NUMBERS: [f32; MAX_LANES] = {
    let mut numbers = [0.0; MAX_LANES];
    let mut i = 0;
    while i < MAX_LANES {
        numbers[i] = i as f32;
        i += 1;
    }
    numbers
};

impl<V: Vector> Search for Lanes<V> {
    #[inline(always)]
    fn first_scale<const N: usize>(self, x: &[f32; N], w: &[f32; N]) -> f32 {
        grid_scale::search::<V::Part, N>(self.0, x, w)
    }

    #[inline(always)]
    fn trials<const N: usize, const C: usize, const L: usize, const G: usize>(
        self,
        sub_block: &SubBlock<'_, N, C>,
        neighbours: &Neighbours<C, L>,
        sweep: Sweep,
        largest: f32,
        best: &mut Best<G>,
    ) -> Option<()> {
        let isa = self.0;
        if !(largest > LEAST && fits_in::<V::Part, N, C>(isa, sub_block, largest)) {
            return Plain.trials(sub_block, neighbours, sweep, largest, best);
        }
        let (xs, ws) = (sub_block.x.as_chunks::<C>().0, sub_block.w.as_chunks::<C>().0);
        let count = sweep.count();
        let inverses = sweep.inverses::<L>(largest);
        let mut scales = [0.0; MOST_TRIALS];
        let mut near = [const { Near::NONE }; G];
        let mut first = 0;
        while first < count {
            let inverse = V::Part::load(isa, &inverses[first..]);
            (V::Part::splat(isa, 1.0) / inverse).store(&mut scales[first..]);
            for (near, x) in near.iter_mut().zip(xs) {
                near.round::<V::Part, C, L>(isa, inverse, x, first);
            }
            first += V::Part::LANES;
        }

        let mut codes = [[0; MOST_TRIALS]; G];
        let mut on_grid = [0; G];
        for g in 0..G {
            let group = Group::<V::Part, C, L>::new(isa, &xs[g], &sub_block.root_w.as_chunks::<C>().0[g]);
            let mut ends = near[g].ends::<V::Part>(isa, count);
            let mut start = 0;
            while ends != 0 {
                let end = ends.trailing_zeros() as usize + 1;
                ends &= ends - 1;
                let doubtful = near[g].doubtful >> start & 1 == 1;
                let list = neighbours.list(near[g].ranks[start] as u16 as usize, doubtful);
                if list.on_grid {
                    on_grid[g] |= u32::MAX >> (32 - (end - start)) << start;
                }
                group.cheapest_each(list, &scales[start..end], &mut codes[g][start..end]);
                start = end;
            }
        }

        let (mut terms_xq, mut terms_qq) = ([[0.0; TERMS]; G], [[0.0; TERMS]; G]);
        for g in 0..G {
            for i in 0..TERMS {
                let (x, w) = (xs[g][i / (TERMS / C)], ws[g][i / (TERMS / C)]);
                let q = (2 * (i % (TERMS / C)) + 1) as f32;
                terms_xq[g][i] = w * x * q;
                terms_qq[g][i] = w * q * q;
            }
        }
        let (mut sums_xq, mut sums_qq) = ([0.0; MOST_TRIALS], [0.0; MOST_TRIALS]);
        let mut first = 0;
        while first < count {
            let zero = V::Part::splat(isa, 0.0);
            let (mut sum_xq, mut sum_qq) = (zero, zero);
            for g in 0..G {
                sum_xq = sum_xq.add_terms::<C>(&terms_xq[g], &codes[g][first..]);
                sum_qq = sum_qq.add_terms::<C>(&terms_qq[g], &codes[g][first..]);
            }
            sum_xq.store(&mut sums_xq[first..]);
            sum_qq.store(&mut sums_qq[first..]);
            first += V::Part::LANES;
        }
        let mut winner = None;
        for trial in 0..count {
            if best.improve(sums_xq[trial], sums_qq[trial]) {
                winner = Some(trial);
            }
        }
        if let Some(trial) = winner {
            for g in 0..G {
                best.codes[g] = codes[g][trial];
                best.on_grid[g] = on_grid[g] >> trial & 1 == 1;
            }
        }
        Some(())
    }

    #[inline(always)]
    fn snap_again<const N: usize, const C: usize, const L: usize, const G: usize>(
        self,
        sub_block: &SubBlock<'_, N, C>,
        neighbours: &Neighbours<C, L>,
        scale: f32,
        again: &[bool; G],
        codes: &mut [u16; G],
    ) -> Option<()> {
        const { assert!(N == C * G && N.is_multiple_of(V::Part::LANES)) }
        let isa = self.0;
        if !(scale > LEAST && scale < LARGEST && fits_in::<V::Part, N, C>(isa, sub_block, scale)) {
            return Plain.snap_again(sub_block, neighbours, scale, again, codes);
        }
        let inverse = V::Part::splat(isa, 1.0 / scale);
        let mut levels = [0; N];
        let mut doubtful = 0;
        let mut first = 0;
        while first < N {
            let x = V::Part::load(isa, &sub_block.x[first..]);
            let (level, doubt) = nearest_level::<V::Part, L>(isa, inverse, x);
            level.store_integer_bytes(&mut levels[first..]);
            doubtful |= V::Part::bits(doubt) << first;
            first += V::Part::LANES;
        }
        for g in 0..G {
            if again[g] {
                let mut rank = 0;
                for i in (0..C).rev() {
                    rank = rank * L + usize::from(levels[C * g + i]);
                }
                let list = neighbours.list(rank, doubtful >> (C * g) & ((1 << C) - 1) != 0);
                let (x, root_w) = (&sub_block.x.as_chunks().0[g], &sub_block.root_w.as_chunks().0[g]);
                let group = Group::<V::Part, C, L>::new(isa, x, root_w);
                codes[g] =
                    if list.len == 1 { list.codes[0] } else { list.codes[group.cheapest(list, scale).0] };
            }
        }
        Some(())
    }
}

/// Whether numbers are small enough for vectors, magnitudes also against some measure.
#[inline(always)]
fn fits_in<V: Vector, const N: usize, const C: usize>(
    isa: V::Isa,
    sub_block: &SubBlock<'_, N, C>,
    measure: f32,
) -> bool {
    let limit = V::splat(isa, LARGEST);
    let spread = V::splat(isa, SPREAD * measure);
    let mut fits = limit.same(limit);
    let mut first = 0;
    while first < N {
        let size = V::load(isa, &sub_block.x[first..]).abs();
        let root_w = V::load(isa, &sub_block.root_w[first..]);
        fits = fits & size.lt(limit) & size.lt(spread) & root_w.lt(limit);
        first += V::LANES;
    }
    !V::any(!fits)
}

/// In each lane, the nearest level, and whether another may be as near.
#[inline(always)]
fn nearest_level<V: Vector, const L: usize>(isa: V::Isa, inverse: V, x: V) -> (V, V::Mask) {
    let (nearest, top) = (V::splat(isa, NEAREST), V::splat(isa, (L - 1) as f32));
    let exact = V::splat(isa, 0.5) * (inverse * x - V::splat(isa, 1.0));
    let level = (exact + nearest) - nearest;
    let doubt = (exact - level).abs().gt(V::splat(isa, CERTAIN));
    (level.larger(V::splat(isa, 0.0)).smaller(top), doubt)
}

/// The nearest levels of a group in each trial.
struct Near {
    /// Their ranks. The rest is there for vectors to read.
    ranks: [f32; MOST_TRIALS + 1],
    /// Bit t is set where, in trial t, some level may not be the nearest.
    doubtful: u32,
}

impl Near {
    const NONE: Self = Self { ranks: [0.0; MOST_TRIALS + 1], doubtful: 0 };

    /// Rounds in as many trials as there are lanes.
    #[inline(always)]
    fn round<V: Vector, const C: usize, const L: usize>(
        &mut self,
        isa: V::Isa,
        inverse: V,
        x: &[f32; C],
        first: usize,
    ) {
        const { assert!(Grid::<C, L>::RANKS <= 1 << 16) }
        let (base, zero) = (V::splat(isa, L as f32), V::splat(isa, 0.0));
        let mut rank = zero;
        let mut doubtful = zero.lt(zero);
        for i in (0..C).rev() {
            let (level, doubt) = nearest_level::<V, L>(isa, inverse, V::splat(isa, x[i]));
            rank = rank * base + level;
            doubtful = doubtful | doubt;
        }
        rank.store(&mut self.ranks[first..]);
        self.doubtful |= V::bits(doubtful) << first;
    }

    /// Cuts the trials into runs with the same levels, a doubtful trial by itself: bit t is set where trial t ends one.
    #[inline(always)]
    fn ends<V: Vector>(&self, isa: V::Isa, count: usize) -> u32 {
        let mut ends = self.doubtful | self.doubtful >> 1 | 1 << (count - 1);
        let mut first = 0;
        while first < count {
            let (here, next) = (V::load(isa, &self.ranks[first..]), V::load(isa, &self.ranks[first + 1..]));
            ends |= V::bits(!here.same(next)) << first;
            first += V::LANES;
        }
        ends & u32::MAX >> (32 - count)
    }
}

/// A group of weights; each coordinate is there for each of its levels, as [`Vector::add_terms`] wants it.
struct Group<V: Vector, const C: usize, const L: usize> {
    isa: V::Isa,
    x: [f32; TERMS],
    root_w: [f32; TERMS],
    /// [`CLEAR`] · Σ √w · (2 · L − 1)².
    clear: f32,
}

/// By how much the cheapest point must win for [`Group::cheapest_each`]: this times its cost and `scale² · Σ √w · q²`, where
/// q is the largest that there is.
const CLEAR: f32 = 2e-5;
/// And by at least this: where floats are evenly spaced, costs round by much less.
const LEAST_CLEAR: f32 = 1e-30;

impl<V: Vector, const C: usize, const L: usize> Group<V, C, L> {
    #[inline(always)]
    fn new(isa: V::Isa, x: &[f32; C], root_w: &[f32; C]) -> Self {
        let mut group = Self { isa, x: [0.0; TERMS], root_w: [0.0; TERMS], clear: 0.0 };
        for i in 0..TERMS {
            group.x[i] = x[i / (TERMS / C)];
            group.root_w[i] = root_w[i / (TERMS / C)];
        }
        for root_w in root_w {
            group.clear += root_w;
        }
        group.clear *= CLEAR * ((2 * L - 1) * (2 * L - 1)) as f32;
        group
    }

    /// For each of some scales, which grow or fall, the code in a list that costs least, of equals the first.
    ///
    /// Of two points q and r, q costs less by `scale · (2 · Σ √w·x·(q − r) − scale · Σ √w·(q² − r²))`. The second factor
    /// is linear in the scale: if q costs less at two scales, it does so at every scale between. So where a point is the
    /// cheapest of all at two scales, it need not be looked for between them. Of costs as they are rounded that holds if it
    /// wins clearly at both: a cost F is off by at most `10⁻⁶ · F + 10⁻⁷ · scale² · Σ √w·q²`, at one of the scales between,
    /// which differ by less than a half, F is at most `2 · F + ½ · scale² · Σ √w·q²` of F at an end, and the lead at
    /// least two thirds of the smaller one at the ends. With [`CLEAR`], that is three times what rounding can take away.
    #[inline(always)]
    fn cheapest_each(&self, list: List<'_>, scales: &[f32], codes: &mut [u16]) {
        if list.len == 1 {
            codes.fill(list.codes[0]);
            return;
        }
        let last = scales.len() - 1;
        let (mut place, mut clear) = self.cheapest(list, scales[0]);
        codes[0] = list.codes[place];
        // What is known of a later scale: of the last one at first, then also of some between, nearer and nearer.
        let mut known = [(0, 0, false); 6];
        let mut top = 0;
        let mut at = 0;
        while at < last {
            if top == 0 {
                let (place, clear) = self.cheapest(list, scales[last]);
                known[0] = (last, place, clear);
                top = 1;
            }
            let (next, next_place, next_clear) = known[top - 1];
            if next == at + 1 || (next_place == place && clear && next_clear) {
                codes[at + 1..=next].fill(list.codes[place]);
                codes[next] = list.codes[next_place];
                (at, place, clear) = (next, next_place, next_clear);
                top -= 1;
            } else {
                let middle = at + (next - at) / 2;
                let (place, clear) = self.cheapest(list, scales[middle]);
                known[top] = (middle, place, clear);
                top += 1;
            }
        }
    }

    /// The place in a list of what costs least at a scale, of equals the first, and whether by a clear lead. The list has
    /// more than one code, and costs are below the largest float.
    #[inline(always)]
    fn cheapest(&self, list: List<'_>, scale: f32) -> (usize, bool) {
        const { assert!(Grid::<C, L>::BITS == (TERMS / C).ilog2() as usize) }
        let isa = self.isa;
        let mut costs = [0.0; TERMS];
        let mut first = 0;
        while first < TERMS {
            let mut odd = [0.0; MAX_LANES];
            for (lane, odd) in odd.iter_mut().enumerate() {
                *odd = (2 * ((first + lane) % (TERMS / C)) + 1) as f32;
            }
            let value = V::splat(isa, scale) * V::load(isa, &odd);
            let diff = value - V::load(isa, &self.x[first..]);
            (V::load(isa, &self.root_w[first..]) * diff * diff).store(&mut costs[first..]);
            first += V::LANES;
        }

        let (zero, numbers) = (V::splat(isa, 0.0), V::load(isa, &NUMBERS));
        let most = V::splat(isa, f32::MAX);
        let sum = zero.add_terms::<C>(&costs, list.codes);
        let mut least = V::select(numbers.lt(V::splat(isa, list.len as f32)), sum, most);
        let (mut second, mut place) = (most, numbers);
        let mut first = V::LANES;
        while first < list.len {
            let sum = zero.add_terms::<C>(&costs, &list.codes[first..]);
            let sum = V::select(numbers.lt(V::splat(isa, (list.len - first) as f32)), sum, most);
            second = second.smaller(least.larger(sum));
            place = V::select(sum.lt(least), V::splat(isa, first as f32) + numbers, place);
            least = sum.smaller(least);
            first += V::LANES;
        }
        let least_cost = -(zero - least).largest_lane();
        let lead = CLEAR * least_cost + scale * (scale * self.clear);
        let limit = V::splat(isa, least_cost + lead);
        let mut clear = lead > LEAST_CLEAR && V::bits(least.lt(limit)).count_ones() == 1;
        let cheapest = least.same(V::splat(isa, least_cost));
        if list.len <= V::LANES {
            return (V::bits(cheapest).trailing_zeros() as usize, clear);
        }
        clear &= !V::any(second.lt(limit));
        let place = -(zero - V::select(cheapest, place, most)).largest_lane();
        (place as u16 as usize, clear)
    }
}
