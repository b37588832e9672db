//! Ours against the real peers: kernels, whole files, running the result. See conformance/README.md.
#![forbid(unsafe_code)]

mod architectures;
pub mod cards;
pub mod classes;
pub mod export;
pub mod file_types;
pub mod fixtures;
mod gguf;
pub mod kernels;
pub mod logits;
pub mod lora;
pub mod memory;
pub mod mutated;
pub mod options;
pub mod real;
pub mod report;
pub mod splits;
pub mod two_step;
pub mod watch;
