//! SentencePiece's own file: pieces with scores, how text is normalized, which model it is.

use std::path::Path;

use prost::encoding::{DecodeContext, decode_key, skip_field};
use prost::{DecodeError, Message};

use super::MAX_TOKENS;
use super::error::TokenizerError;
use super::file::{read, shorten, value_error};
use super::metadata::{TokenType, Tokens, is_byte};
use crate::limits::Limits;

/// The score of an id that has no piece.
const PADDING_SCORE: f32 = -10000.0;

/// What GGUF takes from `sentencepiece_model.proto` (SentencePiece 0.2); all else is read past.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(message, repeated, tag = "1")]
    pieces: Vec<Piece>,
    #[prost(message, optional, tag = "2")]
    trainer: Option<Trainer>,
    #[prost(message, optional, tag = "3")]
    normalizer: Option<Normalizer>,
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

#[derive(Clone, PartialEq, Message)]
struct Trainer {
    #[prost(enumeration = "ModelType", optional, tag = "3")]
    model_type: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct Normalizer {
    #[prost(bytes = "vec", optional, tag = "2")]
    precompiled_charsmap: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "3")]
    add_dummy_prefix: Option<bool>,
    #[prost(bool, optional, tag = "4")]
    remove_extra_whitespaces: Option<bool>,
}

/// How text is normalized before it is cut into pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Normalization {
    /// A space goes before the text.
    pub add_space_prefix: bool,
    /// Spaces at the ends go away, and of several in a row all but one.
    pub remove_extra_whitespaces: bool,
    /// Replacements of characters, as SentencePiece compiles them; empty if there are none.
    pub precompiled_charsmap: Vec<u8>,
}

/// How text is cut into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum ModelType {
    Unigram = 1,
    Bpe = 2,
    Word = 3,
    Char = 4,
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

impl Model {
    /// Reads a file; `None` if there is no such file.
    pub(super) fn read(path: &Path, limits: &Limits) -> Result<Option<Self>, TokenizerError> {
        let Some(bytes) = read(path, limits)? else { return Ok(None) };
        let broken = |source| TokenizerError::SentencePiece { path: path.into(), source };
        // A piece takes two bytes in a file and twenty times that in memory, so they are counted first.
        let expected = || format!("a vocabulary of 1 to {MAX_TOKENS}");
        match count_pieces(&bytes).map_err(broken)? {
            0 => Err(value_error(path, "pieces", "none", expected())),
            count if count > MAX_TOKENS => Err(value_error(path, "pieces", count.to_string(), expected())),
            _ => {
                let model = Self::decode(bytes.as_slice()).map_err(broken)?;
                model.check_bytes(path)?;
                Ok(Some(model))
            }
        }
    }

    /// Refuses a piece for a byte that is not written as one: SentencePiece does not load it, and llama.cpp reads its
    /// number unchecked.
    fn check_bytes(&self, path: &Path) -> Result<(), TokenizerError> {
        for (id, piece) in self.pieces.iter().enumerate() {
            let text = piece.piece.as_deref().unwrap_or_default();
            if piece.kind == Some(PieceType::Byte as i32) && !is_byte(text) {
                let found = format!("{:?} of type BYTE", shorten(text, 40));
                return Err(value_error(path, format!("pieces[{id}]"), found, "<0x00> to <0xFF>"));
            }
        }
        Ok(())
    }

    /// The number of pieces.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// How text is cut; `None` for a number that SentencePiece does not have.
    pub(super) fn model_type(&self) -> Option<ModelType> {
        let number = self.trainer.as_ref().and_then(|t| t.model_type);
        number.map_or(Some(ModelType::Unigram), |number| ModelType::try_from(number).ok())
    }

    /// How text is normalized.
    pub(super) fn normalization(&self) -> Normalization {
        let normalizer = self.normalizer.clone().unwrap_or_default();
        Normalization {
            add_space_prefix: normalizer.add_dummy_prefix.unwrap_or(true),
            remove_extra_whitespaces: normalizer.remove_extra_whitespaces.unwrap_or(true),
            precompiled_charsmap: normalizer.precompiled_charsmap.unwrap_or_default(),
        }
    }

    /// The first `size` pieces as tokens; ids beyond them get a placeholder `[PADi]`.
    pub(super) fn into_tokens(self, size: usize) -> Tokens {
        let mut tokens = Tokens::default();
        for piece in self.pieces.into_iter().take(size) {
            let kind = match piece.kind.map_or(Ok(PieceType::Normal), PieceType::try_from) {
                Ok(PieceType::Unknown) => TokenType::Unknown,
                Ok(PieceType::Control) => TokenType::Control,
                Ok(PieceType::Unused) => TokenType::Unused,
                Ok(PieceType::Byte) => TokenType::Byte,
                // The converter has no case for a piece that the model's maker defined.
                Ok(PieceType::Normal | PieceType::UserDefined) | Err(_) => TokenType::Normal,
            };
            tokens.push_scored(piece.piece.unwrap_or_default(), kind, piece.score.unwrap_or(0.0));
        }
        for id in tokens.texts.len()..size {
            tokens.push_scored(format!("[PAD{id}]"), TokenType::Unused, PADDING_SCORE);
        }
        tokens
    }
}

/// The number of pieces of a file: its fields of number 1.
fn count_pieces(mut bytes: &[u8]) -> Result<u32, DecodeError> {
    let mut count = 0u32;
    while !bytes.is_empty() {
        let (tag, wire_type) = decode_key(&mut bytes)?;
        skip_field(wire_type, tag, &mut bytes, DecodeContext::default())?;
        count = count.saturating_add(u32::from(tag == 1));
    }
    Ok(count)
}
