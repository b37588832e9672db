//! EuroBERT, and Jina's fifth embeddings on it: `EuroBertModel` of convert_hf_to_gguf. Llama that looks both ways.

use gguf_format::Metadata;

use super::llama::{LLAMA, NORMS, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::parameter::{Const, Parameter, constant};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Row, Skip, pooling};
use crate::error::Error;
use crate::sizes::Dim::{Hidden, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const EURO_BERT: Family = Family {
    classes: &["EuroBertModel", "JinaEmbeddingsV5Model"],
    architecture: "eurobert",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[
        TEXT,
        &[
            constant(".attention.causal", Const::Bool(false)),
            constant(".rope.scaling.type", Const::Str("none")),
            Parameter::Rule(sentence),
            constant("tokenizer.ggml.add_bos_token", Const::Bool(false)),
        ],
    ],
    // The output of the model that fills in masked words: llama.cpp embeds.
    skip: &[&[Skip::Starts("lm_head.")], NOT_TEXT],
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, PLAIN_FORWARD],
    generated: &[],
    headed: &[],
    ..LLAMA
};

const ENDS: &[Row] =
    &[Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]), Row::new("norm", "output_norm", &[Hidden])];

/// How a sentence's embedding is made. What the config says of classifiers is about a head that these models have not; the
/// converter refuses what EuroBERT's says (`late`).
fn sentence(context: &Context<'_>, pairs: &mut Metadata, notes: &mut Vec<String>) -> Result<(), Error> {
    match context.config.get("classifier_pooling").and_then(serde_json::Value::as_str) {
        Some("late" | "bos") => pooling::of_sentence(context, pairs),
        _ => pooling::write(context, pairs, notes),
    }
}
