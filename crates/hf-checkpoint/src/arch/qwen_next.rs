//! Qwen3-Next and Qwen 3.5 (and 3.6): `Qwen3NextModel`, `Qwen3_5TextModel`, `Qwen3_5MoeTextModel` of convert_hf_to_gguf. Three of
//! four blocks have linear attention; norms are stored around 0; blocks that predict further tokens follow the others.

use gguf_format::Metadata;

use super::experts::EXPERTS;
use super::llama::{ENDS, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::parameter::{Kind, Parameter, needed, size};
use super::qwen::{EXPERT_SIZES, QWEN3_MOE, SHARED};
use super::rules::{part_of, rotary_part};
use super::table::PLUS_ONE;
use super::text::TEXT;
use super::{Change, Context, Family, Names, Presence, Row, Start, Step};
use crate::config::Config;
use crate::error::Error;
use crate::json::bad_key;
use crate::sizes::Dim::{
    self, Blocks, Fixed, HeadWidth, Hidden, Key, KeyOr, Product, QueryRows, Quotient, Sum,
};

pub(super) const QWEN3_NEXT: Family = Family {
    classes: &["Qwen3NextForCausalLM"],
    architecture: "qwen3next",
    blocks: Sum(&[Blocks, NEXT_BLOCKS]),
    counts: &[("mtp_num_hidden_layers", "mtp.layers.")],
    parameters: &[TEXT, EXPERT_SIZES, LINEAR],
    names: NAMES,
    renamed: Some(next_names),
    rows: &[EDGES, NORMS, ATTENTION, LINEAR_ROWS, MIXED_IN, EXPERTS, SHARED, NEXT],
    headed: &["Qwen3NextForCausalLM"],
    ..QWEN3_MOE
};

pub(super) const QWEN3_5: Family = Family {
    classes: &["Qwen3_5ForConditionalGeneration", "Qwen3_5ForCausalLM"],
    architecture: "qwen35",
    parameters: &[TEXT, EXPERT_SIZES, LINEAR, SECTIONS],
    rows: &[EDGES, NORMS, ATTENTION, LINEAR_ROWS, TILED, PLAIN_FORWARD, NEXT],
    headed: &["Qwen3_5ForConditionalGeneration", "Qwen3_5ForCausalLM"],
    ..QWEN3_NEXT
};

pub(super) const QWEN3_5_MOE: Family = Family {
    classes: &["Qwen3_5MoeForConditionalGeneration", "Qwen3_5MoeForCausalLM"],
    architecture: "qwen35moe",
    rows: &[EDGES, NORMS, ATTENTION, LINEAR_ROWS, TILED, EXPERTS, SHARED, NEXT],
    headed: &["Qwen3_5MoeForConditionalGeneration", "Qwen3_5MoeForCausalLM"],
    ..QWEN3_5
};

/// As many as the checkpoint has: what is fine-tuned with transformers loses them, whatever its config says.
const NEXT_BLOCKS: Dim = KeyOr(&["mtp_num_hidden_layers"], &Fixed(0));

const NAMES: Names = Names { remove: &["language_model.", "text_model."], strip: &["model."], suffixes: &[] };

/// The names of blocks that predict further tokens, as if they were blocks like the others.
fn next_names(config: &Config, name: String) -> String {
    let Some(rest) = name.strip_prefix("mtp.") else { return name };
    let blocks = config.dim(Blocks).unwrap_or(0);
    if let Some((number, part)) = rest.strip_prefix("layers.").and_then(|r| r.split_once('.')) {
        return match number.parse::<u64>().ok().and_then(|n| n.checked_add(blocks)) {
            Some(number) => format!("layers.{number}.{part}"),
            None => name,
        };
    }
    let renamed = [
        ("fc.", "eh_proj."),
        ("pre_fc_norm_embedding.", "enorm."),
        ("pre_fc_norm_hidden.", "hnorm."),
        ("norm.", "shared_head.norm."),
    ];
    match renamed.iter().find_map(|(old, new)| Some((rest.strip_prefix(old)?, new))) {
        Some((part, new)) => format!("layers.{blocks}.{new}{part}"),
        None => name,
    }
}

const LINEAR: &[Parameter] = &[
    Parameter::Rule(next_blocks),
    needed(".ssm.conv_kernel", Kind::U32, &["linear_conv_kernel_dim"]),
    size(".ssm.state_size", KEY_WIDTH),
    size(".ssm.group_count", KEYS),
    size(".ssm.time_step_rank", VALUES),
    size(".ssm.inner_size", VALUE_ROWS),
    Parameter::Rule(layers),
    Parameter::Rule(rotated),
];

const SECTIONS: &[Parameter] = &[Parameter::Rule(sections)];

fn next_blocks(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let blocks = context.config.dim(NEXT_BLOCKS)?;
    if blocks > 0 {
        pairs.insert(context.key(".nextn_predict_layers"), blocks as u32);
    }
    Ok(())
}

/// Which blocks have linear attention.
fn layers(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let blocks = config.dim(Blocks)?;
    if let Some(types) = config.get("layer_types") {
        let count = types.as_array().map(Vec::len);
        if count != usize::try_from(blocks).ok() {
            let expected = format!("a list of {blocks} kinds");
            return Err(bad_key(config.path(), "layer_types", types, &expected));
        }
    }
    let all = 0..config.dim(context.blocks)?;
    let recurrent: Vec<bool> = all.map(|block| linear(config, block)).collect();
    pairs.insert(context.key(".attention.recurrent_layers"), recurrent);
    let interval = config.size(&["full_attention_interval"])?.unwrap_or(4);
    pairs.insert(context.key(".full_attention_interval"), interval as u32);
    Ok(())
}

fn rotated(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let part = rotary_part(context.config, 0.25)?;
    let width = context.config.dim(HeadWidth)?;
    pairs.insert(context.key(".rope.dimension_count"), part_of(part, width));
    Ok(())
}

/// How positions in time, height and width share a head, where the config does not say.
fn sections(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let key = context.key(".rope.dimension_sections");
    if pairs.get(&key).is_none() {
        pairs.insert(key, vec![11, 11, 10, 0]);
    }
    Ok(())
}

/// Whether a block has linear attention; without a list, all but every fourth of the model's own.
fn linear(config: &Config, block: u64) -> bool {
    let blocks = config.dim(Blocks).unwrap_or(0);
    match config.get("layer_types").and_then(serde_json::Value::as_array) {
        Some(types) => types.get(block as usize).is_some_and(|t| t == "linear_attention"),
        None => {
            let every =
                config.size(&["full_attention_interval"]).ok().flatten().filter(|n| *n > 0).unwrap_or(4);
            block < blocks && !(block + 1).is_multiple_of(every)
        }
    }
}

fn full(config: &Config, block: u64) -> bool {
    !linear(config, block)
}

fn next(config: &Config, block: u64) -> bool {
    config.dim(Blocks).is_ok_and(|blocks| block == blocks)
}

const FULL: Presence = Presence::Where(full);
const LINEAR_PART: Presence = Presence::Where(linear);

const KEYS: Dim = Key(&["linear_num_key_heads"]);
const VALUES: Dim = Key(&["linear_num_value_heads"]);
const KEY_WIDTH: Dim = Key(&["linear_key_head_dim"]);
const VALUE_WIDTH: Dim = Key(&["linear_value_head_dim"]);
const KEY_ROWS_LINEAR: Dim = Product(&[KEYS, KEY_WIDTH]);
const TWO_KEY_ROWS: Dim = Product(&[Fixed(2), KEY_ROWS_LINEAR]);
const VALUE_ROWS: Dim = Product(&[VALUES, VALUE_WIDTH]);
const CONV_ROWS: Dim = Sum(&[TWO_KEY_ROWS, VALUE_ROWS]);
const KERNEL: Dim = Key(&["linear_conv_kernel_dim"]);
/// Value heads of each key head.
const SHARE: Dim = Quotient(&VALUES, &KEYS);

const EDGES: &[Row] = &[ENDS[0], ENDS[1].parts(PLUS_ONE), ENDS[2]];

const NORMS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]).parts(PLUS_ONE),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", &[Hidden]).parts(PLUS_ONE),
];

/// Queries have a gate beside them.
const ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[Product(&[Fixed(2), QueryRows]), Hidden])
        .weight(FULL)
        .bias(Presence::Optional),
    PLAIN_ATTENTION[1].weight(FULL).bias(Presence::Optional),
    PLAIN_ATTENTION[2].weight(FULL).bias(Presence::Optional),
    PLAIN_ATTENTION[3].weight(FULL).bias(Presence::Optional),
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[HeadWidth]).parts(PLUS_ONE).weight(FULL),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[HeadWidth]).parts(PLUS_ONE).weight(FULL),
];

/// What both have of linear attention.
const LINEAR_ROWS: &[Row] =
    &[Row::new("layers.{}.linear_attn.norm", "blk.{}.ssm_norm", &[VALUE_WIDTH]).weight(LINEAR_PART)];

/// Values, and their gates, of one key head.
const OWN: Dim = Product(&[SHARE, VALUE_WIDTH]);
const GROUP: Dim = Sum(&[KEY_WIDTH, KEY_WIDTH, OWN, OWN]);
const QKVZ: &[Dim] = &[Product(&[KEYS, GROUP]), Hidden];
const QKV_PARTS: &[&[Step]] = &[
    &[Step::Split(0, &[KEYS]), Step::Slice(1, Start::First, KEY_WIDTH)],
    &[Step::Split(0, &[KEYS]), Step::Slice(1, Start::After(KEY_WIDTH), KEY_WIDTH)],
    &[Step::Split(0, &[KEYS]), Step::Slice(1, Start::After(Sum(&[KEY_WIDTH, KEY_WIDTH])), OWN)],
];
const GATE_PARTS: &[&[Step]] =
    &[&[Step::Split(0, &[KEYS]), Step::Slice(1, Start::After(Sum(&[KEY_WIDTH, KEY_WIDTH, OWN])), OWN)]];
const NEGATIVE: &[&[Step]] = &[&[Step::Change(Change::NegExp)]];

/// Qwen3-Next: all of it in one layer, key head by key head.
const MIXED_IN: &[Row] = &[
    Row::new("layers.{}.linear_attn.in_proj_qkvz", "blk.{}.attn_qkv", QKVZ)
        .parts(QKV_PARTS)
        .to(&[CONV_ROWS, Hidden])
        .weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.in_proj_qkvz", "blk.{}.attn_gate", QKVZ)
        .parts(GATE_PARTS)
        .to(&[VALUE_ROWS, Hidden])
        .weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.in_proj_ba", "blk.{}.ssm_ba", &[Product(&[Fixed(2), VALUES]), Hidden])
        .weight(LINEAR_PART),
    Row::bare("layers.{}.linear_attn.A_log", "blk.{}.ssm_a", &[VALUES]).parts(NEGATIVE).weight(LINEAR_PART),
    Row::bare("layers.{}.linear_attn.dt_bias", "blk.{}.ssm_dt.bias", &[VALUES]).weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.conv1d", "blk.{}.ssm_conv1d", &[CONV_ROWS, Fixed(1), KERNEL])
        .to(&[CONV_ROWS, KERNEL])
        .weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.out_proj", "blk.{}.ssm_out", &[Hidden, VALUE_ROWS]).weight(LINEAR_PART),
];

/// From the value heads of a key head side by side to the first of each, the second of each …
const TILED_ROWS: &[&[Step]] = &[&[Step::Split(0, &[KEYS, SHARE]), Step::Swap(0, 1)]];
const TILED_NEGATIVE: &[&[Step]] =
    &[&[Step::Split(0, &[KEYS, SHARE]), Step::Swap(0, 1), Step::Change(Change::NegExp)]];
const TILED_COLUMNS: &[&[Step]] = &[&[Step::Split(1, &[KEYS, SHARE]), Step::Swap(1, 2)]];
/// The same for the values alone, after queries and keys.
const TILED_VALUES: &[&[Step]] = &[
    &[Step::Slice(0, Start::First, TWO_KEY_ROWS)],
    &[
        Step::Slice(0, Start::After(TWO_KEY_ROWS), VALUE_ROWS),
        Step::Split(0, &[KEYS, SHARE]),
        Step::Swap(0, 1),
    ],
];

/// Qwen 3.5: layers of their own, value heads in another order.
const TILED: &[Row] = &[
    Row::new("layers.{}.linear_attn.in_proj_qkv", "blk.{}.attn_qkv", &[CONV_ROWS, Hidden])
        .parts(TILED_VALUES)
        .weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.in_proj_z", "blk.{}.attn_gate", &[VALUE_ROWS, Hidden])
        .parts(TILED_ROWS)
        .weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.in_proj_a", "blk.{}.ssm_alpha", &[VALUES, Hidden])
        .parts(TILED_ROWS)
        .weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.in_proj_b", "blk.{}.ssm_beta", &[VALUES, Hidden])
        .parts(TILED_ROWS)
        .weight(LINEAR_PART),
    Row::bare("layers.{}.linear_attn.A_log", "blk.{}.ssm_a", &[VALUES])
        .parts(TILED_NEGATIVE)
        .weight(LINEAR_PART),
    Row::bare("layers.{}.linear_attn.dt_bias", "blk.{}.ssm_dt.bias", &[VALUES])
        .parts(TILED_ROWS)
        .weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.conv1d", "blk.{}.ssm_conv1d", &[CONV_ROWS, Fixed(1), KERNEL])
        .parts(TILED_VALUES)
        .to(&[CONV_ROWS, KERNEL])
        .weight(LINEAR_PART),
    Row::new("layers.{}.linear_attn.out_proj", "blk.{}.ssm_out", &[Hidden, VALUE_ROWS])
        .parts(TILED_COLUMNS)
        .weight(LINEAR_PART),
];

const NEXT: &[Row] = &[
    Row::new("layers.{}.eh_proj", "blk.{}.nextn.eh_proj", &[Hidden, Product(&[Fixed(2), Hidden])])
        .weight(Presence::Where(next)),
    Row::new("layers.{}.enorm", "blk.{}.nextn.enorm", &[Hidden])
        .parts(PLUS_ONE)
        .weight(Presence::Where(next)),
    Row::new("layers.{}.hnorm", "blk.{}.nextn.hnorm", &[Hidden])
        .parts(PLUS_ONE)
        .weight(Presence::Where(next)),
    Row::new("layers.{}.shared_head.norm", "blk.{}.nextn.shared_head_norm", &[Hidden])
        .parts(PLUS_ONE)
        .weight(Presence::Where(next)),
];
