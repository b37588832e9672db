#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod array_ref;
mod byte_order;
mod canonical;
mod cursor;
mod error;
mod file;
mod ggml_type;
mod growing;
pub mod keys;
mod layout;
mod limits;
mod metadata;
mod parse;
mod positional;
mod read;
mod shards;
mod split;
mod tensor;
mod value;
mod value_ref;
mod write;

pub use array_ref::{ArrayRef, Arrays, Elements, Scalar, Strings};
pub use byte_order::{can_swap_byte_order, swap_byte_order};
pub use canonical::{block_number, canonicalize, compare_tensor_names};
pub use cursor::ByteOrder;
pub use error::{
    FileError, FormatError, KeyError, LayoutError, LimitError, Place, ReadError, ShardError, SplitError,
};
pub use file::GgufFile;
pub use ggml_type::{GgmlType, SUPER_BLOCK_LEN};
pub use layout::{DEFAULT_ALIGNMENT, Layout, MAX_WRITE_ALIGNMENT, PlacedTensor};
pub use limits::Limits;
pub use metadata::Metadata;
pub use read::{Gguf, MetadataRef, TensorRef, Tensors};
pub use shards::{ShardKeys, ShardLimit, ShardRule};
pub use split::{GgufSet, SetTensor, shard_file_name};
pub use tensor::{Dims, DimsError, MAX_DIMS, MAX_TENSOR_NAME_BYTES, TensorSpec};
pub use value::{Array, GgufString, Value, ValueType};
pub use value_ref::{FromValue, ValueRef};
pub use write::{MAGIC, WRITE_VERSION};
