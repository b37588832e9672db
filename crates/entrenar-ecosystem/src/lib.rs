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
pub use plan::{ExportPlan, PlanSummary, TensorSummary};
pub use provenance::{ArtifactType, ExperimentProvenance, GeneralMetadata, License, ResearchArtifact};
pub use quantization::QuantizationType;
pub use result::GgufExportResult;
