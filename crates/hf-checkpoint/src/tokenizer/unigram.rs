//! Unigram, GGUF's `t5` tokenizer: SentencePiece's own file, or its form in `tokenizer.json`.
//!
//! Source: `conversion/t5.py` (`T5Model.set_vocab`) and `conversion/bert.py` (`_xlmroberta_set_vocab`).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gguf_format::Metadata;
use serde_json::Value;

use super::class::Loading;
use super::error::TokenizerError;
use super::file::{shorten, value_error};
use super::json::{TokenizerJson, component_type};
use super::metadata::{
    ADD_SPACE_PREFIX, PRECOMPILED_CHARSMAP, REMOVE_EXTRA_WHITESPACES, TOKEN_TYPE_COUNT, TokenType, Tokens,
    is_byte,
};
use super::proto::{Model, ModelType, Normalization};
use super::sentencepiece::{self, put_added_tokens};
use super::special::{COMMON, Sources, SpecialTokens};
use super::vocabulary::Vocabulary;
use super::{Files, TokenizerInput, TokenizerKind, Written, checked_size};

/// The score of an id that has no token.
const PADDING_SCORE: f32 = -10000.0;
/// The id of the token that masks in Nomic's models, which is not in their SentencePiece file.
const NOMIC_MASK: usize = 250_001;
/// What XLM-RoBERTa's tokens begin with, in place of the first three pieces of its SentencePiece file.
const XLM_ROBERTA: [(&str, TokenType); 4] = [
    ("<s>", TokenType::Control),
    ("<pad>", TokenType::Control),
    ("</s>", TokenType::Control),
    ("<unk>", TokenType::Unknown),
];

/// Writes the pairs of a Unigram tokenizer, from the first of the family's files that is there.
pub(super) fn write(
    input: &TokenizerInput<'_>,
    files: &Files,
    pairs: &mut Metadata,
) -> Result<Written, TokenizerError> {
    let of_t5 = input.kind == TokenizerKind::T5;
    let names: &[&str] = match input.kind {
        TokenizerKind::T5 => &["tokenizer.model", "spiece.model"],
        TokenizerKind::Camembert => &[],
        _ => &["sentencepiece.bpe.model"],
    };
    let mut found = None;
    for path in names.iter().map(|name| input.folder.join(name)) {
        if let Some(model) = Model::read(&path, input.folder.limits)? {
            found = Some((path, model));
            break;
        }
    }
    let mut notes = Vec::new();
    let file = match (&found, &files.json) {
        (Some((path, _)), _) => path.clone(),
        (None, Some(json)) => json.path.clone(),
        (None, None) => input.folder.path.to_owned(),
    };
    let (tokens, normalization) = match (found, &files.json) {
        // Pile-T5 has a model of BPE under T5's name.
        (Some((path, model)), _) if of_t5 && model.model_type() == Some(ModelType::Bpe) => {
            if path.ends_with("spiece.model") {
                return Err(wrong_model(path, &model));
            }
            return sentencepiece::write(input, files, model, pairs);
        }
        (Some((path, model)), _) if model.model_type() != Some(ModelType::Unigram) => {
            return Err(wrong_model(path, &model));
        }
        (Some((path, model)), _) => {
            let normalization = model.normalization();
            let tokens = match of_t5 {
                true => of_t5_model(input, &path, model, &mut notes)?,
                false => of_xlm_roberta_model(input, &path, model)?,
            };
            (tokens, normalization)
        }
        (None, Some(json)) => {
            json.expect_model("Unigram")?;
            let vocabulary = Vocabulary::new(input.folder, json, &files.tokenizer, input.config)?;
            let normalization = normalization(json, files, vocabulary.loading(), of_t5)?;
            (of_json(input, files, &vocabulary, &mut notes)?, normalization)
        }
        (None, None) => {
            return Err(TokenizerError::Missing {
                folder: input.folder.path.into(),
                expected: input.kind.files(),
            });
        }
    };
    let size = tokens.write("t5", Some("default"), pairs);
    pairs.insert(ADD_SPACE_PREFIX, normalization.add_space_prefix);
    if !of_t5 {
        pairs.insert(TOKEN_TYPE_COUNT, input.token_types);
    }
    pairs.insert(REMOVE_EXTRA_WHITESPACES, normalization.remove_extra_whitespaces);
    if !normalization.precompiled_charsmap.is_empty() {
        check_charsmap(&normalization.precompiled_charsmap, &file)?;
        pairs.insert(PRECOMPILED_CHARSMAP, normalization.precompiled_charsmap);
    }
    let sources = Sources { vocab_size: u32::try_from(size).ok(), ..files.sources(input) };
    let specials = SpecialTokens::gather(&sources, COMMON)?;
    specials.write(pairs)?;
    notes.extend(specials.notes);
    Ok(Written { size, pre: None, notes })
}

fn wrong_model(path: PathBuf, model: &Model) -> TokenizerError {
    let found = model.model_type().map_or("a number of no meaning".to_owned(), |t| format!("{t:?}"));
    value_error(path, "trainer_spec.model_type", found, "Unigram")
}

/// T5's tokens: the pieces, then placeholders, then what `added_tokens.json` puts in their places.
fn of_t5_model(
    input: &TokenizerInput<'_>,
    path: &Path,
    model: Model,
    notes: &mut Vec<String>,
) -> Result<Tokens, TokenizerError> {
    let size = match input.vocab_size {
        None => model.len(),
        Some(size) => checked_size(size, path)?,
    };
    if model.len() > size {
        let expected = format!("at most the vocab_size {size} of config.json");
        return Err(value_error(path, "pieces", model.len().to_string(), expected));
    }
    let mut tokens = model.into_tokens(size);
    put_added_tokens(input.folder, &mut tokens, notes)?;
    Ok(tokens)
}

/// XLM-RoBERTa's tokens: fairseq's four in front, then the pieces but the first three, so that the last is left over.
fn of_xlm_roberta_model(
    input: &TokenizerInput<'_>,
    path: &Path,
    model: Model,
) -> Result<Tokens, TokenizerError> {
    let size = checked_size(input.vocab_size.unwrap_or(0).max(model.len() as u64), path)?;
    if size < XLM_ROBERTA.len() {
        let expected = format!("{} at least", XLM_ROBERTA.len());
        return Err(value_error(path, "pieces", size.to_string(), expected));
    }
    let pieces = model.into_tokens(size);
    let mut tokens = Tokens::default();
    for (text, kind) in XLM_ROBERTA {
        tokens.push_scored(text.to_owned(), kind, 0.0);
    }
    let rest = pieces.texts.into_iter().zip(pieces.types).zip(pieces.scores);
    for ((text, kind), score) in rest.skip(3).take(size - XLM_ROBERTA.len()) {
        tokens.push_scored(text, kind, score);
    }
    if input.kind == TokenizerKind::XlmRobertaMasked
        && !tokens.replace(NOMIC_MASK, "<mask>".to_owned(), TokenType::Control, 0.0)
    {
        let expected = format!("more than {NOMIC_MASK}, which is the id of <mask>");
        return Err(value_error(path, "pieces", size.to_string(), expected));
    }
    Ok(tokens)
}

/// The tokens of a `tokenizer.json`.
///
/// Of added tokens beyond the model's own the converter keeps no text for XLM-RoBERTa; T5's it does not read in this
/// form at all, so they are kept there.
fn of_json(
    input: &TokenizerInput<'_>,
    files: &Files,
    vocabulary: &Vocabulary<'_>,
    notes: &mut Vec<String>,
) -> Result<Tokens, TokenizerError> {
    let json = vocabulary.json;
    let pieces = &json.model.vocab.pieces;
    let wanted = input.vocab_size.unwrap_or(0).max(pieces.len() as u64);
    let size = checked_size(wanted, &json.path)?;
    let mut tokens = Tokens::default();
    for (text, score) in pieces {
        let bytes = json.model.byte_fallback == Some(true) && input.kind == TokenizerKind::T5;
        let kind = if bytes && is_byte(text) { TokenType::Byte } else { TokenType::Normal };
        tokens.push_scored(text.clone(), kind, *score);
    }
    for id in tokens.texts.len()..size {
        tokens.push_scored(format!("[PAD{id}]"), TokenType::Unused, PADDING_SCORE);
    }
    let specials: HashSet<&str> = vocabulary.specials.iter().map(|s| s.content.as_str()).collect();
    for (id, token) in vocabulary.added.iter() {
        let at = id as usize;
        let score = match pieces.get(at) {
            Some((_, score)) => *score,
            None if input.kind == TokenizerKind::T5 && at < size => 0.0,
            None => {
                let text = shorten(&token.content, 40);
                notes.push(format!("added token {text:?}: id {id} left out, beyond the model's own tokens"));
                continue;
            }
        };
        let kind = if specials.contains(token.content.as_str()) {
            TokenType::Control
        } else {
            TokenType::UserDefined
        };
        tokens.replace(at, token.content.clone(), kind, score);
    }
    let unknown = files.tokenizer.text("unk_token").and_then(|token| vocabulary.added.id(token));
    let unknown = unknown.or(json.model.unk_id).map(|id| id as usize).filter(|&id| id < pieces.len());
    if let Some(kind) = unknown.and_then(|id| tokens.types.get_mut(id)) {
        *kind = TokenType::Unknown;
    }
    Ok(tokens)
}

/// How a `tokenizer.json` normalizes text.
///
/// For XLM-RoBERTa the converter takes the two flags from `tokenizer_config.json`; T5's come from the components, which
/// say the same as the SentencePiece file that they were made of.
fn normalization(
    json: &TokenizerJson,
    files: &Files,
    loading: &Loading,
    of_t5: bool,
) -> Result<Normalization, TokenizerError> {
    let precompiled_charsmap = charsmap(json)?;
    let flag = |key: &str, or| files.tokenizer.map.get(key).map_or(or, crate::json::truthy);
    let (add_space_prefix, remove_extra_whitespaces) = if of_t5 {
        let removes = parts(&json.pre_tokenizer, "pretokenizers")
            .any(|p| component_type(p) == "WhitespaceSplit")
            || parts(&json.normalizer, "normalizers")
                .any(|p| p.pointer("/pattern/Regex").and_then(Value::as_str) == Some(" {2,}"));
        let adds = parts(&json.pre_tokenizer, "pretokenizers")
            .filter(|p| component_type(p) == "Metaspace")
            .all(|p| p.get("prepend_scheme").and_then(Value::as_str) != Some("never"));
        (adds, removes)
    } else {
        // The class adds a space unless told otherwise, the plain backend only if told to.
        let adds = flag("add_prefix_space", !loading.from_file);
        (adds, flag("clean_up_tokenization_spaces", false))
    };
    Ok(Normalization { add_space_prefix, remove_extra_whitespaces, precompiled_charsmap })
}

/// The replacements of characters that a normalizer makes; empty if there are none.
fn charsmap(json: &TokenizerJson) -> Result<Vec<u8>, TokenizerError> {
    let mut maps = parts(&json.normalizer, "normalizers").filter_map(|p| p.get("precompiled_charsmap"));
    match maps.next() {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(map) => map.as_str().and_then(|text| STANDARD.decode(text).ok()).ok_or_else(|| {
            let found = shorten(&map.to_string(), 40);
            value_error(&json.path, "normalizer.precompiled_charsmap", found, "bytes in base64")
        }),
    }
}

/// llama.cpp loads no map whose first number, the length of its double array in bytes, goes beyond it.
fn check_charsmap(map: &[u8], path: &Path) -> Result<(), TokenizerError> {
    let array = map.first_chunk::<4>().map(|len| u64::from(u32::from_le_bytes(*len)));
    if array.is_some_and(|array| array + 4 < map.len() as u64) {
        return Ok(());
    }
    let found = format!("{} bytes, of which the double array takes {}", map.len(), array.unwrap_or(0));
    Err(value_error(path, "precompiled_charsmap", found, "the array, then the replacements"))
}

/// The parts of a sequence of components; of any other, itself.
fn parts<'a>(component: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    let list = component.get(key).and_then(Value::as_array);
    list.map_or(std::slice::from_ref(component), Vec::as_slice).iter()
}
