//! Carrying out a plan, whoever made it.

use std::fs;
use std::path::Path;

use export_pipeline::{Progress, RunOptions};

use crate::error::GgufExportError;
use crate::input::Input;
use crate::plan::ExportPlan;
use crate::result::GgufExportResult;

impl ExportPlan {
    pub(crate) fn write(
        &self,
        output: &Path,
        options: &RunOptions<'_>,
        progress: &dyn Progress,
    ) -> Result<GgufExportResult, GgufExportError> {
        for path in self.plan.paths(output) {
            refuse_own_source(self.input.as_ref(), &path)?;
        }
        let report = export_pipeline::run(&self.plan, self.input.as_ref(), output, options, progress)?;
        Ok(GgufExportResult {
            output_path: report.path.clone(),
            quantization: self.quantization,
            metadata_keys: self.metadata().len(),
            estimated_size_bytes: self.file_len(),
            report,
        })
    }
}

/// An output that is one of the model's own files would destroy it: a shard, or, in the model's folder, anything
/// but a GGUF file.
fn refuse_own_source(input: &dyn Input, output: &Path) -> Result<(), GgufExportError> {
    let Ok(output_file) = fs::canonicalize(output) else { return Ok(()) }; // Not there: nothing to destroy.
    let is_gguf = output_file.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
    for source in input.files() {
        let Ok(source) = fs::canonicalize(&source) else { continue };
        if source == output_file || (source.parent() == output_file.parent() && !is_gguf) {
            return Err(GgufExportError::OutputIsInput(output.to_path_buf()));
        }
    }
    Ok(())
}
