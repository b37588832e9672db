//! What a recipe is given, and what it says.

use std::fmt;

use gguf_format::GgmlType;

/// A tensor as it stands before quantization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorDesc<'a> {
    /// The name in the file: `blk.0.attn_v.weight`.
    pub name: &'a str,
    /// The dimensions in ggml's order: the row length first.
    pub dims: &'a [u64],
    /// The type it has: `F32`, `F16` or `BF16` where it is to be quantized, or a quantized one if the recipe
    /// allows requantizing. A tensor that is not quantized keeps it.
    pub element: GgmlType,
}

impl TensorDesc<'_> {
    /// The length of a row, in weights.
    #[must_use]
    pub fn row_len(&self) -> u64 {
        self.dims.first().copied().unwrap_or(1)
    }
}

/// The type that a tensor gets, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Assignment {
    /// The type.
    pub ty: GgmlType,
    /// Why it is this one.
    pub reason: Reason,
}

/// Why a tensor gets its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It is not quantized, and keeps the type it has.
    Kept(Kept),
    /// It gets the file type's base type.
    Default,
    /// A rule of the file type's mix gives it another: the rule, in words.
    Mix(&'static str),
    /// An option asks for it.
    Asked(Asked),
    /// Its rows are not a whole number of blocks of the type it should have.
    Fallback {
        /// The type it should have.
        wanted: GgmlType,
        /// The length of its rows.
        row_len: u64,
    },
}

/// The option that decides a tensor's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Asked {
    /// The type for the output ([`Recipe::with_output_tensor_type`](crate::Recipe::with_output_tensor_type)).
    Output,
    /// The type for token embeddings
    /// ([`Recipe::with_token_embedding_type`](crate::Recipe::with_token_embedding_type)).
    TokenEmbedding,
    /// The override at this index ([`Recipe::with_tensor_types`](crate::Recipe::with_tensor_types)).
    Override(usize),
}

/// Why a tensor is not quantized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kept {
    /// The recipe copies all tensors ([`Recipe::copy`](crate::Recipe::copy)).
    Copied,
    /// The recipe leaves the output as it is
    /// ([`Recipe::with_output_tensor_left`](crate::Recipe::with_output_tensor_left)).
    OutputLeft,
    /// It has only one dimension.
    Vector,
    /// Its name does not end with `weight`.
    NotWeight,
    /// Its name says that it is something small or sensitive: what, in words.
    Named(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(kept) => write!(f, "kept: {kept}"),
            Self::Default => f.write_str("base type"),
            Self::Mix(rule) => f.write_str(rule),
            Self::Asked(Asked::Output) => f.write_str("asked for: the output's type"),
            Self::Asked(Asked::TokenEmbedding) => f.write_str("asked for: the token embeddings' type"),
            Self::Asked(Asked::Override(index)) => write!(f, "asked for: override {}", index + 1),
            Self::Fallback { wanted, row_len } => {
                write!(f, "fallback: {wanted} has blocks of {}, rows have {row_len}", wanted.block_len())
            }
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Copied => "copied",
            Self::OutputLeft => "the output is left as it is",
            Self::Vector => "one dimension",
            Self::NotWeight => "no weight",
            Self::Named(what) => what,
        })
    }
}
