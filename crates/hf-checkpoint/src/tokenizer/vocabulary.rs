//! The tokens of a `tokenizer.json` whose vocabulary is a map: BPE and WordPiece.

use serde_json::{Value, json};

use super::added::AddedVocabulary;
use super::checked_size;
use super::class::{Loading, loading};
use super::config::TokenizerConfig;
use super::decode::decode;
use super::error::TokenizerError;
use super::file::{shorten, value_error};
use super::json::{AddedToken, TokenizerJson};
use super::metadata::{TokenType, Tokens, looks_special, user_defined};
use crate::bounded::Folder;

/// A tokenizer as transformers would hold it.
#[derive(Debug)]
pub(super) struct Vocabulary<'a> {
    pub json: &'a TokenizerJson,
    pub added: AddedVocabulary,
    pub specials: Vec<AddedToken>,
    loading: Loading,
}

impl<'a> Vocabulary<'a> {
    /// Puts the files of a folder together.
    pub(super) fn new(
        folder: Folder<'_>,
        json: &'a TokenizerJson,
        tokenizer: &TokenizerConfig,
        config: &Value,
    ) -> Result<Self, TokenizerError> {
        let loading = loading(json, tokenizer, config);
        let specials = tokenizer.special_tokens(folder, loading.defaults)?;
        let added = AddedVocabulary::gather(folder, json, tokenizer, &loading, &specials)?;
        Ok(Self { json, added, specials: specials.all, loading })
    }

    /// How the tokenizer was put together.
    pub(super) fn loading(&self) -> &Loading {
        &self.loading
    }

    /// How many tokens there are, added ones included.
    fn count(&self) -> usize {
        let beyond = self.added.iter().filter(|(_, t)| !self.json.model.vocab.ids.contains_key(&t.content));
        self.json.model.vocab.ids.len() + beyond.count()
    }

    /// The base tokens by id, `None` where an id under `size` has none.
    pub(super) fn base(&self, size: usize, whence: &str) -> Result<Vec<Option<&str>>, TokenizerError> {
        let error = |found, expected| Err(value_error(&self.json.path, "model.vocab", found, expected));
        let mut tokens = vec![None; size];
        for (token, &id) in &self.json.model.vocab.ids {
            match tokens.get_mut(id as usize).map(|place| place.replace(token.as_str())) {
                Some(None) => (),
                Some(Some(other)) => {
                    let found = format!("id {id} for {:?} and {:?}", shorten(other, 40), shorten(token, 40));
                    return error(found, "an id for each token".into());
                }
                None => {
                    let found = format!("id {id} for {:?}", shorten(token, 40));
                    return error(found, format!("ids under {size}, {whence}"));
                }
            }
        }
        Ok(tokens)
    }

    /// Every token and its type: ids without a token, up to `wanted` of them, get a placeholder `[PADi]`.
    pub(super) fn tokens(&self, wanted: Option<u64>) -> Result<Tokens, TokenizerError> {
        let (size, whence) = match wanted {
            None => (self.count(), "the number of tokens"),
            Some(size) => (checked_size(size, &self.json.path)?, "the vocab_size of config.json"),
        };
        let mut all: Vec<Option<(String, TokenType)>> = self
            .base(size, whence)?
            .into_iter()
            .map(|token| token.map(|token| (token.to_owned(), TokenType::Normal)))
            .collect();
        let decoder = self.decoder();
        for (id, token) in self.added.iter() {
            let Some(place) = all.get_mut(id as usize) else {
                let found = format!("id {id} for {:?}", shorten(&token.content, 40));
                let expected = format!("ids under {size}, {whence}");
                return Err(value_error(&self.json.path, "added_tokens", found, expected));
            };
            let mut text = token.content.clone();
            if !token.normalized {
                text = decode(&decoder, text);
            }
            *place = Some(if token.special || looks_special(&text) {
                (text, TokenType::Control)
            } else {
                (user_defined(&text), TokenType::UserDefined)
            });
        }
        let mut tokens = Tokens::default();
        for (id, token) in all.into_iter().enumerate() {
            let (text, kind) = token.unwrap_or_else(|| (format!("[PAD{id}]"), TokenType::Unused));
            tokens.push(text, kind);
        }
        Ok(tokens)
    }

    fn decoder(&self) -> Value {
        match (self.loading.from_file, self.json.model_kind()) {
            (false, "WordPiece") => json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
            (false, "BPE") if self.json.model.byte_fallback != Some(true) => json!({"type": "ByteLevel"}),
            _ => self.json.decoder.clone(),
        }
    }
}
