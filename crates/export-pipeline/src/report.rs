//! What a run did, tensor by tensor.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

/// What was written.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The file, at its final place; of shards, the first.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Its length in bytes, or that of all shards together: what the plan said.
    pub bytes: u64,
    /// Every file, the first shard first.
    pub files: Vec<FileReport>,
    /// Every tensor, in file order.
    pub tensors: Vec<TensorReport>,
    /// Time from the first read to the rename, in seconds.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileReport {
    /// The file, at its final place.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many tensors it holds.
    pub tensors: usize,
}

/// What became of one tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TensorReport {
    /// The name in the file.
    pub name: String,
    /// Its type in the source, as the field writes it.
    pub from: &'static str,
    /// Its type in the file.
    pub to: &'static str,
    /// Its length in the file, in bytes.
    pub bytes: u64,
    /// Root mean square error relative to the root mean square of the weights; `None` if the run did not
    /// validate.
    pub relative_error: Option<f64>,
}

fn seconds<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(elapsed.as_secs_f64())
}

/// What of a path is no text is replaced: a file that was written is no error because of its name.
fn lossy<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
