//! Llama, and what is built like it: `LlamaModel` of convert_hf_to_gguf.

use super::text::{NOT_TEXT, TEXT};
use super::{Family, Generated, Names, Parameter, Presence, Row};
use crate::sizes::Dim::{FeedForward, HeadWidth, Heads, Hidden, KeyHeads, KeyRows, QueryRows, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) static LLAMA: Family = Family {
    classes: &["LlamaForCausalLM", "LLaMAForCausalLM", "LlamaModel"],
    architecture: "llama",
    tokenizer: TokenizerKind::Any,
    parameters: &[
        TEXT,
        &[
            Parameter::Size { key: ".vocab_size", dim: Vocab },
            Parameter::Size { key: ".rope.dimension_count", dim: HeadWidth },
        ],
    ],
    names: DECODER_NAMES,
    skip: &[NOT_TEXT],
    rows: ROWS,
    generated: &[Generated::RopeFactors],
    headed: &["LlamaForCausalLM", "LLaMAForCausalLM"],
};

pub(super) static MISTRAL: Family = Family {
    classes: &["MistralForCausalLM"],
    headed: &["MistralForCausalLM"],
    architecture: LLAMA.architecture,
    tokenizer: LLAMA.tokenizer,
    parameters: LLAMA.parameters,
    names: DECODER_NAMES,
    skip: LLAMA.skip,
    rows: LLAMA.rows,
    generated: LLAMA.generated,
};

/// A decoder's names, alone or as part of a larger model, with or without its head.
pub(super) const DECODER_NAMES: Names =
    Names { remove: &["language_model.", "text_model."], strip: &["model."], suffixes: &[] };

const ATTENTION: Presence = Presence::If("attention_bias");
const MLP: Presence = Presence::If("mlp_bias");

const ROWS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("norm", "output_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden])
        .interleave(Heads)
        .bias(ATTENTION),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden])
        .interleave(KeyHeads)
        .bias(ATTENTION),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(ATTENTION),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(ATTENTION),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[FeedForward, Hidden]).bias(MLP),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(MLP),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(MLP),
];
