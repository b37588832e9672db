//! The whole export of a tiny model with damage done to its files: refused, with the old output as it was and nothing
//! beside it; or a file that reads back.
#![no_main]
#![expect(clippy::expect_used, reason = "a fuzz target says what is wrong by panicking")]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use entrenar_ecosystem::{Existing, GgufExporter, QuantizationType};
use entrenar_fuzz::damage::Damage;
use gguf_format::GgufFile;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    model: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let folder = entrenar_fuzz::folder();
    let model = entrenar_fuzz::model("llama", folder.path());
    let mut files = Vec::new();
    for entry in fs::read_dir(&model).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        files.push((path, bytes));
    }
    files.sort();
    Place { folder, model, files }
});

fuzz_target!(|input: (u8, Vec<(u8, Damage)>)| {
    let (ty, damages) = input;
    let types = QuantizationType::ALL;
    let Some(&ty) = types.get(usize::from(ty) % types.len()) else { return };
    let mut files = PLACE.files.clone();
    for (number, damage) in &damages {
        let count = files.len();
        if let Some((_, bytes)) = files.get_mut(usize::from(*number) % count) {
            damage.apply(bytes);
        }
    }
    for (path, bytes) in &files {
        fs::write(path, bytes).expect("a file is written");
    }
    let out = PLACE.folder.path().join("out.gguf");
    fs::write(&out, b"old").expect("the old output is written");
    let exporter = GgufExporter::new(ty).with_existing(Existing::Replace).with_threads(1);
    match exporter.export(&PLACE.model, &out) {
        Ok(_) => {
            let file = GgufFile::open(&out).expect("what was exported can be read");
            assert!(!file.tensors().is_empty());
        }
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text:?}");
            assert_eq!(fs::read(&out).expect("the old output is there"), b"old");
        }
    }
    let left = fs::read_dir(PLACE.folder.path()).expect("a folder").count();
    assert_eq!(left, 2, "the model's folder and the output");
});
