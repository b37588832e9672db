//! What stops a recipe.

use gguf_format::GgmlType;

/// Why the types of a model's tensors cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A metadata value is not what its key is for.
    #[error("metadata key {key}: found {found}, expected {expected}")]
    Metadata {
        /// The key.
        key: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// Two tensors have the same name.
    #[error("tensor {name:?} is there twice; every tensor needs a name of its own")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// In a model with experts, the layer of a feed-forward tensor is told from its name.
    #[error("tensor {name:?}: expected a name that begins with blk.<layer>. and a layer below {block_count}")]
    Layer {
        /// The tensor.
        name: String,
        /// The number of layers that the metadata tells.
        block_count: u32,
    },
    /// A tensor that is to be quantized does not hold floating-point numbers.
    #[error(
        "tensor {name:?}: found {found}, expected F32, F16 or BF16 to make {wanted} of; use a source that is not quantized"
    )]
    Element {
        /// The tensor.
        name: String,
        /// The type it has.
        found: GgmlType,
        /// The type it should get.
        wanted: GgmlType,
    },
}
