//! Gemma 4: `Gemma4Model` of convert_hf_to_gguf. Layers that see all have wider heads than those that see a window, a
//! mixture of experts may stand beside the feed-forward part, and values may be the keys.

use gguf_format::Metadata;
use serde_json::Value;

use super::gemma::{GEMMA3, gemma3};
use super::gemma3n::{LAYER_EMBEDDINGS, LAYER_INPUTS, NORMS, OWN_KEYS, first_shared, window_layers};
use super::llama::ENDS;
use super::parameter::{Const, Kind, Parameter, constant, needed, value};
use super::table::and_also;
use super::text::TEXT;
use super::{Context, Family, Generated, Presence, Row, Source};
use crate::config::Config;
use crate::error::Error;
use crate::json::{bad_key, read_if_there, truthy};
use crate::sizes::Dim::{self, Blocks, ExpertForward, Experts, FeedForward, Fixed, Heads, Hidden, Product};
use crate::tokenizer::TokenizerKind;

pub(super) const GEMMA4: Family = Family {
    classes: &["Gemma4ForCausalLM", "Gemma4ForConditionalGeneration"],
    architecture: "gemma4",
    tokenizer: TokenizerKind::Gemma4,
    parameters: &[
        TEXT,
        &[
            Parameter::Rule(gemma3),
            needed(".attention.shared_kv_layers", Kind::U32, &["num_kv_shared_layers"]),
            Parameter::Or {
                key: ".embedding_length_per_layer_input",
                from: &["hidden_size_per_layer_input"],
                or: Const::U32(0),
            },
            Parameter::Rule(window_layers),
            Parameter::Rule(widths),
            value(
                ".expert_feed_forward_length",
                Kind::U32,
                &["expert_intermediate_size", "moe_intermediate_size"],
            ),
            Parameter::Rule(each_layer),
            Parameter::Rule(rotated),
        ],
    ],
    closing: &[
        constant("tokenizer.ggml.add_space_prefix", Const::Bool(false)),
        constant("tokenizer.ggml.add_bos_token", Const::Bool(true)),
    ],
    rows: &[ENDS, OWN_EMBEDDINGS, OWN_INPUTS, NORMS, ATTENTION, FORWARD, MIXTURE],
    generated: &[frequencies],
    ..GEMMA3
};

/// Gemma 4 whose eyes and ears are a layer each: its language model, and which tokens it does not say.
pub(super) const GEMMA4_UNIFIED: Family = Family {
    classes: &["Gemma4UnifiedForConditionalGeneration"],
    parameters: &and_also::<_, 3>(GEMMA4.parameters, &[Parameter::Rule(unsaid)]),
    ..GEMMA4
};

/// The tokens that generation_config.json forbids.
fn unsaid(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    const KEY: &str = "suppress_tokens";
    let path = context.folder.join("generation_config.json");
    let generation = read_if_there(&path, context.folder.limits)?;
    if let Some(given) = generation.as_ref().and_then(|g| g.get(KEY)).filter(|v| !v.is_null()) {
        let list = given.as_array().into_iter().flatten();
        let ids =
            list.map(|id| id.as_i64().and_then(|id| i32::try_from(id).ok())).collect::<Option<Vec<i32>>>();
        let ids = ids.filter(|_| given.is_array());
        let ids = ids.ok_or_else(|| bad_key(&path, KEY, given, "a list of ids of tokens"))?;
        if !ids.is_empty() {
            pairs.insert("tokenizer.ggml.suppress_tokens", ids);
        }
    }
    Ok(())
}

const OWN_EMBEDDINGS: &[Row] = &[LAYER_EMBEDDINGS[0].when(layer_inputs)];
const OWN_INPUTS: &[Row] = &[
    LAYER_INPUTS[0].when(layer_inputs),
    LAYER_INPUTS[1].when(layer_inputs),
    LAYER_INPUTS[2].when(layer_inputs),
    LAYER_INPUTS[3].when(layer_inputs),
    LAYER_INPUTS[4].when(layer_inputs),
];

const WIDTH: Dim = Dim::Rule("head_dim", head_width);
const QUERIES: Dim = Product(&[Heads, WIDTH]);
const KEYS: Dim = Product(&[Dim::Rule("num_key_value_heads", key_heads), WIDTH]);
const WIDE: Dim = Dim::Rule("intermediate_size", wide);

const ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QUERIES, Hidden]),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KEYS, Hidden]).weight(OWN_KEYS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KEYS, Hidden])
        .weight(Presence::Where(own_values)),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QUERIES]),
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[WIDTH]),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[WIDTH]).weight(OWN_KEYS),
    Row::of("blk.{}.layer_output_scale.weight", Source::bare("layers.{}.layer_scalar", &[Fixed(1)])),
];

const FORWARD: &[Row] = &[
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[WIDE, Hidden]),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[WIDE, Hidden]),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, WIDE]),
];

const MIXTURE: &[Row] = &[
    Row::new("layers.{}.router.proj", "blk.{}.ffn_gate_inp", &[Experts, Hidden]).when(mixed),
    Row::bare("layers.{}.router.scale", "blk.{}.ffn_gate_inp.scale", &[Hidden]).when(mixed),
    Row::bare("layers.{}.router.per_expert_scale", "blk.{}.ffn_down_exps.scale", &[Experts]).when(mixed),
    Row::of(
        "blk.{}.ffn_gate_up_exps.weight",
        Source::bare(
            "layers.{}.experts.gate_up_proj",
            &[Experts, Product(&[Fixed(2), ExpertForward]), Hidden],
        ),
    )
    .when(mixed),
    Row::of(
        "blk.{}.ffn_down_exps.weight",
        Source::bare("layers.{}.experts.down_proj", &[Experts, Hidden, ExpertForward]),
    )
    .when(mixed),
    Row::new("layers.{}.pre_feedforward_layernorm_2", "blk.{}.pre_ffw_norm_2", &[Hidden]).when(mixed),
    Row::new("layers.{}.post_feedforward_layernorm_1", "blk.{}.post_ffw_norm_1", &[Hidden]).when(mixed),
    Row::new("layers.{}.post_feedforward_layernorm_2", "blk.{}.post_ffw_norm_2", &[Hidden]).when(mixed),
];

/// Whether layers have inputs of their own.
fn layer_inputs(config: &Config) -> bool {
    config.flag("hidden_size_per_layer_input")
}

/// Whether there are experts.
fn mixed(config: &Config) -> bool {
    config.flag("enable_moe_block")
}

/// Whether a layer sees all; an older configuration's last one always does.
fn sees_all(config: &Config, block: u64) -> bool {
    let kinds = config.get("layer_types").and_then(Value::as_array);
    let kind = usize::try_from(block).ok().and_then(|block| kinds?.get(block)?.as_str());
    kind.is_some_and(|kind| kind != "sliding_attention")
}

/// A setting of layers that see all: its own key, or today's, which says it of each such layer.
fn of_full_layers(config: &Config, own: &str, key: &str) -> Result<Option<u64>, Error> {
    if let Some(size) = config.size(&[own])? {
        return Ok(Some(size));
    }
    let Some(Value::Object(layers)) = config.get("per_layer_config") else { return Ok(None) };
    for (layer, settings) in layers {
        let full = layer.parse().is_ok_and(|layer| sees_all(config, layer));
        if let (true, Some(value)) = (full, settings.get(key).filter(|v| !v.is_null())) {
            let size = value.as_u64().filter(|&n| n > 0 && u32::try_from(n).is_ok());
            let wrong =
                || bad_key(config.path(), &format!("per_layer_config {key}"), value, "a positive integer");
            return size.map(Some).ok_or_else(wrong);
        }
    }
    Ok(None)
}

/// Width of heads that see all; transformers has 512 where nothing is said.
fn full_width(config: &Config) -> Result<u64, Error> {
    let width = of_full_layers(config, "global_head_dim", "head_dim")?;
    match width {
        Some(width) => Ok(width),
        None if config.get("per_layer_config").is_some() => config.dim(Dim::HeadWidth),
        None => Ok(512),
    }
}

fn head_width(config: &Config, block: u64) -> Result<u64, Error> {
    if sees_all(config, block) { full_width(config) } else { config.dim(Dim::HeadWidth) }
}

/// Key heads of layers that see all, where they have another number than the others.
fn full_key_heads(config: &Config) -> Result<Option<u64>, Error> {
    // The key of its own counts only where values are the keys.
    let own = if config.flag("attention_k_eq_v") { "num_global_key_value_heads" } else { "" };
    of_full_layers(config, own, "num_key_value_heads")
}

fn key_heads(config: &Config, block: u64) -> Result<u64, Error> {
    let full = if sees_all(config, block) { full_key_heads(config)? } else { None };
    full.map_or_else(|| config.dim(Dim::KeyHeads), Ok)
}

/// Layers that see all may take the keys for values.
fn own_values(config: &Config, block: u64) -> bool {
    block < first_shared(config) && !(config.flag("attention_k_eq_v") && sees_all(config, block))
}

/// Layers without keys of their own may be twice as wide.
fn wide(config: &Config, block: u64) -> Result<u64, Error> {
    let twice = config.flag("use_double_wide_mlp") && block >= first_shared(config);
    // Below 2^32.
    Ok(config.dim(FeedForward)? * if twice { 2 } else { 1 })
}

/// Widths of heads of both kinds of layers.
fn widths(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    // Sizes are below 2^32.
    let (full, window) = (full_width(context.config)? as u32, context.config.dim(Dim::HeadWidth)? as u32);
    for (key, width) in [
        (".attention.key_length", full),
        (".attention.value_length", full),
        (".attention.key_length_swa", window),
        (".attention.value_length_swa", window),
    ] {
        pairs.insert(context.key(key), width);
    }
    Ok(())
}

/// What is a list where layers differ in it.
fn each_layer(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let all = |size: fn(&Config, u64) -> Result<u64, Error>| {
        let sizes = (0..config.dim(Blocks)?).map(|block| {
            let size = size(config, block)?;
            let wrong = || bad_key(config.path(), "intermediate_size", &size.into(), "a size below 2^31");
            i32::try_from(size).map_err(|_| wrong())
        });
        sizes.collect::<Result<Vec<i32>, Error>>()
    };
    if config.flag("use_double_wide_mlp") {
        pairs.insert(context.key(".feed_forward_length"), all(wide)?);
    }
    if full_key_heads(config)?.is_some() {
        pairs.insert(context.key(".attention.head_count_kv"), all(key_heads)?);
    }
    Ok(())
}

/// Layers that see all turn the whole head, some of it by nothing: see [`frequencies`].
fn rotated(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let part = super::rules::rotary_part(config, 1.0)?;
    let window = super::rules::part_of(part, config.dim(Dim::HeadWidth)?);
    pairs.insert(context.key(".rope.dimension_count"), full_width(config)? as u32);
    pairs.insert(context.key(".rope.dimension_count_swa"), window);
    Ok(())
}

/// Factors of the frequencies of layers that see all: those that are not to turn are divided by so much that they stand still.
fn frequencies(config: &Config) -> Result<Vec<Generated>, Error> {
    const KEY: &str = "partial_rotary_factor";
    let full = config.rope.get("full_attention").filter(|rope| truthy(rope));
    let missing = || config.missing(&["rope_parameters full_attention partial_rotary_factor"], "a number");
    let part = full.and_then(|rope| rope.get(KEY)).ok_or_else(missing)?;
    let of_all = part.as_f64().filter(|p| (0.0..=1.0).contains(p));
    let of_all = of_all.ok_or_else(|| bad_key(config.path(), KEY, part, "a number from 0 to 1"))?;
    let width = full_width(config)?;
    if width > 1 << 20 {
        return Err(bad_key(config.path(), "global_head_dim", &width.into(), "at most 1048576"));
    }
    let turning = (width as f64 * of_all / 2.0) as u64;
    let values = (0..width / 2).map(|i| if i < turning { 1.0 } else { 1e30 }).collect();
    Ok(vec![Generated { name: "rope_freqs.weight", values }])
}
