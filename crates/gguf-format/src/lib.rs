//! Read and write the GGUF file format: metadata, tensor directory, layout; hostile input safely.
#![forbid(unsafe_code)]

mod ggml_type;
mod metadata;
mod value;

pub use ggml_type::{GgmlType, SUPER_BLOCK_LEN};
pub use metadata::Metadata;
pub use value::{Array, GgufString, Value, ValueType};
