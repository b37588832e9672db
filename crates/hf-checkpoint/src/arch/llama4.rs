//! Llama 4, the language model of it: `Llama4Model` of convert_hf_to_gguf. Experts are stored column by column, gate and up in
//! one.

use gguf_format::Metadata;

use super::llama::{ENDS, LLAMA, LLAMA_SIZES, NORMS, PLAIN_ATTENTION};
use super::parameter::{Kind, Parameter, needed};
use super::table::Source;
use super::text::TEXT;
use super::{Context, Family, Presence, Row, Start, Step};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{self, Experts, Fixed, Hidden, Key, Product};
use crate::tokenizer::TokenizerKind;

pub(super) const LLAMA4: Family = Family {
    classes: &["Llama4ForConditionalGeneration", "Llama4ForCausalLM"],
    architecture: "llama4",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[
        TEXT,
        // Its plain width is under another key.
        &[needed(".feed_forward_length", Kind::U32, &["intermediate_size_mlp"])],
        LLAMA_SIZES,
        &[
            needed(".interleave_moe_layer_step", Kind::U32, &["interleave_moe_layer_step"]),
            needed(".expert_feed_forward_length", Kind::U32, &["intermediate_size"]),
            Parameter::Rule(windows),
        ],
    ],
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, DENSE, MIXED],
    headed: &["Llama4ForConditionalGeneration", "Llama4ForCausalLM"],
    ..LLAMA
};

/// No window, if all layers attend to everything.
fn windows(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let types = context.config.get("layer_types").and_then(serde_json::Value::as_array);
    if types.is_some_and(|types| types.iter().all(|t| t == "full_attention")) {
        pairs.insert(context.key(".attention.sliding_window"), 0u32);
    }
    Ok(())
}

/// Which blocks have experts: those that a list names, else every so many.
fn mixed(config: &Config, block: u64) -> bool {
    if let Some(layers) = config.get("moe_layers").and_then(serde_json::Value::as_array) {
        return layers.iter().any(|n| n.as_u64() == Some(block));
    }
    let step = config.size(&["interleave_moe_layer_step"]).ok().flatten().filter(|n| *n > 0).unwrap_or(1);
    (block + 1).is_multiple_of(step)
}

fn dense(config: &Config, block: u64) -> bool {
    !mixed(config, block)
}

const DENSE_PART: Presence = Presence::Where(dense);
const MIXED_PART: Presence = Presence::Where(mixed);
const WIDTH: Dim = Key(&["intermediate_size_mlp"]);
const EXPERT: Dim = Key(&["intermediate_size"]);
const BOTH: Dim = Product(&[Fixed(2), EXPERT]);
const GATE: &[&[Step]] = &[&[Step::Swap(1, 2), Step::Slice(1, Start::First, EXPERT)]];
const UP: &[&[Step]] = &[&[Step::Swap(1, 2), Step::Slice(1, Start::After(EXPERT), EXPERT)]];
const TURNED: &[&[Step]] = &[&[Step::Swap(1, 2)]];

const DENSE: &[Row] = &[
    Row::new("layers.{}.feed_forward.gate_proj", "blk.{}.ffn_gate", &[WIDTH, Hidden]).weight(DENSE_PART),
    Row::new("layers.{}.feed_forward.up_proj", "blk.{}.ffn_up", &[WIDTH, Hidden]).weight(DENSE_PART),
    Row::new("layers.{}.feed_forward.down_proj", "blk.{}.ffn_down", &[Hidden, WIDTH]).weight(DENSE_PART),
];

const MIXED: &[Row] = &[
    Row::new("layers.{}.feed_forward.router", "blk.{}.ffn_gate_inp", &[Experts, Hidden]).weight(MIXED_PART),
    Row::of(
        "blk.{}.ffn_gate_exps.weight",
        Source::bare("layers.{}.feed_forward.experts.gate_up_proj", &[Experts, Hidden, BOTH]).parts(GATE),
    )
    .to(&[Experts, EXPERT, Hidden])
    .weight(MIXED_PART),
    Row::of(
        "blk.{}.ffn_up_exps.weight",
        Source::bare("layers.{}.feed_forward.experts.gate_up_proj", &[Experts, Hidden, BOTH]).parts(UP),
    )
    .to(&[Experts, EXPERT, Hidden])
    .weight(MIXED_PART),
    Row::of(
        "blk.{}.ffn_down_exps.weight",
        Source::bare("layers.{}.feed_forward.experts.down_proj", &[Experts, EXPERT, Hidden]).parts(TURNED),
    )
    .to(&[Experts, Hidden, EXPERT])
    .weight(MIXED_PART),
    Row::new("layers.{}.feed_forward.shared_expert.gate_proj", "blk.{}.ffn_gate_shexp", &[EXPERT, Hidden])
        .weight(MIXED_PART),
    Row::new("layers.{}.feed_forward.shared_expert.up_proj", "blk.{}.ffn_up_shexp", &[EXPERT, Hidden])
        .weight(MIXED_PART),
    Row::new("layers.{}.feed_forward.shared_expert.down_proj", "blk.{}.ffn_down_shexp", &[Hidden, EXPERT])
        .weight(MIXED_PART),
];
