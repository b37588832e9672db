//! Nemotron 3 and 4, Minitron: `NemotronModel` of convert_hf_to_gguf. Their norms are stored around 0.

use gguf_format::Metadata;

use super::llama::{ENDS as LLAMA_ENDS, LLAMA, PLAIN_ATTENTION, UNGATED};
use super::parameter::{Const, Kind, Parameter, constant, needed, size};
use super::rules::part_of_hidden;
use super::table::PLUS_ONE;
use super::text::TEXT;
use super::{Context, Family, Row};
use crate::error::Error;
use crate::json::truthy;
use crate::sizes::Dim::{Hidden, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const NEMOTRON: Family = Family {
    classes: &["NemotronForCausalLM"],
    architecture: "nemotron",
    // The converter takes SentencePiece only; Minitron on Llama 3 has byte-level BPE.
    tokenizer: TokenizerKind::SentencePieceOrBpe,
    parameters: &[
        TEXT,
        &[
            size(".vocab_size", Vocab),
            needed(
                ".attention.layer_norm_epsilon",
                Kind::F32,
                &["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps"],
            ),
            Parameter::Rule(part_of_hidden),
            Parameter::Rule(scaling),
        ],
    ],
    closing: &[Parameter::Rule(fixed)],
    rows: &[&[LLAMA_ENDS[0], LLAMA_ENDS[2]], NORMS, PLAIN_ATTENTION, UNGATED],
    generated: &[],
    headed: &["NemotronForCausalLM"],
    ..LLAMA
};

const NORMS: &[Row] = &[
    Row::new("norm", "output_norm", &[Hidden]).parts(PLUS_ONE),
    Row::bare("norm.bias", "output_norm.bias", &[Hidden]),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).parts(PLUS_ONE),
    Row::bare("layers.{}.input_layernorm.bias", "blk.{}.attn_norm.bias", &[Hidden]),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]).parts(PLUS_ONE),
    Row::bare("layers.{}.post_attention_layernorm.bias", "blk.{}.ffn_norm.bias", &[Hidden]),
];

fn scaling(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let factor = config.get("factor").filter(|v| truthy(v)).or_else(|| config.rope.get("factor"));
    let factor = factor.filter(|v| !v.is_null());
    let kind = if factor.is_some() { "linear" } else { "none" };
    pairs.insert(context.key(".rope.scaling.type"), kind);
    if let Some(factor) = factor {
        pairs.insert(context.key(".rope.scaling.factor"), config.f32("factor", factor)?);
    }
    Ok(())
}

/// What its SentencePiece models have, whatever their files say.
fn fixed(context: &Context<'_>, pairs: &mut Metadata, notes: &mut Vec<String>) -> Result<(), Error> {
    if !context.folder.join("tokenizer.model").is_file() {
        return Ok(());
    }
    for pair in [
        constant("tokenizer.ggml.padding_token_id", Const::U32(0)),
        constant("tokenizer.ggml.unknown_token_id", Const::U32(1)),
    ] {
        pair.write(context, pairs, notes)?;
    }
    Ok(())
}
