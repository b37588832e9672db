//! StableLM and StarCoder 2: `StableLMModel`, `StarCoder2Model` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::llama::{LLAMA, PLAIN_FORWARD};
use super::parameter::{Const, Kind, Parameter, needed, size};
use super::rules::{part_of, rotary_part};
use super::text::TEXT;
use super::{Context, Family, Presence, Row};
use crate::error::Error;
use crate::sizes::Dim::{
    Blocks, FeedForward, HeadWidth, Heads, Hidden, KeyHeads, KeyRows, QueryRows, Quotient, Vocab,
};
use crate::tokenizer::TokenizerKind;

pub(super) const STABLELM: Family = Family {
    classes: &["StableLmForCausalLM", "StableLMEpochForCausalLM", "LlavaStableLMEpochForCausalLM"],
    architecture: "stablelm",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[&[
        needed(".context_length", Kind::U32, &["max_position_embeddings"]),
        size(".embedding_length", Hidden),
        size(".block_count", Blocks),
        size(".feed_forward_length", FeedForward),
        Parameter::Rule(rotated),
        size(".attention.head_count", Heads),
        size(".attention.head_count_kv", KeyHeads),
        Parameter::Or {
            key: ".use_parallel_residual",
            from: &["use_parallel_residual"],
            or: Const::Bool(true),
        },
        needed(".attention.layer_norm_epsilon", Kind::F32, &["layer_norm_eps", "norm_eps"]),
    ]],
    rows: &[ENDS, NORMS, ATTENTION, PLAIN_FORWARD],
    generated: &[],
    headed: &[],
    ..LLAMA
};

const QKV_BIAS: Presence = Presence::If("use_qkv_bias");
const LAYER_NORM: Presence = Presence::If("qk_layernorm");

/// What is before and after the blocks, with a norm that has a bias.
pub(super) const ENDS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("norm", "output_norm", &[Hidden]).bias(Presence::Needed),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
];

const NORMS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).bias(Presence::Needed),
    // Not in the models whose two halves of a block are parallel.
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden])
        .weight(Presence::Where(|config, _| !config.flag("use_parallel_residual")))
        .bias(Presence::Where(|config, _| !config.flag("use_parallel_residual"))),
];

const ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(QKV_BIAS),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(QKV_BIAS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(QKV_BIAS),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]),
    // One norm a head.
    Row::new("layers.{}.self_attn.q_layernorm.norms.{e}", "blk.{}.attn_q_norm", &[HeadWidth])
        .count(Heads)
        .weight(LAYER_NORM),
    Row::new("layers.{}.self_attn.k_layernorm.norms.{e}", "blk.{}.attn_k_norm", &[HeadWidth])
        .count(KeyHeads)
        .weight(LAYER_NORM),
];

fn rotated(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let part = rotary_part(context.config, 0.25)?;
    let width = context.config.dim(Quotient(&Hidden, &Heads))?;
    pairs.insert(context.key(".rope.dimension_count"), part_of(part, width));
    Ok(())
}

pub(super) const STARCODER2: Family = Family {
    classes: &["Starcoder2ForCausalLM"],
    architecture: "starcoder2",
    parameters: &[TEXT],
    rows: &[ENDS, CODER_ROWS],
    ..STABLELM
};

const BIAS: Presence = Presence::If("use_bias");

const CODER_ROWS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(BIAS),
    Row::new("layers.{}.mlp.c_fc", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(BIAS),
    Row::new("layers.{}.mlp.c_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(BIAS),
];
