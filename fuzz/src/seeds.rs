//! The seeds of every target, from real files and fixtures, and the dictionaries. `cargo xtask fixtures fuzz` writes them.

mod dictionary;
mod gguf;
mod hugging_face;
mod structured;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Inputs by name.
type Inputs = BTreeMap<String, Vec<u8>>;

/// A target with what makes its seeds.
type Maker = (&'static str, fn() -> Inputs);

const MAKERS: [Maker; 13] = [
    ("adapter", hugging_face::adapter),
    ("config", hugging_face::config),
    ("export", structured::export),
    ("folder", structured::folder),
    ("gguf_reader", gguf::reader),
    ("gguf_writer", gguf::writer),
    ("imatrix", gguf::imatrix),
    ("kernels", structured::kernels),
    ("metadata_file", text::metadata_file),
    ("safetensors", hugging_face::safetensors),
    ("split_set", structured::split_set),
    ("template", text::template),
    ("tokenizer", hugging_face::tokenizer),
];

/// Writes the seeds and dictionaries of all targets, in place of those that are there; gives a line for each target.
///
/// # Errors
/// If a file or folder cannot be written.
pub fn write() -> io::Result<Vec<String>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dictionaries = fuzz.join("dictionaries");
    fs::create_dir_all(&dictionaries)?;
    let mut lines = Vec::new();
    for (target, make) in MAKERS {
        let folder = fuzz.join("seeds").join(target);
        if folder.is_dir() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let inputs = make();
        for (name, input) in &inputs {
            fs::write(folder.join(name), input)?;
        }
        let words = dictionary::of(target, &inputs);
        if !words.is_empty() {
            fs::write(dictionaries.join(target), dictionary::text(&words))?;
        }
        let bytes: usize = inputs.values().map(Vec::len).sum();
        lines.push(format!("{target}: {} seeds, {bytes} bytes; {} words", inputs.len(), words.len()));
    }
    Ok(lines)
}

/// The files of a folder within the repository, by name.
fn files_of(folder: &str) -> Inputs {
    let mut inputs = Inputs::new();
    for entry in fs::read_dir(crate::root().join(folder)).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        if let (true, Some(name)) = (path.is_file(), path.file_name().and_then(|n| n.to_str())) {
            inputs.insert(name.to_owned(), fs::read(&path).expect("a file of the repository"));
        }
    }
    inputs
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::MAKERS;
    use crate::{replay, targets};

    #[test]
    fn every_target_has_a_maker() {
        assert!(targets::ALL.iter().map(|(name, _)| *name).eq(MAKERS.map(|(name, _)| name)));
    }

    #[test]
    fn what_is_kept_is_small() {
        let kept = targets::ALL.iter().flat_map(|(name, _)| replay::kept(name));
        let bytes: u64 = kept.filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum();
        assert!(bytes < 1 << 20, "{bytes} bytes of seeds and regressions");
    }
}
