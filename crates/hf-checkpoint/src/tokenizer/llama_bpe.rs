//! SentencePiece's BPE in the form of `tokenizer.json`: BPE with byte fallback. GGUF's `llama` tokenizer, without
//! scores of its own.

use std::collections::HashSet;

use gguf_format::Metadata;

use super::bpe::merges;
use super::error::TokenizerError;
use super::file::{shorten, value_error};
use super::json::{TokenizerJson, component_type};
use super::metadata::{ADD_BOS, ADD_SPACE_PREFIX, MERGES, TokenType, Tokens, is_byte};
use super::special::{COMMON, Sources, SpecialTokens};
use super::vocabulary::Vocabulary;
use super::{Files, TokenizerInput, Written};

/// The score of every token: the file has none.
const SCORE: f32 = -1000.0;

/// Whether a `tokenizer.json` is of this form.
pub(super) fn is_llama_bpe(json: &TokenizerJson) -> bool {
    json.model_kind() == "BPE"
        && json.model.byte_fallback == Some(true)
        && component_type(&json.decoder) == "Sequence"
}

/// Writes the pairs of such a tokenizer.
pub(super) fn write(
    input: &TokenizerInput<'_>,
    files: &Files,
    json: &TokenizerJson,
    pairs: &mut Metadata,
) -> Result<Written, TokenizerError> {
    let vocabulary = Vocabulary::new(input.folder, json, &files.tokenizer, input.config)?;
    let tokens = tokens(&vocabulary)?;
    let size = tokens.write("llama", Some("default"), pairs);
    let sources = Sources { vocab_size: u32::try_from(size).ok(), ..files.sources(input) };
    let specials = SpecialTokens::gather(&sources, COMMON)?;
    specials.write(pairs)?;
    Ok(Written { size, pre: None, notes: specials.notes })
}

/// Tokens of Gemma 4's that llama.cpp has to show, for chats are read by them (`conversion/gemma.py`, `Gemma4Model`).
const GEMMA4_VISIBLE: [&str; 7] = [
    "<|channel>",
    "<channel|>",
    "<|tool_call>",
    "<tool_call|>",
    "<|tool_response>",
    "<tool_response|>",
    "<|\"|>",
];

/// Writes the pairs of Gemma 4's tokenizer, which has the same form, with merges in place of a pre-tokenizer's name.
pub(super) fn write_gemma4(
    input: &TokenizerInput<'_>,
    files: &Files,
    json: &TokenizerJson,
    pairs: &mut Metadata,
) -> Result<Written, TokenizerError> {
    if !is_llama_bpe(json) {
        let expected = "BPE with byte_fallback, and a decoder that is a Sequence";
        return Err(value_error(&json.path, "model.type", describe(json), expected));
    }
    let vocabulary = Vocabulary::new(input.folder, json, &files.tokenizer, input.config)?;
    let mut tokens = tokens(&vocabulary)?;
    for (text, kind) in tokens.texts.iter().zip(&mut tokens.types) {
        if GEMMA4_VISIBLE.contains(&text.as_str()) {
            *kind = TokenType::UserDefined;
        }
    }
    let size = tokens.write("gemma4", None, pairs);
    let merges = merges(input.folder, json)?;
    if merges.is_empty() {
        let expected = "merges, without which llama.cpp cannot load the file";
        return Err(value_error(&json.path, "model.merges", "none", expected));
    }
    pairs.insert(MERGES, merges);
    let specials = SpecialTokens::gather(&files.sources(input), COMMON)?;
    specials.write(pairs)?;
    pairs.insert(ADD_SPACE_PREFIX, false);
    pairs.insert(ADD_BOS, true);
    Ok(Written { size, pre: None, notes: specials.notes })
}

/// A tokenizer that is not of this form, in a few words.
fn describe(json: &TokenizerJson) -> String {
    let (kind, fallback) = (json.model_kind(), json.model.byte_fallback == Some(true));
    let decoder = component_type(&json.decoder);
    format!("{kind:?}, byte_fallback {fallback}, decoder {decoder:?}")
}

fn tokens(vocabulary: &Vocabulary<'_>) -> Result<Tokens, TokenizerError> {
    let specials: HashSet<&str> = vocabulary.specials.iter().map(|s| s.content.as_str()).collect();
    let is_special = |token: &str| specials.contains(token);
    let size = vocabulary.json.model.vocab.ids.len();
    let mut tokens = Tokens::default();
    for (id, token) in vocabulary.base(size, "the number of tokens")?.into_iter().enumerate() {
        let Some(token) = token else {
            let found = format!("no token of id {id}");
            return Err(value_error(&vocabulary.json.path, "model.vocab", found, "ids without a gap"));
        };
        let kind = match token {
            _ if is_byte(token) => TokenType::Byte,
            _ if is_special(token) => TokenType::Control,
            _ => TokenType::Normal,
        };
        tokens.push(token.to_owned(), kind);
    }
    for (id, token) in vocabulary.added.iter() {
        if (id as usize) < size {
            continue;
        }
        if id as usize != tokens.texts.len() {
            let found = format!("id {id} for {:?}", shorten(&token.content, 40));
            let expected = format!("the next id, {}", tokens.texts.len());
            return Err(value_error(&vocabulary.json.path, "added_tokens", found, expected));
        }
        let special = is_special(&token.content);
        tokens.push(token.content.clone(), if special { TokenType::Control } else { TokenType::UserDefined });
    }
    tokens.scores = vec![SCORE; tokens.texts.len()];
    Ok(tokens)
}
