//! Q4_0, Q4_1, Q5_0, Q5_1 under importance: blocks of 32 weights side by side, whose search looks at the mean square of
//! the whole row.

use super::Importance;
use super::levels::{self, Levels};
use super::weighted::importance_of;
use crate::blocks::Block;
use crate::lanes::{Kernel, MAX_LANES, Vector, columns};
use crate::search::lanes::affine::{self, Rounding};
use crate::search::lanes::qx;
use crate::search::qkx2::Cost;
use crate::search::qkx3;
use crate::search::weights::sum_of_squares;

const LEN: usize = 32;

/// The search of a type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Search {
    /// For a scale: levels from −half.
    Scale { half: i32 },
    /// For scale and minimum: levels to `top`.
    Affine { top: i32 },
}

/// A type of this kind.
pub(crate) trait LegacyBlock: Block<LEN> {
    const SEARCH: Search;

    /// `x ≈ d · level` (or `d · (level − half)`) `+ m`; both are binary16.
    fn from_parts(d: [u8; 2], m: [u8; 2], levels: &Levels) -> Self;
}

/// Encodes rows under importance.
pub(crate) struct EncodeWeighted<'a, B> {
    pub(crate) src: &'a [f32],
    pub(crate) row_len: usize,
    pub(crate) importance: &'a [f32],
    pub(crate) dst: &'a mut [B],
}

impl<B: LegacyBlock> Kernel for EncodeWeighted<'_, B> {
    type Output = ();

    /// As many rows at a time as there are lanes: so that their mean squares can be summed side by side.
    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let row_blocks = self.row_len / LEN;
        let rows = self.src.chunks(V::LANES * self.row_len).zip(self.dst.chunks_mut(V::LANES * row_blocks));
        for (src, dst) in rows {
            let mean_squares = mean_squares::<V>(isa, src, self.row_len);
            let (mut row, mut block) = (0, 0);
            for (src, dst) in src.chunks(V::LANES * LEN).zip(dst.chunks_mut(V::LANES)) {
                let importance = Importance { row: self.importance, at: block * LEN };
                let mut lanes = [0.0; MAX_LANES];
                for mean_square in lanes.iter_mut().take(dst.len()) {
                    *mean_square = mean_squares[row];
                    block += 1;
                    if block == row_blocks {
                        (row, block) = (row + 1, 0);
                    }
                }
                let mean_square = V::load(isa, &lanes);
                if src.len() == V::LANES * LEN {
                    encode_batch::<V, B>(isa, src, importance, mean_square, &lanes, dst);
                } else {
                    let mut padded = [0.0; MAX_LANES * LEN];
                    padded[..src.len()].copy_from_slice(src);
                    let padded = &padded[..V::LANES * LEN];
                    encode_batch::<V, B>(isa, padded, importance, mean_square, &lanes, dst);
                }
            }
        }
    }
}

/// Of each row: Σ x² in order, over the length.
#[inline(always)]
fn mean_squares<V: Vector>(isa: V::Isa, src: &[f32], row_len: usize) -> [f32; MAX_LANES] {
    let mut all = [0.0; MAX_LANES];
    if src.len() == V::LANES * row_len {
        let mut sum = V::splat(isa, 0.0);
        for at in (0..row_len).step_by(8) {
            for x in V::columns8(isa, &src[at..], row_len) {
                sum = sum + x * x;
            }
        }
        (sum / V::splat(isa, row_len as f32)).store(&mut all);
    } else {
        for (mean_square, row) in all.iter_mut().zip(src.chunks_exact(row_len)) {
            *mean_square = sum_of_squares(row) / row_len as f32;
        }
    }
    all
}

#[inline(always)]
fn encode_batch<V: Vector, B: LegacyBlock>(
    isa: V::Isa,
    src: &[f32],
    importance: Importance<'_>,
    mean_square: V,
    mean_squares: &[f32; MAX_LANES],
    dst: &mut [B],
) {
    let x: [V; LEN] = columns(isa, src);
    let mut w: [V; LEN] = importance_of(isa, importance, 0);
    for (w, &x) in w.iter_mut().zip(&x) {
        *w = *w * (mean_square + x * x).sqrt();
    }
    let zero = V::splat(isa, 0.0);
    let (scale, offset, inverse, base, sound, below, top) = match B::SEARCH {
        Search::Scale { half } => {
            let fit = qx::search(isa, half, &x, &w);
            // A block of zeros alone has no inverse, and no levels around the middle.
            let sound = fit.sound & !fit.inverse.same(zero);
            (fit.scale, zero, fit.inverse, zero, sound, half, 2 * half - 1)
        }
        Search::Affine { top } => {
            let fit = affine::search(isa, top, qkx3::SWEEP, Rounding::LimitFirst, Cost::Square, &x, &w);
            (fit.scale, V::splat(isa, -0.0) - fit.offset, fit.inverse, fit.base, fit.sound, 0, top)
        }
    };
    let sound = sound & scale.same(scale) & offset.same(offset);
    let (mut ds, mut ms) = ([[0; 2]; MAX_LANES], [[0; 2]; MAX_LANES]);
    let (mut inverses, mut bases) = ([0.0; MAX_LANES], [0.0; MAX_LANES]);
    V::select(sound, scale, zero).store_f16(&mut ds);
    V::select(sound, offset, zero).store_f16(&mut ms);
    inverse.store(&mut inverses);
    base.store(&mut bases);
    let sound = V::bits(sound);
    for (i, (block, x)) in dst.iter_mut().zip(src.as_chunks::<LEN>().0).enumerate() {
        *block = if sound >> i & 1 == 1 {
            let levels = levels::of_search::<V::Part>(isa, x, (inverses[i], bases[i]), below, top);
            B::from_parts(ds[i], ms[i], &levels)
        } else {
            let mut columns = [0.0; LEN];
            importance.copy(i * LEN, &mut columns);
            B::encode_weighted(x, &columns, mean_squares[i])
        };
    }
}
