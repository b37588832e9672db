//! Fit of magnitudes to points of a grid, as [`search::grid`](crate::search::grid): the trials side by side, each list
//! point after point; where all is done at one scale, the points of a list side by side.

use super::grid_scale;
use crate::grids::{Grid, List, Neighbours};
use crate::lanes::{MAX_LANES, TERMS, Vector};
use crate::search::grid::{Best, MOST_TRIALS, Plain, Search, SubBlock, Sweep};
use crate::search::rounding::NEAREST;

/// Vectors in the search.
pub(crate) struct Lanes<V: Vector> {
    isa: V::Isa,
    costs: Costs<V::Part>,
}

impl<V: Vector> Lanes<V> {
    #[inline(always)]
    pub(crate) fn new(isa: V::Isa) -> Self {
        Self { isa, costs: Costs::new(isa) }
    }
}

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

/// 2²³: added to a smaller integer, it leaves that in the mantissa.
const MANTISSA: f32 = 8_388_608.0;
/// The most groups of a sub-block.
const MOST_GROUPS: usize = 8;
/// The most vectors with trials.
const MOST_VECTORS: usize = MOST_GROUPS * MOST_TRIALS / 8;

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
    fn first_scale<const N: usize>(&mut self, x: &[f32; N], w: &[f32; N]) -> f32 {
        grid_scale::search::<V::Part, N>(self.isa, x, w)
    }

    #[inline(always)]
    fn trials<const N: usize, const C: usize, const L: usize, const G: usize>(
        &mut self,
        sub_block: &SubBlock<'_, N, C>,
        neighbours: &Neighbours<C, L>,
        sweep: Sweep,
        largest: f32,
        best: &mut Best<G>,
    ) -> Option<()> {
        let (isa, costs) = (self.isa, &mut self.costs);
        if !(largest > LEAST && fits_in::<V::Part, N, C>(isa, sub_block, largest)) {
            return Plain.trials(sub_block, neighbours, sweep, largest, best);
        }
        let (xs, ws) = (sub_block.x.as_chunks::<C>().0, sub_block.w.as_chunks::<C>().0);
        let root_ws = sub_block.root_w.as_chunks::<C>().0;
        let (mut terms_xq, mut terms_qq) = ([[0.0; TERMS]; G], [[0.0; TERMS]; G]);
        for g in 0..G {
            for i in 0..TERMS {
                let (x, w) = (xs[g][i / (TERMS / C)], ws[g][i / (TERMS / C)]);
                let q = (2 * (i % (TERMS / C)) + 1) as f32;
                terms_xq[g][i] = w * x * q;
                terms_qq[g][i] = w * q * q;
            }
        }

        // The trials of all groups one after the other: in whole vectors for each group, or where that leaves too many
        // lanes over, without a gap. So a vector has lanes of one group or of two.
        const { assert!(G <= MOST_GROUPS) }
        let count = sweep.count();
        let whole = count.next_multiple_of(V::Part::LANES);
        let stride = if 2 * whole > 3 * count { count.max(V::Part::LANES) } else { whole };
        let used = G * stride;
        let inverses = sweep.inverses::<L>(largest);
        let mut scales = [0.0; MOST_TRIALS];
        let mut first = 0;
        while first < MOST_TRIALS {
            (V::Part::splat(isa, 1.0) / V::Part::load(isa, &inverses[first..])).store(&mut scales[first..]);
            first += V::Part::LANES;
        }
        let (inverses, scales) = (twice(&inverses, stride), twice(&scales, stride));

        // All ranks before the first list: which one it is, and how long, is then known ahead of time.
        let mut ranks = [[0.0; MOST_TRIALS + 1]; G];
        let ranks = ranks.as_flattened_mut();
        let mut doubtful = [0; MOST_VECTORS];
        let mut at = Place::new(stride);
        while at.first < used {
            let x = at.coordinates::<V::Part, C>(isa, xs);
            let inverse = V::Part::load(isa, &inverses[at.trial..]);
            let (rank, doubt) = nearest_rank::<V::Part, C, L>(isa, inverse, &x);
            rank.store(&mut ranks[at.first..]);
            doubtful[at.first / V::Part::LANES] = V::Part::bits(doubt);
            at.advance(V::Part::LANES);
        }

        let (zero, numbers) = (V::Part::splat(isa, 0.0), V::Part::load(isa, &NUMBERS));
        let mut codes = [[0; MOST_TRIALS]; G];
        let codes = codes.as_flattened_mut();
        // Lane l as bit l.
        let mut on_grid = [0; MOST_VECTORS];
        let mut at = Place::new(stride);
        while at.first < used {
            let scale = V::Part::load(isa, &scales[at.trial..]);
            let (x, root_w) = (at.coordinates(isa, xs), at.coordinates(isa, root_ws));
            costs.set::<C, L>(isa, scale, &x, &root_w);
            let vector = at.first / V::Part::LANES;
            let ranks = &ranks[at.first..];
            let mut ends = at.ends::<V::Part>(isa, ranks, doubtful[vector], used);
            let mut code = zero;
            let mut start = 0;
            while ends != 0 {
                let end = ends.trailing_zeros() as usize + 1;
                ends &= ends - 1;
                let doubtful = doubtful[vector] >> start & 1 == 1;
                let list = neighbours.list((ranks[start].to_bits() & 0xffff) as usize, doubtful);
                if list.on_grid {
                    on_grid[vector] |= u32::MAX >> (32 - (end - start)) << start;
                }
                let cheapest = costs.cheapest::<C, L>(isa, list);
                code = V::Part::select(numbers.lt(V::Part::splat(isa, start as f32)), code, cheapest);
                start = end;
            }
            code.store_codes(&mut codes[at.first..]);
            at.advance(V::Part::LANES);
        }

        let (mut sums_xq, mut sums_qq) = ([0.0; MOST_TRIALS], [0.0; MOST_TRIALS]);
        let mut first = 0;
        while first < count {
            let (mut sum_xq, mut sum_qq) = (zero, zero);
            for g in 0..G {
                let codes = &codes[g * stride + first..];
                sum_xq = sum_xq.add_terms::<C>(&terms_xq[g], codes);
                sum_qq = sum_qq.add_terms::<C>(&terms_qq[g], codes);
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
                let at = g * stride + trial;
                best.codes[g] = codes[at];
                best.on_grid[g] = on_grid[at / V::Part::LANES] >> (at % V::Part::LANES) & 1 == 1;
            }
        }
        Some(())
    }

    #[inline(always)]
    fn snap_again<const N: usize, const C: usize, const L: usize, const G: usize>(
        &mut self,
        sub_block: &SubBlock<'_, N, C>,
        neighbours: &Neighbours<C, L>,
        scale: f32,
        again: &[bool; G],
        codes: &mut [u16; G],
    ) -> Option<()> {
        const { assert!(N == C * G && N.is_multiple_of(V::Part::LANES)) }
        let isa = self.isa;
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
                codes[g] = if list.len == 1 {
                    list.codes[0]
                } else {
                    let (x, root_w) = (&sub_block.x.as_chunks().0[g], &sub_block.root_w.as_chunks().0[g]);
                    cheapest::<V::Part, C, L>(isa, x, root_w, list, scale)
                };
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

/// The trials of one group, then those of another.
#[inline(always)]
fn twice(trials: &[f32; MOST_TRIALS], stride: usize) -> [f32; 2 * MOST_TRIALS] {
    let mut both = [0.0; 2 * MOST_TRIALS];
    both[..MOST_TRIALS].copy_from_slice(trials);
    both[stride..][..MOST_TRIALS].copy_from_slice(trials);
    both
}

/// Where a vector stands among the trials of all groups.
struct Place {
    /// Trials there are for each group.
    stride: usize,
    /// The group and the trial of the first lane.
    group: usize,
    trial: usize,
    /// `group · stride + trial`.
    first: usize,
}

impl Place {
    #[inline(always)]
    fn new(stride: usize) -> Self {
        Self { stride, group: 0, trial: 0, first: 0 }
    }

    #[inline(always)]
    fn advance(&mut self, lanes: usize) {
        self.first += lanes;
        self.trial += lanes;
        if self.trial >= self.stride {
            self.trial -= self.stride;
            self.group += 1;
        }
    }

    /// The lane from which on it is the next group's.
    #[inline(always)]
    fn change(&self) -> usize {
        self.stride - self.trial
    }

    /// For each coordinate that of each lane's group.
    #[inline(always)]
    fn coordinates<V: Vector, const C: usize>(&self, isa: V::Isa, groups: &[[f32; C]]) -> [V; C] {
        let group = &groups[self.group];
        let mut lanes = [V::splat(isa, 0.0); C];
        for i in 0..C {
            lanes[i] = V::splat(isa, group[i]);
        }
        if self.change() < V::LANES && self.group + 1 < groups.len() {
            let next = &groups[self.group + 1];
            let own = V::load(isa, &NUMBERS).lt(V::splat(isa, self.change() as f32));
            for i in 0..C {
                lanes[i] = V::select(own, lanes[i], V::splat(isa, next[i]));
            }
        }
        lanes
    }

    /// Cuts the lanes with trials, those before `used`, into runs of one group with the same ranks, a doubtful lane by
    /// itself: bit l is set where lane l ends one.
    #[inline(always)]
    fn ends<V: Vector>(&self, isa: V::Isa, ranks: &[f32], doubtful: u32, used: usize) -> u32 {
        let count = (used - self.first).min(V::LANES);
        let (here, next) = (V::load(isa, ranks), V::load(isa, &ranks[1..]));
        let ends = V::bits(!here.same(next)) | doubtful | doubtful >> 1;
        let ends = ends | 1 << (count - 1) | 1 << (self.change() - 1);
        ends & u32::MAX >> (32 - count)
    }
}

/// In each lane the rank of the nearest levels, as the low 16 bits of a float, and whether some level may not be the
/// nearest.
#[inline(always)]
fn nearest_rank<V: Vector, const C: usize, const L: usize>(
    isa: V::Isa,
    inverse: V,
    x: &[V; C],
) -> (V, V::Mask) {
    const { assert!(Grid::<C, L>::RANKS <= 1 << 16) }
    let (base, zero) = (V::splat(isa, L as f32), V::splat(isa, 0.0));
    let mut rank = zero;
    let mut doubtful = zero.lt(zero);
    for i in (0..C).rev() {
        let (level, doubt) = nearest_level::<V, L>(isa, inverse, x[i]);
        rank = rank * base + level;
        doubtful = doubtful | doubt;
    }
    (rank + V::splat(isa, MANTISSA), doubtful)
}

/// What the levels of a group's coordinates cost in each lane.
struct Costs<V: Vector> {
    /// Of each coordinate as many as in [`Vector::add_terms`]; not all may be used.
    levels: [V; TERMS],
    /// For eight coordinates, the first three together, by the low six bits of a code: their sum comes first in that of a
    /// point.
    firsts: [V; 64],
}

impl<V: Vector> Costs<V> {
    #[inline(always)]
    fn new(isa: V::Isa) -> Self {
        let zero = V::splat(isa, 0.0);
        Self { levels: [zero; TERMS], firsts: [zero; 64] }
    }

    /// Those of a group at a scale.
    #[inline(always)]
    fn set<const C: usize, const L: usize>(&mut self, isa: V::Isa, scale: V, x: &[V; C], root_w: &[V; C]) {
        let mut values = [scale; L];
        for (level, value) in values.iter_mut().enumerate() {
            *value = scale * V::splat(isa, (2 * level + 1) as f32);
        }
        for i in 0..C {
            for (level, value) in values.iter().enumerate() {
                let diff = *value - x[i];
                self.levels[TERMS / C * i + level] = root_w[i] * diff * diff;
            }
        }
        if C == 8 {
            for first in 0..L {
                for second in 0..L {
                    let two = self.levels[first] + self.levels[4 + second];
                    for third in 0..L {
                        self.firsts[first | second << 2 | third << 4] = two + self.levels[8 + third];
                    }
                }
            }
        }
    }

    /// In each lane the code in a list that costs least, of equals the first.
    #[inline(always)]
    fn cheapest<const C: usize, const L: usize>(&self, isa: V::Isa, list: List<'_>) -> V {
        let mut cheapest = V::splat_code(isa, list.codes[0]);
        if list.len > 1 {
            let mut least = self.cost::<C, L>(list.codes[0]);
            for &code in &list.codes[1..list.len] {
                let cost = self.cost::<C, L>(code);
                cheapest = V::select(cost.lt(least), V::splat_code(isa, code), cheapest);
                least = cost.smaller(least);
            }
        }
        cheapest
    }

    /// What a code costs in each lane. (It begins without adding zero: that only tells zeros apart, which compare equal.)
    #[inline(always)]
    fn cost<const C: usize, const L: usize>(&self, code: u16) -> V {
        const { assert!(Grid::<C, L>::BITS == (TERMS / C).ilog2() as usize) }
        let code = usize::from(code);
        let mut cost = if C == 8 { self.firsts[code & 63] } else { self.levels[code & 7] };
        for i in if C == 8 { 3 } else { 1 }..C {
            let level = code >> (Grid::<C, L>::BITS * i) & (TERMS / C - 1);
            cost = cost + self.levels[TERMS / C * i + level];
        }
        cost
    }
}

/// The code in a list that costs least for a group at a scale, of equals the first. The list has more than one code, and
/// costs are below the largest float.
#[inline(always)]
fn cheapest<V: Vector, const C: usize, const L: usize>(
    isa: V::Isa,
    x: &[f32; C],
    root_w: &[f32; C],
    list: List<'_>,
    scale: f32,
) -> u16 {
    let mut costs = [0.0; TERMS];
    for i in 0..TERMS {
        let diff = scale * (2 * (i % (TERMS / C)) + 1) as f32 - x[i / (TERMS / C)];
        costs[i] = root_w[i / (TERMS / C)] * diff * diff;
    }
    let (zero, numbers) = (V::splat(isa, 0.0), V::load(isa, &NUMBERS));
    let most = V::splat(isa, f32::MAX);
    let sum = zero.add_terms::<C>(&costs, list.codes);
    let mut least = V::select(numbers.lt(V::splat(isa, list.len as f32)), sum, most);
    let mut place = numbers;
    let mut first = V::LANES;
    while first < list.len {
        let sum = zero.add_terms::<C>(&costs, &list.codes[first..]);
        let sum = V::select(numbers.lt(V::splat(isa, (list.len - first) as f32)), sum, most);
        place = V::select(sum.lt(least), V::splat(isa, first as f32) + numbers, place);
        least = sum.smaller(least);
        first += V::LANES;
    }
    let cheapest = least.same(V::splat(isa, -(zero - least).largest_lane()));
    if list.len <= V::LANES {
        return list.codes[V::bits(cheapest).trailing_zeros() as usize];
    }
    let place = -(zero - V::select(cheapest, place, most)).largest_lane();
    list.codes[place as u16 as usize]
}
