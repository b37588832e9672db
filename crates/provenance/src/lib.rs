#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod artifact;
mod error;
mod experiment;
mod general;
mod hidden;
mod keys;
mod license;
mod metadata_file;
mod number;
mod pairs;
mod reference;
mod template;
mod text;

pub use artifact::{ArtifactType, ResearchArtifact};
pub use error::Error;
pub use experiment::ExperimentProvenance;
pub use general::GeneralMetadata;
pub use hidden::{escape_hidden, is_hidden};
pub use license::License;
pub use metadata_file::{KeyProblem, MetadataFile, MetadataFileError};
pub use pairs::to_text;
pub use template::{TemplateFinding, TemplateIssue, TemplateLevel, lint_template, lint_templates};
