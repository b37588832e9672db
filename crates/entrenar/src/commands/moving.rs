//! What `split` and `merge` have in common: tensors move from files to files.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use clap::Args as ClapArgs;
use entrenar::ecosystem::{Cancel, Existing, ExportPlan, GgufExportError, GgufExportResult};
use serde_json::json;

use super::Failure;
use crate::ui::{self, Meter};
use crate::{json, text};

#[derive(ClapArgs)]
pub(crate) struct Output {
    /// Replace files that exist
    #[arg(long)]
    force: bool,

    /// Results as JSON on standard output
    #[arg(long)]
    json: bool,

    /// No progress and no notes
    #[arg(long)]
    quiet: bool,
}

impl Output {
    pub(crate) fn existing(&self) -> Existing {
        if self.force { Existing::Replace } else { Existing::Keep }
    }
}

/// A plan on its way.
pub(crate) struct Moving<'a> {
    pub(crate) plan: &'a ExportPlan,
    pub(crate) target: &'a Path,
    pub(crate) output: &'a Output,
}

impl Moving<'_> {
    /// Says which files there would be.
    pub(crate) fn print_plan(&self) -> Result<(), Failure> {
        self.notes();
        let files = self.plan.files().iter().map(|file| (file.len(), file.tensors().len()));
        let paths = self.plan.paths(self.target);
        print(&paths.iter().map(AsRef::as_ref).zip(files).collect::<Vec<_>>(), self.output.json, None)
    }

    /// Writes the files and says which they are.
    pub(crate) fn run(
        &self,
        write: impl FnOnce(&Meter, &Cancel) -> Result<GgufExportResult, GgufExportError>,
    ) -> Result<(), Failure> {
        self.notes();
        let cancel = Arc::new(Cancel::new());
        let on_signal = Arc::clone(&cancel);
        ctrlc::set_handler(move || on_signal.cancel())?;
        let meter = Meter::new(self.output.quiet);
        let written = write(&meter, &cancel);
        meter.clear();
        let report = written?.report;
        let files: Vec<_> =
            report.files.iter().map(|file| (file.path.as_path(), (file.bytes, file.tensors))).collect();
        print(&files, self.output.json, Some(report.elapsed.as_secs_f64()))
    }

    fn notes(&self) {
        if !self.output.quiet {
            ui::say_notes(self.plan.notes());
        }
    }
}

/// Prints each file with its size and its number of tensors.
fn print(files: &[(&Path, (u64, usize))], as_json: bool, seconds: Option<f64>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    if as_json {
        let listed: Vec<_> = files
            .iter()
            .map(|(path, (bytes, tensors))| json!({ "path": json::path(path), "bytes": bytes, "tensors": tensors }))
            .collect();
        let bytes: u64 = files.iter().map(|(_, (bytes, _))| bytes).sum();
        let value = json!({ "files": listed, "bytes": bytes, "seconds": seconds });
        json::write(&mut out, &value)?;
    } else {
        for (path, (bytes, tensors)) in files {
            let path = text::path(path);
            let s = if *tensors == 1 { "" } else { "s" };
            writeln!(out, "{path}: {tensors} tensor{s}, {} ({bytes} bytes)", text::bytes(*bytes))?;
        }
    }
    out.flush()?;
    Ok(())
}
