//! The targets, one a file.

pub mod adapter;
pub mod config;
pub mod export;
pub mod folder;
pub mod gguf_reader;
pub mod gguf_writer;
pub mod imatrix;
pub mod kernels;
pub mod safetensors;
pub mod split_set;
pub mod tokenizer;

use crate::Body;

/// Every target by its name, sorted.
pub const ALL: [(&str, Body); 11] = [
    ("adapter", adapter::body),
    ("config", config::body),
    ("export", export::body),
    ("folder", folder::body),
    ("gguf_reader", gguf_reader::body),
    ("gguf_writer", gguf_writer::body),
    ("imatrix", imatrix::body),
    ("kernels", kernels::body),
    ("safetensors", safetensors::body),
    ("split_set", split_set::body),
    ("tokenizer", tokenizer::body),
];
