//! NeoBERT: `NeoBert` of convert_hf_to_gguf.

use super::bert::{BERT, BOTH_WAYS};
use super::parameter::{Const, Parameter, constant, size};
use super::text::{NOT_TEXT, TEXT};
use super::{Family, Names, Presence, Row, Skip};
use crate::sizes::Dim::{self, Fixed, Hidden, Key, Labels, Product, Quotient, Vocab};

pub(super) const NEO_BERT: Family = Family {
    classes: &["NeoBERT", "NeoBERTLMHead", "NeoBERTForSequenceClassification"],
    architecture: "neo-bert",
    parameters: &[
        TEXT,
        BOTH_WAYS,
        &[
            size(".feed_forward_length", FORWARD),
            constant(".rope.freq_base", Const::F32(10000.0)),
            constant(".rope.scaling.type", Const::Str("none")),
            Parameter::Or {
                key: ".attention.layer_norm_rms_epsilon",
                from: &["norm_eps"],
                or: Const::F32(1e-6),
            },
            // The first token's, as its authors use it.
            constant(".pooling_type", Const::U32(2)),
            Parameter::Or {
                key: "tokenizer.ggml.token_type_count",
                from: &["type_vocab_size"],
                or: Const::U32(1),
            },
        ],
    ],
    names: Names { strip: &["model."], ..BERT.names },
    // The output of the model that fills in masked words.
    skip: &[&[Skip::Starts("decoder.")], NOT_TEXT],
    rows: &[ROWS],
    ..BERT
};

/// Two thirds of what the config says: its gate is the third.
const FORWARD: Dim = Quotient(&Product(&[Fixed(2), Key(&["intermediate_size"])]), &Fixed(3));
const BOTH: Dim = Product(&[Fixed(2), FORWARD]);
const THREE: Dim = Product(&[Fixed(3), Hidden]);

const ROWS: &[Row] = &[
    Row::new("encoder", "token_embd", &[Vocab, Hidden]),
    Row::new("transformer_encoder.{}.attention_norm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("transformer_encoder.{}.qkv", "blk.{}.attn_qkv", &[THREE, Hidden]),
    Row::new("transformer_encoder.{}.wo", "blk.{}.attn_output", &[Hidden, Hidden]),
    Row::new("transformer_encoder.{}.ffn_norm", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("transformer_encoder.{}.ffn.w12", "blk.{}.ffn_up", &[BOTH, Hidden]),
    Row::new("transformer_encoder.{}.ffn.w3", "blk.{}.ffn_down", &[Hidden, FORWARD]),
    Row::new("layer_norm", "enc.output_norm", &[Hidden]),
    Row::new("dense", "cls", &[Hidden, Hidden]).optional().bias(Presence::Optional),
    Row::new("classifier", "cls.output", &[Labels, Hidden]).optional().bias(Presence::Optional),
];
