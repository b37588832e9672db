//! Our side: one export, and what is compared of it.

use std::path::Path;

use entrenar_ecosystem::{GgufExporter, QuantizationType};
use fixture_models::{FILE_TYPES, Summary};

use crate::report::{Outcome, first_few};

/// The number of a file type in `general.file_type` (llama.h, `llama_ftype`).
///
/// # Errors
/// A name that is none of the eight.
pub fn file_type_id(name: &str) -> Result<u32, String> {
    const IDS: [u32; 8] = [0, 1, 7, 18, 17, 15, 12, 10];
    let found = FILE_TYPES.iter().zip(IDS).find(|(n, _)| **n == name);
    found.map(|(_, id)| id).ok_or_else(|| format!("no file type {name:?}"))
}

/// Exports a folder with ours, which has to recognise the tokenizer by itself.
///
/// # Errors
/// What the exporter says.
pub fn export(folder: &Path, output: &Path, file_type: &str) -> Result<(), Box<dyn std::error::Error>> {
    let quantization = QuantizationType::parse(file_type).ok_or_else(|| format!("no type {file_type:?}"))?;
    let result = GgufExporter::new(quantization).export(folder, output)?;
    let length = std::fs::metadata(output)?.len();
    if result.estimated_size_bytes != length {
        return Err(format!("planned {} bytes, wrote {length}", result.estimated_size_bytes).into());
    }
    Ok(())
}

/// An outcome from a comparison: what was equal, or how the files differ.
///
/// # Errors
/// The differences.
pub fn compare(expected: &Summary, found: &Summary) -> Outcome {
    let differences = fixture_models::differences(expected, found);
    if !differences.is_empty() {
        return Err(first_few(&differences).into());
    }
    let whole = if expected.sha256 == found.sha256 { "; the whole file is the same" } else { "" };
    Ok(format!("{} tensors, {} pairs equal{whole}", expected.tensors.len(), expected.metadata.len()))
}
