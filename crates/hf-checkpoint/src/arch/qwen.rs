//! Qwen2 (and 2.5) and Qwen3: `Qwen2Model` and `Qwen3Model` of convert_hf_to_gguf.

use super::experts::EXPERTS;
use super::llama::{ENDS, HEAD_NORMS, LLAMA, NORMS, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::parameter::{Kind, Parameter, value};
use super::pooling;
use super::text::TEXT;
use super::{Family, Presence, Row};
use crate::sizes::Dim::{self, Hidden, KeyRows, QueryRows};
use crate::tokenizer::TokenizerKind;

pub(super) const QWEN2: Family = Family {
    classes: &[
        "Qwen2ForCausalLM",
        "Qwen2Model",
        // The language models of those.
        "Qwen2AudioForConditionalGeneration",
        "AudioFlamingo3ForConditionalGeneration",
        "DotsOCRForCausalLM",
    ],
    architecture: "qwen2",
    tokenizer: TokenizerKind::SentencePieceOrBpe,
    parameters: &[TEXT, &[Parameter::Rule(pooling::write)]],
    rows: &[ENDS, NORMS, BIASED_ATTENTION, PLAIN_FORWARD],
    generated: &[],
    headed: &["Qwen2ForCausalLM"],
    ..LLAMA
};

/// KORMo, whose norms have other names and whose attention has no biases.
pub(super) const KORMO: Family = Family {
    classes: &["KORMoForCausalLM"],
    rows: &[ENDS, KORMO_NORMS, PLAIN_ATTENTION, PLAIN_FORWARD],
    headed: &["KORMoForCausalLM"],
    ..QWEN2
};

const KORMO_NORMS: &[Row] = &[
    Row::new("layers.{}.pre_attention_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.pre_mlp_layernorm", "blk.{}.ffn_norm", &[Hidden]),
];

pub(super) const QWEN3: Family = Family {
    classes: &["Qwen3ForCausalLM", "Qwen3Model"],
    architecture: "qwen3",
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, HEAD_NORMS, PLAIN_FORWARD],
    headed: &["Qwen3ForCausalLM"],
    ..QWEN2
};

/// Qwen2's mixture: experts of their own beside one that all tokens share.
pub(super) const QWEN2_MOE: Family = Family {
    classes: &["Qwen2MoeForCausalLM"],
    architecture: "qwen2moe",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[TEXT, EXPERT_SIZES],
    rows: &[ENDS, NORMS, BIASED_ATTENTION, EXPERTS, SHARED],
    headed: &["Qwen2MoeForCausalLM"],
    ..QWEN2
};

pub(super) const QWEN3_MOE: Family = Family {
    classes: &["Qwen3MoeForCausalLM"],
    architecture: "qwen3moe",
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, HEAD_NORMS, EXPERTS],
    headed: &["Qwen3MoeForCausalLM"],
    ..QWEN2_MOE
};

pub(super) const EXPERT_SIZES: &[Parameter] = &[
    value(".expert_feed_forward_length", Kind::U32, &["moe_intermediate_size"]),
    value(".expert_shared_feed_forward_length", Kind::U32, &["shared_expert_intermediate_size"]),
];

const SHARED_FORWARD: Dim = Dim::Key(&["shared_expert_intermediate_size"]);

/// The expert that all tokens share, and its gate.
pub(super) const SHARED: &[Row] = &[
    Row::new("layers.{}.mlp.shared_expert_gate", "blk.{}.ffn_gate_inp_shexp", &[Dim::Fixed(1), Hidden]),
    Row::new("layers.{}.mlp.shared_expert.gate_proj", "blk.{}.ffn_gate_shexp", &[SHARED_FORWARD, Hidden]),
    Row::new("layers.{}.mlp.shared_expert.up_proj", "blk.{}.ffn_up_shexp", &[SHARED_FORWARD, Hidden]),
    Row::new("layers.{}.mlp.shared_expert.down_proj", "blk.{}.ffn_down_shexp", &[Hidden, SHARED_FORWARD]),
];

/// Attention whose queries, keys and values have biases.
pub(super) const BIASED_ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows])
        .bias(Presence::Optional),
];
