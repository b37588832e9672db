//! The GGUF keys of a tokenizer (gguf-py 0.19, `constants.py`), and the types of its tokens.

pub(super) const MODEL: &str = "tokenizer.ggml.model";
pub(super) const PRE: &str = "tokenizer.ggml.pre";
pub(super) const TOKENS: &str = "tokenizer.ggml.tokens";
pub(super) const TOKEN_TYPE: &str = "tokenizer.ggml.token_type";
pub(super) const SCORES: &str = "tokenizer.ggml.scores";
pub(super) const MERGES: &str = "tokenizer.ggml.merges";
pub(super) const ADD_SPACE_PREFIX: &str = "tokenizer.ggml.add_space_prefix";
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
