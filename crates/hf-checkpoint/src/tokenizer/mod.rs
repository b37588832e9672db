//! Tokenizers: a folder's vocabulary, merges, special tokens and chat template as the pairs of GGUF metadata.
//!
//! The pairs are those that convert_hf_to_gguf writes (llama.cpp as vendored by llama-cpp-python 0.3.36, with transformers
//! 5.23): `conversion/base.py`, `llama.py`, `qwen.py`, `bert.py`, `t5.py`, and gguf-py's `vocab.py`.

mod added;
mod bpe;
mod chat;
mod class;
mod config;
mod decode;
pub(crate) mod ends;
mod error;
mod file;
mod json;
mod llama_bpe;
mod merges;
mod metadata;
mod old;
mod pre;
mod proto;
mod sentencepiece;
mod special;
mod tekken;
#[cfg(test)]
mod tests;
mod unigram;
mod vocabulary;
mod wordpiece;

use std::path::Path;

use gguf_format::Metadata;
use serde_json::Value;

use self::chat::Templates;
use self::config::TokenizerConfig;
pub use self::error::TokenizerError;
use self::file::value_error;
use self::json::TokenizerJson;
use self::old::Old;
pub(crate) use self::pre::PreTokenizer;
use self::proto::Model;
use self::special::{Sources, SpecialTokens, config_flag};
use self::tekken::Tekken;
use crate::bounded::Folder;
use crate::limits::MAX_TOKENS;

/// The vocabulary of CodeLlama, whose tokens for infilling have fixed places.
const CODE_LLAMA: u64 = 32016;
/// The vocabulary of small Granite models (and of SmolLM), which want no token before a text.
const GRANITE_SMALL: u64 = 49152;

/// Which tokenizer a model's family has, and where it looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenizerKind {
    /// `tekken.json` if it is alone, `tokenizer.model`, else BPE with byte fallback, else byte-level BPE; with the Llama
    /// family's extra keys (Llama, Mistral).
    Any,
    /// `tokenizer.model`, else byte-level BPE (Qwen2, Qwen3).
    SentencePieceOrBpe,
    /// Byte-level BPE.
    ByteLevel,
    /// Byte-level BPE, or BPE of words between spaces (Jina's embeddings for two languages).
    ByteLevelOrWords,
    /// Byte-level BPE, else `tokenizer.model` (Mamba).
    BpeOrSentencePiece,
    /// `tokenizer.model` (Gemma 1 and 2).
    SentencePiece,
    /// `tokenizer.model`, or byte-level BPE where the folder says that its tokenizer is GPT-2's (Phi 3, Phi 4).
    Phi3,
    /// WordPiece (BERT).
    WordPiece,
    /// BPE with byte fallback that llama.cpp runs by its merges (Gemma 4).
    Gemma4,
    /// Unigram of `tokenizer.model` or `spiece.model`, else of `tokenizer.json` (T5).
    T5,
    /// Unigram of `sentencepiece.bpe.model`, else of `tokenizer.json`, with fairseq's order of the first tokens
    /// (XLM-RoBERTa).
    XlmRoberta,
    /// Unigram of `tokenizer.json`; its SentencePiece file has another order (CamemBERT).
    Camembert,
    /// As XLM-RoBERTa's, with a token that masks beside it (Nomic's mixture of experts).
    XlmRobertaMasked,
}

impl TokenizerKind {
    const fn is_unigram(self) -> bool {
        matches!(self, Self::T5 | Self::XlmRoberta | Self::XlmRobertaMasked | Self::Camembert)
    }

    /// Whether folders from before `tokenizer.json` may have it: as `vocab.json` and `merges.txt`, or as `vocab.txt`.
    const fn has_old_form(self) -> bool {
        !self.is_unigram() && !matches!(self, Self::SentencePiece | Self::Gemma4)
    }

    /// The files it may be in.
    const fn files(self) -> &'static str {
        match self {
            Self::Any | Self::BpeOrSentencePiece | Self::SentencePieceOrBpe | Self::Phi3 => {
                "tokenizer.model, tokenizer.json, or vocab.json and merges.txt"
            }
            Self::SentencePiece => "tokenizer.model",
            Self::T5 => "tokenizer.model, spiece.model or tokenizer.json",
            Self::XlmRoberta | Self::XlmRobertaMasked => "sentencepiece.bpe.model or tokenizer.json",
            Self::ByteLevel | Self::ByteLevelOrWords => "tokenizer.json, or vocab.json and merges.txt",
            Self::WordPiece => "tokenizer.json or vocab.txt",
            Self::Gemma4 | Self::Camembert => "tokenizer.json",
        }
    }
}

/// What to read.
#[derive(Clone, Debug)]
pub(crate) struct TokenizerInput<'a> {
    /// The folder.
    pub folder: Folder<'a>,
    pub kind: TokenizerKind,
    /// `config.json`.
    pub config: &'a Value,
    /// `vocab_size` of the configuration; `None`: as many as the tokenizer has.
    pub vocab_size: Option<u64>,
    /// `type_vocab_size` of the configuration: how many types a text's tokens have (XLM-RoBERTa).
    pub token_types: u32,
    /// Roles of special tokens that the family has fixed, whatever the files say.
    pub fixed: &'a [(&'static str, &'static str)],
    /// The pre-tokenizer's name, where the user gave one.
    pub pre: Option<&'a str>,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct TokenizerOutput {
    /// `tokenizer.*`, in the converter's order.
    pub pairs: Metadata,
    /// The number of tokens, those that only pad the vocabulary included.
    pub vocab_size: u32,
    /// The pre-tokenizer, of tokenizers that have one.
    pub pre: Option<PreTokenizer>,
    /// What was left out or may surprise, a line each.
    pub notes: Vec<String>,
    /// What else was found, a line each.
    pub details: Vec<String>,
}

/// What one kind of tokenizer wrote.
struct Written {
    size: usize,
    pre: Option<PreTokenizer>,
    notes: Vec<String>,
}

/// The files that every kind looks at.
struct Files {
    json: Option<TokenizerJson>,
    /// What there is instead, in folders from before that file.
    old: Option<Old>,
    tokenizer: TokenizerConfig,
    templates: Templates,
}

impl Files {
    fn read(folder: Folder<'_>) -> Result<Self, TokenizerError> {
        let tokenizer = TokenizerConfig::read(folder)?;
        let templates = Templates::read(folder, &tokenizer)?;
        Ok(Self { json: TokenizerJson::read(folder)?, old: None, tokenizer, templates })
    }

    /// The tokenizer, from whichever files.
    fn built(&self) -> Option<&TokenizerJson> {
        self.json.as_ref().or(self.old.as_ref().map(|old| &old.json))
    }

    fn sources<'a>(&'a self, input: &TokenizerInput<'a>) -> Sources<'a> {
        Sources {
            json: self.json.as_ref(),
            tokenizer: &self.tokenizer,
            config: input.config,
            templates: &self.templates,
            vocab_size: None,
        }
    }

    /// The same for a tokenizer with this pre-tokenizer: of older files that the converter makes nothing of, what they
    /// would say as `tokenizer.json`.
    fn sources_of<'a>(&'a self, input: &TokenizerInput<'a>, pre: Option<&PreTokenizer>) -> Sources<'a> {
        let sources = self.sources(input);
        match &self.old {
            Some(old) if !pre.is_some_and(|pre| old.is_converted(pre)) => {
                Sources { json: Some(&old.json), tokenizer: &old.config, ..sources }
            }
            _ => sources,
        }
    }
}

/// Reads the tokenizer of a folder.
pub(crate) fn read(input: &TokenizerInput<'_>) -> Result<TokenizerOutput, TokenizerError> {
    let mut files = Files::read(input.folder)?;
    let mut pairs = Metadata::new();
    let kind = match input.kind {
        TokenizerKind::Phi3 if files.tokenizer.text("tokenizer_class") == Some("GPT2Tokenizer") => {
            TokenizerKind::ByteLevel
        }
        TokenizerKind::Phi3 => TokenizerKind::SentencePiece,
        TokenizerKind::BpeOrSentencePiece
            if files.json.is_some() || input.folder.join("vocab.json").is_file() =>
        {
            TokenizerKind::ByteLevel
        }
        TokenizerKind::BpeOrSentencePiece => TokenizerKind::SentencePiece,
        kind => kind,
    };
    let of_llama = input.kind == TokenizerKind::Any;
    if of_llama
        && files.json.is_none()
        && let Some(tekken) = Tekken::read(input.folder)?
    {
        let written = tekken::write(input, &files, &tekken, &mut pairs)?;
        return Ok(output(input, &files, pairs, written));
    }
    if of_llama && let Some(add) = config_flag(&files.tokenizer, "add_prefix_space")? {
        pairs.insert(metadata::ADD_SPACE_PREFIX, add);
    }
    let model = match kind {
        TokenizerKind::Any | TokenizerKind::SentencePieceOrBpe | TokenizerKind::SentencePiece => {
            Model::read(&input.folder.join("tokenizer.model"), input.folder.limits)?
        }
        _ => None,
    };
    if files.json.is_none() && model.is_none() && kind.has_old_form() {
        files.old = old::read(input.folder, &files.tokenizer, input.config)?;
    }
    let mut written = match (model, files.built()) {
        _ if kind.is_unigram() => unigram::write(input, &files, &mut pairs)?,
        (Some(model), _) => sentencepiece::write(input, &files, model, &mut pairs)?,
        (None, Some(json)) if kind != TokenizerKind::SentencePiece => match kind {
            TokenizerKind::WordPiece => wordpiece::write(input, &files, json, &mut pairs)?,
            TokenizerKind::Gemma4 => llama_bpe::write_gemma4(input, &files, json, &mut pairs)?,
            TokenizerKind::Any if llama_bpe::is_llama_bpe(json) => {
                llama_bpe::write(input, &files, json, &mut pairs)?
            }
            _ => bpe::write(input, &files, json, &mut pairs)?,
        },
        _ => {
            return Err(TokenizerError::Missing {
                folder: input.folder.path.into(),
                expected: input.kind.files(),
            });
        }
    };
    if of_llama {
        llama_extras(input, &files, &mut pairs, &mut written)?;
    }
    written.notes.extend(files.templates.note());
    if let Some(path) = files.templates.ignored(&files.tokenizer) {
        written.notes.push(format!("{}: not read, there is no tokenizer_config.json", path.display()));
    }
    Ok(output(input, &files, pairs, written))
}

/// What was read, with what is said of it.
fn output(
    input: &TokenizerInput<'_>,
    files: &Files,
    pairs: Metadata,
    mut written: Written,
) -> TokenizerOutput {
    if let (Some(name), None) = (input.pre, &written.pre) {
        written.notes.push(format!("pre-tokenizer {name} left out: this tokenizer has none"));
    }
    let model = pairs.get(metadata::MODEL).and_then(gguf_format::Value::as_str).unwrap_or_default();
    let mut details = vec![format!("tokenizer {model}: {} tokens", written.size)];
    details.extend(files.templates.source(&files.tokenizer).map(|from| format!("chat template: {from}")));
    // At most MAX_TOKENS, as each kind makes sure.
    let vocab_size = u32::try_from(written.size).unwrap_or(u32::MAX);
    TokenizerOutput { pairs, vocab_size, pre: written.pre, notes: written.notes, details }
}

/// What the Llama family adds for vocabularies of two sizes.
fn llama_extras(
    input: &TokenizerInput<'_>,
    files: &Files,
    pairs: &mut Metadata,
    written: &mut Written,
) -> Result<(), TokenizerError> {
    match input.vocab_size {
        Some(CODE_LLAMA) => {
            let mut specials =
                SpecialTokens::gather(&files.sources(input), &["prefix", "suffix", "middle", "eot"])?;
            specials.fix_id("eot", 32010);
            specials.write(pairs)?;
            written.notes.append(&mut specials.notes);
        }
        Some(GRANITE_SMALL) => {
            pairs.insert(metadata::ADD_BOS, false);
        }
        _ => (),
    }
    Ok(())
}

/// A `vocab_size` of `config.json` as a length; `path` is the tokenizer's file, beside it.
fn checked_size(size: u64, path: &Path) -> Result<usize, TokenizerError> {
    match usize::try_from(size) {
        Ok(len) if size <= u64::from(MAX_TOKENS) && size > 0 => Ok(len),
        _ => {
            let expected = format!("1 to {MAX_TOKENS}");
            Err(value_error(path.with_file_name("config.json"), "vocab_size", size.to_string(), expected))
        }
    }
}
