#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adapter;
mod arch;
mod bounded;
mod checkpoint;
mod config;
mod defaults;
mod element;
mod error;
mod folder;
mod general;
mod header;
mod json;
mod limits;
mod map;
mod options;
mod packed;
mod positional;
mod problem;
mod rope;
mod shards;
mod sizes;
mod tensor;
mod text;
mod tokenizer;
mod transform;
mod weights;

pub use checkpoint::Checkpoint;
pub use error::{Error, TokenizerError};
pub use limits::Limits;
pub use options::Options;
pub use problem::{Problem, ShardProblem};
pub use shards::SourceFile;
pub use tensor::Tensor;
