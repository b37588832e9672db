//! ModernBERT: `ModernBertModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::bert::{BERT, BOTH_WAYS};
use super::parameter::{Const, Kind, Parameter, constant, needed, size, value};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Names, Presence, Row, Skip};
use crate::error::Error;
use crate::json::bad_key;
use crate::sizes::Dim::{self, FeedForward, Fixed, Hidden, Labels, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const MODERN_BERT: Family = Family {
    classes: &["ModernBertModel", "ModernBertForMaskedLM", "ModernBertForSequenceClassification"],
    architecture: "modern-bert",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[
        TEXT,
        BOTH_WAYS,
        &[
            needed(".attention.sliding_window", Kind::U32, &["local_attention"]),
            value(".attention.sliding_window_pattern", Kind::U32, &["global_attn_every_n_layers"]),
            constant(".rope.scaling.type", Const::Str("none")),
            size(".vocab_size", Vocab),
            Parameter::Rule(activation),
            constant("tokenizer.ggml.add_bos_token", Const::Bool(true)),
            constant("tokenizer.ggml.add_eos_token", Const::Bool(true)),
            constant("tokenizer.ggml.add_sep_token", Const::Bool(true)),
        ],
    ],
    names: Names { strip: &["model."], ..BERT.names },
    skip: &[
        &[
            // The output of the model that fills in masked words; llama.cpp embeds and ranks.
            Skip::Is("decoder.weight"),
            Skip::Is("decoder.bias"),
        ],
        NOT_TEXT,
    ],
    rows: &[ROWS],
    ..BERT
};

/// Gate and up in one.
const BOTH: Dim = Dim::Product(&[Fixed(2), FeedForward]);
const THREE: Dim = Dim::Product(&[Fixed(3), Hidden]);
const NORM_BIAS: Presence = Presence::If("norm_bias");
const ATTENTION_BIAS: Presence = Presence::If("attention_bias");
const MLP_BIAS: Presence = Presence::If("mlp_bias");

const ROWS: &[Row] = &[
    Row::new("embeddings.tok_embeddings", "token_embd", &[Vocab, Hidden]),
    Row::new("embeddings.norm", "token_embd_norm", &[Hidden]).bias(NORM_BIAS),
    // The first layer's input is normed already.
    Row::new("layers.{}.attn_norm", "blk.{}.attn_norm", &[Hidden])
        .weight(Presence::Where(|_, block| block > 0))
        .bias(Presence::Optional),
    Row::new("layers.{}.attn.Wqkv", "blk.{}.attn_qkv", &[THREE, Hidden]).bias(ATTENTION_BIAS),
    Row::new("layers.{}.attn.Wo", "blk.{}.attn_output", &[Hidden, Hidden]).bias(ATTENTION_BIAS),
    Row::new("layers.{}.mlp_norm", "blk.{}.ffn_norm", &[Hidden]).bias(NORM_BIAS),
    Row::new("layers.{}.mlp.Wi", "blk.{}.ffn_up", &[BOTH, Hidden]).bias(MLP_BIAS),
    Row::new("layers.{}.mlp.Wo", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(MLP_BIAS),
    Row::new("final_norm", "output_norm", &[Hidden]).bias(NORM_BIAS),
    Row::new("head.dense", "cls", &[Hidden, Hidden]).optional().bias(Presence::Optional),
    Row::new("head.norm", "cls.norm", &[Hidden]).optional().bias(Presence::Optional),
    Row::new("classifier", "cls.output", &[Labels, Hidden]).optional().bias(Presence::Optional),
];

/// What gates the feed-forward part: some of its kin have another function than the first had.
fn activation(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    const KEY: &str = "hidden_activation";
    if let Some(given) = context.config.get(KEY) {
        let name = given.as_str();
        let name =
            name.ok_or_else(|| bad_key(context.config.path(), KEY, given, "the name of a function"))?;
        pairs.insert(context.key(".hidden_activation"), name);
    }
    Ok(())
}
