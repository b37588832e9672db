//! The targets, one a file.

pub mod adapter;
pub mod config;
pub mod export;
pub mod folder;
pub mod gguf_reader;
pub mod gguf_writer;
pub mod imatrix;
pub mod kernels;
pub mod metadata_file;
pub mod safetensors;
pub mod split_set;
pub mod template;
pub mod tokenizer;

use crate::Body;

/// Every target by its name, sorted.
pub const ALL: [(&str, Body); 13] = [
    ("adapter", adapter::body),
    ("config", config::body),
    ("export", export::body),
    ("folder", folder::body),
    ("gguf_reader", gguf_reader::body),
    ("gguf_writer", gguf_writer::body),
    ("imatrix", imatrix::body),
    ("kernels", kernels::body),
    ("metadata_file", metadata_file::body),
    ("safetensors", safetensors::body),
    ("split_set", split_set::body),
    ("template", template::body),
    ("tokenizer", tokenizer::body),
];
