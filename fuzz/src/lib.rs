//! What the fuzz targets share: folders in memory, damage done to files, arbitrary metadata.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, reason = "a fuzz target says what is wrong by panicking")]

pub mod damage;
pub mod pairs;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A new folder, in memory where the system has a place for that.
///
/// # Panics
/// If none can be made.
#[must_use]
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    TempDir::with_prefix_in("entrenar-fuzz-", parent).expect("a temporary folder")
}

/// Writes a fixture model into the folder, once for the whole run.
///
/// # Panics
/// If it cannot be written.
#[must_use]
pub fn model(name: &str, parent: &Path) -> PathBuf {
    fixture_models::write(name, parent).expect("a fixture model")
}
