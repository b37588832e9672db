//! The grids of the types `IQ1_*`, `IQ2_*` and `IQ3_*`.
//!
//! Four or eight neighbouring weights are coded together, as one point of a grid: of all the points with so many
//! coordinates of so many levels, a grid has a few hundred. A point is written as a *code*, its levels side by side in a
//! 16-bit number with the first coordinate lowest; its *rank* is the number that has the levels for digits; and its
//! *index*, which is what a block stores, is its place among the grid's points in order of rank.

mod neighbours;
mod sets;

pub(crate) use self::neighbours::{List, Nearby, Neighbours};

use std::sync::LazyLock;

/// Points with `C` coordinates of `L` levels.
pub(crate) struct Grid<const C: usize, const L: usize> {
    neighbours: LazyLock<Neighbours<C, L>>,
}

/// A grid of eight coordinates with the levels 0, 1, 2.
pub(crate) type Ternary = Grid<8, 3>;
/// A grid of four coordinates with the levels 0 … 7.
pub(crate) type Octal = Grid<4, 8>;

// The codes of the grids, ascending.
pub(crate) static IQ1_POINTS: [u16; 2048] = points::<2048, 8, 3>(&sets::IQ1);
pub(crate) static IQ2_XXS_POINTS: [u16; 256] = points::<256, 8, 3>(&sets::IQ2_XXS);
pub(crate) static IQ2_XS_POINTS: [u16; 512] = points::<512, 8, 3>(&sets::IQ2_XS);
pub(crate) static IQ2_S_POINTS: [u16; 1024] = points::<1024, 8, 3>(&sets::IQ2_S);
pub(crate) static IQ3_XXS_POINTS: [u16; 256] = points::<256, 4, 8>(&sets::IQ3_XXS);
pub(crate) static IQ3_S_POINTS: [u16; 512] = points::<512, 4, 8>(&sets::IQ3_S);

// Up to how many different distances there are neighbours is ggml's choice, grid by grid.
pub(crate) static IQ1: Ternary = Grid::new(|| Neighbours::new(&IQ1_POINTS, 3));
pub(crate) static IQ2_XXS: Ternary = Grid::new(|| Neighbours::new(&IQ2_XXS_POINTS, 2));
pub(crate) static IQ2_XS: Ternary = Grid::new(|| Neighbours::new(&IQ2_XS_POINTS, 2));
pub(crate) static IQ2_S: Ternary = Grid::new(|| Neighbours::new(&IQ2_S_POINTS, 1));
pub(crate) static IQ3_XXS: Octal = Grid::new(|| Neighbours::new(&IQ3_XXS_POINTS, 2));
pub(crate) static IQ3_S: Octal = Grid::new(|| Neighbours::new(&IQ3_S_POINTS, 3));

impl<const C: usize, const L: usize> Grid<C, L> {
    /// Bits of a level in a code.
    pub(crate) const BITS: usize = (L - 1).ilog2() as usize + 1;
    /// Points there are, in the grid or not.
    pub(crate) const RANKS: usize = L.pow(C as u32);

    const fn new(neighbours: fn() -> Neighbours<C, L>) -> Self {
        Self { neighbours: LazyLock::new(neighbours) }
    }

    /// What is near each point; made on first use.
    pub(crate) fn neighbours(&'static self) -> &'static Neighbours<C, L> {
        &self.neighbours
    }

    /// The code of some levels.
    #[inline(always)]
    pub(crate) fn code(levels: &[usize; C]) -> u16 {
        levels.iter().rev().fold(0, |code, &level| code << Self::BITS | level as u16)
    }

    /// The rank of some levels.
    #[inline(always)]
    pub(crate) fn rank(levels: &[usize; C]) -> usize {
        levels.iter().rev().fold(0, |rank, level| rank * L + level)
    }

    /// The levels of a code.
    #[inline(always)]
    pub(crate) fn levels(code: u16) -> [usize; C] {
        std::array::from_fn(|i| usize::from(code) >> (Self::BITS * i) & ((1 << Self::BITS) - 1))
    }
}

/// The codes of a set of `N` points.
const fn points<const N: usize, const C: usize, const L: usize>(set: &[u64]) -> [u16; N] {
    let mut codes = [0; N];
    let (mut rank, mut found) = (0, 0);
    while rank < Grid::<C, L>::RANKS {
        if set[rank / 64] >> (rank % 64) & 1 == 1 {
            let (mut rest, mut i) = (rank, 0);
            while i < C {
                codes[found] |= ((rest % L) << (Grid::<C, L>::BITS * i)) as u16;
                rest /= L;
                i += 1;
            }
            found += 1;
        }
        rank += 1;
    }
    assert!(found == N);
    codes
}

/// The points of a grid as decoders want them: by index, a value for each coordinate in a byte, the first lowest.
pub(crate) const fn values<const N: usize, const C: usize, const L: usize>(
    points: &[u16],
    value_of_level: [u8; L],
) -> [u64; N] {
    let mut values = [0; N];
    let mut index = 0;
    while index < N {
        let mut i = 0;
        while i < C {
            let level = points[index] as usize >> (Grid::<C, L>::BITS * i) & ((1 << Grid::<C, L>::BITS) - 1);
            values[index] |= (value_of_level[level] as u64) << (8 * i);
            i += 1;
        }
        index += 1;
    }
    values
}
