//! Bloom, GPT-NeoX and Falcon, whose queries, keys and values are in one layer, head by head: `BloomModel`, `GPTNeoXModel`,
//! `FalconModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::llama::LLAMA;
use super::parameter::{Const, Kind, Parameter, constant, needed, size};
use super::rules::{part_of, rotary_pct};
use super::text::NOT_TEXT;
use super::{Context, Family, Names, Presence, Row, Start, Step};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{
    self, Blocks, FeedForward, Fixed, HeadWidth, Heads, Hidden, KeyOr, Product, QueryRows, Quotient, Sum,
    Vocab,
};
use crate::tokenizer::TokenizerKind;

pub(super) const BLOOM: Family = Family {
    classes: &["BloomForCausalLM", "BloomModel"],
    architecture: "bloom",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[&[
        size(".context_length", KeyOr(&["seq_length"], &Hidden)),
        size(".embedding_length", Hidden),
        size(".feed_forward_length", FOUR),
        size(".block_count", Blocks),
        size(".attention.head_count", Heads),
        size(".attention.head_count_kv", Heads),
        needed(".attention.layer_norm_epsilon", Kind::F32, &["layer_norm_epsilon"]),
    ]],
    names: Names { remove: &["transformer."], strip: &[], suffixes: &[] },
    skip: &[NOT_TEXT],
    rows: &[BLOOM_ROWS],
    generated: &[],
    headed: &[],
    ..LLAMA
};

const FOUR: Dim = Product(&[Fixed(4), Hidden]);
const THREE: Dim = Product(&[Fixed(3), Hidden]);
const BIAS: Presence = Presence::Needed;

/// From heads of query, key and value each to all queries, all keys, all values.
const HEADS_LAST: &[&[Step]] = &[&[Step::Split(0, &[Heads, Fixed(3)]), Step::Swap(0, 1)]];

const BLOOM_ROWS: &[Row] = &[
    Row::new("word_embeddings", "token_embd", &[Vocab, Hidden]),
    Row::new("word_embeddings_layernorm", "token_embd_norm", &[Hidden]).bias(BIAS),
    Row::new("ln_f", "output_norm", &[Hidden]).bias(BIAS),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("h.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).bias(BIAS),
    Row::new("h.{}.self_attention.query_key_value", "blk.{}.attn_qkv", &[THREE, Hidden])
        .parts(HEADS_LAST)
        .bias(BIAS),
    Row::new("h.{}.self_attention.dense", "blk.{}.attn_output", &[Hidden, Hidden]).bias(BIAS),
    Row::new("h.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]).bias(BIAS),
    Row::new("h.{}.mlp.dense_h_to_4h", "blk.{}.ffn_up", &[FOUR, Hidden]).bias(BIAS),
    Row::new("h.{}.mlp.dense_4h_to_h", "blk.{}.ffn_down", &[Hidden, FOUR]).bias(BIAS),
];

pub(super) const GPT_NEOX: Family = Family {
    classes: &["GPTNeoXForCausalLM"],
    architecture: "gptneox",
    parameters: &[&[
        needed(".context_length", Kind::U32, &["max_position_embeddings"]),
        size(".embedding_length", Hidden),
        size(".block_count", Blocks),
        size(".feed_forward_length", FeedForward),
        Parameter::Rule(rotated),
        size(".attention.head_count", Heads),
        Parameter::Or {
            key: ".use_parallel_residual",
            from: &["use_parallel_residual"],
            or: Const::Bool(true),
        },
        needed(".attention.layer_norm_epsilon", Kind::F32, &["layer_norm_eps"]),
    ]],
    names: Names { remove: &[], strip: &["gpt_neox."], suffixes: &[] },
    rows: &[NEOX_ROWS],
    ..BLOOM
};

const NEOX_ROWS: &[Row] = &[
    Row::new("embed_in", "token_embd", &[Vocab, Hidden]),
    Row::new("final_layer_norm", "output_norm", &[Hidden]).bias(BIAS),
    Row::new("embed_out", "output", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).bias(BIAS),
    Row::new("layers.{}.attention.query_key_value", "blk.{}.attn_qkv", &[THREE, Hidden])
        .parts(HEADS_LAST)
        .bias(Presence::If("attention_bias")),
    Row::new("layers.{}.attention.dense", "blk.{}.attn_output", &[Hidden, Hidden])
        .bias(Presence::If("attention_bias")),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]).bias(BIAS),
    Row::new("layers.{}.mlp.dense_h_to_4h", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(BIAS),
    Row::new("layers.{}.mlp.dense_4h_to_h", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(BIAS),
];

fn rotated(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let part = rotary_pct(config, 0.25)?;
    let width = config.dim(HEAD)?;
    pairs.insert(context.key(".rope.dimension_count"), part_of(part, width));
    Ok(())
}

const HEAD: Dim = Quotient(&Hidden, &Heads);

pub(super) const FALCON: Family = Family {
    classes: &["FalconForCausalLM", "RWForCausalLM"],
    architecture: "falcon",
    parameters: &[&[
        // Not in its config.
        constant(".context_length", Const::U32(2048)),
        constant(".tensor_data_layout", Const::Str("jploski")),
        size(".embedding_length", Hidden),
        size(".feed_forward_length", FOUR),
        size(".block_count", Blocks),
        size(".attention.head_count", Heads),
        size(".attention.head_count_kv", GROUPS),
        needed(".attention.layer_norm_epsilon", Kind::F32, &["layer_norm_epsilon"]),
    ]],
    names: Names { remove: &[], strip: &["transformer."], suffixes: &[] },
    rows: &[FALCON_ROWS],
    ..BLOOM
};

/// Groups of queries that share a key and a value.
const GROUPS: Dim = KeyOr(&["num_kv_heads"], &KeyOr(&["n_head_kv"], &Fixed(1)));
const QUERIES: Dim = Quotient(&Heads, &GROUPS);
const GROUP: Dim = Sum(&[QUERIES, Fixed(2)]);
const QKV: Dim = Product(&[GROUPS, GROUP, HeadWidth]);
/// From groups of queries with a key and a value to all queries, all keys, all values.
const UNGROUPED: &[&[Step]] = &[
    &[Step::Split(0, &[GROUPS, GROUP]), Step::Slice(1, Start::First, QUERIES)],
    &[Step::Split(0, &[GROUPS, GROUP]), Step::Slice(1, Start::After(QUERIES), Fixed(1))],
    &[Step::Split(0, &[GROUPS, GROUP]), Step::Slice(1, Start::After(Sum(&[QUERIES, Fixed(1)])), Fixed(1))],
];

fn two_norms(config: &Config) -> bool {
    config.flag("new_decoder_architecture") && config.get("num_ln_in_parallel_attn").is_none_or(|n| *n == 2)
}

const FALCON_ROWS: &[Row] = &[
    Row::new("word_embeddings", "token_embd", &[Vocab, Hidden]),
    Row::new("ln_f", "output_norm", &[Hidden]).bias(BIAS),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("h.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).bias(BIAS).when(|c| !two_norms(c)),
    Row::new("h.{}.ln_mlp", "blk.{}.attn_norm", &[Hidden]).bias(BIAS).when(two_norms),
    Row::new("h.{}.ln_attn", "blk.{}.attn_norm_2", &[Hidden]).bias(BIAS).when(two_norms),
    Row::new("h.{}.self_attention.query_key_value", "blk.{}.attn_qkv", &[QKV, Hidden])
        .parts(UNGROUPED)
        .bias(Presence::If("bias")),
    Row::new("h.{}.self_attention.dense", "blk.{}.attn_output", &[Hidden, QueryRows])
        .bias(Presence::If("bias")),
    Row::new("h.{}.mlp.dense_h_to_4h", "blk.{}.ffn_up", &[FOUR, Hidden]).bias(Presence::If("bias")),
    Row::new("h.{}.mlp.dense_4h_to_h", "blk.{}.ffn_down", &[Hidden, FOUR]).bias(Presence::If("bias")),
];
