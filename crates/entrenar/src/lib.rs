#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

/// Export to the GGUF ecosystem: llama.cpp, Ollama, LM Studio, Realizar.
pub mod ecosystem {
    pub use entrenar_ecosystem::{
        Cancel, Existing, ExperimentProvenance, ExportPlan, GeneralMetadata, GgmlType, GgufExportError,
        GgufExportResult, GgufExporter, ImportanceError, ImportanceFileError, ImportanceMatrix, IoFailure,
        OverrideError, PlannedTensor, Progress, PrunedLayers, QuantizationType, Recipe, RecipeError, Report,
        TensorReport, TensorTypeOverride, Value,
    };
}

/// Research artifacts: what a model is, under which licence, by whom.
pub mod research {
    pub use entrenar_ecosystem::{ArtifactType, License, ResearchArtifact};
}
