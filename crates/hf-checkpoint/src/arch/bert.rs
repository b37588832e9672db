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
    parameters: &[
        TEXT,
        &[
            constant(".attention.causal", Const::Bool(false)),
            Parameter::Rule(pooling::write),
            Parameter::Rule(labels),
            value("tokenizer.ggml.token_type_count", Kind::U32, &["type_vocab_size"]),
        ],
    ],
    closing: &[],
    names: Names {
        remove: &["language_model."],
        strip: &["bert."],
        suffixes: &[(".gamma", ".weight"), (".beta", ".bias")],
    },
    renamed: None,
    skip: &[
        &[
            Skip::Is("embeddings.position_ids"),
            // Heads of the tasks that BERT was trained on; llama.cpp uses it for embeddings and ranking.
            Skip::Is("pooler.dense.weight"),
            Skip::Is("pooler.dense.bias"),
            Skip::Starts("cls.predictions"),
            Skip::Starts("cls.seq_relationship"),
        ],
        NOT_TEXT,
    ],
    rows: &[ROWS],
    scalars: &[],
    generated: &[],
    headed: &[],
};

const BIAS: Presence = Presence::Needed;

const ROWS: &[Row] = &[
    Row::new("embeddings.word_embeddings", "token_embd", &[Vocab, Hidden]),
    Row::new("embeddings.position_embeddings", "position_embd", &[Positions, Hidden]),
    Row::new("embeddings.token_type_embeddings", "token_types", &[TokenTypes, Hidden]),
    Row::new("embeddings.LayerNorm", "token_embd_norm", &[Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.self.query", "blk.{}.attn_q", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.self.key", "blk.{}.attn_k", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.self.value", "blk.{}.attn_v", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.output.dense", "blk.{}.attn_output", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.attention.output.LayerNorm", "blk.{}.attn_output_norm", &[Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.intermediate.dense", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(BIAS),
    Row::new("encoder.layer.{}.output.dense", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(BIAS),
    Row::new("encoder.layer.{}.output.LayerNorm", "blk.{}.layer_output_norm", &[Hidden]).bias(BIAS),
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
