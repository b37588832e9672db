//! `tokenizer.json`, the serialization of Hugging Face's tokenizers library, as far as GGUF needs it.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::MAX_TOKENS;
use super::class::Class;
use super::error::TokenizerError;
use super::file::{read_json, value_error};
use super::merges::Merges;
use crate::bounded;
use crate::bounded::Folder;

/// The file.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TokenizerJson {
    #[serde(default)]
    pub added_tokens: Option<Vec<NumberedToken>>,
    #[serde(default, deserialize_with = "bounded::value")]
    pub normalizer: Value,
    #[serde(default, deserialize_with = "bounded::value")]
    pub pre_tokenizer: Value,
    #[serde(default, deserialize_with = "bounded::value")]
    pub post_processor: Value,
    #[serde(default, deserialize_with = "bounded::value")]
    pub decoder: Value,
    pub model: Model,
    /// Where it was read from.
    #[serde(skip)]
    pub path: PathBuf,
    /// The class that put it together of older files; `None` if it is a file.
    #[serde(skip)]
    pub built_by: Option<&'static Class>,
}

/// A token of `added_tokens`, with its id.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawAddedToken")]
pub(super) struct NumberedToken {
    pub id: u32,
    pub token: AddedToken,
}

impl TryFrom<RawAddedToken> for NumberedToken {
    type Error = &'static str;

    fn try_from(raw: RawAddedToken) -> Result<Self, Self::Error> {
        Ok(Self { id: raw.id.ok_or("missing field `id`")?, token: raw.into() })
    }
}

/// A token that is cut out of the text before the model sees it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "RawAddedToken")]
pub(super) struct AddedToken {
    pub content: String,
    pub single_word: bool,
    pub lstrip: bool,
    pub rstrip: bool,
    pub normalized: bool,
    pub special: bool,
}

impl AddedToken {
    /// What `AddedToken(content, special=True)` makes.
    pub(super) fn special(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
        }
    }
}

#[derive(Deserialize)]
struct RawAddedToken {
    /// Tokens that are listed elsewhere have theirs beside them.
    id: Option<u32>,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    normalized: Option<bool>,
    #[serde(default)]
    special: bool,
}

impl From<RawAddedToken> for AddedToken {
    fn from(raw: RawAddedToken) -> Self {
        Self {
            content: raw.content,
            single_word: raw.single_word,
            lstrip: raw.lstrip,
            rstrip: raw.rstrip,
            normalized: raw.normalized.unwrap_or(!raw.special),
            special: raw.special,
        }
    }
}

/// The `model` of the file: BPE and WordPiece keep a map of token to id, Unigram a list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Model {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub vocab: Vocab,
    #[serde(default)]
    pub merges: Merges,
    pub unk_token: Option<String>,
    pub continuing_subword_prefix: Option<String>,
    pub end_of_word_suffix: Option<String>,
    pub byte_fallback: Option<bool>,
    pub ignore_merges: Option<bool>,
    pub max_input_chars_per_word: Option<usize>,
    /// The id of the token for what is unknown (Unigram).
    pub unk_id: Option<u32>,
}

/// The ids by token.
#[derive(Debug, Default)]
pub(super) struct Vocab {
    pub ids: HashMap<String, u32>,
    /// Tokens and their scores in order of id, where the file has a list of them (Unigram).
    pub pieces: Vec<(String, f32)>,
    /// The file has such a list.
    pub is_list: bool,
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Vocab;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of token to id, or a list of tokens and scores")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
                let mut ids = HashMap::new();
                while let Some((token, id)) = map.next_entry::<String, u32>()? {
                    ids.insert(token, id);
                    bound(ids.len())?;
                }
                Ok(Vocab { ids, ..Vocab::default() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vocab, A::Error> {
                let mut vocab = Vocab { is_list: true, ..Vocab::default() };
                while let Some((token, score)) = seq.next_element::<(String, f64)>()? {
                    let score = score as f32;
                    if !score.is_finite() {
                        return Err(serde::de::Error::custom(format_args!(
                            "score of {token:?} is beyond F32"
                        )));
                    }
                    vocab.ids.insert(token.clone(), bound(vocab.pieces.len())?);
                    vocab.pieces.push((token, score));
                }
                Ok(vocab)
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// The number of tokens, or the next id, if no vocabulary is larger.
fn bound<E: serde::de::Error>(count: usize) -> Result<u32, E> {
    let bounded = u32::try_from(count).ok().filter(|count| *count <= MAX_TOKENS);
    bounded.ok_or_else(|| E::custom(format_args!("more than {MAX_TOKENS} tokens")))
}

impl TokenizerJson {
    /// Reads `tokenizer.json` of a folder; `None` if it has none.
    pub(super) fn read(folder: Folder<'_>) -> Result<Option<Self>, TokenizerError> {
        let path = folder.join("tokenizer.json");
        let Some(mut json) = read_json::<Self>(&path, folder.limits)? else { return Ok(None) };
        for (key, component) in [
            ("normalizer", &json.normalizer),
            ("pre_tokenizer", &json.pre_tokenizer),
            ("decoder", &json.decoder),
        ] {
            if !is_modest(component) {
                let expected =
                    format!("at most {MAX_PARTS} parts, with at most {MAX_TEXT} bytes of expressions");
                return Err(value_error(path, key, "more", expected));
            }
        }
        json.path = path;
        Ok(Some(json))
    }

    /// The type of the model; some old files leave it out.
    pub(super) fn model_kind(&self) -> &str {
        self.model.kind.as_deref().unwrap_or(if self.model.merges.is_empty() { "" } else { "BPE" })
    }

    /// Refuses a model of another type.
    pub(super) fn expect_model(&self, kind: &str) -> Result<(), TokenizerError> {
        let found = if self.model.vocab.is_list { "Unigram" } else { self.model_kind() };
        if found == kind {
            return Ok(());
        }
        Err(value_error(&self.path, "model.type", format!("{found:?}"), format!("{kind:?}")))
    }
}

/// How many parts a component may have, all entries of lists and all objects: several times what is met. Decoders are applied
/// to every token, normalizers to many.
const MAX_PARTS: usize = 256;

/// How long the texts of a component may be together: ten times what is met. Expressions take time to compile.
const MAX_TEXT: usize = 1 << 14;

/// Whether a component is of a size that is met.
fn is_modest(component: &Value) -> bool {
    /// What is left of both bounds after this value; `None` if it is too much.
    fn left(value: &Value, (parts, text): (usize, usize)) -> Option<(usize, usize)> {
        match value {
            Value::String(s) => Some((parts, text.checked_sub(s.len())?)),
            Value::Array(list) => {
                let room = (parts.checked_sub(list.len())?, text);
                list.iter().try_fold(room, |room, value| left(value, room))
            }
            Value::Object(map) => {
                let room = (parts.checked_sub(1)?, text);
                // SentencePiece's table of characters is no expression.
                let mut texts = map.iter().filter(|(key, _)| *key != "precompiled_charsmap");
                texts.try_fold(room, |room, (_, value)| left(value, room))
            }
            _ => Some((parts, text)),
        }
    }
    left(component, (MAX_PARTS, MAX_TEXT)).is_some()
}

/// The `type` of a component, `""` if it has none.
pub(super) fn component_type(component: &Value) -> &str {
    component.get("type").and_then(Value::as_str).unwrap_or("")
}
