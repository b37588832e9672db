//! The ids of words, by the models that are met: BPE and WordPiece.

use std::collections::HashMap;

use super::super::json::TokenizerJson;

/// The model: ids of a word.
pub(super) struct Model<'a> {
    json: &'a TokenizerJson,
    /// The rank of a merge, by its two sides: of those that may apply to the words.
    ranks: HashMap<(&'a str, &'a str), usize>,
    word_piece: bool,
}

impl<'a> Model<'a> {
    /// A model for these words; `None` for one of another kind.
    pub(super) fn new<'w>(json: &'a TokenizerJson, words: impl Iterator<Item = &'w str>) -> Option<Self> {
        let is = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.is_empty());
        let word_piece = json.model_kind() == "WordPiece";
        let plain = !is(&json.model.continuing_subword_prefix)
            && !is(&json.model.end_of_word_suffix)
            && json.model_kind() == "BPE";
        (word_piece || plain).then(|| {
            let neighbours = Neighbours::of(words);
            let ranked = json.model.merges.iter().enumerate();
            let ranked = ranked.filter_map(|(rank, merge)| Some((merge.sides()?, rank)));
            // A merge that stands twice keeps its later rank.
            let ranks = ranked.filter(|((a, b), _)| neighbours.may_join(a, b)).collect();
            Self { json, ranks, word_piece }
        })
    }

    /// Appends the ids of a word; `None` if it has a character that is no token.
    pub(super) fn encode(&self, word: &str, ids: &mut Vec<u32>) -> Option<()> {
        if word.is_empty() {
            return Some(());
        }
        if self.word_piece { self.word_piece(word, ids) } else { self.bpe(word, ids) }
    }

    fn id(&self, token: &str) -> Option<u32> {
        self.json.model.vocab.ids.get(token).copied()
    }

    /// Joins neighbours by the merge of the lowest rank, the leftmost first, until no merge applies.
    fn bpe(&self, word: &str, ids: &mut Vec<u32>) -> Option<()> {
        if self.json.model.ignore_merges == Some(true)
            && let Some(id) = self.id(word)
        {
            ids.push(id);
            return Some(());
        }
        // Where symbols begin, and the end of the word.
        let mut bounds: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
        loop {
            let ranked = bounds.windows(3).enumerate().filter_map(|(i, w)| {
                self.ranks.get(&(&word[w[0]..w[1]], &word[w[1]..w[2]])).map(|&rank| (rank, i))
            });
            let Some((_, i)) = ranked.min() else { break };
            bounds.remove(i + 1);
        }
        for range in bounds.windows(2) {
            let symbol = &word[range[0]..range[1]];
            match self.id(symbol) {
                Some(id) => ids.push(id),
                // No merge has a character that is no token, so it stands alone here.
                None if self.json.model.byte_fallback == Some(true) => {
                    for byte in symbol.bytes() {
                        ids.push(self.id(&format!("<0x{byte:02X}>"))?);
                    }
                }
                None => return None,
            }
        }
        Some(())
    }

    /// The longest token that begins the word, then the longest that continues it, …; else the whole is unknown.
    fn word_piece(&self, word: &str, ids: &mut Vec<u32>) -> Option<()> {
        let model = &self.json.model;
        let unknown = self.id(model.unk_token.as_deref().unwrap_or("[UNK]"));
        let prefix = model.continuing_subword_prefix.as_deref().unwrap_or("##");
        let most = model.max_input_chars_per_word.unwrap_or(100);
        let before = ids.len();
        let mut start = if word.chars().count() > most { usize::MAX } else { 0 };
        while start < word.len() {
            let mut ends = word[start..].char_indices().map(|(at, c)| start + at + c.len_utf8()).rev();
            let found = ends.find_map(|end| {
                let part = &word[start..end];
                let id = if start > 0 { self.id(&format!("{prefix}{part}")) } else { self.id(part) };
                id.map(|id| (id, end))
            });
            match found {
                Some((id, end)) => {
                    ids.push(id);
                    start = end;
                }
                None => start = usize::MAX,
            }
        }
        if start == usize::MAX {
            ids.truncate(before);
            ids.push(unknown?);
        }
        Some(())
    }
}

/// Which bytes stand beside which in some words: most merges can be left out by that alone.
struct Neighbours {
    beside: Vec<bool>,
    longest: usize,
}

impl Neighbours {
    fn of<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let mut found = Self { beside: vec![false; 1 << 16], longest: 0 };
        for word in words {
            found.longest = found.longest.max(word.len());
            for pair in word.as_bytes().windows(2) {
                found.beside[usize::from(pair[0]) << 8 | usize::from(pair[1])] = true;
            }
        }
        found
    }

    /// False if these two cannot stand side by side in any of the words.
    fn may_join(&self, a: &str, b: &str) -> bool {
        let pairs = |side: &str| {
            let mut pairs = side.as_bytes().windows(2);
            pairs.all(|pair| self.beside[usize::from(pair[0]) << 8 | usize::from(pair[1])])
        };
        a.len() + b.len() <= self.longest
            && match (a.as_bytes().last(), b.as_bytes().first()) {
                (Some(&last), Some(&first)) => self.beside[usize::from(last) << 8 | usize::from(first)],
                _ => true,
            }
            && pairs(a)
            && pairs(b)
    }
}
