//! A LoRA adapter one of whose files is another: refused in one line, or merged the same in any pieces, and the same
//! for the adapter as a file of its own.

use std::path::{Path, PathBuf};

use hf_checkpoint::{Checkpoint, Options};

use crate::check;
use crate::folders::{copy, folder, place_and_content};

/// What an adapter consists of.
pub(crate) const FILES: [&str; 2] = ["adapter_config.json", "adapter_model.safetensors"];

/// The golden adapters with their base models.
pub(crate) fn golden() -> PathBuf {
    crate::root().join("crates/hf-checkpoint/tests/golden/lora")
}

thread_local! {
    static FOLDER: tempfile::TempDir = folder();
}

/// A line `GOLDEN/FILE`, then what the adapter's file holds.
pub fn body(input: &[u8]) -> bool {
    let Some((model, file, content)) = place_and_content(input) else { return false };
    let golden = golden().join(model);
    if !FILES.contains(&file) || !golden.is_dir() {
        return false;
    }
    FOLDER.with(|folder| {
        let adapter = folder.path();
        copy(&golden.join("0"), adapter, |name| FILES.contains(&name) && name != file);
        std::fs::write(adapter.join(file), content).expect("the file is written");
        merged(&golden, adapter);
        alone(&golden, adapter);
    });
    true
}

fn merged(golden: &Path, adapter: &Path) {
    let options = Options::new().with_raw(true).with_adapter(adapter, 1.0);
    match Checkpoint::open(&golden.join("base/model.safetensors"), &options) {
        Ok(checkpoint) => check::reads_the_same_in_pieces(&checkpoint),
        Err(error) => check::one_line(&error),
    }
}

fn alone(golden: &Path, adapter: &Path) {
    match Checkpoint::open(adapter, &Options::new().with_base(golden.join("base"))) {
        Ok(checkpoint) => check::reads_the_same_in_pieces(&checkpoint),
        Err(error) => check::one_line(&error),
    }
}
