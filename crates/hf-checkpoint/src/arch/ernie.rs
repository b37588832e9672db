//! ERNIE 4.5 and its mixtures: `Ernie4_5Model`, `Ernie4_5MoeModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::experts::EXPERTS;
use super::llama::{ENDS, LLAMA, NORMS};
use super::parameter::{Const, Kind, Parameter, needed, value};
use super::table::{Source, Start, Step};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Names, Presence, Row, Skip};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{
    self, ExpertForward, FeedForward, Fixed, Hidden, KeyOr, KeyRows, Product, QueryRows, Sum,
};
use crate::tokenizer::TokenizerKind;

pub(super) const ERNIE4_5: Family = Family {
    classes: &["Ernie4_5_ForCausalLM", "Ernie4_5ForCausalLM"],
    architecture: "ernie4_5",
    tokenizer: TokenizerKind::SentencePieceOrBpe,
    parameters: &[TEXT],
    closing: &[Parameter::Rule(prefix)],
    names: Names { remove: &["language_model.", "text_model."], strip: &["model.", "ernie."], suffixes: &[] },
    rows: &[ENDS, NORMS, ATTENTION, FORWARD],
    generated: &[],
    headed: &["Ernie4_5_ForCausalLM", "Ernie4_5ForCausalLM"],
    ..LLAMA
};

const BIAS: Presence = Presence::If("use_bias");
const QKV: &[Dim] = &[Sum(&[QueryRows, Product(&[Fixed(2), KeyRows])]), Hidden];
const GATE_UP: &[Dim] = &[Product(&[Fixed(2), FeedForward]), Hidden];
const QUERIES: &[&[Step]] = &[&[Step::Slice(0, Start::First, QueryRows)]];
const KEYS: &[&[Step]] = &[&[Step::Slice(0, Start::After(QueryRows), KeyRows)]];
const VALUES: &[&[Step]] = &[&[Step::Slice(0, Start::After(Sum(&[QueryRows, KeyRows])), KeyRows)]];
const GATE: &[&[Step]] = &[&[Step::Slice(0, Start::First, FeedForward)]];
const UP: &[&[Step]] = &[&[Step::Slice(0, Start::After(FeedForward), FeedForward)]];

const ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden])
        .to(&[QueryRows, Hidden])
        .bias(BIAS)
        .or(&[Source::new("layers.{}.self_attn.qkv_proj", QKV).parts(QUERIES)]),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden])
        .to(&[KeyRows, Hidden])
        .bias(BIAS)
        .or(&[Source::new("layers.{}.self_attn.qkv_proj", QKV).parts(KEYS)]),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden])
        .to(&[KeyRows, Hidden])
        .bias(BIAS)
        .or(&[Source::new("layers.{}.self_attn.qkv_proj", QKV).parts(VALUES)]),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(BIAS),
];

const FORWARD: &[Row] = &[
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[FeedForward, Hidden])
        .to(&[FeedForward, Hidden])
        .bias(BIAS)
        .or(&[Source::new("layers.{}.mlp.up_gate_proj", GATE_UP).parts(GATE)]),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden])
        .to(&[FeedForward, Hidden])
        .bias(BIAS)
        .or(&[Source::new("layers.{}.mlp.up_gate_proj", GATE_UP).parts(UP)]),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(BIAS),
];

/// Whether a space goes before a text.
fn prefix(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config.beside("tokenizer_config.json")?;
    if let Some(add) = config.as_ref().and_then(|c| c.get("add_prefix_space")) {
        pairs.insert("tokenizer.ggml.add_space_prefix", crate::json::truthy(add));
    }
    Ok(())
}

pub(super) const ERNIE4_5_MOE: Family = Family {
    classes: &["Ernie4_5_MoeForCausalLM"],
    architecture: "ernie4_5-moe",
    parameters: &[TEXT, MOE_PARAMETERS],
    skip: &[
        &[
            Skip::Starts("model.mtp_block."),
            Skip::Starts("model.mtp_emb_norm."),
            Skip::Starts("model.mtp_hidden_norm."),
            Skip::Starts("model.mtp_linear_proj."),
        ],
        NOT_TEXT,
    ],
    rows: &[ENDS, NORMS, ATTENTION, DENSE, MIXED],
    headed: &["Ernie4_5_MoeForCausalLM"],
    ..ERNIE4_5
};

const MOE_PARAMETERS: &[Parameter] = &[
    needed(".expert_count", Kind::U32, &["moe_num_experts"]),
    needed(".expert_used_count", Kind::U32, &["moe_k"]),
    Parameter::Or { key: ".interleave_moe_layer_step", from: &["moe_layer_interval"], or: Const::U32(1) },
    needed(".leading_dense_block_count", Kind::U32, &["moe_layer_start_index"]),
    value(".expert_feed_forward_length", Kind::U32, &["moe_intermediate_size"]),
    value(".expert_shared_count", Kind::U32, &["moe_num_shared_experts"]),
    Parameter::Rule(shared),
];

/// The converter's figure for what all tokens share (llama.cpp takes the tensors' own size).
fn shared(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    if config.size(&["moe_num_shared_experts"])?.unwrap_or(0) > 0 {
        let size = config.dim(FeedForward)? / config.dim(Dim::KeyHeads)?;
        pairs.insert(context.key(".expert_shared_feed_forward_length"), size as u32);
    }
    Ok(())
}

/// Which blocks have experts.
fn mixed(config: &Config, block: u64) -> bool {
    let setting = |key: &str| config.get(key).and_then(serde_json::Value::as_i64);
    let number = i64::try_from(block).unwrap_or(i64::MAX);
    let last = setting("moe_layer_end_index").filter(|n| *n >= 0).unwrap_or(i64::MAX);
    let interval = setting("moe_layer_interval").filter(|n| *n > 0).unwrap_or(1);
    (number + 1) % interval == 0 && number >= setting("moe_layer_start_index").unwrap_or(0) && number <= last
}

fn dense(config: &Config, block: u64) -> bool {
    !mixed(config, block)
}

const MIXED_PART: Presence = Presence::Where(mixed);
const EXPERT_COUNT: Dim = Dim::Key(&["moe_num_experts"]);
const SHARED: Dim = Product(&[KeyOr(&["moe_num_shared_experts"], &Fixed(1)), ExpertForward]);
/// Not in models that share nothing.
const SHARED_PART: Presence = Presence::Where(|config, block| {
    mixed(config, block) && config.get("moe_num_shared_experts").and_then(serde_json::Value::as_u64) > Some(0)
});

const DENSE: &[Row] = &[
    FORWARD[0].weight(Presence::Where(dense)).bias(Presence::Optional),
    FORWARD[1].weight(Presence::Where(dense)).bias(Presence::Optional),
    FORWARD[2].weight(Presence::Where(dense)).bias(Presence::Optional),
];

const MIXED: &[Row] = &[
    Row::new("layers.{}.mlp.gate", "blk.{}.ffn_gate_inp", &[EXPERT_COUNT, Hidden]).weight(MIXED_PART),
    EXPERTS[1].count(EXPERT_COUNT).to(&[EXPERT_COUNT, ExpertForward, Hidden]).weight(MIXED_PART),
    EXPERTS[2].count(EXPERT_COUNT).to(&[EXPERT_COUNT, ExpertForward, Hidden]).weight(MIXED_PART),
    EXPERTS[3].count(EXPERT_COUNT).to(&[EXPERT_COUNT, Hidden, ExpertForward]).weight(MIXED_PART),
    Row::bare(
        "layers.{}.mlp.moe_statics.e_score_correction_bias",
        "blk.{}.exp_probs_b.bias",
        &[Fixed(1), EXPERT_COUNT],
    )
    .weight(Presence::Optional),
    Row::new("layers.{}.mlp.shared_experts.gate_proj", "blk.{}.ffn_gate_shexp", &[SHARED, Hidden])
        .weight(SHARED_PART),
    Row::new("layers.{}.mlp.shared_experts.up_proj", "blk.{}.ffn_up_shexp", &[SHARED, Hidden])
        .weight(SHARED_PART),
    Row::new("layers.{}.mlp.shared_experts.down_proj", "blk.{}.ffn_down_shexp", &[Hidden, SHARED])
        .weight(SHARED_PART),
];
