//! The types whose weights are points of a grid: one super-block after the other, the trials of its search side by side.

use gguf_format::SUPER_BLOCK_LEN;

use crate::blocks::Block;
use crate::lanes::{Kernel, Vector};
use crate::search::grid::Search;
use crate::search::lanes::grid::Lanes;

/// A type that encodes by a search on a grid.
pub(crate) trait GridBlock: Block<SUPER_BLOCK_LEN> {
    /// None where ggml aborts: see [`SubBlock::search`](crate::search::grid::SubBlock::search). A type that needs
    /// importance takes none as all the same.
    fn try_encode(
        how: impl Search,
        x: &[f32; SUPER_BLOCK_LEN],
        importance: Option<&[f32; SUPER_BLOCK_LEN]>,
    ) -> Option<Self>;

    /// A block of zeros where ggml aborts.
    #[inline(always)]
    fn encode_with(
        how: impl Search,
        x: &[f32; SUPER_BLOCK_LEN],
        importance: Option<&[f32; SUPER_BLOCK_LEN]>,
    ) -> Self {
        Self::try_encode(how, x, importance).unwrap_or_else(Self::zeroed)
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
    #[inline(always)]
    pub(crate) fn with(self, how: impl Search) {
        let blocks = self.row_len / SUPER_BLOCK_LEN;
        let importance = self.importance.map(|row| row.as_chunks::<SUPER_BLOCK_LEN>().0);
        for (i, (block, x)) in self.dst.iter_mut().zip(self.src.as_chunks().0).enumerate() {
            *block = B::encode_with(how, x, importance.map(|row| &row[i % blocks]));
        }
    }
}

impl<B: GridBlock> Kernel for EncodeGrid<'_, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        self.with(Lanes::<V>(isa));
    }
}
