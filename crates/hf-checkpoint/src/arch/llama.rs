//! Llama, and what is built like it: `LlamaModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::experts::SPARSE_EXPERTS;
use super::parameter::{Parameter, size};
use super::table::{INTERLEAVE_KEYS, INTERLEAVE_QUERIES};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Names, Presence, Row, pooling};
use crate::error::Error;
use crate::rope;
use crate::sizes::Dim::{Blocks, FeedForward, HeadWidth, Hidden, KeyRows, QueryRows, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const LLAMA: Family = Family {
    classes: &[
        "LlamaForCausalLM",
        "LLaMAForCausalLM",
        "LlamaModel",
        // The language models of those.
        "LlavaForConditionalGeneration",
        "VoxtralForConditionalGeneration",
        // SmolVLM's.
        "VLlama3ForCausalLM",
        "IQuestCoderForCausalLM",
    ],
    architecture: "llama",
    tokenizer: TokenizerKind::Any,
    tokens: Vocab,
    variant: None,
    fixed_tokens: &[],
    blocks: Blocks,
    counts: &[],
    opening: &[],
    parameters: &[TEXT, LLAMA_SIZES],
    closing: &[],
    names: DECODER_NAMES,
    renamed: None,
    skip: &[NOT_TEXT],
    rows: &[ENDS, NORMS, ATTENTION, FORWARD],
    scalars: &[],
    generated: &[rope::llama3],
    headed: &["LlamaForCausalLM", "LLaMAForCausalLM"],
};

pub(super) const MISTRAL: Family =
    Family { classes: &["MistralForCausalLM"], headed: &["MistralForCausalLM"], ..LLAMA };

/// Mistral's mixture of experts; its router's kind is llama's.
pub(super) const MIXTRAL: Family = Family {
    classes: &["MixtralForCausalLM"],
    rows: &[ENDS, NORMS, ATTENTION, SPARSE_EXPERTS],
    headed: &["MixtralForCausalLM"],
    ..LLAMA
};

/// SmolLM 3, some of whose layers have no positions.
pub(super) const SMOLLM3: Family = Family {
    classes: &["SmolLM3ForCausalLM"],
    architecture: "smollm3",
    headed: &["SmolLM3ForCausalLM"],
    ..LLAMA
};

/// Llama that looks both ways, for embeddings; no key of the converter's says so, but the architecture does.
pub(super) const LLAMA_EMBED: Family =
    Family { classes: &["LlamaBidirectionalModel"], architecture: "llama-embed", headed: &[], ..LLAMA };

/// Arcee's AFM: a feed-forward part without a gate.
pub(super) const ARCEE: Family = Family {
    classes: &["ArceeForCausalLM"],
    architecture: "arcee",
    parameters: &[TEXT, LLAMA_SIZES, &[Parameter::Rule(pooling::write)]],
    rows: &[ENDS, NORMS, ATTENTION, UNGATED],
    headed: &["ArceeForCausalLM"],
    ..LLAMA
};

/// Mistral 3 (the language model of it) and Ministral 3.
pub(super) const MISTRAL3: Family = Family {
    classes: &["Mistral3ForConditionalGeneration", "Ministral3ForCausalLM"],
    architecture: "mistral3",
    parameters: &[TEXT, LLAMA_SIZES, &[Parameter::Rule(ministral)]],
    headed: &["Mistral3ForConditionalGeneration", "Ministral3ForCausalLM"],
    ..LLAMA
};

/// What `LlamaModel` adds to the text model's parameters.
pub(super) const LLAMA_SIZES: &[Parameter] =
    &[size(".vocab_size", Vocab), size(".rope.dimension_count", HeadWidth)];

/// Ministral 3's attention over long contexts.
fn ministral(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    if config.get("model_type").is_none_or(|t| t != "ministral3") {
        return Ok(());
    }
    for (key, from) in [
        (".rope.scaling.yarn_log_multiplier", "mscale_all_dim"),
        (".attention.temperature_scale", "llama_4_scaling_beta"),
    ] {
        let value = config.rope.get(from).ok_or_else(|| config.missing(&[from], "a number"))?;
        pairs.insert(context.key(key), config.f32(from, value)?);
    }
    Ok(())
}

/// A decoder's names, alone or as part of a larger model, with or without its head.
pub(super) const DECODER_NAMES: Names =
    Names { remove: &["language_model.", "text_model."], strip: &["model."], suffixes: &[] };

const BIASED: Presence = Presence::If("attention_bias");
const MLP_BIASED: Presence = Presence::If("mlp_bias");

/// What is before and after the blocks.
pub(super) const ENDS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("norm", "output_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
];

/// The norms before both halves of a block.
pub(super) const NORMS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]),
];

/// Attention for interleaved rotation.
pub(super) const ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden])
        .parts(INTERLEAVE_QUERIES)
        .bias(BIASED),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden])
        .parts(INTERLEAVE_KEYS)
        .bias(BIASED),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(BIASED),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(BIASED),
];

/// Attention as it is.
pub(super) const PLAIN_ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(BIASED),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(BIASED),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(BIASED),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]).bias(BIASED),
];

/// Norms of each head's queries and keys.
pub(super) const HEAD_NORMS: &[Row] = &[
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[HeadWidth]),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[HeadWidth]),
];

/// The gated feed-forward part.
pub(super) const FORWARD: &[Row] = &[
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[FeedForward, Hidden]).bias(MLP_BIASED),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(MLP_BIASED),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(MLP_BIASED),
];

/// The same without biases.
pub(super) const PLAIN_FORWARD: &[Row] = &[
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[FeedForward, Hidden]),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden]),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]),
];

/// A feed-forward part without a gate.
pub(super) const UNGATED: &[Row] = &[
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(MLP_BIASED),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(MLP_BIASED),
];
