//! A SentencePiece model of BPE, `tokenizer.model`: GGUF's `llama` tokenizer.

use gguf_format::Metadata;

use super::added::added_tokens_json;
use super::error::TokenizerError;
use super::file::shorten;
use super::json::AddedToken;
use super::metadata::{TokenType, Tokens, looks_special, user_defined};
use super::proto::Model;
use super::special::{COMMON, Sources, SpecialTokens};
use super::{Files, TokenizerInput, TokenizerKind, Written, checked_size};
use crate::bounded::Folder;

/// The score of a token that was added.
pub(super) const ADDED_SCORE: f32 = -1000.0;

/// Writes the pairs of a SentencePiece tokenizer.
pub(super) fn write(
    input: &TokenizerInput<'_>,
    files: &Files,
    model: Model,
    pairs: &mut Metadata,
) -> Result<Written, TokenizerError> {
    let mut notes = Vec::new();
    let tokens = tokens(input, files, model, &mut notes)?;
    let size = tokens.write("llama", Some("default"), pairs);
    let sources = Sources { vocab_size: u32::try_from(size).ok(), ..files.sources(input) };
    let specials = SpecialTokens::gather(&sources, COMMON)?;
    specials.write(pairs)?;
    notes.extend(specials.notes);
    Ok(Written { size, pre: None, notes })
}

fn tokens(
    input: &TokenizerInput<'_>,
    files: &Files,
    model: Model,
    notes: &mut Vec<String>,
) -> Result<Tokens, TokenizerError> {
    let path = input.folder.join("tokenizer.model");
    let size = match input.vocab_size {
        None | Some(0) => model.len(),
        Some(size) => checked_size(size, &path)?,
    };
    if let Some(beyond @ 1..) = model.len().checked_sub(size) {
        let path = path.display();
        notes.push(format!("{path}: {beyond} tokens beyond the vocab_size {size} of config.json left out"));
    }
    let mut tokens = model.into_tokens(size);
    put_added_tokens(input.folder, &mut tokens, notes)?;
    let phi = input.kind == TokenizerKind::Phi3;
    for (id, token) in files.tokenizer.added_tokens_decoder()?.unwrap_or_default() {
        let (text, kind) = if phi {
            as_it_is(token)
        } else if token.special || looks_special(&token.content) {
            (token.content, TokenType::Control)
        } else {
            (user_defined(&token.content), TokenType::UserDefined)
        };
        put(&mut tokens, id, text, kind, notes);
    }
    // Of Phi 3 the converter reads this file, too.
    let of_json = files.json.as_ref().and_then(|json| json.added_tokens.as_deref());
    for added in of_json.filter(|_| phi).unwrap_or_default() {
        let (text, kind) = as_it_is(added.token.clone());
        put(&mut tokens, added.id, text, kind, notes);
    }
    Ok(tokens)
}

/// Phi 3's added tokens: what looks special counts as its file says.
fn as_it_is(token: AddedToken) -> (String, TokenType) {
    (token.content, if token.special { TokenType::Control } else { TokenType::UserDefined })
}

/// Puts the tokens of `added_tokens.json`, which older folders have, in their places.
pub(super) fn put_added_tokens(
    folder: Folder<'_>,
    tokens: &mut Tokens,
    notes: &mut Vec<String>,
) -> Result<(), TokenizerError> {
    for (id, token) in added_tokens_json(folder)? {
        put(tokens, id, token, TokenType::UserDefined, notes);
    }
    Ok(())
}

/// Puts an added token in its place, if there is one.
fn put(tokens: &mut Tokens, id: u32, text: String, kind: TokenType, notes: &mut Vec<String>) {
    let at = id as usize;
    let size = tokens.texts.len();
    if at >= size {
        let text = shorten(&text, 40);
        notes.push(format!("added token {text:?}: id {id} left out, the vocabulary has {size}"));
    }
    tokens.replace(at, text, kind, ADDED_SCORE);
}
