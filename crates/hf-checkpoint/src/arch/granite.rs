//! Granite and its mixtures: `GraniteModel`, `GraniteMoeModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::experts::BOTH;
use super::llama::{ATTENTION, ENDS, FORWARD, LLAMA, NORMS};
use super::parameter::{Kind, Parameter, size};
use super::table::{Source, Start, Step};
use super::text::TEXT;
use super::{Context, Family, Row};
use crate::config::Config;
use crate::error::Error;
use crate::json::truthy;
use crate::sizes::Dim::{self, Experts, Fixed, Hidden, Key, Product, Quotient, Vocab};

pub(super) const GRANITE: Family = Family {
    classes: &["GraniteForCausalLM"],
    architecture: "granite",
    parameters: &[TEXT, SIZES, &[Parameter::Rule(scales)]],
    rows: &[ENDS, NORMS, ATTENTION, FORWARD],
    headed: &[],
    ..LLAMA
};

pub(super) const GRANITE_MOE: Family = Family {
    classes: &["GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM"],
    architecture: "granitemoe",
    parameters: &[TEXT, SIZES, &[Parameter::Rule(scales), Parameter::Rule(shared)]],
    rows: &[ENDS, NORMS, ATTENTION, EXPERTS],
    ..GRANITE
};

/// head_dim has no say here.
const SIZES: &[Parameter] =
    &[size(".vocab_size", Vocab), size(".rope.dimension_count", Quotient(&Hidden, &Dim::Heads))];

/// What Granite multiplies by.
pub(super) fn scales(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    for key in [".attention.key_length", ".attention.value_length"] {
        pairs.remove(&context.key(key));
    }
    for (key, from) in [
        (".attention.scale", "attention_multiplier"),
        (".embedding_scale", "embedding_multiplier"),
        (".residual_scale", "residual_multiplier"),
        (".logit_scale", "logits_scaling"),
    ] {
        if let Some(scale) = context.config.get(from).filter(|v| truthy(v)) {
            pairs.insert(context.key(key), context.config.f32(from, scale)?);
        }
    }
    Ok(())
}

fn shared(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    const FROM: &str = "shared_intermediate_size";
    if let Some(size) = context.config.get(FROM).filter(|v| truthy(v)) {
        let size = context.value(Kind::U32, FROM, size)?;
        pairs.insert(context.key(".expert_shared_feed_forward_length"), size);
    }
    Ok(())
}

const GATE: &[&[Step]] = &[&[Step::Slice(1, Start::First, Dim::ExpertForward)]];
const UP: &[&[Step]] = &[&[Step::Slice(1, Start::After(Dim::ExpertForward), Dim::ExpertForward)]];
const SHARED: Dim = Key(&["shared_intermediate_size"]);
const SHARED_BOTH: Dim = Product(&[Fixed(2), SHARED]);
const SHARED_GATE: &[&[Step]] = &[&[Step::Slice(0, Start::First, SHARED)]];
const SHARED_UP: &[&[Step]] = &[&[Step::Slice(0, Start::After(SHARED), SHARED)]];

pub(super) fn has_shared(config: &Config) -> bool {
    config.flag("shared_intermediate_size")
}

const EXPERT: &[Dim] = &[Experts, Dim::ExpertForward, Hidden];

/// Gate and up in one, for each expert and for what all tokens share.
pub(super) const EXPERTS: &[Row] = &[
    Row::new("layers.{}.block_sparse_moe.router.layer", "blk.{}.ffn_gate_inp", &[Experts, Hidden]),
    Row::of(
        "blk.{}.ffn_gate_exps",
        Source::new("layers.{}.block_sparse_moe.input_linear", &[Experts, BOTH, Hidden]).parts(GATE),
    )
    .to(EXPERT),
    Row::of(
        "blk.{}.ffn_up_exps",
        Source::new("layers.{}.block_sparse_moe.input_linear", &[Experts, BOTH, Hidden]).parts(UP),
    )
    .to(EXPERT),
    Row::new(
        "layers.{}.block_sparse_moe.output_linear",
        "blk.{}.ffn_down_exps",
        &[Experts, Hidden, Dim::ExpertForward],
    ),
    Row::new("layers.{}.shared_mlp.input_linear", "blk.{}.ffn_gate_shexp", &[SHARED_BOTH, Hidden])
        .parts(SHARED_GATE)
        .to(&[SHARED, Hidden])
        .when(has_shared),
    Row::new("layers.{}.shared_mlp.input_linear", "blk.{}.ffn_up_shexp", &[SHARED_BOTH, Hidden])
        .parts(SHARED_UP)
        .to(&[SHARED, Hidden])
        .when(has_shared),
    Row::new("layers.{}.shared_mlp.output_linear", "blk.{}.ffn_down_shexp", &[Hidden, SHARED])
        .when(has_shared),
];
