//! Cutting tensors into pieces of bounded size, and the buffers a worker needs for one.

use std::ops::Range;

use gguf_format::{GgmlType, SUPER_BLOCK_LEN};

use crate::plan::{Plan, PlannedTensor};

/// Weights in a chunk, unless a single row says otherwise: at most 512 KiB as f32, which stays in the second
/// level cache, and many enough that one system call for them costs nothing.
const CHUNK_LEN: u64 = 128 * 1024;

/// One unit of work: a run of elements of one tensor that is read, encoded and written by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The tensor's index in the plan.
    pub(crate) tensor: usize,
    /// The elements of the tensor: whole rows, or a part of one long row in whole blocks.
    pub(crate) elements: Range<u64>,
    /// Length of a row for the encoder: the tensor's, or the part's own length.
    pub(crate) row_len: usize,
}

impl Chunk {
    pub(crate) fn len(&self) -> usize {
        // A chunk is cut to at most `CHUNK_LEN` elements.
        (self.elements.end - self.elements.start) as usize
    }
}

/// The chunks of one tensor, in order.
fn chunks_of(index: usize, tensor: &PlannedTensor) -> impl Iterator<Item = Chunk> {
    let row_len = tensor.row_len();
    let total = tensor.elements();
    // Whole rows while they fit; else pieces of one row, cut where every type's blocks end.
    let (step, within) = if row_len <= CHUNK_LEN {
        ((CHUNK_LEN / row_len.max(1)) * row_len, total)
    } else {
        (CHUNK_LEN, row_len)
    };
    debug_assert!(CHUNK_LEN.is_multiple_of(SUPER_BLOCK_LEN as u64));
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
        Some(Chunk { tensor: index, elements, row_len: row_len.min(len) as usize })
    })
}

/// The chunks of a whole plan, in file order.
pub(crate) fn chunks(plan: &Plan) -> Vec<Chunk> {
    plan.tensors().iter().enumerate().flat_map(|(index, tensor)| chunks_of(index, tensor)).collect()
}

/// A worker's memory: allocated once, as large as the largest chunk of the plan needs.
pub(crate) struct Buffers {
    /// Bytes as the source gives them.
    pub(crate) raw: Vec<u8>,
    /// Weights before encoding.
    pub(crate) weights: Vec<f32>,
    /// Encoded blocks.
    pub(crate) encoded: Vec<u8>,
    /// Weights as a reader of the file will see them.
    pub(crate) decoded: Vec<f32>,
}

impl Buffers {
    pub(crate) fn new() -> Self {
        Self { raw: Vec::new(), weights: Vec::new(), encoded: Vec::new(), decoded: Vec::new() }
    }

    /// Sets the buffers to the sizes of a chunk of `len` weights. After the first chunks this allocates no more.
    pub(crate) fn fit(&mut self, len: usize, element: GgmlType, ty: GgmlType) {
        self.raw.resize(bytes(element, len), 0);
        self.weights.resize(len, 0.0);
        self.encoded.resize(bytes(ty, len), 0);
        self.decoded.resize(len, 0.0);
    }
}

/// Bytes of `len` weights in whole blocks.
fn bytes(ty: GgmlType, len: usize) -> usize {
    len / ty.block_len() * ty.block_bytes()
}
