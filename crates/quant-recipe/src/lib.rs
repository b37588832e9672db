#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adapter;
mod assignment;
mod category;
mod dialect;
mod error;
mod facts;
mod fallback;
mod file_type;
mod imatrix;
mod keep;
mod mix;
mod overrides;
mod prune;
mod recipe;
mod walk;

pub use assignment::{Asked, Assignment, Kept, Reason, TensorDesc};
pub use error::RecipeError;
pub use facts::ModelFacts;
pub use file_type::{FileType, guessed_file_type};
pub use imatrix::{ImportanceError, ImportanceFileError, ImportanceMatrix, requires_importance};
pub use overrides::{OverrideError, TensorTypeOverride};
pub use prune::{PrunedLayers, Renumbering};
pub use recipe::Recipe;
