//! A header or a tensor could not be read: the system, the file, the limits or the caller is at fault.

use std::io;
use std::path::PathBuf;

use super::format::{FormatError, Place};

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
    /// There are too many shards.
    #[error("split.count is {found}, the limit is {max}: raise Limits::shards")]
    Shards {
        /// How many there are.
        found: u16,
        /// How many are allowed.
        max: u16,
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
