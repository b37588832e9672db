//! Qwen2 (and 2.5) and Qwen3: `Qwen2Model` and `Qwen3Model` of convert_hf_to_gguf.

use super::llama::DECODER_NAMES;
use super::pooling;
use super::text::{NOT_TEXT, TEXT};
use super::{Family, Parameter, Presence, Row};
use crate::sizes::Dim::{FeedForward, HeadWidth, Hidden, KeyRows, QueryRows, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) static QWEN2: Family = Family {
    classes: &["Qwen2ForCausalLM", "Qwen2Model"],
    architecture: "qwen2",
    tokenizer: TokenizerKind::SentencePieceOrBpe,
    parameters: PARAMETERS,
    names: DECODER_NAMES,
    skip: &[NOT_TEXT],
    rows: QWEN2_ROWS,
    generated: &[],
    headed: &["Qwen2ForCausalLM"],
};

pub(super) static QWEN3: Family = Family {
    classes: &["Qwen3ForCausalLM", "Qwen3Model"],
    architecture: "qwen3",
    tokenizer: TokenizerKind::SentencePieceOrBpe,
    parameters: PARAMETERS,
    names: DECODER_NAMES,
    skip: &[NOT_TEXT],
    rows: QWEN3_ROWS,
    generated: &[],
    headed: &["Qwen3ForCausalLM"],
};

const PARAMETERS: &[&[Parameter]] = &[TEXT, &[Parameter::Rule(pooling::write)]];

const QWEN2_ROWS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("norm", "output_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(Presence::Needed),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows])
        .bias(Presence::Optional),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[FeedForward, Hidden]),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden]),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]),
];

const ATTENTION: Presence = Presence::If("attention_bias");

const QWEN3_ROWS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("norm", "output_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(ATTENTION),
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[HeadWidth]),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(ATTENTION),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[HeadWidth]),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(ATTENTION),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(ATTENTION),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[FeedForward, Hidden]),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden]),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]),
];
