#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod chunk;
mod commit;
mod error;
mod plan;
mod progress;
mod report;
mod run;
mod source;
mod validate;
mod writeback;

pub use commit::Existing;
pub use error::Error;
pub use plan::{Plan, PlannedFile, PlannedTensor};
pub use progress::{Cancel, Progress};
pub use report::{FileReport, Report, TensorReport};
pub use run::{RunOptions, run};
pub use source::{Source, SourceError, SourceTensor};
