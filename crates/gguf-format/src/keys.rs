//! Metadata keys that the format itself gives a meaning to (GGUF specification; `split.*` as llama.cpp has it).

/// The alignment of tensors in bytes, a `u32` and a power of two; 32 without it.
pub const GENERAL_ALIGNMENT: &str = "general.alignment";
/// The version of the quantization formats, a `u32`; second to last in canonical order.
pub const GENERAL_QUANTIZATION_VERSION: &str = "general.quantization_version";
/// The file type (which mix of tensor types), a `u32`; last in canonical order.
pub const GENERAL_FILE_TYPE: &str = "general.file_type";
/// Which shard of a split set this is, a `u16` counted from 0.
pub const SPLIT_NO: &str = "split.no";
/// How many shards the set has, a `u16`.
pub const SPLIT_COUNT: &str = "split.count";
/// How many tensors all shards have together, an `i32`.
pub const SPLIT_TENSORS_COUNT: &str = "split.tensors.count";
