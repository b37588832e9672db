//! The points of a grid that lie near a point which is not of the grid.

use super::Grid;
use crate::lanes::MAX_LANES;

/// For each point, what the encoder may take for it.
pub(crate) struct Neighbours<const C: usize, const L: usize> {
    /// By rank.
    entries: Vec<Entry>,
    /// The codes of all lists, one list after the other, and then as many as the longest vector has lanes.
    codes: Vec<u16>,
}

/// Where a point stands.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// Where its list begins; that of a point of the grid has that point alone.
    start: u32,
    /// Codes in the list; 0 for a point of the grid.
    all: u16,
    /// Codes in the shorter list that follows; 0 if there is none. The index of a point of the grid.
    short: u16,
}

/// What the encoder may take for a point, for vectors.
#[derive(Clone, Copy)]
pub(crate) struct List<'a> {
    /// The list, and whatever follows: whole vectors can be read from any place in the list on.
    pub(crate) codes: &'a [u16],
    /// Codes in the list: at least one.
    pub(crate) len: usize,
    /// Whether the point is of the grid: then the list has it alone.
    pub(crate) on_grid: bool,
}

/// What the encoder may take for a point.
pub(crate) enum Nearby<'a> {
    /// The point itself, which is of the grid.
    Itself,
    /// Points of the grid by distance, then index: those at the least distances.
    Others {
        /// All of them.
        all: &'a [u16],
        /// Those of `all` that can cost least where the point's own level is the cheapest of each coordinate and costs
        /// grow on both sides of it: all but those for which one before them is the point's level or lies between in
        /// every coordinate. That one costs no more, and of equals the first is taken.
        short: &'a [u16],
    },
}

impl<const C: usize, const L: usize> Neighbours<C, L> {
    /// Those of a grid, up to the `distances` least of the different distances that occur.
    ///
    /// The order of a list decides between points that cost the same, so it is ggml's (`iq2xs_init_impl`,
    /// `iq3xs_init_impl`): by distance, then by index.
    pub(super) fn new(points: &[u16], distances: usize) -> Self {
        let points: Vec<(u16, [usize; C])> =
            points.iter().map(|&code| (code, Grid::<C, L>::levels(code))).collect();
        let mut entries = vec![Entry::default(); Grid::<C, L>::RANKS];
        let mut codes = Vec::new();
        let mut by_distance = vec![Vec::new(); C * (L - 1) * (L - 1) + 1];
        let mut index = 0;
        for (rank, entry) in entries.iter_mut().enumerate() {
            let levels = Self::levels_of_rank(rank);
            if points.get(index).is_some_and(|point| point.1 == levels) {
                *entry = Entry { start: codes.len() as u32, all: 0, short: index as u16 };
                codes.push(points[index].0);
                index += 1;
                continue;
            }
            for point in &points {
                by_distance[distance(&point.1, &levels)].push(point);
            }
            let start = codes.len();
            let near = by_distance.iter().filter(|points| !points.is_empty()).take(distances).flatten();
            codes.extend(near.map(|point| point.0));
            let all = codes.len() - start;
            for at in start..start + all {
                let kept = &codes[start + all..];
                if !kept.iter().any(|&before| lies_between::<C, L>(&levels, before, codes[at])) {
                    codes.push(codes[at]);
                }
            }
            let short = codes.len() - start - all;
            if short == all {
                codes.truncate(start + all);
            }
            entry.start = start as u32;
            entry.all = all as u16;
            entry.short = if short == all { 0 } else { short as u16 };
            by_distance.iter_mut().for_each(Vec::clear);
        }
        codes.resize(codes.len() + MAX_LANES, 0);
        Self { entries, codes }
    }

    fn levels_of_rank(rank: usize) -> [usize; C] {
        let mut rest = rank;
        std::array::from_fn(|_| {
            let level = rest % L;
            rest /= L;
            level
        })
    }

    /// What is near a point, by its rank.
    #[inline(always)]
    pub(crate) fn of(&self, rank: usize) -> Nearby<'_> {
        let entry = self.entries[rank];
        if entry.all == 0 {
            return Nearby::Itself;
        }
        let (all, rest) = self.codes[entry.start as usize..].split_at(entry.all.into());
        let short = if entry.short == 0 { all } else { &rest[..entry.short.into()] };
        Nearby::Others { all, short }
    }

    /// The same for vectors: the shorter list, unless `all` are wanted.
    #[inline(always)]
    pub(crate) fn list(&self, rank: usize, all: bool) -> List<'_> {
        let Entry { start, all: of_all, short } = self.entries[rank];
        let on_grid = of_all == 0;
        let (skipped, len) = if on_grid {
            (0, 1)
        } else if all || short == 0 {
            (0, of_all)
        } else {
            (of_all, short)
        };
        List { codes: &self.codes[start as usize + usize::from(skipped)..], len: len.into(), on_grid }
    }

    /// The index of a point of the grid.
    #[inline(always)]
    pub(crate) fn index(&self, code: u16) -> u16 {
        self.entries[Grid::<C, L>::rank(&Grid::<C, L>::levels(code))].short
    }
}

fn distance<const C: usize>(a: &[usize; C], b: &[usize; C]) -> usize {
    a.iter().zip(b).map(|(&a, &b)| a.abs_diff(b) * a.abs_diff(b)).sum()
}

/// Whether `between` is in every coordinate at the level of `from`, at that of `to`, or between them.
fn lies_between<const C: usize, const L: usize>(from: &[usize; C], between: u16, to: u16) -> bool {
    let (between, to) = (Grid::<C, L>::levels(between), Grid::<C, L>::levels(to));
    (0..C).all(|i| (from[i].min(to[i])..=from[i].max(to[i])).contains(&between[i]))
}
