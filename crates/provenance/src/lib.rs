#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod artifact;
mod error;
mod experiment;
mod general;
mod keys;
mod license;
mod metadata_file;
mod number;
mod pairs;
mod reference;
mod text;

pub use artifact::{ArtifactType, ResearchArtifact};
pub use error::Error;
pub use experiment::ExperimentProvenance;
pub use general::GeneralMetadata;
pub use license::License;
pub use metadata_file::{KeyProblem, MetadataFile, MetadataFileError};
