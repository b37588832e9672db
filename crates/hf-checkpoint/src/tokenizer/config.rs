//! `tokenizer_config.json` and the files that say the same in older folders.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::TokenizerError;
use super::file::{brief, read_map, value_error};
use super::json::AddedToken;
use crate::bounded::Folder;

/// The names of the special tokens that any tokenizer may have, in the order in which transformers adds them.
const NAMED: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// `tokenizer_config.json`; empty where there is none.
#[derive(Debug, Default)]
pub(super) struct TokenizerConfig {
    pub map: Map<String, Value>,
    pub path: PathBuf,
}

impl TokenizerConfig {
    /// Reads the file of a folder.
    pub(super) fn read(folder: Folder<'_>) -> Result<Self, TokenizerError> {
        let path = folder.join("tokenizer_config.json");
        Ok(Self { map: read_map(&path, folder.limits)?, path })
    }

    /// A text of the file.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.map.get(key).and_then(Value::as_str)
    }

    /// `added_tokens_decoder`, by id; `None` if the file has none.
    pub(super) fn added_tokens_decoder(&self) -> Result<Option<BTreeMap<u32, AddedToken>>, TokenizerError> {
        let Some(value) = self.map.get("added_tokens_decoder") else { return Ok(None) };
        let error =
            |key: String, found: String, expected: &str| value_error(&self.path, key, found, expected);
        let Value::Object(map) = value else {
            return Err(error("added_tokens_decoder".into(), brief(value), "a map of id to token"));
        };
        let mut tokens = BTreeMap::new();
        for (id, token) in map {
            let key = || format!("added_tokens_decoder.{id}");
            let number = id.parse().map_err(|_| error(key(), format!("id {id:?}"), "a number under 2^32"))?;
            let token = added_token(token)
                .ok_or_else(|| error(key(), brief(token), "a token: content, special, normalized, …"))?;
            tokens.insert(number, token);
        }
        Ok(Some(tokens))
    }

    /// The special tokens without a name: a list, or a map of names of the model's own.
    fn extra_special_tokens(&self) -> Vec<Value> {
        let lists =
            ["extra_special_tokens", "additional_special_tokens"].map(|key| match self.map.get(key) {
                Some(Value::Array(tokens)) => tokens.clone(),
                Some(Value::Object(tokens)) => tokens.values().cloned().collect(),
                _ => Vec::new(),
            });
        lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()
    }

    /// The file with the special tokens that older folders and the tokenizer's class name, and the unnamed ones. `defaults` are
    /// the class's; a null in the file takes a default away.
    pub(super) fn named_tokens(
        &self,
        folder: Folder<'_>,
        defaults: &[(&'static str, &'static str)],
    ) -> Result<(Map<String, Value>, Vec<Value>), TokenizerError> {
        let mut map = self.map.clone();
        let mut extra = self.extra_special_tokens();
        // Older folders keep the special tokens in a file of their own, which counts where the configuration does not list
        // the added tokens itself.
        if !map.contains_key("added_tokens_decoder") {
            let older = read_map(&folder.join("special_tokens_map.json"), folder.limits)?;
            let older = Self { map: older, path: PathBuf::new() };
            if extra.is_empty() {
                extra = older.extra_special_tokens();
            }
            map.extend(older.map);
        }
        for (name, token) in defaults {
            map.entry(*name).or_insert_with(|| Value::from(*token));
        }
        Ok((map, extra))
    }

    /// The special tokens, as transformers gathers them. `defaults` as in [`Self::named_tokens`].
    pub(super) fn special_tokens(
        &self,
        folder: Folder<'_>,
        defaults: &[(&'static str, &'static str)],
    ) -> Result<Specials, TokenizerError> {
        let (map, extra) = self.named_tokens(folder, defaults)?;
        let mut all = named_in(&map);
        let named = all.len();
        all.extend(extra.iter().filter_map(special_token));
        Ok(Specials { all, named })
    }

    /// The texts that make a token of `added_tokens.json` special: transformers asks before it has the class's defaults, and
    /// before it knows the unnamed ones of `special_tokens_map.json`.
    pub(super) fn special_texts(&self, folder: Folder<'_>) -> Result<HashSet<String>, TokenizerError> {
        let (map, _) = self.named_tokens(folder, &[])?;
        let extra = map.get("extra_special_tokens").and_then(Value::as_array).into_iter().flatten();
        let extra = extra.chain(&self.extra_special_tokens()).filter_map(special_token).collect::<Vec<_>>();
        Ok(named_in(&map).into_iter().chain(extra).map(|token| token.content).collect())
    }
}

/// Special tokens: those with a name first, then those without.
#[derive(Debug)]
pub(super) struct Specials {
    pub all: Vec<AddedToken>,
    named: usize,
}

impl Specials {
    /// Those with a name.
    pub(super) fn named(&self) -> &[AddedToken] {
        self.all.get(..self.named).unwrap_or_default()
    }
}

/// The named special tokens: the standard names, then names of the model's own.
fn named_in(map: &Map<String, Value>) -> Vec<AddedToken> {
    let standard = NAMED.iter().filter_map(|name| map.get(*name));
    let own = map.iter().filter(|(name, _)| name.ends_with("_token") && !NAMED.contains(&name.as_str()));
    standard.chain(own.map(|(_, token)| token)).filter_map(special_token).collect()
}

/// A special token, given as a text alone or with flags.
fn special_token(value: &Value) -> Option<AddedToken> {
    match value {
        Value::String(text) => Some(AddedToken::special(text)),
        _ => added_token(value).map(|token| AddedToken { special: true, ..token }),
    }
}

/// A token with flags, from a map of them.
fn added_token(value: &Value) -> Option<AddedToken> {
    if value.is_object() { AddedToken::deserialize(value).ok() } else { None }
}
