//! What can go wrong between a plan and a file, by who is at fault.

use std::io;
use std::path::{Path, PathBuf};

use gguf_format::GgmlType;

use crate::source::SourceError;

/// Why files were not planned or not written. In every case but [`NotDurable`](Self::NotDurable) the targets are as they were
/// before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The types do not belong to the tensors.
    #[error("{tensors} tensors, but types for {types}")]
    Unmatched {
        /// How many tensors there are.
        tensors: usize,
        /// How many types there are.
        types: usize,
    },
    /// The file that was asked for cannot be laid out.
    #[error(transparent)]
    Layout(#[from] gguf_format::LayoutError),
    /// The model cannot be cut into shards as asked.
    #[error(transparent)]
    Shard(#[from] gguf_format::ShardError),
    /// The first tensor is larger than a shard may be.
    #[error(
        "tensor {tensor:?} has {size} bytes, more than the {limit} a shard may have: raise the size of shards"
    )]
    ShardTooSmall {
        /// The tensor's name.
        tensor: String,
        /// Its size with padding.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The shards that tensors are to stay in do not belong to the tensors.
    #[error("{tensors} tensors, but only {placed} of them have one of {count} shards to go to")]
    Shards {
        /// How many tensors there are.
        tensors: usize,
        /// How many of them have a shard.
        placed: usize,
        /// How many shards there are.
        count: u16,
    },
    /// More tensors than the metadata of shards can count.
    #[error("{found} tensors, and shards count at most 2147483647: write one file")]
    TooManyTensors {
        /// How many there are.
        found: usize,
    },
    /// The header is larger than readers take one to be ([`gguf_format::Limits`]).
    #[error("the file would have {found} {what}, and readers take at most {limit}")]
    HeaderTooLarge {
        /// `metadata pairs`, `tensors` or `bytes before its tensors`.
        what: &'static str,
        /// How many there would be.
        found: u64,
        /// The most there may be.
        limit: u64,
    },
    /// There is no encoder, or no decoder for what the source holds.
    #[error("tensor {tensor:?}: cannot turn {from} into {to}")]
    NoKernel {
        /// The tensor's name.
        tensor: String,
        /// What the source holds.
        from: GgmlType,
        /// What was wanted.
        to: GgmlType,
    },
    /// Importance does not fit the tensor.
    #[error("tensor {tensor:?}: importance for {found} columns, expected {expected}")]
    Importance {
        /// The tensor's name.
        tensor: String,
        /// How many values there are.
        found: usize,
        /// How many columns there are, in all matrices.
        expected: u64,
    },
    /// The source failed.
    #[error("tensor {tensor:?}: {source}")]
    Source {
        /// The tensor's name.
        tensor: String,
        /// The source's own error.
        source: SourceError,
    },
    /// A weight is NaN or infinite.
    #[error(
        "tensor {tensor:?}: element {index} is {value}, expected a finite number (the checkpoint is damaged \
         or training diverged)"
    )]
    NotFinite {
        /// The tensor's name.
        tensor: String,
        /// Index of the first such element, counted along the rows.
        index: u64,
        /// Its value: NaN or an infinity.
        value: f32,
    },
    /// The kernel refused a chunk.
    #[error("tensor {tensor:?}: {source}")]
    Kernel {
        /// The tensor's name.
        tensor: String,
        /// The kernel's error.
        source: kquant::Error,
    },
    /// Validation: the encoded weights are further from the source than the type can explain.
    #[error(
        "tensor {tensor:?}: as {ty} its error is {found:.3e} (root mean square), at most {allowed:.3e} can be \
         explained by the type; choose a wider type for it"
    )]
    TooFar {
        /// The tensor's name.
        tensor: String,
        /// The type it was encoded as.
        ty: GgmlType,
        /// Root mean square error found; NaN or infinite if decoded values are.
        found: f64,
        /// The largest that the type explains.
        allowed: f64,
    },
    /// Validation: the file does not read back as it was planned.
    #[error("{path}: the file written does not read back: {what}")]
    ReadBack {
        /// The target.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// The output is there already, and was not to be replaced.
    #[error("{path}: exists already (use --force to replace it)")]
    OutputExists {
        /// The target.
        path: PathBuf,
    },
    /// The output exists and is a folder, a device or the like.
    #[error("{path}: is not a regular file, cannot be an output")]
    OutputNotAFile {
        /// The target.
        path: PathBuf,
    },
    /// The folder of the output is not there, or cannot be written.
    #[error("output folder {folder}: {source}")]
    OutputFolder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no room.
    #[error("{path}: no room on the disk for {needed} bytes")]
    DiskFull {
        /// The target.
        path: PathBuf,
        /// The size of the whole file.
        needed: u64,
        /// Why.
        source: io::Error,
    },
    /// Another failure of the output.
    #[error("{path}: cannot {action} the output: {source}")]
    Output {
        /// The target.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is in its place, whole, but the system could not be made to keep it there for certain.
    #[error(
        "{path}: written whole, but its folder cannot be synced: a power failure may bring back what was there before: {source}"
    )]
    NotDurable {
        /// The target.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The worker threads could not be started.
    #[error("cannot start {threads} worker threads: {source}")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// Why.
        source: rayon::ThreadPoolBuildError,
    },
    /// The caller asked to stop.
    #[error("stopped before the end; nothing was written")]
    Cancelled,
}

impl Error {
    pub(crate) fn output(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Output { path: path.to_path_buf(), action, source }
    }
}
