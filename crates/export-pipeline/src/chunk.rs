//! Cutting tensors into pieces of bounded size, and the buffers a worker needs for one.

use std::ops::Range;

use gguf_format::{GgmlType, SUPER_BLOCK_LEN};

use crate::plan::{Plan, PlannedTensor};

/// Weights in a chunk, unless a single row says otherwise: as many as make one system call for them cost nothing.
const CHUNK_LEN: u64 = 128 * 1024;

/// Weights in a tile, at most: 64 KiB as f32, twice, stay in the second level cache.
const TILE_LEN: usize = 16 * 1024;

/// One unit of work: a run of elements of one tensor that is read, encoded and written by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The tensor's index in the plan.
    pub(crate) tensor: usize,
    /// The elements of the tensor: whole rows, or a part of one long row in whole blocks.
    pub(crate) elements: Range<u64>,
    /// Length of a row for the encoder: the tensor's, or the part's own length.
    pub(crate) row_len: usize,
    /// Rows must not be cut: some types look at the mean of a whole row where importance is given.
    pub(crate) whole_rows: bool,
}

impl Chunk {
    pub(crate) fn len(&self) -> usize {
        // A chunk is cut to at most `CHUNK_LEN` elements.
        (self.elements.end - self.elements.start) as usize
    }

    /// Cuts the chunk for the passes over its weights: whole rows, or parts of one in whole blocks.
    pub(crate) fn tiles(&self) -> impl Iterator<Item = Tile> + use<> {
        let (row_len, total) = (self.row_len.max(1), self.len());
        let (step, within) = if row_len <= TILE_LEN || self.whole_rows {
            ((TILE_LEN / row_len).max(1) * row_len, total)
        } else {
            (TILE_LEN, row_len)
        };
        let mut start = 0;
        std::iter::from_fn(move || {
            if start >= total {
                return None;
            }
            let row_end = (start / within + 1) * within;
            let elements = start..(start + step).min(row_end).min(total);
            start = elements.end;
            let row_len = row_len.min(elements.len());
            Some(Tile { elements, row_len })
        })
    }
}

/// A part of a chunk that goes through decoding, checks and encoding while the cache holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Counted from the chunk's first.
    pub(crate) elements: Range<usize>,
    /// Length of a row for the encoder.
    pub(crate) row_len: usize,
}

/// The chunks of one tensor, in order.
fn chunks_of(index: usize, tensor: &PlannedTensor) -> impl Iterator<Item = Chunk> {
    let row_len = tensor.row_len();
    let total = tensor.elements();
    let whole_rows = tensor.importance.is_some();
    // Whole rows while they fit; else pieces of one row, cut where every type's blocks end. With importance, the rows of
    // one matrix: others have their own.
    let (step, within) = if whole_rows {
        ((CHUNK_LEN / row_len).max(1) * row_len, tensor.matrix_len())
    } else if row_len <= CHUNK_LEN {
        ((CHUNK_LEN / row_len.max(1)) * row_len, total)
    } else {
        (CHUNK_LEN, row_len)
    };
    const { assert!(CHUNK_LEN.is_multiple_of(SUPER_BLOCK_LEN as u64) && TILE_LEN.is_multiple_of(SUPER_BLOCK_LEN)) }
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= total {
            return None;
        }
        let row_end = (start / within + 1) * within;
        let end = (start + step).min(row_end).min(total);
        let elements = start..end;
        start = end;
        let len = elements.end - elements.start;
        Some(Chunk { tensor: index, elements, row_len: row_len.min(len) as usize, whole_rows })
    })
}

/// The chunks of a whole plan, in file order.
pub(crate) fn chunks(plan: &Plan) -> Vec<Chunk> {
    plan.tensors().iter().enumerate().flat_map(|(index, tensor)| chunks_of(index, tensor)).collect()
}

/// A worker's memory: allocated once, as large as the largest chunk and tile need.
pub(crate) struct Buffers {
    /// A chunk's bytes as the source gives them.
    pub(crate) raw: Vec<u8>,
    /// A tile's weights before encoding.
    pub(crate) weights: Vec<f32>,
    /// A chunk's encoded blocks.
    pub(crate) encoded: Vec<u8>,
    /// A tile's weights as a reader of the file will see them.
    pub(crate) decoded: Vec<f32>,
}

impl Buffers {
    pub(crate) fn new() -> Self {
        Self {
            raw: Vec::new(),
            weights: vec![0.0; TILE_LEN],
            encoded: Vec::new(),
            decoded: vec![0.0; TILE_LEN],
        }
    }

    /// Sets the buffers to the sizes of a chunk. After the first chunks this allocates no more.
    pub(crate) fn fit(&mut self, chunk: &Chunk, element: GgmlType, ty: GgmlType) {
        self.raw.resize(bytes(element, chunk.len()), 0);
        self.encoded.resize(bytes(ty, chunk.len()), 0);
        let tile_len = if chunk.whole_rows { chunk.row_len } else { 0 };
        if self.weights.len() < tile_len {
            self.weights.resize(tile_len, 0.0);
            self.decoded.resize(tile_len, 0.0);
        }
    }
}

/// Bytes of `len` weights in whole blocks.
pub(crate) fn bytes(ty: GgmlType, len: usize) -> usize {
    len / ty.block_len() * ty.block_bytes()
}
