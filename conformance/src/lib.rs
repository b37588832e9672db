//! Ours against the real peers: kernels, whole files, running the result. See conformance/README.md.

pub mod export;
pub mod file_types;
pub mod fixtures;
pub mod kernels;
pub mod memory;
pub mod real;
pub mod report;
pub mod two_step;
pub mod watch;
