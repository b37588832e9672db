//! Gemma 1 to 3: `GemmaModel`, `Gemma2Model`, `Gemma3Model` of convert_hf_to_gguf. Their norms are stored around 0.

use gguf_format::Metadata;

use super::llama::{LLAMA, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::parameter::{Const, Kind, Parameter, constant, needed, size};
use super::pooling;
use super::table::PLUS_ONE;
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Row, Skip};
use crate::error::Error;
use crate::json::truthy;
use crate::sizes::Dim::{Blocks, FeedForward, HeadWidth, Heads, Hidden, KeyHeads, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const GEMMA: Family = Family {
    classes: &["GemmaForCausalLM"],
    architecture: "gemma",
    tokenizer: TokenizerKind::SentencePiece,
    parameters: &[SIZES],
    closing: &[
        // CodeGemma's token; every Gemma has it.
        constant("tokenizer.ggml.eot_token_id", Const::U32(107)),
        constant("tokenizer.ggml.add_space_prefix", Const::Bool(false)),
    ],
    skip: &[HEAD, NOT_TEXT],
    rows: &[ENDS, TWO_NORMS, PLAIN_ATTENTION, PLAIN_FORWARD],
    generated: &[],
    headed: &[],
    ..LLAMA
};

pub(super) const GEMMA2: Family = Family {
    classes: &["Gemma2ForCausalLM"],
    architecture: "gemma2",
    parameters: &[
        SIZES,
        &[
            needed(".attn_logit_softcapping", Kind::F32, &["attn_logit_softcapping"]),
            needed(".final_logit_softcapping", Kind::F32, &["final_logit_softcapping"]),
            needed(".attention.sliding_window", Kind::U32, &["sliding_window"]),
        ],
    ],
    closing: &[constant("tokenizer.ggml.add_space_prefix", Const::Bool(false))],
    rows: &[ENDS, FOUR_NORMS, PLAIN_ATTENTION, PLAIN_FORWARD],
    ..GEMMA
};

/// Gemma 3, alone or the language model of the one that sees.
pub(super) const GEMMA3: Family = Family {
    classes: &["Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"],
    architecture: "gemma3",
    tokenizer: TokenizerKind::SentencePieceOrBpe,
    parameters: &[TEXT, &[Parameter::Rule(gemma3)]],
    closing: &[Parameter::Rule(no_prefix)],
    skip: &[NOT_TEXT],
    rows: &[ENDS, HEAD_ROW, FOUR_NORMS, PLAIN_ATTENTION, HEAD_NORMS, PLAIN_FORWARD],
    ..GEMMA
};

/// Gemma 3 for embeddings, which looks both ways. The window is the config's: transformers' is another, of one side.
pub(super) const GEMMA_EMBEDDING: Family = Family {
    classes: &["Gemma3TextModel"],
    architecture: "gemma-embedding",
    parameters: &[TEXT, &[Parameter::Rule(gemma3), Parameter::Rule(pooling::write)]],
    ..GEMMA3
};

const SIZES: &[Parameter] = &[
    needed(".context_length", Kind::U32, &["max_position_embeddings"]),
    size(".embedding_length", Hidden),
    size(".block_count", Blocks),
    size(".feed_forward_length", FeedForward),
    size(".attention.head_count", Heads),
    size(".attention.head_count_kv", KeyHeads),
    needed(".attention.layer_norm_rms_epsilon", Kind::F32, &["rms_norm_eps"]),
    size(".attention.key_length", HeadWidth),
    size(".attention.value_length", HeadWidth),
];

/// A head that some quantizers save; llama.cpp uses the embeddings.
const HEAD: &[Skip] = &[Skip::Is("lm_head.weight")];

const ENDS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden]),
    Row::new("norm", "output_norm", &[Hidden]).parts(PLUS_ONE),
];

const HEAD_ROW: &[Row] = &[Row::new("lm_head", "output", &[Vocab, Hidden]).optional()];

const TWO_NORMS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).parts(PLUS_ONE),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]).parts(PLUS_ONE),
];

const FOUR_NORMS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).parts(PLUS_ONE),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", &[Hidden]).parts(PLUS_ONE),
    Row::new("layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm", &[Hidden]).parts(PLUS_ONE),
    Row::new("layers.{}.post_feedforward_layernorm", "blk.{}.post_ffw_norm", &[Hidden]).parts(PLUS_ONE),
];

const HEAD_NORMS: &[Row] = &[
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[HeadWidth]).parts(PLUS_ONE),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[HeadWidth]).parts(PLUS_ONE),
];

/// What Gemma 3 adds to the text model's parameters, with the values that its first configs left out.
pub(super) fn gemma3(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let put = |pairs: &mut Metadata, key: &str, kind, from: &str, or: Option<Const>| {
        let value = match (config.get(from), or) {
            (Some(value), _) => Some(context.value(kind, from, value)?),
            (None, Some(Const::U32(v))) => Some(v.into()),
            (None, Some(Const::F32(v))) => Some(v.into()),
            _ => None,
        };
        if let Some(value) = value {
            pairs.insert(context.key(key), value);
        }
        Ok::<_, Error>(())
    };
    put(pairs, ".context_length", Kind::U32, "max_position_embeddings", Some(Const::U32(131_072)))?;
    put(pairs, ".attention.head_count", Kind::U32, "num_attention_heads", Some(Const::U32(8)))?;
    put(pairs, ".attention.layer_norm_rms_epsilon", Kind::F32, "rms_norm_eps", Some(Const::F32(1e-6)))?;
    put(pairs, ".attention.key_length", Kind::U32, "head_dim", Some(Const::U32(256)))?;
    put(pairs, ".attention.value_length", Kind::U32, "head_dim", Some(Const::U32(256)))?;
    if pairs.get(&context.key(".rope.freq_base")).is_none() {
        pairs.insert(context.key(".rope.freq_base"), 1_000_000.0f32);
    }
    if config.get("final_logit_softcapping").is_some_and(truthy) {
        put(pairs, ".final_logit_softcapping", Kind::F32, "final_logit_softcapping", None)?;
    }
    if config.get("sliding_window_pattern").is_none_or(|p| *p != 1) {
        put(pairs, ".attention.sliding_window", Kind::U32, "sliding_window", None)?;
    }
    put(pairs, ".attention.head_count_kv", Kind::U32, "num_key_value_heads", Some(Const::U32(4)))
}

/// Its SentencePiece model puts no space before a text.
fn no_prefix(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    if context.folder.join("tokenizer.model").is_file() {
        pairs.insert("tokenizer.ggml.add_space_prefix", false);
    }
    Ok(())
}
