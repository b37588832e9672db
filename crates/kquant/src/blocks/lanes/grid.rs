//! The types whose weights are points of a grid: one super-block after the other, the trials of its search side by side.

use gguf_format::SUPER_BLOCK_LEN;

use super::sums_of_squares;
use crate::blocks::Block;
use crate::lanes::{Kernel, MAX_LANES, Vector};
use crate::search::grid::{Plain, Search};
use crate::search::lanes::grid::Lanes;
use crate::search::weights;

/// A type that encodes by a search on a grid.
pub(crate) trait GridBlock: Block<SUPER_BLOCK_LEN> {
    /// `sum_of_squares` is that of `x`. None where ggml aborts: see
    /// [`SubBlock::search`](crate::search::grid::SubBlock::search). A type that needs importance takes none as all the
    /// same.
    fn try_encode(
        how: &mut impl Search,
        x: &[f32; SUPER_BLOCK_LEN],
        sum_of_squares: f32,
        importance: Option<&[f32; SUPER_BLOCK_LEN]>,
    ) -> Option<Self>;

    /// A block of zeros where ggml aborts.
    #[inline(always)]
    fn encode_plain(x: &[f32; SUPER_BLOCK_LEN], importance: Option<&[f32; SUPER_BLOCK_LEN]>) -> Self {
        let sum = weights::sum_of_squares(x);
        Self::try_encode(&mut Plain, x, sum, importance).unwrap_or_else(Self::zeroed)
    }
}

/// Encodes rows of `row_len` weights.
pub(crate) struct EncodeGrid<'a, B> {
    pub(crate) src: &'a [f32],
    pub(crate) row_len: usize,
    pub(crate) importance: Option<&'a [f32]>,
    pub(crate) dst: &'a mut [B],
}

impl<B: GridBlock> EncodeGrid<'_, B> {
    /// Without vectors.
    #[inline]
    pub(crate) fn one_by_one(self) {
        let blocks = self.row_len / SUPER_BLOCK_LEN;
        let importance = self.importance.map(|row| row.as_chunks().0);
        for (i, (block, x)) in self.dst.iter_mut().zip(self.src.as_chunks().0).enumerate() {
            *block = B::encode_plain(x, importance.map(|row| &row[i % blocks]));
        }
    }
}

impl<B: GridBlock> Kernel for EncodeGrid<'_, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let blocks = self.row_len / SUPER_BLOCK_LEN;
        let importance = self.importance.map(|row| row.as_chunks::<SUPER_BLOCK_LEN>().0);
        let lanes = V::Part::LANES;
        let mut search = Lanes::<V>::new(isa);
        let mut column = 0;
        for (dst, src) in self.dst.chunks_mut(lanes).zip(self.src.chunks(lanes * SUPER_BLOCK_LEN)) {
            let src_blocks = src.as_chunks::<SUPER_BLOCK_LEN>().0;
            // A long sum one after the other: of many super-blocks side by side.
            let mut sums = [0.0; MAX_LANES];
            if dst.len() == lanes {
                sums_of_squares::<V::Part>(isa, src).store(&mut sums);
            } else {
                for (sum, x) in sums.iter_mut().zip(src_blocks) {
                    *sum = weights::sum_of_squares(x);
                }
            }
            for (block, (x, &sum)) in dst.iter_mut().zip(src_blocks.iter().zip(&sums)) {
                let importance = importance.map(|row| &row[column]);
                *block = match B::try_encode(&mut search, x, sum, importance) {
                    Some(block) => block,
                    None => B::zeroed(),
                };
                column += 1;
                if column == blocks {
                    column = 0;
                }
            }
        }
    }
}
