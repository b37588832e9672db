//! BERT: `BertModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::parameter::{Const, Kind, Parameter, constant, value};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Names, Presence, Row, Skip, pooling};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{Blocks, FeedForward, Hidden, Labels, Positions, TokenTypes, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const BERT: Family = Family {
    classes: &["BertModel", "BertForMaskedLM", "BertForSequenceClassification"],
    architecture: "bert",
    tokenizer: TokenizerKind::WordPiece,
    tokens: Vocab,
    variant: None,
    fixed_tokens: &[],
    blocks: Blocks,
    counts: &[],
    opening: &[],
    parameters: &[TEXT, BOTH_WAYS, &[TYPES]],
    closing: &[],
    names: Names {
        remove: &["language_model."],
        strip: &["bert."],
        suffixes: &[(".gamma", ".weight"), (".beta", ".bias")],
    },
    renamed: None,
    skip: &[TRAINED, NOT_TEXT],
    rows: &[TYPED_WORDS, PLACES, LAYERS, ONE_LAYER_HEAD],
    scalars: &[],
    generated: &[],
    headed: &[],
};

/// What all encoders say: that each token sees all, how an embedding is made, and what a classifier's classes are.
pub(super) const BOTH_WAYS: &[Parameter] = &[
    constant(".attention.causal", Const::Bool(false)),
    Parameter::Rule(pooling::write),
    Parameter::Rule(labels),
];

/// How many types of tokens there are; among the tokenizer's settings, but the model's.
pub(super) const TYPES: Parameter = value("tokenizer.ggml.token_type_count", Kind::U32, &["type_vocab_size"]);

/// Heads of the tasks that BERT was trained on; llama.cpp uses it for embeddings and ranking.
pub(super) const TRAINED: &[Skip] = &[
    Skip::Is("embeddings.position_ids"),
    Skip::Is("pooler.dense.weight"),
    Skip::Is("pooler.dense.bias"),
    Skip::Starts("cls.predictions"),
    Skip::Starts("cls.seq_relationship"),
];

pub(super) const BIAS: Presence = Presence::Needed;

/// Words and their types.
pub(super) const TYPED_WORDS: &[Row] = &[
    Row::new("embeddings.word_embeddings", "token_embd", &[Vocab, Hidden]),
    Row::new("embeddings.token_type_embeddings", "token_types", &[TokenTypes, Hidden]),
    Row::new("embeddings.LayerNorm", "token_embd_norm", &[Hidden]).bias(BIAS),
];

const PLACES: &[Row] = &[Row::new("embeddings.position_embeddings", "position_embd", &[Positions, Hidden])];

pub(super) const LAYERS: &[Row] = &[
    Row::new("encoder.layer.{}.attention.self.query", "blk.{}.attn_q", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.self.key", "blk.{}.attn_k", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.self.value", "blk.{}.attn_v", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.output.dense", "blk.{}.attn_output", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.output.LayerNorm", "blk.{}.attn_output_norm", &[Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.intermediate.dense", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.output.dense", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(BIAS),
    Row::new("encoder.layer.{}.output.LayerNorm", "blk.{}.layer_output_norm", &[Hidden]).bias(BIAS),
];

/// A classifier of one layer, which has another name in GGUF where its classes have names.
const ONE_LAYER_HEAD: &[Row] = &[
    Row::new("classifier", "cls", &[Labels, Hidden])
        .optional()
        .bias(Presence::Optional)
        .when(|config| !labelled(config)),
    Row::new("classifier", "cls.output", &[Labels, Hidden])
        .optional()
        .bias(Presence::Optional)
        .when(labelled),
];

/// Whether the config names the classes. (What is wrong with the names, [`labels`] says.)
fn labelled(config: &Config) -> bool {
    config.labels().is_ok_and(|l| l.is_some())
}

/// The names of the classes, for a model that classifies.
fn labels(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    if let Some(labels) = context.config.labels()? {
        pairs.insert(format!("{}.classifier.output_labels", context.architecture), labels);
    }
    Ok(())
}
