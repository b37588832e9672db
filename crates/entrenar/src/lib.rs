#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

/// Export to the GGUF ecosystem: llama.cpp, Ollama, LM Studio, Realizar.
pub mod ecosystem {
    pub use entrenar_ecosystem::{
        Cancel, CheckpointLimits, Existing, ExperimentProvenance, ExportPlan, FileReport, FileSummary,
        GeneralMetadata, GgmlType, GgufExportError, GgufExportResult, GgufExporter, GgufLimits, GgufMerger,
        GgufSplitter, ImportanceError, ImportanceFileError, ImportanceMatrix, IoFailure, KeyProblem,
        MetadataFile, MetadataFileError, OverrideError, PlannedFile, PlannedTensor, Progress, PrunedLayers,
        QuantizationType, Recipe, RecipeError, Report, ShardError, ShardLimit, ShardRule, Shards,
        TemplateFinding, TemplateIssue, TemplateLevel, TensorReport, TensorTypeOverride, Value,
        escape_hidden, is_hidden, lint_template, lint_templates,
    };
}

/// Research artifacts: what a model is, under which licence, by whom.
pub mod research {
    pub use entrenar_ecosystem::{ArtifactType, License, ResearchArtifact};
}
