//! The file is wrong.

use std::fmt;

use crate::ggml_type::GgmlType;
use crate::tensor::{Dims, DimsError};
use crate::value::ValueType;

/// Where in a header something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The magic, the version and the counts.
    Preamble,
    /// The key of a metadata pair.
    Key {
        /// Which pair, counted from 0.
        index: u32,
    },
    /// The value of a metadata pair.
    Value {
        /// Its key.
        key: String,
    },
    /// The name of a tensor.
    TensorName {
        /// Which tensor, counted from 0.
        index: u32,
    },
    /// The dimensions, type or offset of a tensor.
    Tensor {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preamble => f.write_str("preamble"),
            Self::Key { index } => write!(f, "key of metadata pair {index}"),
            Self::Value { key } => write!(f, "key {key:?}"),
            Self::TensorName { index } => write!(f, "name of tensor {index}"),
            Self::Tensor { name } => write!(f, "tensor {name:?}"),
        }
    }
}

/// The bytes are not a GGUF file, or a damaged one: whoever made the file is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The file does not begin with `GGUF`.
    #[error("starts with {found:?}, expected \"GGUF\": this is no GGUF file")]
    Magic {
        /// What it begins with.
        found: String,
    },
    /// The version is none of 1, 2 and 3, in either byte order.
    #[error("version {found}, expected 1, 2 or 3: convert the model to GGUF version 3")]
    Version {
        /// The version, read as little-endian.
        found: u32,
    },
    /// The file has no room for what it says it holds.
    #[error(
        "claims {tensors} tensors and {pairs} metadata pairs, more than fit in {room} bytes: the file is damaged"
    )]
    Counts {
        /// Tensors claimed.
        tensors: u64,
        /// Metadata pairs claimed.
        pairs: u64,
        /// Bytes after the counts.
        room: u64,
    },
    /// The file ends within its header.
    #[error(
        "{place}: needs {needed} bytes at offset {offset}, found {remaining}: the file is cut short or damaged"
    )]
    Truncated {
        /// What was being read.
        place: Place,
        /// Where.
        offset: u64,
        /// Bytes it needs.
        needed: u64,
        /// Bytes there are.
        remaining: u64,
    },
    /// A key or a tensor's name is empty.
    #[error("{place} is empty: the file is damaged")]
    EmptyName {
        /// Which.
        place: Place,
    },
    /// A key or a tensor's name is longer than the format and ggml allow.
    #[error("{place} ({text:?}) has {len} bytes, expected at most {max}: rename it where the file is made")]
    NameTooLong {
        /// Which.
        place: Place,
        /// How it begins.
        text: String,
        /// Its length in bytes.
        len: usize,
        /// The longest allowed.
        max: usize,
    },
    /// A key or a tensor's name is not UTF-8, or holds a NUL.
    #[error("{place} ({text:?}) is not UTF-8 without NUL: rename it where the file is made")]
    NameNotText {
        /// Which.
        place: Place,
        /// How it begins, what is not UTF-8 replaced.
        text: String,
    },
    /// Two metadata pairs have the same key.
    #[error("key {key:?} occurs twice: the file is damaged")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A value or element type that the format does not have.
    #[error("{place}: value type {found}, expected 0 to 12: the file is damaged or newer than this reader")]
    ValueType {
        /// Where.
        place: Place,
        /// The id.
        found: u32,
    },
    /// A boolean is neither 0 nor 1.
    #[error("{place}: byte {found} at offset {offset} as a bool, expected 0 or 1: the file is damaged")]
    Bool {
        /// Where.
        place: Place,
        /// Its offset in the file.
        offset: u64,
        /// The byte.
        found: u8,
    },
    /// `general.alignment` is not a power of two.
    #[error("general.alignment is {found}, expected a power of two: the file is damaged")]
    Alignment {
        /// The value.
        found: u32,
    },
    /// `general.alignment` is of another type than `u32`.
    #[error("general.alignment is of type {found}, expected u32: correct it where the file is made")]
    AlignmentType {
        /// The type.
        found: ValueType,
    },
    /// A tensor claims more than four dimensions.
    #[error("{place}: {found} dimensions, expected at most 4: the file is damaged")]
    DimsCount {
        /// The tensor.
        place: Place,
        /// The count.
        found: u32,
    },
    /// A tensor has impossible dimensions.
    #[error("{place}: {problem}: the file is damaged")]
    Dims {
        /// The tensor.
        place: Place,
        /// What is wrong with them.
        problem: DimsError,
    },
    /// A tensor type that ggml does not have, or not any more.
    #[error(
        "tensor {name:?}: unknown tensor type {found}: quantize the model anew with a type of today's ggml"
    )]
    TensorType {
        /// The tensor.
        name: String,
        /// The id.
        found: u32,
    },
    /// A tensor's rows are not whole numbers of blocks.
    #[error(
        "tensor {name:?}: rows of {row_len} elements, expected a multiple of {ty}'s {}: the file is damaged",
        ty.block_len()
    )]
    RowLength {
        /// The tensor.
        name: String,
        /// Elements of a row.
        row_len: u64,
        /// The type.
        ty: GgmlType,
    },
    /// A tensor's size does not fit in 63 bits.
    #[error("tensor {name:?}: {dims} elements of {ty} exceed 2^63 - 1 bytes: the file is damaged")]
    TensorTooLarge {
        /// The tensor.
        name: String,
        /// Its dimensions.
        dims: Dims,
        /// Its type.
        ty: GgmlType,
    },
    /// A tensor does not begin at a multiple of the alignment.
    #[error("tensor {name:?}: data offset {offset}, expected a multiple of {alignment}: the file is damaged")]
    Misaligned {
        /// The tensor.
        name: String,
        /// Its offset from the start of the data.
        offset: u64,
        /// The alignment.
        alignment: u32,
    },
    /// Two tensors have the same name.
    #[error("tensor {name:?} occurs twice: the file is damaged")]
    DuplicateTensor {
        /// The name.
        name: String,
    },
    /// A tensor's bytes lie past the end of the file.
    #[error(
        "tensor {name:?}: {needed} bytes at offset {offset}, but the file ends at {file_len}: it is cut short"
    )]
    OutOfFile {
        /// The tensor.
        name: String,
        /// Where it begins in the file.
        offset: u64,
        /// Its size in bytes.
        needed: u64,
        /// The size of the file.
        file_len: u64,
    },
    /// Two tensors share bytes.
    #[error("tensors {first:?} and {second:?} share bytes: the file is damaged")]
    Overlap {
        /// The one that begins first.
        first: String,
        /// The other.
        second: String,
    },
}
