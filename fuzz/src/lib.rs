//! What the fuzz targets do, as functions: cargo-fuzz calls them with inputs of its making, `cargo test` with the seeds
//! and with every input that once found something.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, reason = "a fuzz target says what is wrong by panicking")]

mod check;
mod classes;
mod damage;
mod folders;
mod pairs;
pub mod replay;
pub mod seeds;
pub mod targets;

use std::path::PathBuf;

/// What a target does with an input: it panics if something is wrong, and gives whether the input was one for it at all.
pub type Body = fn(&[u8]) -> bool;

/// The top of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The program of a target: libFuzzer's where cargo-fuzz builds, else one that puts files through the target. What is
/// prepared before the first input costs none its time.
#[macro_export]
macro_rules! target {
    ($body:path) => {
        $crate::target!($body, prepared by ());
    };
    ($body:path, prepared by $prepare:expr) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(init: $prepare, |input: &[u8]| -> libfuzzer_sys::Corpus {
            if $body(input) { libfuzzer_sys::Corpus::Keep } else { libfuzzer_sys::Corpus::Reject }
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay::main($body)
        }
    };
}
