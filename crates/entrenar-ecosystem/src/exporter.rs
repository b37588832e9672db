//! The exporter: a checkpoint and what is said about it become a plan, and the plan a file.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use export_pipeline::{Cancel, Existing, Plan, Progress, RunOptions};
use gguf_format::{Limits as GgufLimits, Metadata, Value};
use hf_checkpoint::{Limits as CheckpointLimits, Options};
use provenance::{ExperimentProvenance, GeneralMetadata, MetadataFile, to_text};
use quant_recipe::{ImportanceMatrix, ModelFacts, PrunedLayers, Recipe, TensorDesc, guessed_file_type};

use crate::error::GgufExportError;
use crate::input::{self, Input, PrunedInput};
use crate::plan::{ExportPlan, fallback_notes, importance_note};
use crate::quantization::QuantizationType;
use crate::result::GgufExportResult;
use crate::shards::Shards;

/// The version of the block formats, as ggml counts it (`GGML_QNT_VERSION`).
const QUANTIZATION_VERSION: u32 = 2;
const QUANTIZATION_VERSION_KEY: &str = "general.quantization_version";
const FILE_TYPE_KEY: &str = "general.file_type";

/// Exports models to GGUF files.
///
/// Set it up with the `with_…` methods, then [`export`](Self::export); the same exporter serves any number of
/// models.
#[derive(Clone, Debug)]
pub struct GgufExporter {
    recipe: Recipe,
    importance: Option<(ImportanceMatrix, PathBuf)>,
    pruned: Option<PrunedLayers>,
    overrides: Vec<(String, Value)>,
    threads: Option<NonZeroUsize>,
    validate: bool,
    existing: Existing,
    shards: Shards,
    raw: bool,
    model_name: Option<String>,
    pre_tokenizer: Option<String>,
    adapters: Vec<(PathBuf, f64)>,
    adapter_base: Option<PathBuf>,
    checkpoint_limits: CheckpointLimits,
    gguf_limits: GgufLimits,
    general: Option<GeneralMetadata>,
    metadata_file: Option<MetadataFile>,
    provenance: Option<ExperimentProvenance>,
}

impl GgufExporter {
    /// An exporter to this type: one thread a processor, with validation.
    #[must_use]
    pub fn new(quantization: QuantizationType) -> Self {
        Self::with_recipe(quantization.recipe())
    }

    /// An exporter by a recipe, which may have options: types for the output, for tensors by their names, no mix,
    /// requantizing; or [`Recipe::copy`], which keeps every tensor's type.
    #[must_use]
    pub fn with_recipe(recipe: Recipe) -> Self {
        Self {
            recipe,
            importance: None,
            pruned: None,
            overrides: Vec::new(),
            threads: None,
            validate: true,
            existing: Existing::Replace,
            shards: Shards::One,
            raw: false,
            model_name: None,
            pre_tokenizer: None,
            adapters: Vec::new(),
            adapter_base: None,
            checkpoint_limits: CheckpointLimits::new(),
            gguf_limits: GgufLimits::new(),
            general: None,
            metadata_file: None,
            provenance: None,
        }
    }

    /// Works on this many threads; 0 means one a processor. The file does not depend on it.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = NonZeroUsize::new(threads);
        self
    }

    /// Accepts NaN and infinity in the source, and does not check the encoded weights.
    #[must_use]
    pub fn without_validation(mut self) -> Self {
        self.validate = false;
        self
    }

    /// Refuses Hugging Face folders, and adapters, that are larger than this, in place of limits that every published model
    /// keeps: for those who read strangers' files in a small place.
    #[must_use]
    pub fn with_checkpoint_limits(mut self, limits: CheckpointLimits) -> Self {
        self.checkpoint_limits = limits;
        self
    }

    /// The same for GGUF files that are exported from.
    #[must_use]
    pub fn with_gguf_limits(mut self, limits: GgufLimits) -> Self {
        self.gguf_limits = limits;
        self
    }

    /// Lets errors count by an importance matrix. The file's metadata say so, with the name of the matrix's file, which
    /// `path` is; not with its folder.
    #[must_use]
    pub fn with_importance_matrix(mut self, matrix: ImportanceMatrix, path: impl Into<PathBuf>) -> Self {
        self.importance = Some((matrix, path.into()));
        self
    }

    /// Leaves layers of the model out; the others get new numbers.
    #[must_use]
    pub fn with_pruned_layers(mut self, layers: PrunedLayers) -> Self {
        self.pruned = Some(layers);
        self
    }

    /// Sets a metadata key, whatever the model and all else says; it goes to the end. Of a key given twice the last
    /// value counts.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.overrides.push((key.into(), value.into()));
        self
    }

    /// Says what the model is. What is set here wins over what the checkpoint says, except the architecture:
    /// that is the checkpoint's own, if it has one.
    #[must_use]
    pub fn with_general(mut self, general: GeneralMetadata) -> Self {
        self.general = Some(general);
        self
    }

    /// Puts the metadata of a file over those of the model. What is set here wins over [`with_general`](Self::with_general)
    /// and [`with_provenance`](Self::with_provenance), and gives way to [`with_metadata`](Self::with_metadata).
    #[must_use]
    pub fn with_metadata_file(mut self, file: MetadataFile) -> Self {
        self.metadata_file = Some(file);
        self
    }

    /// Says which experiment the model comes from.
    #[must_use]
    pub fn with_provenance(mut self, provenance: ExperimentProvenance) -> Self {
        self.provenance = Some(provenance);
        self
    }

    /// Names the model, in place of the folder's name; its parts (base name, size, version) are taken from it.
    #[must_use]
    pub fn with_model_name(mut self, name: impl Into<String>) -> Self {
        self.model_name = Some(name.into());
        self
    }

    /// Names the pre-tokenizer, where the tokenizer's is not recognised.
    #[must_use]
    pub fn with_pre_tokenizer(mut self, name: impl Into<String>) -> Self {
        self.pre_tokenizer = Some(name.into());
        self
    }

    /// Merges a LoRA adapter, a folder of peft's, into the model while it is exported. `scale` is multiplied with the adapter's
    /// own; 1 leaves it as it is. Several adapters are merged one after another. The file's metadata name each by its folder's
    /// name, not its path.
    #[must_use]
    pub fn with_lora(mut self, folder: impl Into<PathBuf>, scale: f64) -> Self {
        self.adapters.push((folder.into(), scale));
        self
    }

    /// Takes inputs for LoRA adapters, folders of peft's, and makes each an adapter file for llama.cpp. `base` is the folder of the
    /// base model, of which the config is read. Types that adapters can have are F32, F16, BF16, Q8_0 and those they have (COPY).
    #[must_use]
    pub fn with_adapter_base(mut self, base: impl Into<PathBuf>) -> Self {
        self.adapter_base = Some(base.into());
        self
    }

    /// Keeps the checkpoint's own tensor names and writes no model metadata: for architectures that are not
    /// known. No inference program will run the result as it is.
    #[must_use]
    pub fn with_raw_names(mut self) -> Self {
        self.raw = true;
        self
    }

    /// What to do if the output exists: by default it is replaced, atomically.
    #[must_use]
    pub fn with_existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// In how many files the output goes: by default one.
    #[must_use]
    pub fn with_shards(mut self, shards: Shards) -> Self {
        self.shards = shards;
        self
    }

    /// The type that this exporter exports to.
    #[must_use]
    pub fn quantization(&self) -> QuantizationType {
        QuantizationType::of(&self.recipe)
    }

    /// The metadata that this exporter sets, whatever a checkpoint says, as text, in the order of the file: all that was given
    /// it, each key once, with the value that wins.
    ///
    /// What only a model can tell is not among them: its own metadata, its name where one is given for it
    /// ([`with_model_name`](Self::with_model_name)), and the file type of a copy. An architecture that is given is that of the
    /// file only where the model says none. What cannot be written is listed too: [`plan`](Self::plan) refuses it.
    #[must_use]
    pub fn collect_metadata(&self) -> Vec<(String, String)> {
        let mut metadata = Metadata::new();
        if let Some(general) = &self.general
            && general.merge_into(&mut metadata).is_err()
        {
            metadata.extend(general.to_metadata_pairs());
        }
        if let Some(provenance) = &self.provenance
            && provenance.merge_into(&mut metadata).is_err()
        {
            metadata.extend(provenance.to_metadata_pairs());
        }
        self.name_adapters(&mut metadata);
        if let Some(file) = &self.metadata_file {
            file.merge_without_model(&mut metadata);
        }
        self.close(&mut metadata, self.recipe.file_type().map(|file_type| file_type.id().into()));
        metadata.iter().map(|(key, value)| (key.to_owned(), to_text(value))).collect()
    }

    /// Plans an export: reads the headers of the model at `input` (a Hugging Face folder, an index, a
    /// `.safetensors` file, a GGUF file or any shard of several), no tensor.
    ///
    /// # Errors
    /// The model cannot be read or is not one we know, or the metadata cannot be written.
    pub fn plan(&self, input: impl AsRef<Path>) -> Result<ExportPlan, GgufExportError> {
        let mut options = Options::new().with_raw(self.raw).with_limits(self.checkpoint_limits.clone());
        options.model_name.clone_from(&self.model_name);
        options.pre_tokenizer.clone_from(&self.pre_tokenizer);
        for (folder, scale) in &self.adapters {
            options = options.with_adapter(folder, *scale);
        }
        options.base.clone_from(&self.adapter_base);
        let path = input.as_ref();
        let mut input = input::open(path, &options, &self.gguf_limits)?;
        let adapter = self.adapter_base.is_some();
        if (adapter || !self.adapters.is_empty()) && input.shards().is_some() {
            return Err(GgufExportError::LoraIntoGguf(path.to_path_buf()));
        }
        let mut importance = self.importance.as_ref().map(|(matrix, _)| matrix.clone());
        let mut metadata = input.take_metadata();
        self.describe(&mut metadata, input.as_ref())?;
        // Rules look at the whole model's facts, also where layers go.
        let facts = ModelFacts::from_metadata(&metadata)?;
        if let Some(layers) = &self.pruned {
            let pruned = PrunedInput::new(input, layers)?;
            importance = importance.map(|matrix| matrix.renumbered(pruned.renumbering()));
            pruned.renumbering().apply(&mut metadata);
            input = Box::new(pruned);
        }

        let tensors = input.tensors()?;
        let described: Vec<TensorDesc<'_>> = tensors
            .iter()
            .map(|t| TensorDesc { name: &t.name, dims: t.dims.as_slice(), element: t.element })
            .collect();
        let recipe = self.recipe.clone().with_importance_matrix(importance.is_some());
        let types =
            if adapter { recipe.assign_adapter(&described)? } else { recipe.assign(&facts, &described)? };
        let without = recipe.check_importance(importance.as_ref(), &described, &types)?;
        let mut plan = match self.shards {
            Shards::One => Plan::new(tensors, types, metadata)?,
            Shards::Rule(rule) => Plan::new(tensors, types, metadata)?.split(&rule)?,
            Shards::AsInput => {
                let (shards, count) =
                    input.shards().ok_or_else(|| GgufExportError::NoShards(path.to_path_buf()))?;
                Plan::in_order(tensors, types, metadata)?.keep_shards(&shards, count)?
            }
        };
        if let Some(matrix) = &importance {
            plan = plan.with_importance(|tensor| {
                // What does not fit was refused above.
                matrix.for_tensor(&tensor.name, tensor.dims.as_slice()).ok().flatten().cloned()
            })?;
        }

        let mut notes = input.notes().to_vec();
        notes.extend(fallback_notes(&plan));
        notes.extend(importance_note(&without));
        Ok(ExportPlan { quantization: self.quantization(), input, plan, notes })
    }

    /// Adds to a model's metadata what is said about it, in the order that survives llama.cpp's tools.
    fn describe(&self, metadata: &mut Metadata, input: &dyn Input) -> Result<(), GgufExportError> {
        if let Some(general) = &self.general {
            general.merge_into(metadata)?;
        }
        if let Some(provenance) = &self.provenance {
            provenance.merge_into(metadata)?;
        }
        self.name_adapters(metadata);
        if let Some(file) = &self.metadata_file {
            file.merge_into(metadata)?;
        }
        let file_type = match (self.recipe.file_type(), metadata.get(FILE_TYPE_KEY)) {
            (Some(file_type), _) => Value::U32(file_type.id()),
            (None, Some(kept)) => kept.clone(),
            (None, None) => guessed_file_type(input.tensors()?.iter().map(|tensor| tensor.element)).into(),
        };
        self.close(metadata, Some(file_type));
        Ok(())
    }

    /// Says which adapters are merged.
    fn name_adapters(&self, metadata: &mut Metadata) {
        for (number, (folder, scale)) in self.adapters.iter().enumerate() {
            let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
            let name = name(folder).or_else(|| name(&folder.canonicalize().ok()?)).unwrap_or_default();
            metadata.insert(format!("entrenar.lora.{number}.name"), name);
            metadata.insert(format!("entrenar.lora.{number}.scale"), *scale as f32);
        }
    }

    /// Puts at the end what goes there.
    fn close(&self, metadata: &mut Metadata, file_type: Option<Value>) {
        metadata.move_to_end(QUANTIZATION_VERSION_KEY, QUANTIZATION_VERSION);
        // Adapters have none.
        if let Some(file_type) = file_type.filter(|_| self.adapter_base.is_none()) {
            metadata.move_to_end(FILE_TYPE_KEY, file_type);
        }
        for (key, value) in &self.overrides {
            metadata.move_to_end(key, value.clone());
        }
        if let Some((matrix, path)) = &self.importance {
            for (key, value) in matrix.metadata(path) {
                metadata.move_to_end(key, value);
            }
        }
    }

    /// Carries out a plan that this exporter made. Shards go to `output-00001-of-00003.gguf` and so on, without a
    /// `.gguf` that the output ends in.
    ///
    /// # Errors
    /// The source cannot be read or is not finite, or the output cannot be written. The output's paths are then as
    /// they were before.
    pub fn write(
        &self,
        plan: &ExportPlan,
        output: impl AsRef<Path>,
        progress: &dyn Progress,
        cancel: Option<&Cancel>,
    ) -> Result<GgufExportResult, GgufExportError> {
        let options =
            RunOptions { threads: self.threads, validate: self.validate, existing: self.existing, cancel };
        plan.write(output.as_ref(), &options, progress)
    }

    /// Exports the model at `input` to a GGUF file at `output`: [`plan`](Self::plan) and
    /// [`write`](Self::write) in one.
    ///
    /// # Errors
    /// As those two.
    pub fn export(
        &self,
        input: impl AsRef<Path>,
        output: impl AsRef<Path>,
    ) -> Result<GgufExportResult, GgufExportError> {
        let plan = self.plan(input)?;
        self.write(&plan, output, &(), None)
    }
}
