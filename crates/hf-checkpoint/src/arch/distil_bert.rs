//! DistilBERT: `DistilBertModel` of convert_hf_to_gguf. BERT under other names, without types of tokens.

use super::bert::{BERT, BIAS, BOTH_WAYS};
use super::parameter::{Const, Parameter, constant};
use super::text::{NOT_TEXT, TEXT};
use super::{Family, Names, Presence, Row, Skip};
use crate::sizes::Dim::{FeedForward, Hidden, Labels, Positions, Vocab};

pub(super) const DISTIL_BERT: Family = Family {
    classes: &["DistilBertModel", "DistilBertForMaskedLM", "DistilBertForSequenceClassification"],
    parameters: &[
        // transformers' number, which no config has.
        &[constant(".attention.layer_norm_epsilon", Const::F32(1e-12))],
        TEXT,
        BOTH_WAYS,
        &[Parameter::Or {
            key: "tokenizer.ggml.token_type_count",
            from: &["type_vocab_size"],
            or: Const::U32(1),
        }],
    ],
    names: Names { strip: &["distilbert."], ..BERT.names },
    // The output of the model that fills in masked words.
    skip: &[&[Skip::Starts("vocab_"), Skip::Is("embeddings.position_ids")], NOT_TEXT],
    rows: &[ROWS],
    ..BERT
};

const ROWS: &[Row] = &[
    Row::new("embeddings.word_embeddings", "token_embd", &[Vocab, Hidden]),
    Row::new("embeddings.position_embeddings", "position_embd", &[Positions, Hidden]),
    Row::new("embeddings.LayerNorm", "token_embd_norm", &[Hidden]).bias(BIAS),
    Row::new("transformer.layer.{}.attention.q_lin", "blk.{}.attn_q", &[Hidden, Hidden]).bias(BIAS),
    Row::new("transformer.layer.{}.attention.k_lin", "blk.{}.attn_k", &[Hidden, Hidden]).bias(BIAS),
    Row::new("transformer.layer.{}.attention.v_lin", "blk.{}.attn_v", &[Hidden, Hidden]).bias(BIAS),
    Row::new("transformer.layer.{}.attention.out_lin", "blk.{}.attn_output", &[Hidden, Hidden]).bias(BIAS),
    Row::new("transformer.layer.{}.sa_layer_norm", "blk.{}.attn_output_norm", &[Hidden]).bias(BIAS),
    Row::new("transformer.layer.{}.ffn.lin1", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(BIAS),
    Row::new("transformer.layer.{}.ffn.lin2", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(BIAS),
    Row::new("transformer.layer.{}.output_layer_norm", "blk.{}.layer_output_norm", &[Hidden]).bias(BIAS),
    // The converter writes both under one name, and so nothing, where the classes have no names.
    Row::new("pre_classifier", "cls", &[Hidden, Hidden]).optional().bias(Presence::Optional),
    Row::new("classifier", "cls.output", &[Labels, Hidden]).optional().bias(Presence::Optional),
];
