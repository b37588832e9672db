//! SentencePiece's own file, `tokenizer.model`: GGUF's `llama` tokenizer.

use std::collections::HashMap;
use std::path::Path;

use gguf_format::Metadata;
use prost::Message;

use super::error::TokenizerError;
use super::file::{read, read_json, shorten, value_error};
use super::metadata::{
    MODEL, PRE, SCORES, TOKEN_TYPE, TOKENS, TokenType, Tokens, looks_special, user_defined,
};
use super::special::{COMMON, Sources, SpecialTokens};
use super::{Files, TokenizerInput, Written, checked_size};

/// The score of a token that is in no file.
const PADDING_SCORE: f32 = -10000.0;
/// The score of a token that was added.
const ADDED_SCORE: f32 = -1000.0;

/// What GGUF takes from `sentencepiece_model.proto` (SentencePiece 0.2); all else is read past.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(message, repeated, tag = "1")]
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Message)]
struct Piece {
    #[prost(string, optional, tag = "1")]
    piece: Option<String>,
    #[prost(float, optional, tag = "2")]
    score: Option<f32>,
    #[prost(enumeration = "PieceType", optional, tag = "3")]
    kind: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum PieceType {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// Reads `tokenizer.model`; `None` if the folder has none.
pub(super) fn read_model(folder: &Path) -> Result<Option<Model>, TokenizerError> {
    let path = folder.join("tokenizer.model");
    let Some(bytes) = read(&path)? else { return Ok(None) };
    let model = Model::decode(bytes.as_slice())
        .map_err(|source| TokenizerError::SentencePiece { path: path.clone(), source })?;
    if model.pieces.is_empty() {
        return Err(value_error(path, "pieces", "none", "a vocabulary"));
    }
    Ok(Some(model))
}

/// Writes the pairs of a SentencePiece tokenizer.
pub(super) fn write(
    input: &TokenizerInput<'_>,
    files: &Files,
    model: Model,
    pairs: &mut Metadata,
) -> Result<Written, TokenizerError> {
    let mut notes = Vec::new();
    let tokens = tokens(input, files, model, &mut notes)?;
    let size = tokens.texts.len();
    pairs.insert(MODEL, "llama");
    pairs.insert(PRE, "default");
    let types = tokens.type_numbers();
    pairs.insert(TOKENS, tokens.texts);
    pairs.insert(SCORES, tokens.scores);
    pairs.insert(TOKEN_TYPE, types);
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
    let path = input.dir.join("tokenizer.model");
    let size = match input.vocab_size {
        None | Some(0) => model.pieces.len(),
        Some(size) => checked_size(size, &path)?,
    };
    if model.pieces.len() > size {
        notes.push(format!(
            "{}: {} tokens beyond the vocab_size {size} of config.json left out",
            path.display(),
            model.pieces.len() - size
        ));
    }
    let mut tokens = Tokens::default();
    for piece in model.pieces.into_iter().take(size) {
        tokens.scores.push(piece.score.unwrap_or(0.0));
        let kind = match piece.kind.map_or(Ok(PieceType::Normal), PieceType::try_from) {
            Ok(PieceType::Unknown) => TokenType::Unknown,
            Ok(PieceType::Control) => TokenType::Control,
            Ok(PieceType::Unused) => TokenType::Unused,
            Ok(PieceType::Byte) => TokenType::Byte,
            // The converter has no case for a piece that the model's maker defined.
            Ok(PieceType::Normal | PieceType::UserDefined) | Err(_) => TokenType::Normal,
        };
        tokens.push(piece.piece.unwrap_or_default(), kind);
    }
    for id in tokens.texts.len()..size {
        tokens.push(format!("[PAD{id}]"), TokenType::Unused);
        tokens.scores.push(PADDING_SCORE);
    }
    let mut put = |id: u64, text: String, kind| {
        let at = usize::try_from(id).unwrap_or(usize::MAX);
        let place = (tokens.texts.get_mut(at), tokens.types.get_mut(at), tokens.scores.get_mut(at));
        if let (Some(t), Some(k), Some(score)) = place {
            (*t, *k, *score) = (text, kind, ADDED_SCORE);
        } else {
            let text = shorten(&text, 40);
            notes.push(format!("added token {text:?}: id {id} left out, the vocabulary has {size}"));
        }
    };
    let added: HashMap<String, u64> = read_json(&input.dir.join("added_tokens.json"))?.unwrap_or_default();
    let mut added: Vec<_> = added.into_iter().collect();
    added.sort_by_key(|(_, id)| *id);
    for (token, id) in added {
        put(id, token, TokenType::UserDefined);
    }
    for (id, token) in files.tokenizer.added_tokens_decoder()?.unwrap_or_default() {
        let (text, kind) = if token.special || looks_special(&token.content) {
            (token.content, TokenType::Control)
        } else {
            (user_defined(&token.content), TokenType::UserDefined)
        };
        put(u64::from(id), text, kind);
    }
    Ok(tokens)
}
