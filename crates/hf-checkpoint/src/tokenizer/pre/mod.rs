//! The pre-tokenizer of a tokenizer by llama.cpp's name for it, `tokenizer.ggml.pre`.
//!
//! The converter encodes a fixed text and looks up the digest of the ids. So does this, with a reader of its own for that
//! one text, and therefore knows whatever the converter knows. Where the digest is not known, because a fine-tune
//! added tokens that occur in the text, or puts another token before it, the text is encoded again without; and where
//! the vocabulary itself is new, how it splits tells the name (`structure.rs`), which several may share (`groups.rs`).

mod digests;
mod encode;
mod groups;
mod model;
mod normalizer;
mod split;
mod structure;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use self::digests::{DIGESTS, TEXT};
pub(super) use self::groups::{QWEN2, QWEN35};
use super::error::TokenizerError;
use super::file::shorten;
use super::vocabulary::Vocabulary;

/// Names that the converter gives WordPiece tokenizers, where llama.cpp has no pre-tokenizers to choose from.
const WORD_PIECE: [&str; 3] = ["bert-bge", "bert-bge-large", "jina-v2-en"];
/// The name for a WordPiece vocabulary that is not known: that of most English ones.
const ANY_WORD_PIECE: &str = "jina-v2-en";

/// How many of the special tokens are tried at the start of the converter's text: the first are those that begin texts.
const MAX_STARTS: usize = 512;

/// A pre-tokenizer, and how it was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreTokenizer {
    /// llama.cpp's name for it, `tokenizer.ggml.pre`.
    pub name: &'static str,
    /// How it was recognised.
    pub rule: PreTokenizerRule,
    /// What was recognised: the digest of the ids, or the regular expressions; empty if it was asked for.
    pub evidence: String,
}

impl std::fmt::Display for PreTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pre-tokenizer {}: {}", self.name, self.rule)?;
        if !self.evidence.is_empty() {
            write!(f, " ({})", self.evidence)?;
        }
        Ok(())
    }
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
    /// Mistral's own file, which has the one it is named for.
    Tekken,
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
            Self::Tekken => "by the file, tekken.json",
            Self::WordPiece => "WordPiece, where the name does not matter",
        })
    }
}

/// The pre-tokenizer of a tokenizer, or the one asked for.
pub(super) fn recognise(
    vocabulary: &Vocabulary<'_>,
    asked: Option<&str>,
) -> Result<PreTokenizer, TokenizerError> {
    let found = |name, rule, evidence| Ok(PreTokenizer { name, rule, evidence });
    let json = vocabulary.json;
    if let Some(name) = asked {
        let name = check_name(name, json.model_kind() == "WordPiece")?;
        return found(name, PreTokenizerRule::Asked, String::new());
    }
    if let Some(((digest, name), rule)) = by_ids(vocabulary) {
        return found(name, rule, format!("SHA-256 {digest}"));
    }
    if let Some(structure::Recognised { name, regexes }) = structure::find(json) {
        return found(name, PreTokenizerRule::Splits, regexes.join("  then  "));
    }
    if json.model_kind() == "WordPiece" {
        return found(ANY_WORD_PIECE, PreTokenizerRule::WordPiece, String::new());
    }
    let structure = shorten(&structure::describe(json), 300);
    Err(TokenizerError::UnknownPre { path: json.path.clone(), structure })
}

/// The name as the table has it, if llama.cpp has one of that name. For WordPiece it does not look at the name, and the
/// converter has some of its own.
pub(super) fn check_name(name: &str, word_piece: bool) -> Result<&'static str, TokenizerError> {
    let own: &[&'static str] = if word_piece { &WORD_PIECE } else { &[] };
    let known: Vec<&'static str> = groups::names().chain(own.iter().copied()).collect();
    if let Some(known) = known.iter().find(|known| **known == name) {
        return Ok(known);
    }
    let plain = |name: &str| name.replace(['-', '_', '.'], "").to_ascii_lowercase();
    let wanted = plain(name);
    let mut near: Vec<(f64, &'static str)> =
        known.iter().map(|known| (strsim::jaro_winkler(&plain(known), &wanted), *known)).collect();
    near.retain(|(likeness, _)| *likeness > 0.7);
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let near = near.into_iter().take(4).map(|(_, known)| known).collect();
    Err(TokenizerError::NoSuchPre { name: shorten(name, 60), near })
}

/// An entry of the converter's table: digest and name.
type Entry = (&'static str, &'static str);

fn by_ids(vocabulary: &Vocabulary<'_>) -> Option<(Entry, PreTokenizerRule)> {
    let json = vocabulary.json;
    let (before, after) = encode::frame_of(json).unwrap_or_default();
    let text = encode::encode(json, Some(&vocabulary.added), TEXT)?;
    if let Some(entry) = look_up(&before, &text, &after) {
        return Some((entry, PreTokenizerRule::Ids));
    }
    let base = encode::encode(json, None, TEXT)?;
    let texts = if base == text { vec![base] } else { vec![text, base] };
    let ends = [after, Vec::new()];
    let known = |text: &Vec<u32>, start: &[u32]| ends.iter().find_map(|end| look_up(start, text, end));
    let own = texts.iter().find_map(|text| known(text, &before));
    // A fine-tune may begin texts with another token; the one its base began with is still an added token.
    let other = || {
        let special = vocabulary.added.iter().filter(|(_, token)| token.special).take(MAX_STARTS);
        let starts: Vec<_> = special.map(|(id, _)| vec![id]).chain([Vec::new()]).collect();
        let entries: Vec<_> =
            texts.iter().flat_map(|text| starts.iter().filter_map(|start| known(text, start))).collect();
        if entries.is_empty() {
            return None;
        }
        // Names may differ in that token alone: then the one that its splits have by themselves.
        let by_splits = structure::find(json).map(|found| found.name);
        entries.iter().find(|(_, name)| Some(*name) == by_splits).or(entries.first()).copied()
    };
    let entry = own.or_else(other)?;
    Some((entry, PreTokenizerRule::IdsOfBase))
}

/// What the converter's table has for a list of ids.
fn look_up(before: &[u32], text: &[u32], after: &[u32]) -> Option<Entry> {
    let digest = digest(&[before, text, after].concat());
    DIGESTS.iter().find(|(d, _)| *d == digest).copied()
}

/// The SHA-256 of a list of ids as Python writes it.
fn digest(ids: &[u32]) -> String {
    let mut digest = String::new();
    for byte in Sha256::digest(format!("{ids:?}")) {
        // Writing into a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// Names with the regular expressions that each splits by, for tests.
#[cfg(test)]
pub(super) fn splitting_names() -> Vec<(&'static str, &'static [&'static str])> {
    groups::GROUPS.iter().flat_map(|group| group.names().map(|name| (name, group.regexes))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::json::TokenizerJson;
    use super::*;
    use crate::bounded::Folder;
    use crate::limits::Limits;

    /// As many as llama.cpp has, each once; and the converter's table names no other but for WordPiece.
    #[test]
    fn names_are_llama_cpps() {
        let mut names: Vec<_> = groups::names().collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!((names.len(), count), (91, 91));
        let of_converter = || DIGESTS.iter().map(|(_, name)| *name);
        for name in of_converter() {
            assert!(names.contains(&name) || WORD_PIECE.contains(&name), "{name}");
        }
        let mut distinct: Vec<_> = of_converter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        // The converter has 86; two of them never come out, for later entries have their digests.
        assert_eq!(distinct.len(), 84);
    }

    /// SentencePiece's form of BPE: characters that are no tokens become their bytes. The digest is that of the ids that the
    /// tokenizers library (0.23.3) gives.
    #[test]
    fn ids_of_bpe_with_byte_fallback_are_the_librarys() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/tokenizer/gemma4");
        let folder = Folder { path: folder.as_ref(), limits: &Limits::new() };
        let json = TokenizerJson::read(folder).unwrap_or_else(|e| panic!("{e}")).expect("a file");
        let ids = encode::encode(&json, None, TEXT).expect("encodes");
        assert_eq!(ids.len(), 431);
        assert_eq!(digest(&ids), "de497418e5cb0951ff7e2e3d3320969a991b9a46ec057bdc9a732d8e2a2488fa");
    }

    #[test]
    fn other_names_are_refused_with_near_ones() {
        assert_eq!(check_name("qwen2", false).ok(), Some("qwen2"));
        let message = |name, word_piece| check_name(name, word_piece).expect_err("unknown").to_string();
        assert!(
            message("LLaMA_BPE", false)
                .ends_with("of that name; near ones: llama-bpe, llama3, llama4, llama-v3")
        );
        assert!(message("mmbert", false).contains("; near ones: "));
        assert!(message("\u{1f980}", false).ends_with("llama.cpp has none of that name"));
        assert!(check_name("jina-v2-en", true).is_ok() && check_name("jina-v2-en", false).is_err());
    }
}
