//! Fit of magnitudes to points of a grid, as [`search::grid`](crate::search::grid): a trial a lane.

use crate::grids::{Grid, Nearby, Neighbours};
use crate::lanes::{MAX_LANES, Vector};
use crate::search::grid::{Best, Plain, Search, SubBlock, Sweep};
use crate::search::rounding::NEAREST;

/// Trials side by side in vectors.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<V: Vector>(pub(crate) V::Isa);

/// Magnitudes and roots of weights below this: no cost comes near the largest float.
const LARGEST: f32 = 1e10;
/// The largest magnitude at least this: no inverse scale comes near it either.
const LEAST: f32 = 1e-20;
/// Magnitudes at most so many times the one that the sweep is around: every level can be rounded.
const SPREAD: f32 = 1e5;

impl<V: Vector> Search for Lanes<V> {
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
        let size = sub_block.x.iter().fold(0.0, |max: f32, x| if max > x.abs() { max } else { x.abs() });
        let root = sub_block.root_w.iter().fold(0.0, |max: f32, &w| if max > w { max } else { w });
        let number = sub_block.x.iter().chain(&sub_block.root_w).all(|x| !x.is_nan());
        if !(number && size < LARGEST && root < LARGEST && largest > LEAST && size < SPREAD * largest) {
            return Plain.trials(sub_block, neighbours, sweep, largest, best);
        }
        let inverses = sweep.inverses::<L>(largest);
        let mut first = 0;
        while first < sweep.count() {
            let count = V::LANES.min(sweep.count() - first);
            let inverse = V::load(isa, &inverses[first..]);
            let scale = V::splat(isa, 1.0) / inverse;
            let values: [V; L] = std::array::from_fn(|level| scale * V::splat(isa, (2 * level + 1) as f32));

            let zero = V::splat(isa, 0.0);
            let (mut sum_xq, mut sum_qq) = (zero, zero);
            let mut codes = [[0.0; MAX_LANES]; G];
            let mut on_grid = [[false; MAX_LANES]; G];
            let groups = sub_block.x.as_chunks::<C>().0.iter().zip(sub_block.root_w.as_chunks::<C>().0);
            for (g, ((x, root_w), w)) in groups.zip(sub_block.w.as_chunks::<C>().0).enumerate() {
                let (q, code) = snap(isa, neighbours, inverse, &values, x, root_w, count, &mut on_grid[g]);
                code.store(&mut codes[g]);
                for i in 0..C {
                    sum_xq = sum_xq + V::splat(isa, w[i] * x[i]) * q[i];
                    sum_qq = sum_qq + V::splat(isa, w[i]) * q[i] * q[i];
                }
            }
            let (mut sums_xq, mut sums_qq) = ([0.0; MAX_LANES], [0.0; MAX_LANES]);
            sum_xq.store(&mut sums_xq);
            sum_qq.store(&mut sums_qq);
            for lane in 0..count {
                if best.improve(sums_xq[lane], sums_qq[lane]) {
                    for g in 0..G {
                        best.codes[g] = codes[g][lane] as u16;
                        best.on_grid[g] = on_grid[g][lane];
                    }
                }
            }
            first += V::LANES;
        }
        Some(())
    }
}

/// For a group of weights, in each lane: `2 · level + 1` of each, and the code.
#[expect(clippy::too_many_arguments, reason = "a group's weights and the trials, apart for speed")]
#[inline(always)]
fn snap<V: Vector, const C: usize, const L: usize>(
    isa: V::Isa,
    neighbours: &Neighbours<C, L>,
    inverse: V,
    values: &[V; L],
    x: &[f32; C],
    root_w: &[f32; C],
    count: usize,
    on_grid: &mut [bool; MAX_LANES],
) -> ([V; C], V) {
    let (zero, one, half) = (V::splat(isa, 0.0), V::splat(isa, 1.0), V::splat(isa, 0.5));
    let (nearest, top) = (V::splat(isa, NEAREST), V::splat(isa, (L - 1) as f32));
    // Codes are below 2²⁴, so floats hold them.
    let mut code = zero;
    let mut q = [zero; C];
    for i in 0..C {
        let level = (half * (inverse * V::splat(isa, x[i]) - one) + nearest) - nearest;
        let level = level.larger(zero).smaller(top);
        code = code + level * V::splat(isa, (1u32 << (Grid::<C, L>::BITS * i)) as f32);
        q[i] = level + level + one;
    }
    let mut own_codes = [0.0; MAX_LANES];
    code.store(&mut own_codes);

    let mut costs = [[zero; L]; C];
    let mut have_costs = false;
    let mut found = code;
    let mut start = 0;
    while start < count {
        let own = own_codes[start];
        let mut end = start + 1;
        while end < count && own_codes[end] == own {
            end += 1;
        }
        let own_levels = Grid::<C, L>::levels(own as u16);
        match neighbours.of(Grid::<C, L>::rank(&own_levels)) {
            Nearby::Itself => on_grid[start..end].fill(true),
            Nearby::Others { all, short } => {
                if !have_costs {
                    for i in 0..C {
                        for level in 0..L {
                            let diff = values[level] - V::splat(isa, x[i]);
                            costs[i][level] = V::splat(isa, root_w[i]) * diff * diff;
                        }
                    }
                    have_costs = true;
                }
                let here = code.same(V::splat(isa, own));
                // Two lists of the same length are the same list.
                let list = if all.len() == short.len() || !V::any(here & falls(&costs, &own_levels)) {
                    short
                } else {
                    all
                };
                let (mut best, mut cheapest) = (V::splat(isa, f32::MAX), zero);
                for &code in list {
                    let levels = Grid::<C, L>::levels(code);
                    let mut sum = zero;
                    for i in 0..C {
                        sum = sum + costs[i][levels[i].min(L - 1)];
                    }
                    let better = sum.lt(best);
                    best = sum.smaller(best);
                    cheapest = V::select(better, V::splat(isa, code.into()), cheapest);
                }
                found = V::select(here, cheapest, found);
                let mut winners = [0.0; MAX_LANES];
                cheapest.store(&mut winners);
                let mut last = -1.0;
                for &winner in &winners[start..end] {
                    if winner != last {
                        last = winner;
                        let lanes = here & cheapest.same(V::splat(isa, winner));
                        for (i, level) in Grid::<C, L>::levels(winner as u16).into_iter().enumerate() {
                            q[i] = V::select(lanes, V::splat(isa, (2 * level + 1) as f32), q[i]);
                        }
                    }
                }
            }
        }
        start = end;
    }
    (q, found)
}

/// Where some cost falls from some levels on outwards. Costs are no NaN here.
#[inline(always)]
fn falls<V: Vector, const C: usize, const L: usize>(costs: &[[V; L]; C], own: &[usize; C]) -> V::Mask {
    let mut falls = costs[0][0].lt(costs[0][0]);
    for (costs, own) in costs.iter().zip(own) {
        for level in 1..L {
            let (inner, outer) = if level > *own { (level - 1, level) } else { (level, level - 1) };
            falls = falls | costs[outer].lt(costs[inner]);
        }
    }
    falls
}
