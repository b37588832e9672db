//! Mistral's own file, `tekken.json`: tokens as bytes in order of rank, merges that follow from them. GGUF's `gpt2`.
//!
//! Source: `_set_vocab_mistral` in `conversion/base.py`, `MistralVocab` in gguf-py's `vocab.py`, and mistral-common 1.13's
//! `tekken.py`.

use std::collections::HashMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gguf_format::Metadata;
use serde::Deserialize;

use super::decode::BYTE_CHARS;
use super::error::TokenizerError;
use super::file::{read_json, shorten, value_error};
use super::metadata::{
    ADD_BOS, CHAT_TEMPLATE, MERGES, MODEL, PRE, SCORES, TOKEN_TYPE, TOKENS, TokenType, Tokens, add_token_key,
    token_id_key,
};
use super::pre::{PreTokenizer, PreTokenizerRule, check_name};
use super::{Files, MAX_TOKENS, TokenizerInput, Written};
use crate::bounded::Folder;

/// More bytes than any token has (the longest known are runs of spaces, 128 and fewer): every place in one is tried for a merge.
const MAX_TOKEN_BYTES: usize = 1 << 8;

/// The special tokens of files that list none, up to the seventh version.
const FIRST_SPECIALS: [&str; 20] = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];

/// llama.cpp's own chat templates by the file's version. Of later ones the converter writes a text of its own.
const TEMPLATES: [(&str, &str); 3] =
    [("v1", "mistral-v1"), ("v3", "mistral-v3-tekken"), ("v7", "mistral-v7-tekken")];

/// The file, as far as GGUF needs it.
#[derive(Deserialize)]
pub(super) struct Tekken {
    config: Config,
    vocab: Vec<Token>,
    special_tokens: Option<Vec<Special>>,
    #[serde(skip)]
    path: PathBuf,
}

#[derive(Deserialize)]
struct Config {
    version: Option<String>,
    /// Special tokens and others together.
    default_vocab_size: u32,
    default_num_special_tokens: u32,
}

#[derive(Deserialize)]
struct Token {
    rank: u32,
    /// In base64.
    token_bytes: String,
}

#[derive(Deserialize)]
struct Special {
    rank: u32,
    token_str: String,
}

impl Tekken {
    /// Reads the file of a folder; `None` if it has none.
    pub(super) fn read(folder: Folder<'_>) -> Result<Option<Self>, TokenizerError> {
        let path = folder.join("tekken.json");
        Ok(read_json::<Self>(&path, folder.limits)?.map(|file| Self { path, ..file }))
    }

    fn error<T>(&self, key: &str, found: String, expected: String) -> Result<T, TokenizerError> {
        Err(value_error(&self.path, key, found, expected))
    }

    /// Whether it is of a version that may leave its special tokens out.
    fn lists_none(&self) -> bool {
        matches!(self.config.version.as_deref().unwrap_or_default(), "" | "v1" | "v2" | "v3" | "v7")
    }

    /// The texts of the special tokens in order of id, with fillers for those that have none.
    fn specials(&self) -> Result<Vec<String>, TokenizerError> {
        let count = self.config.default_num_special_tokens;
        let mut texts: Vec<String> = match &self.special_tokens {
            None if self.lists_none() => FIRST_SPECIALS.map(str::to_owned).to_vec(),
            None => {
                let expected = "a list, which files have since the eleventh version".to_owned();
                return self.error("special_tokens", "none".to_owned(), expected);
            }
            Some(listed) => {
                if let Some((id, token)) = (0..).zip(listed).find(|(id, token)| token.rank != *id) {
                    let found = format!("rank {} for {:?}", token.rank, shorten(&token.token_str, 40));
                    return self.error("special_tokens", found, format!("rank {id}"));
                }
                listed.iter().map(|token| token.token_str.clone()).collect()
            }
        };
        if texts.len() as u64 > u64::from(count) {
            let (found, expected) = (texts.len().to_string(), format!("at most {count}"));
            return self.error("special_tokens", found, expected);
        }
        texts.extend((texts.len()..count as usize).map(|id| format!("<SPECIAL_{id}>")));
        Ok(texts)
    }

    /// The bytes of the other tokens in order of rank: first each byte, then what is merged.
    fn bytes(&self, count: usize) -> Result<Vec<Vec<u8>>, TokenizerError> {
        let mut all = Vec::with_capacity(count.min(self.vocab.len()));
        for (rank, token) in self.vocab.iter().take(count).enumerate() {
            let at = || format!("vocab[{rank}]");
            if token.rank as usize != rank {
                return self.error(&at(), format!("rank {}", token.rank), format!("rank {rank}"));
            }
            match STANDARD.decode(&token.token_bytes) {
                Ok(bytes)
                    if (1..=MAX_TOKEN_BYTES).contains(&bytes.len())
                        && (rank > 255 || bytes == [rank as u8]) =>
                {
                    all.push(bytes);
                }
                _ => {
                    let found = format!("token_bytes {:?}", shorten(&token.token_bytes, 40));
                    let expected =
                        format!("1 to {MAX_TOKEN_BYTES} bytes in base64, first each byte in order");
                    return self.error(&at(), found, expected);
                }
            }
        }
        Ok(all)
    }

    /// Every way to put each token together from two of them, in order of rank.
    fn merges(&self, tokens: &[Vec<u8>]) -> Result<Vec<String>, TokenizerError> {
        let ranks: HashMap<&[u8], usize> =
            tokens.iter().enumerate().map(|(i, t)| (t.as_slice(), i)).collect();
        let mut merges = Vec::new();
        for (rank, token) in tokens.iter().enumerate().skip(256) {
            let halves = (1..token.len()).filter_map(|at| {
                let (left, right) = token.split_at_checked(at)?;
                Some((*ranks.get(left)?, *ranks.get(right)?, left, right))
            });
            let mut halves: Vec<_> = halves.collect();
            if halves.is_empty() {
                let found = format!("{:?}", shorten(&text(token), 40));
                return self.error(&format!("vocab[{rank}]"), found, "a token made of two others".to_owned());
            }
            halves.sort_by_key(|(left, right, ..)| (*left, *right));
            merges.extend(
                halves.into_iter().map(|(.., left, right)| format!("{} {}", text(left), text(right))),
            );
        }
        Ok(merges)
    }
}

/// Bytes in GPT-2's alphabet.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| BYTE_CHARS[usize::from(*byte)]).collect()
}

/// Writes the pairs of such a tokenizer.
pub(super) fn write(
    input: &TokenizerInput<'_>,
    files: &Files,
    file: &Tekken,
    pairs: &mut Metadata,
) -> Result<Written, TokenizerError> {
    let (size, special) = (file.config.default_vocab_size, file.config.default_num_special_tokens);
    let inner = size.checked_sub(special).filter(|inner| *inner >= 256 && size <= MAX_TOKENS);
    let Some(inner) = inner.map(|inner| inner as usize).filter(|inner| *inner <= file.vocab.len()) else {
        let found = format!("{size}, of which {special} special, and {} others", file.vocab.len());
        let expected = format!("{special} and 256 at least, as many as there are, at most {MAX_TOKENS}");
        return file.error("config.default_vocab_size", found, expected);
    };
    let specials = file.specials()?;
    let id = |token: &str| specials.iter().position(|t| t == token).and_then(|id| u32::try_from(id).ok());
    let needed = |token: &str| match id(token) {
        Some(id) => Ok(id),
        None => file.error("special_tokens", format!("no {token}"), format!("a token {token}")),
    };
    let (bos, eos, unk) = (needed("<s>")?, needed("</s>")?, needed("<unk>")?);
    let ids = [("bos", bos), ("eos", eos), ("unk", unk), ("pad", id("<pad>").unwrap_or(eos))];
    let bytes = file.bytes(inner)?;

    pairs.insert(MODEL, "gpt2");
    let pre = match input.pre {
        Some(name) => {
            let name = check_name(name, false)?;
            PreTokenizer { name, rule: PreTokenizerRule::Asked, evidence: String::new() }
        }
        None => PreTokenizer { name: "tekken", rule: PreTokenizerRule::Tekken, evidence: String::new() },
    };
    pairs.insert(PRE, pre.name);
    pairs.insert(MERGES, file.merges(&bytes)?);
    for (role, id) in ids {
        if let Some(key) = token_id_key(role) {
            pairs.insert(key, id);
        }
    }
    let mut tokens = Tokens::default();
    for text in specials {
        tokens.push(text, TokenType::Control);
    }
    for token in &bytes {
        tokens.push(text(token), TokenType::Normal);
    }
    let types = tokens.type_numbers();
    let size = tokens.texts.len();
    pairs.insert(TOKENS, tokens.texts);
    // Integers, as the converter writes them.
    pairs.insert(SCORES, vec![0i32; size]);
    pairs.insert(TOKEN_TYPE, types);
    pairs.insert(ADD_BOS, true);
    if let Some(key) = add_token_key("eos") {
        pairs.insert(key, false);
    }
    let mut notes = Vec::new();
    let version = file.config.version.as_deref().unwrap_or_default();
    match TEMPLATES.iter().find(|(of, _)| *of == version) {
        Some((_, template)) => drop(pairs.insert(CHAT_TEMPLATE, *template)),
        None => files.templates.write(pairs)?,
    }
    if pairs.get(CHAT_TEMPLATE).is_none() {
        notes.push(format!(
            "{}: version {:?} has no chat template, and the folder has none: put one in chat_template.jinja",
            file.path.display(),
            shorten(version, 20)
        ));
    }
    Ok(Written { size, pre: Some(pre), notes })
}
