//! A LoRA adapter whose config or tensors were damaged or replaced: refused in one line, or merged the same in any pieces.
#![no_main]
#![expect(clippy::expect_used, reason = "a fuzz target says what is wrong by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use entrenar_fuzz::damage::Damage;
use hf_checkpoint::{Checkpoint, Options};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

#[derive(Arbitrary, Debug)]
enum Change {
    Damage(Vec<Damage>),
    Replace(Vec<u8>),
}

struct Case {
    _folder: TempDir,
    /// A model's tensors, and the adapter's folder.
    base: PathBuf,
    adapter: PathBuf,
    /// The adapter's files, with what belongs into them.
    config: (PathBuf, Vec<u8>),
    tensors: (PathBuf, Vec<u8>),
}

static CASE: LazyLock<Case> = LazyLock::new(|| {
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/hf-checkpoint/tests/golden/lora/ends-dora");
    let folder = entrenar_fuzz::folder();
    let adapter = folder.path().join("adapter");
    fs::create_dir(&adapter).expect("a folder");
    let file = |name: &str| {
        let bytes = fs::read(golden.join("0").join(name)).expect("a golden file");
        fs::write(adapter.join(name), &bytes).expect("the file is written");
        (adapter.join(name), bytes)
    };
    let (config, tensors) = (file("adapter_config.json"), file("adapter_model.safetensors"));
    Case { base: golden.join("base/model.safetensors"), adapter, config, tensors, _folder: folder }
});

fuzz_target!(|input: (bool, Change)| {
    let (of_tensors, change) = input;
    let case = &*CASE;
    let (path, whole) = if of_tensors { &case.tensors } else { &case.config };
    let changed = match change {
        Change::Replace(bytes) => bytes,
        Change::Damage(damages) => {
            let mut bytes = whole.clone();
            damages.iter().for_each(|damage| damage.apply(&mut bytes));
            bytes
        }
    };
    fs::write(path, changed).expect("the file is written");
    let options = Options::new().with_raw(true).with_adapter(&case.adapter, 1.0);
    match Checkpoint::open(&case.base, &options) {
        Ok(checkpoint) => same_in_pieces(&checkpoint),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text:?}");
        }
    }
    fs::write(path, whole).expect("the file is put back");
});

/// Reads every tensor as a whole and again from a third on.
fn same_in_pieces(checkpoint: &Checkpoint) {
    for (number, tensor) in checkpoint.tensors().iter().enumerate() {
        let (n, size) = (tensor.elements(), tensor.element.block_bytes());
        let mut whole = vec![0; n as usize * size];
        checkpoint.read_elements(number, 0..n, &mut whole).expect("a tensor that was checked is read");
        let third = n / 3;
        let mut piece = vec![0; (n - third) as usize * size];
        checkpoint.read_elements(number, third..n, &mut piece).expect("a piece reads as the whole");
        assert_eq!(piece, whole.get(third as usize * size..).unwrap_or_default());
    }
}
