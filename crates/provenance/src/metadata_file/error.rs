//! What can be wrong with a file of metadata.

use std::io;
use std::path::PathBuf;

use crate::error::Error;

/// Why a file of metadata cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataFileError {
    /// The file cannot be read.
    #[error("{}: cannot read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than any metadata.
    #[error("{}: {bytes} bytes, expected at most {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// The file is not JSON.
    #[error("{}: not valid JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The file is JSON, but no object.
    #[error("{}: is {found}, expected an object of metadata keys", path.display())]
    NoObject {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// The file has more keys than one that somebody wrote, or a list has more entries.
    #[error("{}: {what} has {found} entries, expected at most {limit}", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// `the file`, or the key of a list.
        what: String,
        /// How many there are.
        found: usize,
        /// The most that are read.
        limit: usize,
    },
    /// Keys that cannot be set.
    #[error("{}: {}", path.display(), told(problems))]
    Keys {
        /// The file.
        path: PathBuf,
        /// All of them; the message tells the first ten.
        problems: Vec<KeyProblem>,
    },
}

/// How many problems a message tells: about what a person reads.
const TOLD: usize = 10;

fn told(problems: &[KeyProblem]) -> String {
    let mut text = problems.iter().take(TOLD).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Some(more) = problems.len().checked_sub(TOLD).filter(|more| *more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

/// Why a key cannot be set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// A key that no file can have.
    #[error("key {key:?}: keys are made of ASCII letters, digits and punctuation")]
    Name {
        /// The key.
        key: String,
    },
    /// A `general.*` key that does not exist.
    #[error("key `{key}` does not exist; nearest: {}", nearest.join(", "))]
    Unknown {
        /// The key.
        key: String,
        /// The keys whose names are most like it.
        nearest: Vec<&'static str>,
    },
    /// A key that is not for users to set.
    #[error("key `{key}` cannot be set here: {why}")]
    Reserved {
        /// The key.
        key: String,
        /// Why not.
        why: &'static str,
    },
    /// The architecture of another model.
    #[error(
        "key `general.architecture` cannot be changed: tensors and keys of the model are those of {expected}"
    )]
    Architecture {
        /// The model's architecture.
        expected: String,
    },
    /// A value of a wrong type, or out of its range.
    #[error("key `{key}` is {found}, expected {expected}")]
    Type {
        /// The key.
        key: String,
        /// The value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// A number for a key that the model does not have, so that its type is not known.
    #[error(
        "key `{key}` is not in the model, and {found} does not tell a type: write it as {{\"u32\": …}}, {{\"f32\": …}}"
    )]
    NoType {
        /// The key.
        key: String,
        /// The value.
        found: String,
    },
    /// A value that the key cannot have.
    #[error("key `{key}`: {source}")]
    Value {
        /// The key.
        key: String,
        /// Why not.
        source: Error,
    },
}
