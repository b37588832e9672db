//! WordPiece, GGUF's `bert` tokenizer.

use gguf_format::Metadata;

use super::error::TokenizerError;
use super::json::TokenizerJson;
use super::metadata::TokenType;
use super::pre;
use super::special::{COMMON, Sources, SpecialTokens};
use super::vocabulary::Vocabulary;
use super::{Files, TokenizerInput, Written};

/// Writes the pairs of a WordPiece tokenizer.
///
/// Its vocabulary marks what continues a word (`##ing`); GGUF's marks what begins one (`▁run`).
pub(super) fn write(
    input: &TokenizerInput<'_>,
    files: &Files,
    json: &TokenizerJson,
    pairs: &mut Metadata,
) -> Result<Written, TokenizerError> {
    json.expect_model("WordPiece")?;
    let vocabulary = Vocabulary::new(input.folder, json, &files.tokenizer, input.config)?;
    let mut tokens = vocabulary.tokens(input.vocab_size)?;
    let pre = pre::recognise(&vocabulary, input.pre)?;
    for (text, kind) in tokens.texts.iter_mut().zip(&tokens.types) {
        if *kind != TokenType::Control {
            *text = match text.strip_prefix("##") {
                Some(rest) => rest.to_owned(),
                None => format!("▁{text}"),
            };
        }
    }
    let size = tokens.write("bert", Some(pre.name), pairs);
    let sources = Sources { vocab_size: u32::try_from(size).ok(), ..files.sources_of(input, Some(&pre)) };
    let specials = SpecialTokens::gather(&sources, COMMON)?;
    specials.write(pairs)?;
    Ok(Written { size, pre: Some(pre), notes: specials.notes })
}
