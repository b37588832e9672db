//! Any bytes as a checkpoint of one file: refused, or every tensor reads to its end, whole and in pieces.

use hf_checkpoint::{Checkpoint, Options};

use crate::check;
use crate::folders::folder;

thread_local! {
    static FOLDER: tempfile::TempDir = folder();
}

/// A safetensors file.
pub fn body(input: &[u8]) -> bool {
    FOLDER.with(|folder| {
        let file = folder.path().join("model.safetensors");
        std::fs::write(&file, input).expect("the file is written");
        match Checkpoint::open(&file, &Options::new()) {
            Ok(checkpoint) => check::reads_the_same_in_pieces(&checkpoint),
            Err(error) => check::one_line(&error),
        }
    });
    true
}
