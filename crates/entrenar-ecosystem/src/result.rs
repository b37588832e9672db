//! What an export gives back.

use std::path::PathBuf;

use export_pipeline::Report;

use crate::quantization::QuantizationType;

/// A finished export.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GgufExportResult {
    /// The file that was written; of shards, the first ([`Report::files`] tells all).
    pub output_path: PathBuf,
    /// The type that was asked for.
    pub quantization: QuantizationType,
    /// The number of metadata keys in the file.
    pub metadata_keys: usize,
    /// The length of the file (of all shards together) in bytes, as planned before the first was written. It is exact.
    pub estimated_size_bytes: u64,
    /// What became of every tensor.
    pub report: Report,
}
