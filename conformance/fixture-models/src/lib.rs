//! Tiny models as Hugging Face folders, the same on every machine, and what llama.cpp's own tools made of them.
//!
//! Configuration and tokenizer files are committed (each folder about 10 kB, trained on a page of text); the weights
//! are generated from an integer generator when a folder is [written](write()). For every model and each of the eight
//! [file types](FILE_TYPES), [`golden`] holds what `convert_hf_to_gguf` and `llama-quantize` gave: names, types,
//! dimensions and digests of all tensors, and all metadata. [`Summary`] reads a GGUF file into the same form, so that a
//! test is three lines:
//!
//! ```no_run
//! # fn export(_: &std::path::Path, _: &std::path::Path) {}
//! let dir = std::env::temp_dir();
//! let folder = fixture_models::write("llama", &dir)?;
//! let file = dir.join("llama.gguf");
//! export(&folder, &file); // the code under test, as Q4_K_M
//! let differences = fixture_models::golden("llama", "Q4_K_M")?.differences(&fixture_models::Summary::read(&file)?);
//! assert!(differences.is_empty(), "{}", differences.join("\n"));
//! # Ok::<(), fixture_models::Error>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod family;
mod folder;
mod golden;
mod models;
mod safetensors;
mod summary;
mod weights;
mod workbench;

pub use error::Error;
pub use family::Sizes;
pub use folder::{Scaled, all, model, write, write_scaled, write_scaled_adapter};
pub use golden::{Golden, differences, golden, store};
pub use models::Model;
pub use summary::{Pair, Summary, Tensor};
pub use weights::{Dtype, split_mix, values};
pub use workbench::{Conversion, Workbench};

/// The eight file types of the exporter, by the names that llama.cpp gives them.
pub const FILE_TYPES: [&str; 8] = ["F32", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"];
