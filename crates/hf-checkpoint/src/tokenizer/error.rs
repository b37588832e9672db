//! What can be wrong with a tokenizer's files.

use std::io;
use std::path::PathBuf;

use super::file::shorten;
use crate::text::line;

/// Why a tokenizer cannot be written into GGUF metadata. Each message is one line that names file and key, what was
/// found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// A file is there but cannot be read.
    #[error("{}: cannot read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is larger than any tokenizer's.
    #[error("{}: {bytes} bytes, at most {limit} expected of a tokenizer's file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// The vocabulary is larger than the caller wants one.
    #[error("{}: a vocabulary of {tokens}, the limit is {limit}: raise Limits::tokens", folder.display())]
    TooManyTokens {
        /// The checkpoint's folder.
        folder: PathBuf,
        /// How many tokens it has.
        tokens: u64,
        /// The most that are read.
        limit: u64,
    },
    /// A file is not the JSON it should be.
    #[error("{}: not the JSON expected: {}", path.display(), line(source))]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A `tokenizer.model` is not a SentencePiece model.
    #[error("{}: not a SentencePiece model: {}", path.display(), line(source))]
    SentencePiece {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: prost::DecodeError,
    },
    /// The folder has none of the files that the model's family keeps its tokenizer in.
    #[error("{}: no tokenizer: expected {expected}", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The files that were looked for.
        expected: &'static str,
    },
    /// The folder has files from before `tokenizer.json`, and names no class that is known to read them.
    #[error(
        "{}: no tokenizer.json beside it, and {}: name one of {known} in tokenizer_config.json (tokenizer_class), or save \
         the tokenizer with transformers (AutoTokenizer, save_pretrained), which writes tokenizer.json",
        path.display(),
        unread(class.as_deref())
    )]
    UnknownClass {
        /// The vocabulary that was found: `vocab.json` or `vocab.txt`.
        path: PathBuf,
        /// The class that the folder names.
        class: Option<String>,
        /// The classes that are known.
        known: String,
    },
    /// A value is not what it must be.
    #[error("{}: {}: found {}, expected {}", path.display(), line(key), line(found), line(expected))]
    Value {
        /// The file.
        path: PathBuf,
        /// The key, as a path into the file: `model.type`, `added_tokens[3].id`.
        key: String,
        /// What is there.
        found: String,
        /// What should be.
        expected: String,
    },
    /// The pre-tokenizer is none of those that llama.cpp implements.
    #[error(
        "{}: pre-tokenizer not recognised: {}; name the one of llama.cpp that splits alike (option pre)",
        path.display(),
        line(structure)
    )]
    UnknownPre {
        /// `tokenizer.json`.
        path: PathBuf,
        /// The structure, shortened.
        structure: String,
    },
    /// The pre-tokenizer asked for is none that llama.cpp knows.
    #[error("pre-tokenizer {name:?} asked for, but llama.cpp has none of that name{}", near_ones(near))]
    NoSuchPre {
        /// The name given.
        name: String,
        /// Names that it has and that are like this one, the likest first.
        near: Vec<&'static str>,
    },
}

/// Why no class reads an older file.
fn unread(class: Option<&str>) -> String {
    match class {
        Some(class) => format!("its class {} is not known to read it", line(shorten(class, 60))),
        None => "no class named that reads it".to_owned(),
    }
}

/// A list of names for a message; nothing if there are none.
fn near_ones(names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!("; near ones: {}", names.join(", ")) }
}
