//! A tensor as the GGUF file will have it.

use gguf_format::GgmlType;

/// A tensor that a checkpoint gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tensor {
    /// Its name in a GGUF file.
    pub name: String,
    /// Its dimensions in ggml's order: the first is the row length. One to four, none 0.
    pub dims: Vec<u64>,
    /// The type of the bytes that are read: `F32`, `F16` or `BF16`, without loss against the checkpoint.
    ///
    /// `F32` where convert_hf_to_gguf writes F32 whatever it is asked for (vectors, norms, biases, position and
    /// token type embeddings), else the checkpoint's own.
    pub element: GgmlType,
    /// The tensor's name in the checkpoint; empty for one that is computed.
    pub source: String,
}

impl Tensor {
    /// The number of rows: the product of all dimensions but the first.
    #[must_use]
    pub fn rows(&self) -> u64 {
        // Checked when the checkpoint was opened.
        self.dims.iter().skip(1).product()
    }

    /// The number of elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.dims.iter().product()
    }
}
