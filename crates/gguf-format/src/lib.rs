//! Read and write the GGUF file format: metadata, tensor directory, layout; hostile input safely.
#![forbid(unsafe_code)]

mod canonical;
mod error;
mod ggml_type;
pub mod keys;
mod layout;
mod limits;
mod metadata;
mod tensor;
mod value;
mod write;

pub use canonical::{block_number, canonicalize, compare_tensor_names};
pub use error::LayoutError;
pub use ggml_type::{GgmlType, SUPER_BLOCK_LEN};
pub use layout::{DEFAULT_ALIGNMENT, Layout, MAX_WRITE_ALIGNMENT, PlacedTensor};
pub use metadata::Metadata;
pub use tensor::{Dims, DimsError, MAX_DIMS, MAX_TENSOR_NAME_BYTES, TensorSpec};
pub use value::{Array, GgufString, Value, ValueType};
pub use write::{MAGIC, WRITE_VERSION};
