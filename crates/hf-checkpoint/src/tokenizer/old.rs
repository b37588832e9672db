//! Folders from before `tokenizer.json`: `vocab.json` with `merges.txt`, or `vocab.txt`, put together as the class of
//! transformers would that loads them (5.23, each class's constructor and `TokenizersBackend`).

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::MAX_TOKENS;
use super::added::AddedVocabulary;
use super::bpe::merges_txt;
use super::class::{Class, Form, of_old_files, old_names};
use super::config::TokenizerConfig;
use super::error::TokenizerError;
use super::file::{self, read_json, value_error};
use super::json::{AddedToken, Model, NumberedToken, TokenizerJson, Vocab};
use super::pre::{PreTokenizer, PreTokenizerRule};
use super::special::config_flag;
use crate::bounded::Folder;

/// A tokenizer of older files: what transformers would save of it.
#[derive(Debug)]
pub(super) struct Old {
    /// `tokenizer.json`.
    pub json: TokenizerJson,
    /// What `tokenizer_config.json` says with the special tokens that other files and the class name.
    pub config: TokenizerConfig,
}

impl Old {
    /// Whether the converter makes something of the folder: then its special tokens are those of `config.json` alone, for it looks
    /// at no other file that is there. Of a vocabulary that it does not know it makes nothing, and RoBERTa's it takes for WordPiece.
    pub(super) fn is_converted(&self, pre: &PreTokenizer) -> bool {
        matches!(pre.rule, PreTokenizerRule::Ids | PreTokenizerRule::Asked)
            && self.json.built_by.is_some_and(|class| class.form != Form::Roberta)
    }
}

/// Reads the older files of a folder; `None` if it has none.
pub(super) fn read(
    folder: Folder<'_>,
    tokenizer: &TokenizerConfig,
    config: &Value,
) -> Result<Option<Old>, TokenizerError> {
    let Some(path) =
        ["vocab.json", "vocab.txt"].map(|name| folder.join(name)).into_iter().find(|p| p.is_file())
    else {
        return Ok(None);
    };
    let class = match of_old_files(tokenizer, config) {
        Ok(class) if class.form != Form::SentencePiece => class,
        Ok(class) => return Err(unknown(path, Some(class.name().to_owned()))),
        Err(class) => return Err(unknown(path, class)),
    };
    let (named, _) = tokenizer.named_tokens(folder, class.defaults)?;
    let mut json = match class.form {
        Form::WordPiece => word_piece(folder, tokenizer, &named)?,
        form => byte_level(folder, tokenizer, form)?,
    };
    json.built_by = Some(class);
    let specials = tokenizer.special_tokens(folder, class.defaults)?;
    let added = AddedVocabulary::gather(folder, &json, tokenizer, &class.loading(), &specials)?;
    json.post_processor = post_processor(class, tokenizer, &named, |token| {
        added.id(token).or_else(|| json.model.vocab.ids.get(token).copied())
    })?;
    let numbered = |(id, token): (u32, &AddedToken)| NumberedToken { id, token: token.clone() };
    json.added_tokens = Some(added.iter().map(numbered).collect());
    let config = TokenizerConfig { map: named, path: tokenizer.path.clone() };
    Ok(Some(Old { json, config }))
}

fn unknown(path: PathBuf, class: Option<String>) -> TokenizerError {
    TokenizerError::UnknownClass { path, class, known: old_names() }
}

/// `vocab.json` and `merges.txt`.
fn byte_level(
    folder: Folder<'_>,
    tokenizer: &TokenizerConfig,
    form: Form,
) -> Result<TokenizerJson, TokenizerError> {
    let missing =
        || TokenizerError::Missing { folder: folder.path.into(), expected: "vocab.json and merges.txt" };
    let path = folder.join("vocab.json");
    let vocab: Vocab = read_json(&path, folder.limits)?.ok_or_else(missing)?;
    if vocab.is_list {
        return Err(value_error(path, "vocabulary", "a list", "a map of token to id"));
    }
    let merges = merges_txt(folder)?;
    if merges.is_empty() {
        return Err(missing());
    }
    let prefix = config_flag(tokenizer, "add_prefix_space")?.unwrap_or(false);
    let bytes = |regex: bool| json!({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": regex});
    let sequence = |first: Value, regex| json!({"type": "Sequence", "pretokenizers": [first, bytes(regex)]});
    let pre_tokenizer = match form {
        Form::NfcDigits => sequence(json!({"type": "Digits", "individual_digits": true}), true),
        Form::NfcSplit(regex) => {
            let pattern = json!({"Regex": regex});
            sequence(
                json!({"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": false}),
                false,
            )
        }
        _ => bytes(true),
    };
    let normalizer = match form {
        Form::Nfc | Form::NfcDigits | Form::NfcSplit(_) => json!({"type": "NFC"}),
        _ => Value::Null,
    };
    Ok(TokenizerJson {
        normalizer,
        pre_tokenizer,
        decoder: json!({"type": "ByteLevel"}),
        model: Model {
            kind: Some("BPE".to_owned()),
            vocab,
            merges: merges.iter().map(String::as_str).collect(),
            ..Model::default()
        },
        path,
        ..TokenizerJson::default()
    })
}

/// `vocab.txt`: a token a line, its id the number of the line. Of a token that stands twice the last line counts.
fn word_piece(
    folder: Folder<'_>,
    tokenizer: &TokenizerConfig,
    named: &Map<String, Value>,
) -> Result<TokenizerJson, TokenizerError> {
    let path = folder.join("vocab.txt");
    let Some(bytes) = file::read(&path, folder.limits)? else {
        return Err(TokenizerError::Missing { folder: folder.path.into(), expected: "vocab.txt" });
    };
    let text = String::from_utf8(bytes).map_err(|e| {
        value_error(&path, "text", format!("bytes at {}", e.utf8_error().valid_up_to()), "UTF-8")
    })?;
    let mut vocab = Vocab::default();
    for (id, line) in (0..).zip(text.lines()) {
        if id >= MAX_TOKENS {
            return Err(value_error(path, "lines", "more", format!("at most {MAX_TOKENS} tokens")));
        }
        vocab.ids.insert(line.trim_end().to_owned(), id);
    }
    let flag = |key| config_flag(tokenizer, key);
    Ok(TokenizerJson {
        normalizer: json!({
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": flag("tokenize_chinese_chars")?.unwrap_or(true),
            "strip_accents": flag("strip_accents")?,
            "lowercase": flag("do_lower_case")?.unwrap_or(true),
        }),
        pre_tokenizer: json!({"type": "BertPreTokenizer"}),
        decoder: json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
        model: Model {
            kind: Some("WordPiece".to_owned()),
            vocab,
            unk_token: content(named, "unk_token").map(str::to_owned),
            ..Model::default()
        },
        path,
        ..TokenizerJson::default()
    })
}

/// What the class puts around a text.
fn post_processor(
    class: &Class,
    tokenizer: &TokenizerConfig,
    named: &Map<String, Value>,
    id: impl Fn(&str) -> Option<u32>,
) -> Result<Value, TokenizerError> {
    let token = |name| content(named, name).and_then(|token| Some((token, id(token)?)));
    let (cls, sep) = (token("cls_token"), token("sep_token"));
    match class.form {
        Form::Roberta => Ok(match (cls, sep) {
            (Some(cls), Some(sep)) => json!({"type": "RobertaProcessing", "sep": sep, "cls": cls}),
            _ => Value::Null,
        }),
        Form::WordPiece => Ok(template(cls, sep, sep)),
        _ => {
            let adds =
                |key, token: &'static str| Ok(config_flag(tokenizer, key)?.unwrap_or(false).then_some(token));
            let [bos, eos] = [adds("add_bos_token", "bos_token")?, adds("add_eos_token", "eos_token")?]
                .map(|name: Option<&str>| name.and_then(token));
            Ok(template(bos, eos, None))
        }
    }
}

/// A template that puts tokens before and after a text; and between it and a second one, where that is another than both.
fn template(first: Option<(&str, u32)>, last: Option<(&str, u32)>, between: Option<(&str, u32)>) -> Value {
    let special = |token: Option<(&str, u32)>, kind: u8| {
        token.map(|(t, _)| json!({"SpecialToken": {"id": t, "type_id": kind}}))
    };
    let text = |name: &str, kind: u8| Some(json!({"Sequence": {"id": name, "type_id": kind}}));
    let single: Vec<_> = [special(first, 0), text("A", 0), special(last, 0)].into_iter().flatten().collect();
    let second = if between.is_some() { None } else { special(first, 1) };
    let pair: Vec<_> = single
        .iter()
        .cloned()
        .chain([second, text("B", 1), special(last, 1)].into_iter().flatten())
        .collect();
    let ids =
        |(token, id): (&str, u32)| (token.to_owned(), json!({"id": token, "ids": [id], "tokens": [token]}));
    let tokens: Map<String, Value> = [first, last].into_iter().flatten().map(ids).collect();
    json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens})
}

/// The text of a named special token.
fn content<'a>(named: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let token = named.get(name)?;
    token.as_str().or_else(|| token.get("content")?.as_str())
}
