//! Splitting and merging GGUF models: the same bytes, in other files.
//!
//! Source of the facts: `tools/gguf-split/gguf-split.cpp` of llama.cpp as in llama-cpp-python 0.3.36.

use std::path::Path;

use export_pipeline::{Cancel, Existing, Plan, Progress, RunOptions};
use gguf_format::{Limits, Metadata, ShardRule, keys};
use quant_recipe::{ModelFacts, Recipe, TensorDesc};

use crate::error::GgufExportError;
use crate::input::{GgufInput, Input};
use crate::plan::ExportPlan;
use crate::quantization::QuantizationType;
use crate::result::GgufExportResult;

/// Splits GGUF models into shards, as `llama-gguf-split --split` does, to the byte.
///
/// Tensors keep their order and their bytes. The metadata go into the first shard; every shard gets `split.no`,
/// `split.tensors.count` and `split.count`.
///
/// ```no_run
/// use entrenar_ecosystem::{GgufSplitter, ShardLimit, ShardRule};
///
/// let rule = ShardRule::new("2G".parse::<ShardLimit>()?);
/// let result = GgufSplitter::new(rule).split("model.gguf", "model")?;
/// for file in &result.report.files {
///     println!("{}: {} bytes", file.path.display(), file.bytes);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct GgufSplitter {
    rule: ShardRule,
    existing: Existing,
}

impl GgufSplitter {
    /// A splitter by this rule.
    #[must_use]
    pub fn new(rule: ShardRule) -> Self {
        Self { rule, existing: Existing::Replace }
    }

    /// What to do if a shard exists: by default the set is replaced.
    #[must_use]
    pub fn with_existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Plans a split: reads the headers of the model at `input`, a GGUF file or any shard of a set, which is then cut
    /// anew as a whole.
    ///
    /// # Errors
    /// The model cannot be read, or its first tensor is larger than a shard may be.
    pub fn plan(&self, input: impl AsRef<Path>) -> Result<ExportPlan, GgufExportError> {
        let input = GgufInput::open(input.as_ref(), &hf_checkpoint::Options::new(), &Limits::new())?;
        let metadata = input.metadata();
        let plan = copied(&input, metadata)?.split(&self.rule)?;
        Ok(ExportPlan::of_copy(input, plan))
    }

    /// Carries out a plan that this splitter made: writes `prefix-00001-of-00003.gguf` and so on; a `.gguf` at the end of
    /// the prefix is left out.
    ///
    /// # Errors
    /// The model cannot be read any more, or a shard cannot be written. All paths are then as they were before.
    pub fn write(
        &self,
        plan: &ExportPlan,
        prefix: impl AsRef<Path>,
        progress: &dyn Progress,
        cancel: Option<&Cancel>,
    ) -> Result<GgufExportResult, GgufExportError> {
        plan.write(prefix.as_ref(), &options(self.existing, cancel), progress)
    }

    /// [`plan`](Self::plan) and [`write`](Self::write) in one.
    ///
    /// # Errors
    /// As those two.
    pub fn split(
        &self,
        input: impl AsRef<Path>,
        prefix: impl AsRef<Path>,
    ) -> Result<GgufExportResult, GgufExportError> {
        self.write(&self.plan(input)?, prefix, &(), None)
    }
}

/// Merges the shards of a GGUF model into one file, as `llama-gguf-split --merge` does, to the byte.
///
/// That leaves `split.no`, `split.tensors.count` and a `split.count` of 0 in the file;
/// [`without_split_keys`](Self::without_split_keys) takes them out, which gives back the file that was split.
#[derive(Clone, Debug, Default)]
pub struct GgufMerger {
    without_split_keys: bool,
    existing: Existing,
}

impl GgufMerger {
    /// A merger that leaves the keys of the split in, as llama.cpp's.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the keys of the split out: the file then is, byte for byte, the one that was split, if llama.cpp or this
    /// crate had written that.
    #[must_use]
    pub fn without_split_keys(mut self) -> Self {
        self.without_split_keys = true;
        self
    }

    /// What to do if the output exists: by default it is replaced, atomically.
    #[must_use]
    pub fn with_existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Plans a merge: reads the headers of all shards of the set that one of them is given of.
    ///
    /// # Errors
    /// A shard is missing, cut short or of another set, or the file is no shard.
    pub fn plan(&self, shard: impl AsRef<Path>) -> Result<ExportPlan, GgufExportError> {
        let shard = shard.as_ref();
        let input = GgufInput::open(shard, &hf_checkpoint::Options::new(), &Limits::new())?;
        let Some(split) = input.split_metadata() else {
            return Err(GgufExportError::NotSplit(shard.to_path_buf()));
        };
        let metadata = if self.without_split_keys { input.metadata() } else { merged(split) };
        let plan = copied(&input, metadata)?;
        Ok(ExportPlan::of_copy(input, plan))
    }

    /// Carries out a plan that this merger made.
    ///
    /// # Errors
    /// A shard cannot be read any more, or the output cannot be written. The output path is then as it was before.
    pub fn write(
        &self,
        plan: &ExportPlan,
        output: impl AsRef<Path>,
        progress: &dyn Progress,
        cancel: Option<&Cancel>,
    ) -> Result<GgufExportResult, GgufExportError> {
        plan.write(output.as_ref(), &options(self.existing, cancel), progress)
    }

    /// [`plan`](Self::plan) and [`write`](Self::write) in one.
    ///
    /// # Errors
    /// As those two.
    pub fn merge(
        &self,
        shard: impl AsRef<Path>,
        output: impl AsRef<Path>,
    ) -> Result<GgufExportResult, GgufExportError> {
        self.write(&self.plan(shard)?, output, &(), None)
    }
}

/// The first shard's metadata as llama-gguf-split leaves them in a merged file: a count of 0, at the end, says that it is
/// no shard any more.
fn merged(mut metadata: Metadata) -> Metadata {
    metadata.move_to_end(keys::SPLIT_COUNT, 0u16);
    metadata
}

/// All tensors in the input's order, each as it is.
fn copied(input: &GgufInput, metadata: Metadata) -> Result<Plan, GgufExportError> {
    let tensors = input.tensors()?;
    let described: Vec<TensorDesc<'_>> = tensors
        .iter()
        .map(|t| TensorDesc { name: &t.name, dims: t.dims.as_slice(), element: t.element })
        .collect();
    let types = Recipe::copy().assign(&ModelFacts::default(), &described)?;
    Ok(Plan::in_order(tensors, types, metadata)?)
}

/// Bytes are moved, whatever they are: weights are not looked at.
fn options(existing: Existing, cancel: Option<&Cancel>) -> RunOptions<'_> {
    RunOptions { validate: false, existing, cancel, ..RunOptions::default() }
}

impl ExportPlan {
    fn of_copy(input: GgufInput, plan: Plan) -> Self {
        let notes = input.notes().to_vec();
        Self { quantization: QuantizationType::Copy, input: Box::new(input), plan, notes }
    }
}
