//! Where tensors come from, as far as the pipeline needs to know.

use std::error::Error;
use std::ops::Range;

use gguf_format::{Dims, GgmlType};

/// What a source may fail with; the pipeline adds the tensor's name.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// A tensor that a source can deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTensor {
    /// The name in the GGUF file.
    pub name: String,
    /// The dimensions in ggml's order: the first is the row length.
    pub dims: Dims,
    /// The type of the bytes that [`Source::read`] gives.
    pub element: GgmlType,
}

/// A place that tensors' elements are read from, by many threads at once.
pub trait Source: Sync {
    /// Fills `out` with the elements `elements` of tensor number `tensor` (its index in the list that the
    /// plan was made of), little-endian, in the tensor's declared element type.
    ///
    /// A range is either one or more whole rows, or a part of a single row that is longer than a chunk.
    ///
    /// # Errors
    /// Whatever keeps the bytes from being read; it should name the file.
    fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError>;
}
