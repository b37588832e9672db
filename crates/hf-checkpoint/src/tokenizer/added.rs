//! The added tokens of a tokenizer and the ids they get, as Hugging Face's tokenizers library assigns them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::class::Loading;
use super::config::{Specials, TokenizerConfig};
use super::error::TokenizerError;
use super::file::{read_json, shorten, value_error};
use super::json::{AddedToken, TokenizerJson, Vocab};
use crate::bounded::Folder;

/// The added tokens by id.
#[derive(Debug, Default)]
pub(super) struct AddedVocabulary {
    by_id: BTreeMap<u32, AddedToken>,
    ids: HashMap<String, u32>,
}

impl AddedVocabulary {
    /// Gathers the added tokens of a folder. `specials` are the special tokens that the configuration names.
    pub(super) fn gather(
        folder: Folder<'_>,
        json: &TokenizerJson,
        config: &TokenizerConfig,
        loading: &Loading,
        specials: &Specials,
    ) -> Result<Self, TokenizerError> {
        let mut added = Self::default();
        let of_file = json.added_tokens.as_deref().unwrap_or_default();
        if loading.from_file {
            added.add(of_file.iter().map(|t| t.token.clone()), &json.model.vocab);
        }
        let listed = match config.added_tokens_decoder()? {
            Some(listed) => listed,
            None => {
                let special = config.special_texts(folder)?;
                let older = added_tokens_json(folder)?.into_iter().map(|(id, content)| {
                    let special = special.contains(&content);
                    (id, AddedToken { normalized: !special, special, ..AddedToken::special(content) })
                });
                let mut listed: BTreeMap<u32, AddedToken> = older.collect();
                listed.extend(of_file.iter().map(|t| (t.id, t.token.clone())));
                listed
            }
        };
        let mut wanted: Vec<AddedToken> =
            listed.values().filter(|t| added.get(&t.content) != Some(*t)).cloned().collect();
        let mut have: HashSet<String> = wanted.iter().map(|t| t.content.clone()).collect();
        for special in &specials.all {
            if !added.ids.contains_key(&special.content) && have.insert(special.content.clone()) {
                wanted.push(special.clone());
            }
        }
        let is_special: HashSet<&str> = specials.named().iter().map(|s| s.content.as_str()).collect();
        for token in &mut wanted {
            token.special |= is_special.contains(token.content.as_str());
        }
        added.add(wanted, &json.model.vocab);
        if loading.marks_specials {
            added
                .add(specials.all.iter().map(|s| AddedToken::special(s.content.as_str())), &json.model.vocab);
        }
        Ok(added)
    }

    /// Adds tokens: one that the vocabulary has keeps its id, another gets the next free one.
    fn add(&mut self, tokens: impl IntoIterator<Item = AddedToken>, vocab: &Vocab) {
        let size = u32::try_from(vocab.ids.len()).unwrap_or(u32::MAX);
        let mut next = match self.by_id.last_key_value() {
            Some((&last, _)) if last >= size || size == 0 => last.saturating_add(1),
            _ => size,
        };
        for token in tokens {
            if token.content.is_empty() {
                continue;
            }
            let known = self.ids.get(&token.content).or_else(|| vocab.ids.get(&token.content)).copied();
            let id = known.unwrap_or_else(|| {
                let id = next;
                next = next.saturating_add(1);
                id
            });
            self.ids.insert(token.content.clone(), id);
            self.by_id.insert(id, token);
        }
    }

    /// A token with its flags.
    fn get(&self, token: &str) -> Option<&AddedToken> {
        self.by_id.get(self.ids.get(token)?)
    }

    /// The id of a token.
    pub(super) fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// The tokens in order of id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &AddedToken)> {
        self.by_id.iter().map(|(&id, token)| (id, token))
    }
}

/// `added_tokens.json`, which older folders have, in order of id.
pub(super) fn added_tokens_json(folder: Folder<'_>) -> Result<Vec<(u32, String)>, TokenizerError> {
    let path = folder.join("added_tokens.json");
    let listed: HashMap<String, u32> = read_json(&path, folder.limits)?.unwrap_or_default();
    let mut listed: Vec<(u32, String)> = listed.into_iter().map(|(token, id)| (id, token)).collect();
    listed.sort_unstable();
    // Which of them counts would depend on the order in the file.
    match listed.windows(2).find(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        Some([(id, first), (_, second), ..]) => {
            let found = format!("{:?} and {:?}", shorten(first, 40), shorten(second, 40));
            Err(value_error(path, format!("id {id}"), found, "one token of each id"))
        }
        _ => Ok(listed),
    }
}
