//! The whole export of a tiny model with damage done to its files: refused, with the old output as it was and nothing
//! beside it; or a file that reads back.

use std::fs;
use std::path::PathBuf;

use entrenar_ecosystem::{Existing, GgufExporter, QuantizationType};
use gguf_format::GgufFile;
use tempfile::TempDir;

use crate::check;
use crate::classes;
use crate::damage;
use crate::folders::{Whole, files, folder};

struct Place {
    folder: TempDir,
    model: PathBuf,
    files: Vec<Whole>,
}

thread_local! {
    static PLACE: Place = {
        let folder = folder();
        let model = classes::write("llama", folder.path()).expect("a model");
        let files = files(&model, |_| true);
        Place { folder, model, files }
    };
}

/// A byte for the quantization, then damages (`damage::read`) to the model's files in order of their names.
pub fn body(input: &[u8]) -> bool {
    let Some((ty, damages)) = input.split_first() else { return false };
    let types = QuantizationType::ALL;
    let ty = types[usize::from(*ty) % types.len()];
    PLACE.with(|place| {
        let mut changed: Vec<Vec<u8>> = place.files.iter().map(|(_, bytes)| bytes.clone()).collect();
        for damage in damage::read(damages) {
            damage.apply(changed.iter_mut());
        }
        let different: Vec<_> =
            place.files.iter().zip(&changed).filter(|((_, old), new)| old != *new).collect();
        for ((path, _), new) in &different {
            fs::write(path, new).expect("the file is written");
        }
        export(place, ty, different.is_empty());
        for ((path, old), _) in &different {
            fs::write(path, old).expect("the file is put back");
        }
    });
    true
}

fn export(place: &Place, ty: QuantizationType, must: bool) {
    let out = place.folder.path().join("out.gguf");
    fs::write(&out, b"old").expect("the old output is written");
    let exporter = GgufExporter::new(ty).with_existing(Existing::Replace).with_threads(1);
    // Recognising one would take most of the time.
    let exporter = exporter.with_pre_tokenizer("llama-bpe");
    match exporter.export(&place.model, &out) {
        Ok(_) => {
            let file = GgufFile::open(&out).expect("what was exported can be read");
            assert!(!file.tensors().is_empty());
        }
        Err(error) => {
            check::one_line(&error);
            // Some types are for models whose importance was measured.
            assert!(!must || error.to_string().contains("importance"), "{error}");
            assert_eq!(fs::read(&out).expect("the old output is there"), b"old");
        }
    }
    let left = fs::read_dir(place.folder.path()).expect("a folder").count();
    assert_eq!(left, 2, "the model's folder and the output");
}
