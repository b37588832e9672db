//! The real peer, in process: ggml and llama.cpp as the crate `llama-cpp-sys-2` (=0.1.161) builds them.
//!
//! The only place beside `kquant`'s vector code where unsafe code is permitted: it is a foreign function
//! interface. Everything public is safe to call with any arguments.

pub mod activations;
pub mod dry_run;
pub mod ggml;
pub mod gguf;
pub mod guarded;
pub mod llama;
pub mod outputs;
pub mod quantize;
