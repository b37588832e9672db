//! What is wrong with an importance matrix.

use std::io;
use std::path::PathBuf;

use gguf_format::{GgmlType, KeyError, ReadError};

/// An importance matrix cannot be read, or not be used for a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportanceError {
    /// The system is at fault.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file begins as GGUF and is none.
    #[error(transparent)]
    Gguf(ReadError),
    /// A metadata key of a GGUF file is missing, or of a wrong type.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file of the older format ends too early, or is something else.
    #[error(
        "{place}: {needed} more bytes expected, {remaining} remain; the file is cut off or no importance matrix"
    )]
    Truncated {
        /// What was being read.
        place: String,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that the file still has.
        remaining: u64,
    },
    /// A file of the older format has more entries than the limits allow.
    #[error("{found} entries, the limit is {max}: raise Limits::tensors")]
    TooMany {
        /// How many it has.
        found: u64,
        /// How many are allowed.
        max: u32,
    },
    /// A length in a file of the older format makes no sense.
    #[error("{place}: found {found}, expected 1 or more; the file is broken or no importance matrix")]
    Count {
        /// What was being read.
        place: String,
        /// The number.
        found: i32,
    },
    /// A text in a file of the older format is not UTF-8, or has a NUL in it.
    #[error("{place}: found bytes that are no text; the file is broken or no importance matrix")]
    Text {
        /// What was being read.
        place: String,
    },
    /// Two entries have the same name.
    #[error("tensor {name:?} has two entries; make the matrix again")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// One of the two tensors of an entry of a GGUF file is missing.
    #[error("entry {name:?}: {lacks:?} is missing; make the matrix again")]
    Unpaired {
        /// The entry.
        name: String,
        /// The name of the tensor that is missing.
        lacks: String,
    },
    /// A tensor of a GGUF file holds something else than sums and counts do.
    #[error("tensor {tensor:?}: found {found}, expected F32; make the matrix again")]
    Type {
        /// The tensor.
        tensor: String,
        /// Its type.
        found: GgmlType,
    },
    /// Sums and counts of an entry of a GGUF file do not go together.
    #[error("entry {name:?}: found {sums} sums for {counts} {of}; make the matrix again")]
    Shape {
        /// The entry.
        name: String,
        /// How many sums there are.
        sums: usize,
        /// How many of the others there are.
        counts: usize,
        /// What the others are.
        of: &'static str,
    },
    /// A count is no number of calls.
    #[error("entry {name:?}: found {found} as count {index}, expected a number; make the matrix again")]
    Called {
        /// The entry.
        name: String,
        /// Which count.
        index: usize,
        /// Its value.
        found: f32,
    },
    /// There is no entry, or none is left.
    #[error("no tensor has importance in this file; make the matrix again, or exclude less")]
    Empty,
    /// A part of names to include or exclude is in none.
    #[error("{part:?} is in the name of no tensor of the importance matrix; correct it or leave it out")]
    Unmatched {
        /// The part.
        part: String,
    },
    /// There are more or fewer weights than the tensor has columns.
    #[error(
        "tensor {name:?}: found importance of {found} columns, expected {expected}; use this model's matrix"
    )]
    Size {
        /// The tensor.
        name: String,
        /// How many weights there are.
        found: usize,
        /// The row length times the number of matrices.
        expected: u64,
    },
    /// A weight is negative, infinite or no number.
    #[error(
        "tensor {name:?}: found importance {found} for column {index}, expected 0 or more; \
         make the matrix again, or exclude the tensor"
    )]
    Weight {
        /// The tensor.
        name: String,
        /// Which weight.
        index: usize,
        /// Its value.
        found: f32,
    },
    /// A tensor gets a type that gives garbage without importance, and there is none for it.
    #[error(
        "tensor {name:?}: {ty} needs importance, and {lacks}; make one with llama-imatrix or choose another type"
    )]
    Required {
        /// The tensor.
        name: String,
        /// The type it gets.
        ty: GgmlType,
        /// What is missing.
        lacks: &'static str,
    },
}

/// An importance matrix cannot be read, and this is the file.
#[derive(Debug, thiserror::Error)]
#[error("importance matrix {}: {source}", path.display())]
pub struct ImportanceFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub source: ImportanceError,
}
