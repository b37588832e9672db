//! The caller asked for a file that cannot be.

use crate::ggml_type::GgmlType;
use crate::value::ValueType;

/// What was to be written cannot be a GGUF file: the caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A key has no characters.
    #[error("metadata pair {index} has an empty key: give it one")]
    EmptyKey {
        /// Which pair, counted from 0.
        index: usize,
    },
    /// A key is longer than the format allows.
    #[error("key {key:.60?}… has {} bytes, more than {max}: shorten it", key.len())]
    KeyTooLong {
        /// The key.
        key: String,
        /// The longest allowed, in bytes.
        max: usize,
    },
    /// A key holds a NUL, at which C programs would cut it off.
    #[error("key {key:?} holds a NUL: take it out, readers in C would cut the key there")]
    NulInKey {
        /// The key.
        key: String,
    },
    /// Two pairs have the same key.
    #[error("key {key:?} occurs twice: keep one")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// Arrays are nested too deep.
    #[error("key {key:?}: arrays nested more than {max} deep: flatten them")]
    ArrayTooDeep {
        /// The key.
        key: String,
        /// The deepest allowed.
        max: u8,
    },
    /// `general.alignment` is not a power of two, or too large.
    #[error("general.alignment is {found}, expected a power of two up to 2^20: use 32")]
    Alignment {
        /// The value.
        found: u32,
    },
    /// `general.alignment` is of another type than `u32`.
    #[error("general.alignment is of type {found}, expected u32: store it as u32")]
    AlignmentType {
        /// The type.
        found: ValueType,
    },
    /// A tensor's name has no characters.
    #[error("tensor {index} has an empty name: give it one")]
    EmptyTensorName {
        /// Which tensor, counted from 0.
        index: usize,
    },
    /// A tensor's name is longer than ggml can hold.
    #[error("tensor name {name:?} has {} bytes, more than ggml's {max}: shorten it", name.len())]
    TensorNameTooLong {
        /// The name.
        name: String,
        /// The longest allowed, in bytes.
        max: usize,
    },
    /// A tensor's name holds a NUL, at which ggml would cut it off.
    #[error("tensor name {name:?} holds a NUL: take it out, ggml would cut the name there")]
    NulInTensorName {
        /// The name.
        name: String,
    },
    /// Two tensors have the same name.
    #[error("tensor {name:?} occurs twice: keep one")]
    DuplicateTensor {
        /// The name.
        name: String,
    },
    /// A row is not a whole number of blocks.
    #[error(
        "tensor {name:?}: rows of {row_len} elements cannot be {ty}, whose blocks have {}: choose another type",
        ty.block_len()
    )]
    RowLength {
        /// The tensor.
        name: String,
        /// The length of a row.
        row_len: u64,
        /// The type.
        ty: GgmlType,
    },
    /// The file would have more than `i64::MAX` bytes.
    #[error("the file would be larger than 2^63 - 1 bytes: split it")]
    FileTooLarge,
}
