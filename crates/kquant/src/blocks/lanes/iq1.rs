//! IQ1_S and IQ1_M: a sub-block a lane for the search, then one sub-block after the other to points of the grid.

use gguf_format::SUPER_BLOCK_LEN;

use super::super::iq1::levels;
use super::super::{BlockIq1M, BlockIq1S, iq1_m, iq1_s};
use super::{Importance, sums_of_squares};
use crate::grids::{IQ1, Nearby, Neighbours};
use crate::lanes::{MAX_LANES, Vector, columns};
use crate::search::lanes::snap::cheapest;
use crate::search::lanes::split::{self, Fit};
use crate::search::rounding::NEAREST;
use crate::search::snap::Coded;

/// Weights of a batch, at most.
const MOST: usize = MAX_LANES * SUPER_BLOCK_LEN;

/// How sub-blocks of `N` weights are searched.
trait Search<const N: usize> {
    /// Below this, a sub-block counts as zero.
    const NEAR_ZERO: f32;

    fn search<V: Vector>(isa: V::Isa, x: &[V; N], w: &[V; N]) -> Fit<V, N>;
}

struct OneShift;
struct ShiftByHalf;

impl Search<32> for OneShift {
    const NEAR_ZERO: f32 = iq1_s::NEAR_ZERO;

    #[inline(always)]
    fn search<V: Vector>(isa: V::Isa, x: &[V; 32], w: &[V; 32]) -> Fit<V, 32> {
        split::one_shift(isa, x, w)
    }
}

impl Search<16> for ShiftByHalf {
    const NEAR_ZERO: f32 = iq1_m::NEAR_ZERO;

    #[inline(always)]
    fn search<V: Vector>(isa: V::Isa, x: &[V; 16], w: &[V; 16]) -> Fit<V, 16> {
        split::shift_by_half(isa, x, w)
    }
}

/// Encodes a batch of IQ1_S; without importance as if it were 1.
#[inline(always)]
pub(in crate::blocks) fn encode_batch_s<V: Vector>(
    isa: V::Isa,
    src: &[f32],
    importance: Option<Importance<'_>>,
    dst: &mut [BlockIq1S],
    plain: impl Fn(&[f32; SUPER_BLOCK_LEN], &[f32; SUPER_BLOCK_LEN]) -> BlockIq1S,
) {
    let mut w = [1.0; MOST];
    if let Some(importance) = importance {
        importance.copy(0, &mut w[..V::LANES * SUPER_BLOCK_LEN]);
    }
    weigh::<V>(isa, src, &mut w);
    let mut found = [const { Some(Coded::BLANK) }; MAX_LANES * 8];
    code::<V, OneShift, 32, 4>(isa, src, &w, dst.len(), &mut found);
    for (i, block) in dst.iter_mut().enumerate() {
        *block = if let Some(coded) = complete(&found.as_chunks::<8>().0[i]) {
            BlockIq1S::finish(&coded)
        } else {
            let mut columns = [1.0; SUPER_BLOCK_LEN];
            if let Some(importance) = importance {
                importance.copy(i * SUPER_BLOCK_LEN, &mut columns);
            }
            plain(&src.as_chunks().0[i], &columns)
        };
    }
}

/// Encodes a batch of IQ1_M.
#[inline(always)]
pub(in crate::blocks) fn encode_batch_m<V: Vector>(
    isa: V::Isa,
    src: &[f32],
    importance: Option<Importance<'_>>,
    dst: &mut [BlockIq1M],
    plain: impl Fn(&[f32; SUPER_BLOCK_LEN], Option<&[f32; SUPER_BLOCK_LEN]>) -> BlockIq1M,
) {
    let mut w = [0.0; MOST];
    if let Some(importance) = importance {
        importance.copy(0, &mut w[..V::LANES * SUPER_BLOCK_LEN]);
        weigh::<V>(isa, src, &mut w);
    } else {
        for (w, x) in w.iter_mut().zip(src) {
            *w = x * x;
        }
    }
    let mut found = [const { Some(Coded::BLANK) }; MAX_LANES * 16];
    code::<V, ShiftByHalf, 16, 2>(isa, src, &w, dst.len(), &mut found);

    let mut coded = [[Coded::BLANK; 16]; MAX_LANES];
    let mut factors = [[0.0; 16]; MAX_LANES];
    let mut scales = [0.0; MAX_LANES];
    let mut sound = 0u32;
    for (i, block) in dst.iter_mut().enumerate() {
        if let Some(all) = complete(&found.as_chunks::<16>().0[i]) {
            sound |= 1 << i;
            coded[i] = all;
            (*block, scales[i], factors[i]) = BlockIq1M::pack(&all);
        }
    }
    let (mut sum_xl, mut sum_ll) = (V::splat(isa, 0.0), V::splat(isa, 0.0));
    for j in 0..16 {
        let (mut xl, mut ll) = ([0.0; MAX_LANES * 16], [0.0; MAX_LANES * 16]);
        let rows = xl.as_chunks_mut::<16>().0.iter_mut().zip(ll.as_chunks_mut::<16>().0);
        for (i, (xl, ll)) in rows.take(dst.len()).enumerate() {
            let at = i * 16 + j;
            let (x, w): (&[f32; 16], &[f32; 16]) = (&src.as_chunks().0[at], &w.as_chunks().0[at]);
            for point in 0..2 {
                let (from, to) = (8 * point, 8 * point + 8);
                let (index, shift) = (coded[i][j].indices[point], coded[i][j].shifts[point]);
                let (xl, ll) = (&mut xl[from..to], &mut ll[from..to]);
                products(&x[from..to], &w[from..to], index, shift, factors[i][j], xl, ll);
            }
        }
        let (xl, ll): ([V; 16], [V; 16]) = (columns(isa, &xl), columns(isa, &ll));
        for i in 0..16 {
            sum_xl = sum_xl + xl[i];
            sum_ll = sum_ll + ll[i];
        }
    }
    let (mut sums_xl, mut sums_ll) = ([0.0; MAX_LANES], [0.0; MAX_LANES]);
    sum_xl.store(&mut sums_xl);
    sum_ll.store(&mut sums_ll);
    for (i, block) in dst.iter_mut().enumerate() {
        if sound >> i & 1 != 0 {
            block.set_scale(scales[i], sums_xl[i], sums_ll[i]);
            continue;
        }
        let columns = importance.map(|importance| {
            let mut columns = [0.0; SUPER_BLOCK_LEN];
            importance.copy(i * SUPER_BLOCK_LEN, &mut columns);
            columns
        });
        *block = plain(&src.as_chunks().0[i], columns.as_ref());
    }
}

/// From importance to weights of errors.
#[inline(always)]
fn weigh<V: Vector>(isa: V::Isa, src: &[f32], w: &mut [f32; MOST]) {
    let mut variances = [0.0; MAX_LANES];
    (V::splat(isa, 2.0) * sums_of_squares::<V>(isa, src) / V::splat(isa, 256.0)).store(&mut variances);
    for ((x, w), variance) in src.as_chunks::<256>().0.iter().zip(w.as_chunks_mut::<256>().0).zip(variances) {
        for (w, x) in w.iter_mut().zip(x) {
            *w *= (variance + x * x).sqrt();
        }
    }
}

/// All sub-blocks of a super-block, if there are no holes.
#[inline(always)]
fn complete<const P: usize, const S: usize>(found: &[Option<Coded<P>>; S]) -> Option<[Coded<P>; S]> {
    let mut all = [Coded::BLANK; S];
    for (to, from) in all.iter_mut().zip(found) {
        *to = (*from)?;
    }
    Some(all)
}

/// Codes the sub-blocks of some super-blocks; `None` for one that must go through the plain version.
#[inline(always)]
fn code<V: Vector, S: Search<N>, const N: usize, const P: usize>(
    isa: V::Isa,
    src: &[f32],
    w: &[f32; MOST],
    super_blocks: usize,
    found: &mut [Option<Coded<P>>],
) {
    let neighbours = IQ1.neighbours();
    let groups = (super_blocks * SUPER_BLOCK_LEN).div_ceil(V::LANES * N);
    let parts = src.chunks_exact(V::LANES * N).zip(w.chunks_exact(V::LANES * N));
    for ((src, w), found) in parts.take(groups).zip(found.chunks_exact_mut(V::LANES)) {
        let x: [V; N] = columns(isa, src);
        let mut largest = V::splat(isa, 0.0);
        for x in x {
            largest = x.abs().larger(largest);
        }
        let fit = S::search(isa, &x, &columns(isa, w));
        let blank = largest.lt(V::splat(isa, S::NEAR_ZERO));
        let snapped = Ranks::new(isa, &fit).snap::<V, P>(neighbours, src, w, V::bits(fit.found & !blank));

        // Sub-blocks whose points have moved get another scale.
        let (xl, ll): ([V; N], [V; N]) = (columns(isa, &snapped.xl), columns(isa, &snapped.ll));
        let (mut sum_xl, mut sum_ll) = (V::splat(isa, 0.0), V::splat(isa, 0.0));
        for i in 0..N {
            sum_xl = sum_xl + xl[i];
            sum_ll = sum_ll + ll[i];
        }
        let zero = V::splat(isa, 0.0);
        let again = V::load(isa, &snapped.moved).gt(zero) & sum_xl.gt(zero) & sum_ll.gt(zero);
        let scale = V::select(again, sum_xl / sum_ll, fit.scale);
        let mut scales = [0.0; MAX_LANES];
        scale.store(&mut scales);
        let sound = V::bits((fit.sound & scale.same(scale)) | blank) & !snapped.refused;
        for (lane, found) in found.iter_mut().enumerate() {
            let mut coded = snapped.coded[lane];
            if snapped.found >> lane & 1 != 0 {
                coded.scale = scales[lane];
            }
            *found = (sound >> lane & 1 != 0).then_some(coded);
        }
    }
}

/// Fits as numbers.
struct Ranks<const N: usize> {
    /// Of each eight weights, their levels as ternary digits, the first lowest.
    ranks: [[f32; MAX_LANES]; 4],
    /// The same as quaternary digits.
    codes: [[f32; MAX_LANES]; 4],
    scales: [f32; MAX_LANES],
    shifts: [[f32; MAX_LANES]; 2],
}

/// What became of some fits.
struct Snapped<const P: usize> {
    coded: [Coded<P>; MAX_LANES],
    /// Bit by bit: which have been coded, and for which there was no point.
    found: u32,
    refused: u32,
    /// 1 where a point has moved.
    moved: [f32; MAX_LANES],
    /// `w·l·x` and `w·l²`, one sub-block after the other.
    xl: [f32; MAX_LANES * 32],
    ll: [f32; MAX_LANES * 32],
}

impl<const N: usize> Ranks<N> {
    #[inline(always)]
    fn new<V: Vector>(isa: V::Isa, fit: &Fit<V, N>) -> Self {
        let mut all = Self {
            ranks: [[0.0; MAX_LANES]; 4],
            codes: [[0.0; MAX_LANES]; 4],
            scales: [0.0; MAX_LANES],
            shifts: [[0.0; MAX_LANES]; 2],
        };
        let (three, four) = (V::splat(isa, 3.0), V::splat(isa, 4.0));
        let nearest = V::splat(isa, NEAREST);
        for (point, levels) in fit.levels.as_chunks::<8>().0.iter().enumerate() {
            let (mut rank, mut code) = (levels[7], levels[7]);
            for i in (0..7).rev() {
                rank = rank * three + levels[i];
                code = code * four + levels[i];
            }
            // The integers then stand in the mantissas.
            (rank + nearest).store(&mut all.ranks[point]);
            (code + nearest).store(&mut all.codes[point]);
        }
        fit.scale.store(&mut all.scales);
        fit.shifts[0].store(&mut all.shifts[0]);
        fit.shifts[1].store(&mut all.shifts[1]);
        all
    }

    /// Goes to points of the grid, where `found` says that there is a fit.
    #[inline(always)]
    fn snap<V: Vector, const P: usize>(
        &self,
        neighbours: &Neighbours<8, 3>,
        x: &[f32],
        w: &[f32],
        found: u32,
    ) -> Snapped<P> {
        let mut snapped = Snapped {
            coded: [Coded::BLANK; MAX_LANES],
            found,
            refused: 0,
            moved: [0.0; MAX_LANES],
            xl: [0.0; MAX_LANES * 32],
            ll: [0.0; MAX_LANES * 32],
        };
        for lane in 0..V::LANES {
            if found >> lane & 1 == 0 {
                continue;
            }
            let coded = &mut snapped.coded[lane];
            coded.shifts = [self.shifts[0][lane] as u8, self.shifts[1][lane] as u8];
            for point in 0..P {
                let at = lane * N + 8 * point;
                let (x, w) = (&x[at..at + 8], &w[at..at + 8]);
                let rank = (self.ranks[point][lane].to_bits() & 0xffff) as usize;
                let own = (self.codes[point][lane].to_bits() & 0xffff) as u16;
                let code = match neighbours.of(rank) {
                    Nearby::Itself => own,
                    Nearby::Others { all, short } => {
                        snapped.moved[lane] = 1.0;
                        let found = cheapest(all, short, own, x, w, self.scales[lane], coded.levels(point));
                        let Some(code) = found else {
                            snapped.refused |= 1 << lane;
                            continue;
                        };
                        code
                    }
                };
                let index = neighbours.index(code);
                coded.indices[point] = index;
                let (xl, ll) = (&mut snapped.xl[at..at + 8], &mut snapped.ll[at..at + 8]);
                products(x, w, index, coded.shifts[point * 2 / P], 1.0, xl, ll);
            }
        }
        snapped
    }
}

/// `w·l·x` and `w·l²` of eight weights, l being a factor times the point's level.
#[inline(always)]
fn products(x: &[f32], w: &[f32], index: u16, shift: u8, factor: f32, xl: &mut [f32], ll: &mut [f32]) {
    let (x, w, xl, ll) = (&x[..8], &w[..8], &mut xl[..8], &mut ll[..8]);
    let levels = levels(index.into(), shift != 0);
    let (mut all_xl, mut all_ll) = ([0.0; 8], [0.0; 8]);
    for i in 0..8 {
        let l = levels[i] * factor;
        all_xl[i] = w[i] * l * x[i];
        all_ll[i] = w[i] * l * l;
    }
    xl.copy_from_slice(&all_xl);
    ll.copy_from_slice(&all_ll);
}
