//! DeepSeek V2, V3 and MiniCPM 3: `DeepseekV2Model`, `MiniCPM3Model` of convert_hf_to_gguf. Keys and values come from one narrow
//! layer; for DeepSeek it is split so that llama.cpp can keep only the narrow part.

use gguf_format::Metadata;

use super::experts::EXPERTS;
use super::llama::{ENDS, LLAMA, NORMS, PLAIN_FORWARD};
use super::parameter::{Const, Kind, Parameter, constant, needed, size, value};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Presence, Row, Skip, Start, Step, phi};
use crate::config::Config;
use crate::error::Error;
use crate::json::truthy;
use crate::sizes::Dim::{
    self, Blocks, ExpertForward, Experts, FeedForward, Fixed, Heads, Hidden, Key, KeyHeads, KeyOr, Product,
    Sum, Vocab,
};
use crate::tokenizer::TokenizerKind;

pub(super) const DEEPSEEK2: Family = Family {
    classes: &["DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM"],
    architecture: "deepseek2",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[TEXT, PARAMETERS],
    skip: &[&[Skip::Tied("lm_head.weight"), Skip::Beyond("layers.")], NOT_TEXT],
    rows: &[ENDS, NORMS, QUERIES, ATTENTION, SPLIT, DENSE, MIXED],
    generated: &[],
    headed: &["DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM"],
    ..LLAMA
};

const Q_RANK: Dim = Key(&["q_lora_rank"]);
const KV_RANK: Dim = KeyOr(&["kv_lora_rank"], &Fixed(512));
const PLAIN: Dim = Key(&["qk_nope_head_dim"]);
const ROTATED: Dim = Key(&["qk_rope_head_dim"]);
const QUERY: Dim = Sum(&[PLAIN, ROTATED]);
const VALUE: Dim = Key(&["v_head_dim"]);

const PARAMETERS: &[Parameter] = &[
    // llama.cpp runs it as if all heads had one key in common.
    constant(".attention.head_count_kv", Const::U32(1)),
    Parameter::Rule(leading),
    size(".vocab_size", Vocab),
    value(".attention.q_lora_rank", Kind::U32, &["q_lora_rank"]),
    size(".attention.kv_lora_rank", KV_RANK),
    size(".attention.key_length", Sum(&[KV_RANK, ROTATED])),
    size(".attention.value_length", KV_RANK),
    size(".attention.key_length_mla", QUERY),
    size(".attention.value_length_mla", VALUE),
    needed(".expert_feed_forward_length", Kind::U32, &["moe_intermediate_size", "intermediate_size"]),
    value(".expert_count", Kind::U32, &["n_routed_experts"]),
    Parameter::Or { key: ".expert_shared_count", from: &["n_shared_experts"], or: Const::U32(0) },
    value(".expert_weights_scale", Kind::F32, &["routed_scaling_factor"]),
    Parameter::Rule(last),
];

/// How many blocks at the start have no experts.
fn dense_blocks(config: &Config) -> Result<u64, Error> {
    match config.size(&["first_k_dense_replace"])? {
        Some(blocks) => Ok(blocks),
        None if config.get("n_routed_experts").is_some() => Ok(0),
        None => config.dim(Blocks),
    }
}

fn leading(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    pairs.insert(context.key(".leading_dense_block_count"), dense_blocks(context.config)? as u32);
    Ok(())
}

fn last(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    if config.get("norm_topk_prob").is_some_and(truthy) {
        pairs.insert(context.key(".expert_weights_norm"), true);
    }
    size(".rope.dimension_count", ROTATED).write(context, pairs, &mut Vec::new())?;
    // A tenth of it, for reasons of history.
    if let Some(scale) = config.rope.get("mscale_all_dim").and_then(serde_json::Value::as_f64) {
        pairs.insert(context.key(".rope.scaling.yarn_log_multiplier"), (0.1 * scale) as f32);
    }
    Ok(())
}

const BIASED: Presence = Presence::If("attention_bias");

/// Queries made in two steps, or in one.
const QUERIES: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[Product(&[Heads, QUERY]), Hidden])
        .when(|config| config.get("q_lora_rank").is_none()),
    Row::new("layers.{}.self_attn.q_a_proj", "blk.{}.attn_q_a", &[Q_RANK, Hidden])
        .bias(BIASED)
        .when(|config| config.get("q_lora_rank").is_some()),
    Row::new("layers.{}.self_attn.q_a_layernorm", "blk.{}.attn_q_a_norm", &[Q_RANK])
        .when(|config| config.get("q_lora_rank").is_some()),
    Row::new("layers.{}.self_attn.q_b_proj", "blk.{}.attn_q_b", &[Product(&[Heads, QUERY]), Q_RANK])
        .when(|config| config.get("q_lora_rank").is_some()),
];

const ATTENTION: &[Row] = &[
    Row::new(
        "layers.{}.self_attn.kv_a_proj_with_mqa",
        "blk.{}.attn_kv_a_mqa",
        &[Sum(&[KV_RANK, ROTATED]), Hidden],
    )
    .bias(BIASED),
    Row::new("layers.{}.self_attn.kv_a_layernorm", "blk.{}.attn_kv_a_norm", &[KV_RANK]),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, Product(&[Heads, VALUE])])
        .bias(BIASED),
];

const KEY_VALUE: &[Dim] = &[Product(&[KeyHeads, Sum(&[PLAIN, VALUE])]), KV_RANK];
const KEYS: &[&[Step]] =
    &[&[Step::Split(0, &[KeyHeads]), Step::Slice(1, Start::First, PLAIN), Step::Swap(1, 2)]];
const VALUES: &[&[Step]] = &[&[Step::Split(0, &[KeyHeads]), Step::Slice(1, Start::After(PLAIN), VALUE)]];

const SPLIT: &[Row] = &[
    Row::new("layers.{}.self_attn.kv_b_proj", "blk.{}.attn_k_b", KEY_VALUE)
        .parts(KEYS)
        .to(&[KeyHeads, KV_RANK, PLAIN]),
    Row::new("layers.{}.self_attn.kv_b_proj", "blk.{}.attn_v_b", KEY_VALUE)
        .parts(VALUES)
        .to(&[KeyHeads, VALUE, KV_RANK]),
];

fn dense(config: &Config, block: u64) -> bool {
    dense_blocks(config).is_ok_and(|blocks| block < blocks)
}

fn mixed(config: &Config, block: u64) -> bool {
    !dense(config, block)
}

fn shared(config: &Config, block: u64) -> bool {
    mixed(config, block) && config.get("n_shared_experts").is_some_and(truthy)
}

const DENSE: &[Row] = &[
    PLAIN_FORWARD[0].weight(Presence::Where(dense)),
    PLAIN_FORWARD[1].weight(Presence::Where(dense)),
    PLAIN_FORWARD[2].weight(Presence::Where(dense)),
];

const SHARED: Dim = Product(&[KeyOr(&["n_shared_experts"], &Fixed(1)), ExpertForward]);

const MIXED: &[Row] = &[
    EXPERTS[0].weight(Presence::Where(mixed)),
    EXPERTS[1].weight(Presence::Where(mixed)),
    EXPERTS[2].weight(Presence::Where(mixed)),
    EXPERTS[3].weight(Presence::Where(mixed)),
    Row::bare("layers.{}.mlp.gate.e_score_correction_bias", "blk.{}.exp_probs_b.bias", &[Experts]).optional(),
    Row::new("layers.{}.mlp.shared_experts.gate_proj", "blk.{}.ffn_gate_shexp", &[SHARED, Hidden])
        .weight(Presence::Where(shared)),
    Row::new("layers.{}.mlp.shared_experts.up_proj", "blk.{}.ffn_up_shexp", &[SHARED, Hidden])
        .weight(Presence::Where(shared)),
    Row::new("layers.{}.mlp.shared_experts.down_proj", "blk.{}.ffn_down_shexp", &[Hidden, SHARED])
        .weight(Presence::Where(shared)),
];

pub(super) const MINICPM3: Family = Family {
    classes: &["MiniCPM3ForCausalLM"],
    architecture: "minicpm3",
    tokenizer: TokenizerKind::SentencePiece,
    parameters: &[&[
        needed(".context_length", Kind::U32, &["max_position_embeddings"]),
        size(".embedding_length", Hidden),
        size(".block_count", Blocks),
        size(".feed_forward_length", FeedForward),
        size(".attention.head_count", Heads),
        size(".attention.head_count_kv", KeyHeads),
        needed(".attention.layer_norm_rms_epsilon", Kind::F32, &["rms_norm_eps"]),
        size(".vocab_size", Vocab),
        value(".attention.q_lora_rank", Kind::U32, &["q_lora_rank"]),
        size(".attention.kv_lora_rank", Key(&["kv_lora_rank"])),
        size(".attention.key_length", QUERY),
        size(".rope.dimension_count", ROTATED),
    ]],
    rows: &[ENDS, NORMS, QUERIES, ATTENTION, WHOLE, PLAIN_FORWARD],
    skip: &[NOT_TEXT],
    generated: &[phi::long_rope],
    headed: &[],
    ..DEEPSEEK2
};

const WHOLE: &[Row] = &[Row::new("layers.{}.self_attn.kv_b_proj", "blk.{}.attn_kv_b", KEY_VALUE)];
