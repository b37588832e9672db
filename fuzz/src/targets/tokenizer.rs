//! A model one of whose tokenizer's files is another: refused in one line, or the model can be written as a GGUF file.

use crate::folders::{Models, place_and_content};
use crate::targets::folder;

/// The files that a tokenizer is in.
pub(crate) const FILES: [&str; 12] = [
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tekken.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
];

/// Files that are looked at only where there is none that is better.
const ALONE: [(&str, &[&str]); 5] = [
    ("tekken.json", &["tokenizer.json", "tokenizer.model"]),
    ("vocab.json", &["tokenizer.json"]),
    ("merges.txt", &["tokenizer.json"]),
    ("vocab.txt", &["tokenizer.json"]),
    ("tokenizer.json", &["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"]),
];

/// The model whose pre-tokenizer is recognised, which takes ten times as long as all else; others are told.
const RECOGNISED: &str = "qwen3";

thread_local! {
    static MODELS: Models = Models::new();
}

/// A line `MODEL/FILE`, then what the file holds.
pub fn body(input: &[u8]) -> bool {
    let Some((model, file, content)) = place_and_content(input) else { return false };
    if !FILES.contains(&file) {
        return false;
    }
    let better = ALONE.iter().filter(|(name, _)| *name == file).flat_map(|(_, better)| *better);
    MODELS.with(|models| {
        let done = models.with_file(model, file, content, |folder| {
            let hidden: Vec<_> =
                better.map(|name| (folder.join(name), folder.join("hidden").join(name))).collect();
            let _ = std::fs::create_dir(folder.join("hidden"));
            let moved: Vec<_> =
                hidden.iter().filter(|(here, there)| std::fs::rename(here, there).is_ok()).collect();
            folder::open(folder, model != RECOGNISED);
            for (here, there) in moved {
                std::fs::rename(there, here).expect("the file is put back");
            }
        });
        done.is_some()
    })
}
