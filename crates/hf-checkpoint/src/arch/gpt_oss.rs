//! gpt-oss: `GptOssModel` of convert_hf_to_gguf. Rows of gate and up alternate; experts are stored column by column, or in
//! blocks of MXFP4, which stay as they are.

use super::llama::{ENDS, LLAMA};
use super::parameter::{Kind, needed};
use super::table::{Source, Step};
use super::text::TEXT;
use super::{Family, Presence, Row};
use crate::sizes::Dim::{self, Experts, FeedForward, Fixed, Heads, Hidden, KeyRows, Product, QueryRows};
use crate::tokenizer::TokenizerKind;

pub(super) const GPT_OSS: Family = Family {
    classes: &["GptOssForCausalLM"],
    architecture: "gpt-oss",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[
        TEXT,
        &[
            needed(".attention.sliding_window", Kind::U32, &["sliding_window"]),
            needed(".expert_feed_forward_length", Kind::U32, &["intermediate_size"]),
        ],
    ],
    rows: &[ENDS, ATTENTION, EXPERTS],
    generated: &[],
    headed: &["GptOssForCausalLM"],
    ..LLAMA
};

const BIAS: Presence = Presence::If("attention_bias");

const ATTENTION: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", &[Hidden]),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(BIAS),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(BIAS),
    Row::bare("layers.{}.self_attn.sinks", "blk.{}.attn_sinks.weight", &[Heads]),
];

const BOTH: Dim = Product(&[Fixed(2), FeedForward]);
const GATES: &[&[Step]] = &[&[Step::Swap(1, 2), Step::Every(1, 0, 2)]];
const UPS: &[&[Step]] = &[&[Step::Swap(1, 2), Step::Every(1, 1, 2)]];
const GATE_BIASES: &[&[Step]] = &[&[Step::Every(1, 0, 2)]];
const UP_BIASES: &[&[Step]] = &[&[Step::Every(1, 1, 2)]];
const TURNED: &[&[Step]] = &[&[Step::Swap(1, 2)]];
const ROWS: &[Dim] = &[Experts, FeedForward, Hidden];

const EXPERTS: &[Row] = &[
    Row::new("layers.{}.mlp.router", "blk.{}.ffn_gate_inp", &[Experts, Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.mlp.experts.gate_proj", "blk.{}.ffn_gate_exps", ROWS)
        .or(&[Source::bare("layers.{}.mlp.experts.gate_up_proj", &[Experts, Hidden, BOTH]).parts(GATES)])
        .to(ROWS)
        .blocks(),
    Row::new("layers.{}.mlp.experts.up_proj", "blk.{}.ffn_up_exps", ROWS)
        .or(&[Source::bare("layers.{}.mlp.experts.gate_up_proj", &[Experts, Hidden, BOTH]).parts(UPS)])
        .to(ROWS)
        .blocks(),
    Row::new("layers.{}.mlp.experts.down_proj", "blk.{}.ffn_down_exps", &[Experts, Hidden, FeedForward])
        .or(&[Source::bare("layers.{}.mlp.experts.down_proj", &[Experts, FeedForward, Hidden]).parts(TURNED)])
        .to(&[Experts, Hidden, FeedForward])
        .blocks(),
    Row::bare("layers.{}.mlp.experts.gate_up_proj_bias", "blk.{}.ffn_gate_exps.bias", &[Experts, BOTH])
        .parts(GATE_BIASES)
        .to(&[Experts, FeedForward]),
    Row::bare("layers.{}.mlp.experts.gate_up_proj_bias", "blk.{}.ffn_up_exps.bias", &[Experts, BOTH])
        .parts(UP_BIASES)
        .to(&[Experts, FeedForward]),
    Row::bare("layers.{}.mlp.experts.down_proj_bias", "blk.{}.ffn_down_exps.bias", &[Experts, Hidden]),
];
