//! A model of any class one of whose settings, cards or indices is another: refused in one line, or the model can be
//! written as a GGUF file.

use crate::folders::{Models, place_and_content};
use crate::targets::folder;

/// The files that say what a model is.
pub(crate) const FILES: [&str; 8] = [
    "config.json",
    "generation_config.json",
    "hf_quant_config.json",
    "model.safetensors.index.json",
    "modules.json",
    "sentence_bert_config.json",
    "README.md",
    "config_sentence_transformers.json",
];

thread_local! {
    static MODELS: Models = Models::new();
}

/// A line `MODEL/FILE`, then what the file holds.
pub fn body(input: &[u8]) -> bool {
    let Some((model, file, content)) = place_and_content(input) else { return false };
    FILES.contains(&file)
        && MODELS
            .with(|models| models.with_file(model, file, content, |folder| folder::open(folder, true)))
            .is_some()
}
