//! Phi 2, Phi 3 (and 4) and Phi 3.5's mixture: `Phi2Model`, `Phi3MiniModel`, `PhiMoeModel` of convert_hf_to_gguf.

use gguf_format::Metadata;
use serde_json::Value;

use super::experts::SPARSE_EXPERTS;
use super::llama::{ENDS, LLAMA, NORMS};
use super::parameter::{Const, Kind, Parameter, constant, needed, size, value};
use super::rules::part_of_hidden;
use super::{Context, Family, Generated, Presence, Row};
use crate::config::Config;
use crate::error::Error;
use crate::json::bad_key;
use crate::sizes::Dim::{
    self, Blocks, FeedForward, Fixed, Heads, Hidden, KeyHeads, KeyRows, Product, QueryRows, Sum, Vocab,
};
use crate::tokenizer::TokenizerKind;

pub(super) const PHI2: Family = Family {
    classes: &["PhiForCausalLM"],
    architecture: "phi2",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[&[
        needed(".context_length", Kind::U32, &["n_positions", "max_position_embeddings"]),
        size(".embedding_length", Hidden),
        size(".feed_forward_length", Product(&[Fixed(4), Hidden])),
        size(".block_count", Blocks),
        size(".attention.head_count", Heads),
        size(".attention.head_count_kv", Heads),
        needed(".attention.layer_norm_epsilon", Kind::F32, &["layer_norm_epsilon", "layer_norm_eps"]),
        Parameter::Rule(part_of_hidden),
        constant("tokenizer.ggml.add_bos_token", Const::Bool(false)),
    ]],
    rows: &[PHI2_ROWS],
    generated: &[],
    headed: &[],
    ..LLAMA
};

const BIAS: Presence = Presence::Needed;

const PHI2_ROWS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("final_layernorm", "output_norm", &[Hidden]).bias(BIAS),
    Row::new("lm_head", "output", &[Vocab, Hidden]).bias(Presence::Optional),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.dense", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(BIAS),
    Row::new("layers.{}.mlp.fc1", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(BIAS),
    Row::new("layers.{}.mlp.fc2", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(BIAS),
];

pub(super) const PHI3: Family = Family {
    // The second is Phi 4's with eyes.
    classes: &["Phi3ForCausalLM", "Phi4ForCausalLMV"],
    architecture: "phi3",
    tokenizer: TokenizerKind::Phi3,
    opening: &[Parameter::Rule(attention_factor)],
    parameters: &[PHI3_PARAMETERS],
    rows: &[ENDS, NORMS, PHI3_ROWS],
    generated: &[long_rope],
    headed: &["Phi3ForCausalLM"],
    ..LLAMA
};

const PHI3_PARAMETERS: &[Parameter] = &[
    needed(".context_length", Kind::U32, &["n_positions", "max_position_embeddings"]),
    Parameter::Rule(original_length),
    size(".embedding_length", Hidden),
    size(".feed_forward_length", FeedForward),
    size(".block_count", Blocks),
    size(".attention.head_count", Heads),
    size(".attention.head_count_kv", KeyHeads),
    needed(".attention.layer_norm_rms_epsilon", Kind::F32, &["rms_norm_eps"]),
    Parameter::Rule(part_of_hidden),
    Parameter::Rule(theta),
    // 0 tells Phi 4 from the others.
    Parameter::Or { key: ".attention.sliding_window", from: &["sliding_window"], or: Const::U32(0) },
];

const QKV: Dim = Sum(&[QueryRows, Product(&[Fixed(2), KeyRows])]);

const PHI3_ROWS: &[Row] = &[
    Row::new("layers.{}.self_attn.qkv_proj", "blk.{}.attn_qkv", &[QKV, Hidden]),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]),
    Row::new("layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up", &[Product(&[Fixed(2), FeedForward]), Hidden]),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]),
];

pub(super) const PHI_MOE: Family = Family {
    classes: &["PhiMoEForCausalLM", "PhimoeForCausalLM"],
    architecture: "phimoe",
    parameters: &[
        PHI3_PARAMETERS,
        &[
            value(".expert_used_count", Kind::U32, &["num_experts_per_tok", "num_experts_per_token"]),
            value(".expert_count", Kind::U32, &["num_local_experts", "num_experts"]),
        ],
    ],
    rows: &[MOE_ROWS, SPARSE_EXPERTS],
    headed: &["PhiMoEForCausalLM", "PhimoeForCausalLM"],
    ..PHI3
};

const MOE_BIAS: Presence = Presence::If("attention_bias");

const MOE_ROWS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("norm", "output_norm", &[Hidden]).bias(BIAS),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional().bias(Presence::If("lm_head_bias")),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).bias(BIAS),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(MOE_BIAS),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(MOE_BIAS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(MOE_BIAS),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(MOE_BIAS),
];

const ORIGINAL: &str = "original_max_position_embeddings";

/// The length of context that the model was first trained on.
fn original(config: &Config) -> Result<u32, Error> {
    let value = config.rope.get(ORIGINAL).filter(|v| !v.is_null());
    let value = value.ok_or_else(|| config.missing(&[ORIGINAL], "an integer"))?;
    let length = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 1);
    length.ok_or_else(|| bad_key(config.path(), ORIGINAL, value, "an integer from 2 to 4294967295"))
}

fn original_length(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    pairs.insert(context.key(".rope.scaling.original_context_length"), original(context.config)?);
    Ok(())
}

pub(super) fn theta(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let theta = config.rope.get("rope_theta").ok_or_else(|| config.missing(&["rope_theta"], "a number"))?;
    pairs.insert(context.key(".rope.freq_base"), config.f32("rope_theta", theta)?);
    Ok(())
}

/// The factors of one name, if there are any.
fn factors(config: &Config, key: &str) -> Result<Option<Vec<f32>>, Error> {
    match config.rope.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) if list.is_empty() => Ok(None),
        Some(Value::Array(list)) => {
            list.iter().map(|v| config.f32(key, v)).collect::<Result<_, _>>().map(Some)
        }
        Some(other) => Err(bad_key(config.path(), key, other, "a list of numbers")),
    }
}

/// How much stronger attention is over a longer context (`Phi3MiniModel.generate_extra_tensors`).
fn attention_factor(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    if factors(config, "long_factor")?.is_none() {
        return Ok(());
    }
    let length = f64::from(original(config)?);
    let positions = config.needed_size(&["n_positions", "max_position_embeddings"])? as f64;
    let scale = positions / length;
    let kind = config.rope.get("rope_type").unwrap_or(&Value::Null);
    let factor = match kind.as_str().map(str::to_lowercase).as_deref() {
        _ if scale <= 1.0 => 1.0,
        Some("su" | "longrope") => (1.0 + scale.ln() / length.ln()).sqrt(),
        Some("yarn") => 0.1 * scale.ln() + 1.0,
        _ => return Err(bad_key(config.path(), "rope rope_type", kind, "longrope, su or yarn")),
    };
    pairs.insert(context.key(".rope.scaling.attn_factor"), factor as f32);
    Ok(())
}

/// `rope_factors_long.weight` and `rope_factors_short.weight`.
pub(super) fn long_rope(config: &Config) -> Result<Vec<Generated>, Error> {
    let Some(long) = factors(config, "long_factor")? else { return Ok(Vec::new()) };
    let short = factors(config, "short_factor")?
        .ok_or_else(|| config.missing(&["rope short_factor"], "a list of numbers"))?;
    if long.len() != short.len() {
        let found = Value::from(short.len());
        let expected = format!("{} numbers, as long_factor has", long.len());
        return Err(bad_key(config.path(), "rope short_factor", &found, &expected));
    }
    Ok(vec![
        Generated { name: "rope_factors_long.weight", values: long },
        Generated { name: "rope_factors_short.weight", values: short },
    ])
}
