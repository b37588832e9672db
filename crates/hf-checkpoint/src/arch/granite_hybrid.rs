//! Granite 4: `GraniteHybridModel` of convert_hf_to_gguf. Most blocks have a state-space mixer in place of attention; models
//! without any are plain Granites.

use gguf_format::Metadata;

use super::granite::{EXPERTS as MIXTURE, GRANITE, GRANITE_MOE, has_shared};
use super::llama::{ATTENTION, ENDS, NORMS};
use super::mamba::{GROUPS, MIXER_HEADS, MIXER_KERNEL, MIXER_STATE, mixer, padded};
use super::parameter::{Const, Parameter, constant, size};
use super::table::{Start, Step, and_also};
use super::{Change, Context, Family, Presence, Row};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{self, Blocks, FeedForward, Fixed, Hidden, Key, KeyHeads, Product};
use crate::tokenizer::TokenizerKind;

pub(super) const GRANITE_HYBRID: Family = Family {
    classes: &["GraniteMoeHybridForCausalLM"],
    architecture: "granitehybrid",
    tokenizer: TokenizerKind::SentencePieceOrBpe,
    tokens: padded!(8),
    variant: Some(plain),
    parameters: &and_also::<_, 4>(
        GRANITE_MOE.parameters,
        &[
            size(".ssm.conv_kernel", MIXER_KERNEL),
            size(".ssm.state_size", MIXER_STATE),
            size(".ssm.group_count", GROUPS),
            size(".ssm.inner_size", INNER),
            size(".ssm.time_step_rank", MIXER_HEADS),
            Parameter::Rule(heads),
        ],
    ),
    rows: &[ENDS, NORMS, MIXER, SOME_ATTENTION, EXPERTS, SHARED],
    ..GRANITE
};

/// Bamba: the same mixers, with positions, a plain feed-forward part and a norm before it under other names.
pub(super) const BAMBA: Family = Family {
    classes: &["BambaForCausalLM"],
    variant: None,
    parameters: &and_also::<_, 5>(
        GRANITE_HYBRID.parameters,
        &[constant(".rope.scaling.finetuned", Const::Bool(true)), Parameter::Rule(whole_context)],
    ),
    rows: &[BAMBA_ROWS, MIXER, SOME_ATTENTION],
    ..GRANITE_HYBRID
};

/// As long as the config says. Says what comes of heads that are rotated in part.
fn whole_context(context: &Context<'_>, pairs: &mut Metadata, notes: &mut Vec<String>) -> Result<(), Error> {
    let part = context.config.size(&["attn_rotary_emb"])?;
    if part.is_some_and(|part| context.config.dim(Dim::HeadWidth).is_ok_and(|width| part < width)) {
        notes.push(
            "llama.cpp rotates other rows of Bamba's heads than were trained: the converter orders heads as if all of their \
             rows were rotated, and so does this"
                .to_owned(),
        );
    }
    let key = context.key(".context_length");
    match context.config.size(&["max_position_embeddings"])? {
        Some(length) => drop(pairs.insert(key, length as u32)),
        None => drop(pairs.remove(&key)),
    }
    Ok(())
}

const BAMBA_ROWS: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Dim::Vocab, Hidden]),
    Row::new("final_layernorm", "output_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Dim::Vocab, Hidden]).optional(),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.pre_ff_layernorm", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("layers.{}.feed_forward.gate_proj", "blk.{}.ffn_gate", &[FeedForward, Hidden])
        .bias(Presence::Optional),
    Row::new("layers.{}.feed_forward.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden])
        .bias(Presence::Optional),
    Row::new("layers.{}.feed_forward.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward])
        .bias(Presence::Optional),
];

const INNER: Dim = Product(&[Key(&["mamba_expand"]), Hidden]);

/// Models all of whose blocks have attention.
fn plain(config: &Config) -> Option<&'static Family> {
    let blocks = config.dim(Blocks).ok()?;
    if (0..blocks.min(4096)).any(|block| recurrent(config, block)) {
        return None;
    }
    let experts = config.get("num_experts_per_tok").is_some_and(crate::json::truthy);
    Some(if experts { &GRANITE_MOE_4 } else { &GRANITE_4 })
}

/// Granites under the newer class: what all tokens share is the feed-forward part where there are no experts.
static GRANITE_4: Family = Family {
    architecture: "granite",
    tokens: Dim::Vocab,
    variant: None,
    rows: &[ENDS, NORMS, ATTENTION, SHARED],
    ..GRANITE_HYBRID
};

static GRANITE_MOE_4: Family =
    Family { architecture: "granitemoe", rows: &[ENDS, NORMS, ATTENTION, EXPERTS, SHARED], ..GRANITE_4 };

fn recurrent(config: &Config, block: u64) -> bool {
    if let Some(types) = config.get("layer_types").and_then(serde_json::Value::as_array) {
        // The second name is today's; convert_hf_to_gguf knows only the first, and takes such models for ones without attention.
        let attends = ["attention", "full_attention"];
        return types.get(block as usize).is_some_and(|t| !attends.iter().any(|a| t == a));
    }
    if let Some(indices) = config.get("attn_layer_indices").and_then(serde_json::Value::as_array) {
        return indices.iter().all(|i| i.as_u64() != Some(block));
    }
    let setting = |key: &str| config.get(key).and_then(serde_json::Value::as_u64);
    match (setting("attn_layer_period").filter(|n| *n > 0), setting("attn_layer_offset")) {
        (Some(period), Some(offset)) => block % period != offset,
        _ => true,
    }
}

fn attends(config: &Config, block: u64) -> bool {
    !recurrent(config, block)
}

/// Blocks without attention have no key heads; positions are rotated only where all blocks have it.
fn heads(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let count = config.dim(KeyHeads)? as i32;
    let blocks = 0..config.dim(Blocks)?;
    let heads: Vec<i32> = blocks.map(|b| if recurrent(config, b) { 0 } else { count }).collect();
    if let Some(width) = config.size(&["attn_rotary_emb"])?.filter(|n| *n > 0) {
        pairs.insert(context.key(".rope.dimension_count"), width as u32);
    }
    let rotates = heads.iter().all(|h| *h != 0);
    pairs.insert(context.key(".attention.head_count_kv"), heads);
    pairs.insert(context.key(".rope.scaling.finetuned"), rotates);
    if !rotates {
        pairs.insert(context.key(".context_length"), 1u32 << 20);
    }
    Ok(())
}

const MIXER: &[Row] =
    mixer!("mamba", INNER, GROUPS, MIXER_STATE, MIXER_HEADS, MIXER_KERNEL, Presence::Where(recurrent));

const SOME_ATTENTION: &[Row] = &[
    ATTENTION[0].weight(Presence::Where(attends)).bias(Presence::Optional),
    ATTENTION[1].weight(Presence::Where(attends)).bias(Presence::Optional),
    ATTENTION[2].weight(Presence::Where(attends)).bias(Presence::Optional),
    ATTENTION[3].weight(Presence::Where(attends)).bias(Presence::Optional),
];

fn has_experts(config: &Config) -> bool {
    config.flag("num_local_experts")
}

const EXPERTS: &[Row] = &[
    MIXTURE[0].when(has_experts),
    MIXTURE[1].when(has_experts),
    MIXTURE[2].when(has_experts),
    MIXTURE[3].when(has_experts),
];

const SHARED_WIDTH: Dim = Key(&["shared_intermediate_size"]);
const BOTH: &[Dim] = &[Product(&[Fixed(2), SHARED_WIDTH]), Hidden];
const GATE: &[&[Step]] = &[&[Step::Slice(0, Start::First, SHARED_WIDTH)]];
const UP: &[&[Step]] = &[&[Step::Slice(0, Start::After(SHARED_WIDTH), SHARED_WIDTH)]];

fn beside(config: &Config) -> bool {
    has_shared(config) && has_experts(config)
}

fn alone(config: &Config) -> bool {
    has_shared(config) && !has_experts(config)
}

/// What all tokens share, beside experts or alone.
const SHARED: &[Row] = &[
    Row::new("layers.{}.shared_mlp.input_linear", "blk.{}.ffn_gate_shexp", BOTH)
        .parts(GATE)
        .to(&[SHARED_WIDTH, Hidden])
        .when(beside),
    Row::new("layers.{}.shared_mlp.input_linear", "blk.{}.ffn_up_shexp", BOTH)
        .parts(UP)
        .to(&[SHARED_WIDTH, Hidden])
        .when(beside),
    Row::new("layers.{}.shared_mlp.output_linear", "blk.{}.ffn_down_shexp", &[Hidden, SHARED_WIDTH])
        .when(beside),
    Row::new("layers.{}.shared_mlp.input_linear", "blk.{}.ffn_gate", BOTH)
        .parts(GATE)
        .to(&[SHARED_WIDTH, Hidden])
        .when(alone),
    Row::new("layers.{}.shared_mlp.input_linear", "blk.{}.ffn_up", BOTH)
        .parts(UP)
        .to(&[SHARED_WIDTH, Hidden])
        .when(alone),
    Row::new("layers.{}.shared_mlp.output_linear", "blk.{}.ffn_down", &[Hidden, SHARED_WIDTH]).when(alone),
];
