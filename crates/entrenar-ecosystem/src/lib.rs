#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod exporter;
mod input;
mod plan;
mod quantization;
mod result;

pub use error::{GgufExportError, IoFailure};
pub use export_pipeline::{Cancel, Existing, PlannedTensor, Progress, Report, TensorReport};
pub use exporter::GgufExporter;
pub use gguf_format::{GgmlType, Value};
pub use plan::{ExportPlan, PlanSummary, TensorSummary};
pub use provenance::{ArtifactType, ExperimentProvenance, GeneralMetadata, License, ResearchArtifact};
pub use quant_recipe::{
    ImportanceError, ImportanceFileError, ImportanceMatrix, OverrideError, PrunedLayers, Recipe, RecipeError,
    TensorTypeOverride,
};
pub use quantization::QuantizationType;
pub use result::GgufExportResult;
