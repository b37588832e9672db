//! T5 and its kin, encoder and decoder, or the encoder alone: `T5Model` and `T5EncoderModel` of convert_hf_to_gguf.

use super::llama::LLAMA;
use super::parameter::{Const, Kind, Parameter, needed, size, value};
use super::text::NOT_TEXT;
use super::{Family, Names, Presence, Row, Source};
use crate::config::Config;
use crate::sizes::Dim::{self, Blocks, Hidden, Key, KeyOr, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const T5: Family = Family {
    classes: &[
        "T5ForConditionalGeneration",
        "T5WithLMHeadModel",
        "MT5ForConditionalGeneration",
        "UMT5ForConditionalGeneration",
        "UMT5Model",
    ],
    architecture: "t5",
    tokenizer: TokenizerKind::T5,
    parameters: &[
        SIZES,
        &[value(".decoder_block_count", Kind::U32, &["num_decoder_layers"])],
        SHAPES,
        &[needed(".decoder_start_token_id", Kind::U32, &["decoder_start_token_id"])],
    ],
    names: Names { remove: &[], strip: &[], suffixes: &[] },
    skip: &[NOT_TEXT],
    rows: &[WORDS, ENCODER, DECODER],
    generated: &[],
    headed: &[],
    ..LLAMA
};

pub(super) const T5_ENCODER: Family = Family {
    classes: &["T5EncoderModel"],
    architecture: "t5encoder",
    parameters: &[SIZES, SHAPES],
    rows: &[WORDS, ENCODER],
    ..T5
};

const SIZES: &[Parameter] = &[
    Parameter::Or { key: ".context_length", from: &["n_positions"], or: Const::U32(512) },
    size(".embedding_length", Hidden),
    size(".feed_forward_length", FORWARD),
    size(".block_count", Blocks),
];

const SHAPES: &[Parameter] = &[
    size(".attention.head_count", HEADS),
    size(".attention.key_length", WIDTH),
    size(".attention.value_length", WIDTH),
    needed(".attention.layer_norm_epsilon", Kind::F32, &["layer_norm_epsilon"]),
    size(".attention.relative_buckets_count", BUCKETS),
    needed(".attention.layer_norm_rms_epsilon", Kind::F32, &["layer_norm_epsilon"]),
];

const FORWARD: Dim = Key(&["d_ff"]);
const HEADS: Dim = Key(&["num_heads"]);
const WIDTH: Dim = Key(&["d_kv"]);
const INNER: Dim = Dim::Product(&[HEADS, WIDTH]);
const BUCKETS: Dim = Key(&["relative_attention_num_buckets"]);
const DECODER_BLOCKS: Dim = KeyOr(&["num_decoder_layers"], &Blocks);

/// Encoder and decoder share the embeddings, which checkpoints have under one of three names, or under several.
const WORDS: &[Row] = &[Row::new("decoder.embed_tokens", "token_embd", &[Vocab, Hidden])
    .or(&[Source::new("encoder.embed_tokens", &[Vocab, Hidden]), Source::new("shared", &[Vocab, Hidden])])
    .copies()];

const ENCODER: &[Row] = &[
    Row::new("encoder.block.{}.layer.0.SelfAttention.q", "enc.blk.{}.attn_q", &[INNER, Hidden]),
    Row::new("encoder.block.{}.layer.0.SelfAttention.k", "enc.blk.{}.attn_k", &[INNER, Hidden]),
    Row::new("encoder.block.{}.layer.0.SelfAttention.v", "enc.blk.{}.attn_v", &[INNER, Hidden]),
    Row::new("encoder.block.{}.layer.0.SelfAttention.o", "enc.blk.{}.attn_o", &[Hidden, INNER]),
    Row::new(
        "encoder.block.{}.layer.0.SelfAttention.relative_attention_bias",
        "enc.blk.{}.attn_rel_b",
        &[BUCKETS, HEADS],
    )
    .weight(FIRST),
    Row::new("encoder.block.{}.layer.0.layer_norm", "enc.blk.{}.attn_norm", &[Hidden]),
    Row::new("encoder.block.{}.layer.1.DenseReluDense.wi_0", "enc.blk.{}.ffn_gate", &[FORWARD, Hidden])
        .weight(GATED),
    Row::new("encoder.block.{}.layer.1.DenseReluDense.wi", "enc.blk.{}.ffn_up", &[FORWARD, Hidden])
        .or(&[Source::new("encoder.block.{}.layer.1.DenseReluDense.wi_1", &[FORWARD, Hidden])]),
    Row::new("encoder.block.{}.layer.1.DenseReluDense.wo", "enc.blk.{}.ffn_down", &[Hidden, FORWARD]),
    Row::new("encoder.block.{}.layer.1.layer_norm", "enc.blk.{}.ffn_norm", &[Hidden]),
    Row::new("encoder.final_layer_norm", "enc.output_norm", &[Hidden]),
];

const DECODER: &[Row] = &[
    Row::new("decoder.block.{}.layer.0.SelfAttention.q", "dec.blk.{}.attn_q", &[INNER, Hidden])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.0.SelfAttention.k", "dec.blk.{}.attn_k", &[INNER, Hidden])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.0.SelfAttention.v", "dec.blk.{}.attn_v", &[INNER, Hidden])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.0.SelfAttention.o", "dec.blk.{}.attn_o", &[Hidden, INNER])
        .each(DECODER_BLOCKS),
    Row::new(
        "decoder.block.{}.layer.0.SelfAttention.relative_attention_bias",
        "dec.blk.{}.attn_rel_b",
        &[BUCKETS, HEADS],
    )
    .weight(FIRST)
    .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.0.layer_norm", "dec.blk.{}.attn_norm", &[Hidden]).each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.1.EncDecAttention.q", "dec.blk.{}.cross_attn_q", &[INNER, Hidden])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.1.EncDecAttention.k", "dec.blk.{}.cross_attn_k", &[INNER, Hidden])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.1.EncDecAttention.v", "dec.blk.{}.cross_attn_v", &[INNER, Hidden])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.1.EncDecAttention.o", "dec.blk.{}.cross_attn_o", &[Hidden, INNER])
        .each(DECODER_BLOCKS),
    // T5's first checkpoints have one that nothing uses.
    Row::new(
        "decoder.block.{}.layer.1.EncDecAttention.relative_attention_bias",
        "dec.blk.{}.cross_attn_rel_b",
        &[BUCKETS, HEADS],
    )
    .optional()
    .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.1.layer_norm", "dec.blk.{}.cross_attn_norm", &[Hidden])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.2.DenseReluDense.wi_0", "dec.blk.{}.ffn_gate", &[FORWARD, Hidden])
        .weight(GATED)
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.2.DenseReluDense.wi", "dec.blk.{}.ffn_up", &[FORWARD, Hidden])
        .or(&[Source::new("decoder.block.{}.layer.2.DenseReluDense.wi_1", &[FORWARD, Hidden])])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.2.DenseReluDense.wo", "dec.blk.{}.ffn_down", &[Hidden, FORWARD])
        .each(DECODER_BLOCKS),
    Row::new("decoder.block.{}.layer.2.layer_norm", "dec.blk.{}.ffn_norm", &[Hidden]).each(DECODER_BLOCKS),
    Row::new("decoder.final_layer_norm", "dec.output_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
];

/// Positions weigh in the first block alone, in UMT5 in each.
const FIRST: Presence =
    Presence::Where(|config, block| block == 0 || config.get("model_type").is_some_and(|t| t == "umt5"));

const GATED: Presence = Presence::Where(gated);

/// Whether the feed-forward part has a gate.
fn gated(config: &Config, _: u64) -> bool {
    let kind = config.get("feed_forward_proj").and_then(serde_json::Value::as_str);
    kind.is_some_and(|kind| kind.starts_with("gated-"))
}
