//! The pre-tokenizer of a tokenizer by llama.cpp's name for it, `tokenizer.ggml.pre`.
//!
//! The converter encodes a fixed text and looks up the digest of the ids. So does this, with a reader of its own for that
//! one text, and therefore knows whatever the converter knows. Where the digest is not known, because a fine-tune
//! added tokens that occur in the text, or puts another token before it, the text is encoded again without; and where
//! the vocabulary itself is new, the splits tell the name (`structure.rs`).

mod digests;
mod encode;
mod names;
mod split;
mod structure;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use self::digests::{DIGESTS, TEXT};
use self::names::NAMES;
use super::error::TokenizerError;
use super::file::shorten;
use super::vocabulary::Vocabulary;

/// Names that the converter gives WordPiece tokenizers, where llama.cpp has no pre-tokenizers to choose from.
const WORD_PIECE: [&str; 3] = ["bert-bge", "bert-bge-large", "jina-v2-en"];
/// The name for a WordPiece vocabulary that is not known: that of most English ones.
const ANY_WORD_PIECE: &str = "jina-v2-en";

/// A pre-tokenizer, and how it was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreTokenizer {
    /// llama.cpp's name for it, `tokenizer.ggml.pre`.
    pub name: &'static str,
    /// How it was recognised.
    pub rule: PreTokenizerRule,
}

/// How a pre-tokenizer was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PreTokenizerRule {
    /// The user named it.
    Asked,
    /// The converter's text gets the very ids that the converter knows it by.
    Ids,
    /// It would, but for added tokens, or for the tokens put before and after a text.
    IdsOfBase,
    /// It splits text as this one does; the vocabulary is not known.
    Splits,
    /// A WordPiece tokenizer, of which llama.cpp needs no name.
    WordPiece,
}

impl std::fmt::Display for PreTokenizerRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Asked => "asked for",
            Self::Ids => "by the ids of the converter's text",
            Self::IdsOfBase => "by the ids of the converter's text without added tokens",
            Self::Splits => "by how it splits text; the vocabulary is not known",
            Self::WordPiece => "WordPiece, where the name does not matter",
        })
    }
}

/// The pre-tokenizer of a tokenizer, or the one asked for.
pub(super) fn recognise(
    vocabulary: &Vocabulary<'_>,
    asked: Option<&str>,
) -> Result<PreTokenizer, TokenizerError> {
    let found = |name, rule| Ok(PreTokenizer { name, rule });
    if let Some(name) = asked {
        return found(check_name(name)?, PreTokenizerRule::Asked);
    }
    if let Some((name, rule)) = by_ids(vocabulary) {
        return found(name, rule);
    }
    let json = vocabulary.json;
    if let Some(row) = structure::find(json) {
        return found(row.name, PreTokenizerRule::Splits);
    }
    if json.model_kind() == "WordPiece" {
        return found(ANY_WORD_PIECE, PreTokenizerRule::WordPiece);
    }
    let structure = shorten(&structure::describe(json), 300);
    Err(TokenizerError::UnknownPre { path: json.path.clone(), structure })
}

/// The name as the table has it, if llama.cpp has one of that name.
pub(super) fn check_name(name: &str) -> Result<&'static str, TokenizerError> {
    let known = || NAMES.iter().chain(&WORD_PIECE).copied();
    known().find(|n| *n == name).ok_or_else(|| {
        let plain = |name: &str| name.replace(['-', '_', '.'], "").to_ascii_lowercase();
        let suggestion = known().find(|n| plain(n) == plain(name)).or_else(|| {
            known().find(|n| plain(n).starts_with(&plain(name)) || plain(name).starts_with(&plain(n)))
        });
        TokenizerError::NoSuchPre { name: name.to_owned(), suggestion }
    })
}

fn by_ids(vocabulary: &Vocabulary<'_>) -> Option<(&'static str, PreTokenizerRule)> {
    let json = vocabulary.json;
    let (before, after) = encode::frame_of(json).unwrap_or_default();
    let text = encode::encode(json, Some(&vocabulary.added), TEXT)?;
    if let Some(name) = look_up(&before, &text, &after) {
        return Some((name, PreTokenizerRule::Ids));
    }
    let base = encode::encode(json, None, TEXT)?;
    let texts = if base == text { vec![base] } else { vec![text, base] };
    let ends = [after, Vec::new()];
    let known = |text: &Vec<u32>, start: &[u32]| ends.iter().find_map(|end| look_up(start, text, end));
    let own = texts.iter().find_map(|text| known(text, &before));
    // A fine-tune may begin texts with another token; the one its base began with is still an added token.
    let other = || {
        let starts: Vec<_> = vocabulary.added.iter().map(|(id, _)| vec![id]).chain([Vec::new()]).collect();
        let names: Vec<_> =
            texts.iter().flat_map(|text| starts.iter().filter_map(|start| known(text, start))).collect();
        // Names may differ in that token alone: then the one that its splits have by themselves.
        let by_splits = structure::find(json).map(|row| row.name);
        names.iter().find(|name| Some(**name) == by_splits).or(names.first()).copied()
    };
    let name = own.or_else(other)?;
    Some((name, PreTokenizerRule::IdsOfBase))
}

/// The name that the converter's table has for a list of ids.
fn look_up(before: &[u32], text: &[u32], after: &[u32]) -> Option<&'static str> {
    let mut list = String::from("[");
    for (i, id) in before.iter().chain(text).chain(after).enumerate() {
        // Writing into a String cannot fail.
        let _ = write!(list, "{}{id}", if i == 0 { "" } else { ", " });
    }
    list.push(']');
    let mut digest = String::new();
    for byte in Sha256::digest(list) {
        let _ = write!(digest, "{byte:02x}");
    }
    DIGESTS.iter().find(|(d, _)| *d == digest).map(|(_, name)| *name)
}

/// The real tokenizer that the row of a name was tested with.
#[cfg(test)]
pub(super) fn verified_row(name: &str) -> Option<&'static str> {
    structure::ROWS.iter().find(|r| r.name == name).and_then(|r| r.verified)
}

/// How many rows say that they were tested with a real tokenizer.
#[cfg(test)]
pub(super) fn verified_rows() -> usize {
    structure::ROWS.iter().filter(|r| r.verified.is_some()).count()
}
