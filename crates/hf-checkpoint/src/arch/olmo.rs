//! OLMo 1 to 3, OLMoE and Seed-OSS: `OlmoModel`, `Olmo2Model`, `OlmoeModel`, `SeedOssModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::experts::EXPERTS;
use super::llama::{ENDS, LLAMA, NORMS, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::parameter::{Const, Kind, Parameter, constant, value};
use super::rules::sliding;
use super::table::{INTERLEAVE_KEYS, INTERLEAVE_QUERIES};
use super::text::TEXT;
use super::{Context, Family, Presence, Row};
use crate::error::Error;
use crate::sizes::Dim::{Blocks, Hidden, KeyRows, QueryRows, Vocab};
use crate::tokenizer::TokenizerKind;

/// The first: norms without weights, pairs of neighbours rotated.
pub(super) const OLMO: Family = Family {
    classes: &["OlmoForCausalLM", "OLMoForCausalLM"],
    architecture: "olmo",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[
        TEXT,
        &[
            constant(".attention.layer_norm_epsilon", Const::F32(1e-5)),
            value(".attention.clamp_kqv", Kind::F32, &["clip_qkv"]),
        ],
    ],
    rows: &[OLMO_ROWS, PLAIN_FORWARD],
    generated: &[],
    headed: &[],
    ..LLAMA
};

const OLMO_ROWS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).parts(INTERLEAVE_QUERIES),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).parts(INTERLEAVE_KEYS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]),
];

/// The second and the third: norms after both halves of a block.
pub(super) const OLMO2: Family = Family {
    classes: &["Olmo2ForCausalLM", "Olmo3ForCausalLM"],
    architecture: "olmo2",
    parameters: &[TEXT, &[Parameter::Rule(windows)]],
    rows: &[ENDS, AFTER_NORMS, PLAIN_ATTENTION, WHOLE_NORMS, PLAIN_FORWARD],
    ..OLMO
};

/// Norms after both halves of a block.
pub(super) const AFTER_NORMS: &[Row] = &[
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", &[Hidden]),
    Row::new("layers.{}.post_feedforward_layernorm", "blk.{}.post_ffw_norm", &[Hidden]),
];

/// Norms of all heads' queries and keys together.
const WHOLE_NORMS: &[Row] = &[
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[QueryRows]),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[KeyRows]),
];

fn windows(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let Some(window) = config.get("sliding_window") else { return Ok(()) };
    pairs.insert(
        context.key(".attention.sliding_window"),
        context.value(Kind::U32, "sliding_window", window)?,
    );
    let pattern = match sliding(config)? {
        Some(pattern) => pattern,
        // As the third has by default.
        None => (1..=config.dim(Blocks)?).map(|i| i % 4 != 0).collect(),
    };
    pairs.insert(context.key(".attention.sliding_window_pattern"), pattern);
    Ok(())
}

pub(super) const OLMOE: Family = Family {
    classes: &["OlmoeForCausalLM"],
    architecture: "olmoe",
    parameters: &[TEXT, &[constant(".attention.layer_norm_rms_epsilon", Const::F32(1e-5))]],
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, WHOLE_NORMS, EXPERTS],
    ..OLMO
};

pub(super) const SEED_OSS: Family = Family {
    classes: &["SeedOssForCausalLM"],
    architecture: "seed_oss",
    parameters: &[TEXT],
    rows: &[ENDS, SEED_NORMS, SEED_ATTENTION, PLAIN_FORWARD],
    ..OLMO
};

const SEED_NORMS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", &[Hidden]),
];

const SEED_ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden])
        .bias(Presence::If("attention_bias")),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden])
        .bias(Presence::If("attention_bias")),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden])
        .bias(Presence::If("attention_bias")),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows])
        .bias(Presence::If("attention_out_bias")),
];
