//! Command R and R7B: `CommandR2Model`, `Cohere2Model` of convert_hf_to_gguf. Both halves of a block share one norm.

use gguf_format::Metadata;

use super::llama::{ENDS, LLAMA, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::parameter::{Const, Kind, Parameter, constant, needed, size};
use super::rules::{part_of, rotary_pct};
use super::text::TEXT;
use super::{Context, Family, Presence, Row};
use crate::error::Error;
use crate::sizes::Dim::{HeadWidth, Heads, Hidden, KeyHeads, Quotient, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const COHERE: Family = Family {
    classes: &["CohereForCausalLM"],
    architecture: "command-r",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[
        TEXT,
        &[
            Parameter::Rule(trained_length),
            needed(".logit_scale", Kind::F32, &["logit_scale"]),
            constant(".rope.scaling.type", Const::Str("none")),
        ],
    ],
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, HEAD_NORMS, PLAIN_FORWARD],
    generated: &[],
    headed: &[],
    ..LLAMA
};

pub(super) const COHERE2: Family = Family {
    classes: &["Cohere2ForCausalLM"],
    architecture: "cohere2",
    parameters: &[
        TEXT,
        &[
            needed(".logit_scale", Kind::F32, &["logit_scale"]),
            needed(".attention.sliding_window", Kind::U32, &["sliding_window"]),
            size(".vocab_size", Vocab),
            Parameter::Rule(rotated),
            constant(".rope.scaling.type", Const::Str("none")),
        ],
    ],
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, PLAIN_FORWARD],
    ..COHERE
};

const NORMS: &[Row] = &[Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden])];

const HEAD_NORMS: &[Row] = &[
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[Heads, HeadWidth])
        .weight(Presence::If("use_qk_norm")),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[KeyHeads, HeadWidth])
        .weight(Presence::If("use_qk_norm")),
];

/// Its config says 8192 positions, though it was trained on 128 Ki: another key has the truth.
fn trained_length(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    if let Some(length) = context.config.get("model_max_length") {
        pairs.insert(context.key(".context_length"), context.value(Kind::U32, "model_max_length", length)?);
    }
    Ok(())
}

fn rotated(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let part = rotary_pct(config, 1.0)?;
    let width = config.dim(Quotient(&Hidden, &Heads))?;
    pairs.insert(context.key(".rope.dimension_count"), part_of(part, width));
    Ok(())
}
