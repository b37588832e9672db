#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod assignment;
mod category;
mod error;
mod facts;
mod fallback;
mod file_type;
mod keep;
mod mix;
mod recipe;

pub use assignment::{Assignment, Kept, Reason, TensorDesc};
pub use error::RecipeError;
pub use facts::ModelFacts;
pub use file_type::FileType;
pub use recipe::Recipe;
