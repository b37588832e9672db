//! A Hugging Face folder one of whose small files (config, tokenizer, chat template, model card …) was damaged or
//! replaced: refused in one line, or its metadata are those of a GGUF file.
#![no_main]
#![expect(clippy::expect_used, reason = "a fuzz target says what is wrong by panicking")]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use entrenar_fuzz::damage::Damage;
use gguf_format::Layout;
use hf_checkpoint::{Checkpoint, Options};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

#[derive(Arbitrary, Debug)]
enum Change {
    Damage(Vec<Damage>),
    Replace(Vec<u8>),
}

struct Folders {
    _folder: TempDir,
    /// Files that are not weights, with what belongs into them.
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// Models that between them have every kind of tokenizer.
const MODELS: [&str; 5] = ["llama", "llama-spm", "qwen2", "qwen3", "bert"];

static FOLDERS: LazyLock<Folders> = LazyLock::new(|| {
    let folder = entrenar_fuzz::folder();
    let mut files = Vec::new();
    for model in MODELS {
        let model = entrenar_fuzz::model(model, folder.path());
        for entry in fs::read_dir(&model).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() && path.extension().is_none_or(|e| e != "safetensors") {
                let bytes = fs::read(&path).expect("a file");
                files.push((path, bytes));
            }
        }
    }
    files.sort();
    Folders { _folder: folder, files }
});

fuzz_target!(|input: (u8, Change)| {
    let (number, change) = input;
    let files = &FOLDERS.files;
    let Some((path, whole)) = files.get(usize::from(number) % files.len()) else { return };
    let changed = match change {
        Change::Replace(bytes) => bytes,
        Change::Damage(damages) => {
            let mut bytes = whole.clone();
            damages.iter().for_each(|damage| damage.apply(&mut bytes));
            bytes
        }
    };
    fs::write(path, changed).expect("the file is written");
    let opened = Checkpoint::open(path.parent().expect("a folder"), &Options::new());
    fs::write(path, whole).expect("the file is put back");
    match opened {
        Ok(checkpoint) => {
            let layout = Layout::new(checkpoint.metadata().clone(), Vec::new());
            assert!(layout.is_ok(), "metadata that cannot be written: {layout:?}");
        }
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text:?}");
        }
    }
});
