//! What can go wrong, by who is at fault.

use std::path::PathBuf;
use std::{fmt, io};

use crate::ggml_type::GgmlType;
use crate::tensor::{Dims, DimsError};
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

/// A file may be right, but is beyond what the caller allowed ([`Limits`](crate::Limits)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// The header is too long.
    #[error("{place}: the header has at least {found} bytes, the limit is {max}: raise Limits::header_bytes")]
    HeaderBytes {
        /// What was being read.
        place: Place,
        /// Bytes it would need.
        found: u64,
        /// Bytes allowed.
        max: u64,
    },
    /// There are too many metadata pairs.
    #[error("{found} metadata pairs, the limit is {max}: raise Limits::pairs")]
    Pairs {
        /// How many there are.
        found: u64,
        /// How many are allowed.
        max: u32,
    },
    /// There are too many tensors.
    #[error("{found} tensors, the limit is {max}: raise Limits::tensors")]
    Tensors {
        /// How many there are.
        found: u64,
        /// How many are allowed.
        max: u32,
    },
    /// Arrays are nested too deep.
    #[error("{place}: arrays nested deeper than the limit: raise Limits::array_depth")]
    ArrayDepth {
        /// Where.
        place: Place,
    },
}

/// Reading failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system is at fault.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is at fault.
    #[error(transparent)]
    Format(Box<FormatError>),
    /// The file is beyond the limits.
    #[error(transparent)]
    Limit(Box<LimitError>),
    /// The caller asked for bytes that the tensor does not have.
    #[error(
        "tensor {tensor}: bytes {offset} to {offset} + {len} asked for, of {byte_len}: ask for bytes it has"
    )]
    Range {
        /// Which tensor, by its index in the directory.
        tensor: usize,
        /// First byte asked for.
        offset: u64,
        /// How many bytes.
        len: usize,
        /// How many the tensor has; 0 if there is no such tensor.
        byte_len: u64,
    },
}

impl From<FormatError> for ReadError {
    fn from(error: FormatError) -> Self {
        Self::Format(Box::new(error))
    }
}

impl From<LimitError> for ReadError {
    fn from(error: LimitError) -> Self {
        Self::Limit(Box::new(error))
    }
}

/// Reading failed, and this is the file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What went wrong.
    pub source: ReadError,
}

/// A metadata key is not there, or not of the type that the caller needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no such key.
    #[error("key {key:?} is missing, expected a value of type {wanted}: the file lacks it")]
    Missing {
        /// The key.
        key: String,
        /// The type wanted.
        wanted: &'static str,
    },
    /// The value is of another type.
    #[error("key {key:?} is of type {found}, expected {wanted}: correct it where the file is made")]
    Type {
        /// The key.
        key: String,
        /// The type found: `u32`, `arr[str]`.
        found: String,
        /// The type wanted.
        wanted: &'static str,
    },
    /// The value is negative, where no negative number has a meaning.
    #[error("key {key:?} is {found}, expected 0 or more: correct it where the file is made")]
    Negative {
        /// The key.
        key: String,
        /// The value.
        found: i64,
    },
    /// The value is a string, but not UTF-8.
    #[error("key {key:?} is not UTF-8: read it as bytes, or correct it where the file is made")]
    NotUtf8 {
        /// The key.
        key: String,
    },
}

/// The shards of a split model do not make one model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A shard cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A shard is not there.
    #[error("{}: shard {number} of {count} is missing: put it beside the others", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// Which one, counted from 1 as in file names.
        number: u32,
        /// How many there are.
        count: u16,
    },
    /// A shard's name does not end as its metadata say.
    #[error("{}: by its metadata the name should end in {suffix:?}: rename it", path.display())]
    Name {
        /// The shard.
        path: PathBuf,
        /// How its name should end.
        suffix: String,
    },
    /// A key that tells of the split is missing or of the wrong type.
    #[error("{}: {source}", path.display())]
    Key {
        /// The shard.
        path: PathBuf,
        /// What is wrong with the key.
        source: KeyError,
    },
    /// A shard's number, or the number of shards, is beyond what a `u16` holds.
    #[error("{}: key {key:?} is {found}, expected at most 65535: the file is damaged", path.display())]
    TooLarge {
        /// The shard.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        found: u64,
    },
    /// A shard's `split.no` is not that of its name.
    #[error("{}: split.no is {found}, expected {expected}: the file is misnamed", path.display())]
    Number {
        /// The shard.
        path: PathBuf,
        /// Its number, counted from 0.
        found: u16,
        /// The number that its name gives.
        expected: u16,
    },
    /// A shard belongs to a set of another size.
    #[error("{}: split.count is {found}, expected {expected}: the shard is of another set", path.display())]
    Count {
        /// The shard.
        path: PathBuf,
        /// Its count.
        found: u16,
        /// The count of the shard that was opened.
        expected: u16,
    },
    /// The shards have more or fewer tensors than one of them says.
    #[error("{}: split.tensors.count is {claimed}, but the shards have {found} tensors: one is of another set",
        path.display())]
    TensorCount {
        /// The shard that says otherwise.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// How many it says.
        claimed: u64,
    },
    /// Two shards have a tensor of the same name.
    #[error("{}: tensor {name:?} is also in {}: one is of another set", path.display(), first.display())]
    DuplicateTensor {
        /// The later shard.
        path: PathBuf,
        /// The earlier shard.
        first: PathBuf,
        /// The tensor.
        name: String,
    },
}

/// How a name out of a file begins, fit to be shown: what is not UTF-8 replaced, long ones cut.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    match bytes.get(..SHOWN) {
        Some(start) if bytes.len() > SHOWN => format!("{}…", String::from_utf8_lossy(start)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
