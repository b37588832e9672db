//! The GGUF keys of a tokenizer (gguf-py 0.19, `constants.py`), and the types of its tokens.

use gguf_format::Metadata;

pub(super) const MODEL: &str = "tokenizer.ggml.model";
pub(super) const PRE: &str = "tokenizer.ggml.pre";
pub(super) const TOKENS: &str = "tokenizer.ggml.tokens";
pub(super) const TOKEN_TYPE: &str = "tokenizer.ggml.token_type";
pub(super) const SCORES: &str = "tokenizer.ggml.scores";
pub(super) const MERGES: &str = "tokenizer.ggml.merges";
pub(super) const ADD_SPACE_PREFIX: &str = "tokenizer.ggml.add_space_prefix";
pub(super) const REMOVE_EXTRA_WHITESPACES: &str = "tokenizer.ggml.remove_extra_whitespaces";
pub(super) const PRECOMPILED_CHARSMAP: &str = "tokenizer.ggml.precompiled_charsmap";
pub(super) const TOKEN_TYPE_COUNT: &str = "tokenizer.ggml.token_type_count";
pub(super) const ADD_BOS: &str = "tokenizer.ggml.add_bos_token";
pub(super) const LOWERCASE: &str = "tokenizer.ggml.normalizer.lowercase";
pub(super) const STRIP_ACCENTS: &str = "tokenizer.ggml.normalizer.strip_accents";
pub(super) const CHAT_TEMPLATE: &str = "tokenizer.chat_template";
pub(super) const CHAT_TEMPLATES: &str = "tokenizer.chat_templates";

/// The key of a special token's id; `None` for those that the converter has no key for (`cls`).
pub(super) fn token_id_key(name: &str) -> Option<&'static str> {
    Some(match name {
        "bos" => "tokenizer.ggml.bos_token_id",
        "eos" => "tokenizer.ggml.eos_token_id",
        "unk" => "tokenizer.ggml.unknown_token_id",
        // The misspelling is the format's.
        "sep" => "tokenizer.ggml.seperator_token_id",
        "pad" => "tokenizer.ggml.padding_token_id",
        "mask" => "tokenizer.ggml.mask_token_id",
        "eot" => "tokenizer.ggml.eot_token_id",
        "eom" => "tokenizer.ggml.eom_token_id",
        _ => return None,
    })
}

/// The key of whether a special token is added to every text.
pub(super) fn add_token_key(name: &str) -> Option<&'static str> {
    Some(match name {
        "bos" => ADD_BOS,
        "eos" => "tokenizer.ggml.add_eos_token",
        "sep" => "tokenizer.ggml.add_sep_token",
        _ => return None,
    })
}

/// The type of a token, with its number in `tokenizer.ggml.token_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(super) enum TokenType {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// Tokens in order of id, with types, and with scores where the model has them.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub texts: Vec<String>,
    pub types: Vec<TokenType>,
    pub scores: Vec<f32>,
}

impl Tokens {
    pub(super) fn push(&mut self, text: String, kind: TokenType) {
        self.texts.push(text);
        self.types.push(kind);
    }

    pub(super) fn push_scored(&mut self, text: String, kind: TokenType, score: f32) {
        self.push(text, kind);
        self.scores.push(score);
    }

    /// Puts another token, with a score, in the place of one; false if there is no such place.
    pub(super) fn replace(&mut self, id: usize, text: String, kind: TokenType, score: f32) -> bool {
        match (self.texts.get_mut(id), self.types.get_mut(id), self.scores.get_mut(id)) {
            (Some(t), Some(k), Some(s)) => {
                (*t, *k, *s) = (text, kind, score);
                true
            }
            _ => false,
        }
    }

    /// Writes the tokens of a model of this name, and its pre-tokenizer; gives how many tokens there are.
    pub(super) fn write(self, model: &str, pre: Option<&str>, pairs: &mut Metadata) -> usize {
        let (size, types) = (self.texts.len(), self.type_numbers());
        pairs.insert(MODEL, model);
        if let Some(pre) = pre {
            pairs.insert(PRE, pre);
        }
        pairs.insert(TOKENS, self.texts);
        if !self.scores.is_empty() {
            pairs.insert(SCORES, self.scores);
        }
        pairs.insert(TOKEN_TYPE, types);
        size
    }

    /// The numbers of the types.
    pub(super) fn type_numbers(&self) -> Vec<i32> {
        self.types.iter().map(|&t| t as i32).collect()
    }
}

/// Whether a token looks as if it were meant to be special, though its file does not say so.
pub(super) fn looks_special(token: &str) -> bool {
    let between = |start, end| token.starts_with(start) && token.ends_with(end);
    matches!(token, "<pad>" | "<mask>" | "<2mass>" | "[@BOS@]")
        || between("<|", "|>")
        || between("<｜", "｜>")
        || between("<unused", ">")
}

/// A token that a user defined stands in the text with spaces, not with SentencePiece's sign for them.
pub(super) fn user_defined(token: &str) -> String {
    token.replace('▁', " ")
}

/// `<0x41>`, which stands for a byte.
pub(super) fn is_byte(token: &str) -> bool {
    let hex = token.strip_prefix("<0x").and_then(|t| t.strip_suffix('>'));
    hex.is_some_and(|hex| hex.len() == 2 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
