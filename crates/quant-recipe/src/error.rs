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
    /// A tensor that is to be quantized holds no floating-point numbers.
    #[error(
        "tensor {name:?}: found {found}, expected F32, F16 or BF16 to make {wanted} of; correct the source"
    )]
    Element {
        /// The tensor.
        name: String,
        /// The type it has.
        found: GgmlType,
        /// The type it should get.
        wanted: GgmlType,
    },
    /// A tensor that is to be quantized is quantized already.
    #[error(
        "tensor {name:?}: found {found}, expected F32, F16 or BF16 to make {wanted} of; \
         use a source that is not quantized, or allow requantizing, which loses quality"
    )]
    Requantize {
        /// The tensor.
        name: String,
        /// The type it has.
        found: GgmlType,
        /// The type it should get.
        wanted: GgmlType,
    },
    /// A tensor's rows are no whole number of blocks of the type it should get, and no other type stands in.
    #[error(
        "tensor {name:?}: rows of {row_len} are no whole number of blocks of {wanted} ({} weights); \
         choose another type for it",
        wanted.block_len()
    )]
    Shape {
        /// The tensor.
        name: String,
        /// The type it should get.
        wanted: GgmlType,
        /// The length of its rows.
        row_len: u64,
    },
    /// An option asks for a type that nothing can be quantized to.
    #[error("{option}: found {found}, expected a floating-point or block type that files hold")]
    Target {
        /// The option.
        option: &'static str,
        /// The type asked for.
        found: GgmlType,
    },
    /// Two options exclude each other.
    #[error("{first} and {second} exclude each other; leave one of them out")]
    Contradiction {
        /// An option.
        first: String,
        /// Another.
        second: String,
    },
    /// An option decides about no tensor of the model.
    #[error("{option} matches no tensor that is quantized; correct it or leave it out")]
    Unmatched {
        /// The option.
        option: String,
    },
    /// An adapter is to get types that it cannot have.
    #[error("an adapter: found {found}, expected F32, F16, BF16, Q8_0 or COPY")]
    Adapter {
        /// What is asked for.
        found: String,
    },
    /// The list of layers to take out is no list of numbers.
    #[error("layers {list:?}: found {found:?}, expected numbers with commas between them, as in 3,4")]
    PruneList {
        /// The list.
        list: String,
        /// The part that is no number.
        found: String,
    },
    /// A layer is to be taken out that the model does not have.
    #[error("layer {layer} is to be taken out, but has no tensor; leave it out of the list")]
    PruneLayer {
        /// The layer.
        layer: u32,
    },
    /// All layers are to be taken out.
    #[error("all layers are to be taken out; leave one in")]
    PruneAll,
}
