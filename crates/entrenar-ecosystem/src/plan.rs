//! An export before it happens.

use std::path::{Path, PathBuf};

use export_pipeline::{Plan, PlannedFile, PlannedTensor};
use gguf_format::{GgmlType, Metadata};
use quant_recipe::Reason;
use serde::Serialize;

use crate::input::Input;
use crate::quantization::QuantizationType;

/// All that is known of an export before any tensor is read: every tensor's type and place, and the exact size
/// of the file. Made by [`GgufExporter::plan`](crate::GgufExporter::plan).
#[derive(Debug)]
pub struct ExportPlan {
    pub(crate) quantization: QuantizationType,
    pub(crate) input: Box<dyn Input>,
    pub(crate) plan: Plan,
    pub(crate) notes: Vec<String>,
}

/// A plan in numbers and names, for machines.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PlanSummary {
    /// The type that was asked for.
    pub quantization: QuantizationType,
    /// The exact length of the file, or of all shards together.
    pub bytes: u64,
    /// Every file: one, or the shards in order.
    pub files: Vec<FileSummary>,
    /// Weights in all tensors.
    pub weights: u64,
    /// Bits of the file's tensor data a weight takes.
    pub bits_per_weight: f64,
    /// The number of metadata keys.
    pub metadata_keys: usize,
    /// What a user should know before the export.
    pub notes: Vec<String>,
    /// What was found in the model and by which rule.
    pub details: Vec<String>,
    /// Every tensor, in file order.
    pub tensors: Vec<TensorSummary>,
}

/// A planned file, for machines.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FileSummary {
    /// Its exact length.
    pub bytes: u64,
    /// How many tensors it holds.
    pub tensors: usize,
}

/// A planned tensor, for machines.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TensorSummary {
    /// The name in the file.
    pub name: String,
    /// The dimensions in ggml's order.
    pub dims: Vec<u64>,
    /// The type in the source.
    pub from: &'static str,
    /// The type in the file.
    pub to: &'static str,
    /// Which file it goes to, counted from 0.
    pub file: usize,
    /// Offset in that file.
    pub offset: u64,
    /// Length in the file, in bytes.
    pub bytes: u64,
    /// Why it has this type.
    pub reason: String,
}

impl ExportPlan {
    /// The type that was asked for.
    #[must_use]
    pub fn quantization(&self) -> QuantizationType {
        self.quantization
    }

    /// The tensors, in file order.
    #[must_use]
    pub fn tensors(&self) -> &[PlannedTensor] {
        self.plan.tensors()
    }

    /// The metadata of the file, in its order.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.plan.metadata()
    }

    /// The files: one, or the shards in order.
    #[must_use]
    pub fn files(&self) -> &[PlannedFile] {
        self.plan.files()
    }

    /// The paths that are written for an output: the output itself; for shards, `output-00001-of-00003.gguf` and so on.
    #[must_use]
    pub fn paths(&self, output: &Path) -> Vec<PathBuf> {
        self.plan.paths(output)
    }

    /// The exact length of the file in bytes; of shards, of all together.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.plan.file_len()
    }

    /// Weights in all tensors.
    #[must_use]
    pub fn weights(&self) -> u64 {
        self.tensors().iter().map(PlannedTensor::elements).sum()
    }

    /// Bits of tensor data that a weight takes on average.
    #[must_use]
    pub fn bits_per_weight(&self) -> f64 {
        let bytes: u64 = self.tensors().iter().map(|t| t.bytes).sum();
        bytes as f64 * 8.0 / self.weights().max(1) as f64
    }

    /// What a user should know: tensors whose shape does not allow the wanted type, tensors that were left
    /// out, tokens that were added.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What was found in the model and by which rule: its tokenizer, the pre-tokenizer, the chat template's file.
    #[must_use]
    pub fn details(&self) -> &[String] {
        self.input.details()
    }

    /// The plan in numbers and names, for machines.
    #[must_use]
    pub fn summary(&self) -> PlanSummary {
        PlanSummary {
            quantization: self.quantization,
            bytes: self.file_len(),
            files: self.files().iter().map(FileSummary::of).collect(),
            weights: self.weights(),
            bits_per_weight: self.bits_per_weight(),
            metadata_keys: self.metadata().len(),
            notes: self.notes.clone(),
            details: self.details().to_vec(),
            tensors: self.tensors().iter().map(TensorSummary::of).collect(),
        }
    }
}

impl FileSummary {
    fn of(file: &PlannedFile) -> Self {
        Self { bytes: file.len(), tensors: file.tensors().len() }
    }
}

impl TensorSummary {
    fn of(tensor: &PlannedTensor) -> Self {
        Self {
            name: tensor.name.clone(),
            dims: tensor.dims.as_slice().to_vec(),
            from: tensor.element.name(),
            to: tensor.ty.name(),
            file: tensor.file,
            offset: tensor.offset,
            bytes: tensor.bytes,
            reason: tensor.reason.to_string(),
        }
    }
}

/// A kind of fallback.
#[derive(Clone, Copy, PartialEq)]
struct Fallback {
    ty: GgmlType,
    wanted: GgmlType,
    row_len: u64,
}

/// What tensors could not get the type they should have: a note for each kind of fallback, with how many and
/// which; [`PlannedTensor::reason`] says it of every tensor.
pub(crate) fn fallback_notes(plan: &Plan) -> Vec<String> {
    let mut kinds: Vec<(Fallback, Vec<&str>)> = Vec::new();
    for tensor in plan.tensors() {
        let Reason::Fallback { wanted, row_len } = tensor.reason else { continue };
        let fallback = Fallback { ty: tensor.ty, wanted, row_len };
        match kinds.iter_mut().find(|(known, _)| *known == fallback) {
            Some((_, names)) => names.push(&tensor.name),
            None => kinds.push((fallback, vec![&tensor.name])),
        }
    }
    kinds.iter().map(|(fallback, names)| fallback.note(names)).collect()
}

impl Fallback {
    /// In words, with the first few of the tensors.
    fn note(self, names: &[&str]) -> String {
        let Self { ty, wanted, row_len } = self;
        let (tensors, shown, block_len) = (tensors(names.len()), first_few(names), wanted.block_len());
        format!("{tensors} as {ty}, not {wanted}: rows of {row_len} are no multiple of {block_len} ({shown})")
    }
}

/// Which tensors an importance matrix knows nothing of, though it would change them; a note, if any.
pub(crate) fn importance_note(names: &[String]) -> Option<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (tensors, shown) = (tensors(names.len()), first_few(&names));
    (!names.is_empty()).then(|| format!("{tensors} without importance in the matrix ({shown})"))
}

fn tensors(count: usize) -> String {
    format!("{count} tensor{}", if count == 1 { "" } else { "s" })
}

fn first_few(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ") + more
}
