//! LFM 2: `LFM2Model` and `LFM2MoeModel` of convert_hf_to_gguf. Most blocks have a short convolution in place of attention.

use gguf_format::Metadata;

use super::llama::LLAMA;
use super::parameter::{Const, Kind, Parameter, constant, needed, size};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Names, Presence, Row};
use crate::config::Config;
use crate::error::Error;
use crate::json::truthy;
use crate::sizes::Dim::{
    self, Blocks, ExpertForward, Experts, FeedForward, Fixed, HeadWidth, Hidden, Key, KeyHeads, KeyRows,
    Product, QueryRows, Vocab,
};
use crate::tokenizer::TokenizerKind;

pub(super) const LFM2: Family = Family {
    classes: &["Lfm2ForCausalLM", "LFM2ForCausalLM"],
    architecture: "lfm2",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[
        TEXT,
        &[
            Parameter::Rule(heads),
            size(".vocab_size", Vocab),
            needed(".shortconv.l_cache", Kind::U32, &["conv_L_cache"]),
            needed(".attention.layer_norm_rms_epsilon", Kind::F32, &["norm_eps"]),
            size(".feed_forward_length", FORWARD),
        ],
    ],
    names: Names { remove: &["language_model.", "lfm."], strip: &["model."], suffixes: &[] },
    skip: &[NOT_TEXT],
    rows: &[ENDS, MIXERS, FORWARD_ROWS],
    generated: &[],
    headed: &[],
    ..LLAMA
};

/// LFM 2's mixture of experts: the first blocks have one feed-forward part.
pub(super) const LFM2_MOE: Family = Family {
    classes: &["Lfm2MoeForCausalLM"],
    architecture: "lfm2moe",
    parameters: &[
        TEXT,
        &[
            Parameter::Rule(heads),
            needed(".expert_feed_forward_length", Kind::U32, &["moe_intermediate_size"]),
            needed(".leading_dense_block_count", Kind::U32, &["num_dense_layers"]),
            // Sigmoid.
            constant(".expert_gating_func", Const::U32(2)),
            size(".vocab_size", Vocab),
            needed(".shortconv.l_cache", Kind::U32, &["conv_L_cache"]),
        ],
    ],
    rows: &[ENDS, MIXERS, DENSE, MIXED],
    ..LFM2
};

/// The feed-forward width that the block's makes.
const FORWARD: Dim = Dim::Rule("block_ff_dim", |config, _| {
    let mut width = config.needed_size(&["block_ff_dim", "intermediate_size"])?;
    if config.get("block_auto_adjust_ff_dim").is_some_and(truthy) {
        let part = config.get("block_ffn_dim_multiplier").and_then(serde_json::Value::as_f64).unwrap_or(1.0);
        let multiple = config.needed_size(&["block_multiple_of"])?;
        width = (part * (2 * width / 3) as f64) as u64;
        width = width.div_ceil(multiple).saturating_mul(multiple);
    }
    Ok(width)
});

fn convolution(config: &Config, block: u64) -> bool {
    let types = config.get("layer_types").and_then(serde_json::Value::as_array);
    match types.and_then(|t| t.get(block as usize)) {
        Some(kind) => kind == "conv",
        None => {
            let full = config.get("full_attn_idxs").and_then(serde_json::Value::as_array);
            full.is_some_and(|full| full.iter().all(|i| i.as_u64() != Some(block)))
        }
    }
}

fn attention(config: &Config, block: u64) -> bool {
    !convolution(config, block)
}

/// Blocks without attention have no key heads.
fn heads(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let count = config.dim(KeyHeads)? as i32;
    let blocks = 0..config.dim(Blocks)?;
    let heads: Vec<i32> = blocks.map(|b| if convolution(config, b) { 0 } else { count }).collect();
    pairs.insert(context.key(".attention.head_count_kv"), heads);
    Ok(())
}

const CONVOLUTION: Presence = Presence::Where(convolution);
const ATTENTION: Presence = Presence::Where(attention);
const CACHE: Dim = Key(&["conv_L_cache"]);
const THREE: Dim = Product(&[Fixed(3), Hidden]);
const BIAS: Presence = Presence::Optional;

const ENDS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    // It is the last norm; llama.cpp has it under this name.
    Row::new("embedding_norm", "token_embd_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
];

const MIXERS: &[Row] = &[
    Row::new("layers.{}.operator_norm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.ffn_norm", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("layers.{}.conv.conv", "blk.{}.shortconv.conv", &[Hidden, Fixed(1), CACHE])
        .to(&[Hidden, CACHE])
        .weight(CONVOLUTION)
        .bias(BIAS),
    Row::new("layers.{}.conv.in_proj", "blk.{}.shortconv.in_proj", &[THREE, Hidden])
        .weight(CONVOLUTION)
        .bias(BIAS),
    Row::new("layers.{}.conv.out_proj", "blk.{}.shortconv.out_proj", &[Hidden, Hidden])
        .weight(CONVOLUTION)
        .bias(BIAS),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).weight(ATTENTION),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).weight(ATTENTION),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).weight(ATTENTION),
    Row::new("layers.{}.self_attn.out_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).weight(ATTENTION),
    Row::new("layers.{}.self_attn.q_layernorm", "blk.{}.attn_q_norm", &[HeadWidth]).weight(ATTENTION),
    Row::new("layers.{}.self_attn.k_layernorm", "blk.{}.attn_k_norm", &[HeadWidth]).weight(ATTENTION),
];

const FORWARD_ROWS: &[Row] = &[
    Row::new("layers.{}.feed_forward.w1", "blk.{}.ffn_gate", &[FORWARD, Hidden]),
    Row::new("layers.{}.feed_forward.w3", "blk.{}.ffn_up", &[FORWARD, Hidden]),
    Row::new("layers.{}.feed_forward.w2", "blk.{}.ffn_down", &[Hidden, FORWARD]),
];

fn dense(config: &Config, block: u64) -> bool {
    block < config.size(&["num_dense_layers"]).ok().flatten().unwrap_or(0)
}

fn mixed(config: &Config, block: u64) -> bool {
    !dense(config, block)
}

const DENSE_PART: Presence = Presence::Where(dense);
const MIXED_PART: Presence = Presence::Where(mixed);

const DENSE: &[Row] = &[
    Row::new("layers.{}.feed_forward.w1", "blk.{}.ffn_gate", &[FeedForward, Hidden]).weight(DENSE_PART),
    Row::new("layers.{}.feed_forward.w3", "blk.{}.ffn_up", &[FeedForward, Hidden]).weight(DENSE_PART),
    Row::new("layers.{}.feed_forward.w2", "blk.{}.ffn_down", &[Hidden, FeedForward]).weight(DENSE_PART),
];

const MIXED: &[Row] = &[
    Row::new("layers.{}.feed_forward.gate", "blk.{}.ffn_gate_inp", &[Experts, Hidden]).weight(MIXED_PART),
    Row::bare("layers.{}.feed_forward.expert_bias", "blk.{}.exp_probs_b.bias", &[Experts])
        .weight(Presence::Optional),
    Row::new("layers.{}.feed_forward.experts.{e}.w1", "blk.{}.ffn_gate_exps", &[ExpertForward, Hidden])
        .to(&[Experts, ExpertForward, Hidden])
        .weight(MIXED_PART),
    Row::new("layers.{}.feed_forward.experts.{e}.w3", "blk.{}.ffn_up_exps", &[ExpertForward, Hidden])
        .to(&[Experts, ExpertForward, Hidden])
        .weight(MIXED_PART),
    Row::new("layers.{}.feed_forward.experts.{e}.w2", "blk.{}.ffn_down_exps", &[Hidden, ExpertForward])
        .to(&[Experts, Hidden, ExpertForward])
        .weight(MIXED_PART),
];
