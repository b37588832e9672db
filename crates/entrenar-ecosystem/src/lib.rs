#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod exporter;
mod input;
mod plan;
mod quantization;
mod reshard;
mod result;
mod shards;
mod write;

pub use error::{GgufExportError, IoFailure};
pub use export_pipeline::{
    Cancel, Existing, FileReport, PlannedFile, PlannedTensor, Progress, Report, TensorReport,
};
pub use exporter::GgufExporter;
pub use gguf_format::{GgmlType, Limits as GgufLimits, ShardError, ShardLimit, ShardRule, Value};
pub use hf_checkpoint::Limits as CheckpointLimits;
pub use plan::{ExportPlan, FileSummary, PlanSummary, TensorSummary};
pub use provenance::{
    ArtifactType, ExperimentProvenance, GeneralMetadata, KeyProblem, License, MetadataFile,
    MetadataFileError, ResearchArtifact, TemplateFinding, TemplateIssue, TemplateLevel, escape_hidden,
    is_hidden, lint_template, lint_templates,
};
pub use quant_recipe::{
    ImportanceError, ImportanceFileError, ImportanceMatrix, OverrideError, PrunedLayers, Recipe, RecipeError,
    TensorTypeOverride,
};
pub use quantization::QuantizationType;
pub use reshard::{GgufMerger, GgufSplitter};
pub use result::GgufExportResult;
pub use shards::Shards;
