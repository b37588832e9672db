//! Gemma 3n: `Gemma3NModel` of convert_hf_to_gguf. Each layer has inputs of its own beside what the last one gave, there are
//! several streams of states (AltUp), and low-rank residuals (LAuReL). Its norms are stored as they are.

use gguf_format::Metadata;
use serde_json::Value;

use super::gemma::{GEMMA3, gemma3};
use super::llama::ENDS;
use super::parameter::{Kind, Parameter, needed};
use super::quantile::quantile;
use super::rules::sliding;
use super::text::TEXT;
use super::{Context, Family, Presence, Row, Source};
use crate::config::Config;
use crate::error::Error;
use crate::json::bad_key;
use crate::sizes::Dim::{self, Blocks, HeadWidth, Hidden, Key, KeyOr, KeyRows, Product, QueryRows, Vocab};

pub(super) const GEMMA3N: Family = Family {
    classes: &["Gemma3nForCausalLM", "Gemma3nForConditionalGeneration"],
    architecture: "gemma3n",
    parameters: &[
        TEXT,
        &[
            Parameter::Rule(gemma3),
            Parameter::Rule(forward),
            needed(".altup.active_idx", Kind::U32, &["altup_active_idx"]),
            needed(".altup.num_inputs", Kind::U32, &["altup_num_inputs"]),
            needed(".embedding_length_per_layer_input", Kind::U32, &["hidden_size_per_layer_input"]),
            needed(".attention.shared_kv_layers", Kind::U32, &["num_kv_shared_layers"]),
            Parameter::Rule(sparsity),
            Parameter::Rule(window_layers),
        ],
    ],
    rows: &[ENDS, LAYER_WORDS, LAYER_INPUTS, NORMS, ATTENTION, FORWARD, STREAMS],
    ..GEMMA3
};

/// Width of what each layer gets of a token.
const LAYER_INPUT: Dim = Key(&["hidden_size_per_layer_input"]);
/// The same for all layers.
const LAYER_INPUTS_ALL: Dim = Product(&[Blocks, LAYER_INPUT]);
const LAYER_VOCAB: Dim = KeyOr(&["vocab_size_per_layer_input"], &Vocab);

/// Tokens that only the model that sees and hears has come without inputs for the layers: zeros.
const LAYER_WORDS: &[Row] =
    &[Row::new("embed_tokens_per_layer", "per_layer_token_embd", &[LAYER_VOCAB, LAYER_INPUTS_ALL])
        .to(&[Dim::Rule("vocab_size", most_words), LAYER_INPUTS_ALL])
        .zeros_after()];

/// Each layer's own inputs, but their embeddings.
pub(super) const LAYER_INPUTS: &[Row] = &[
    Row::new("per_layer_model_projection", "per_layer_model_proj", &[LAYER_INPUTS_ALL, Hidden]),
    Row::new("per_layer_projection_norm", "per_layer_proj_norm", &[LAYER_INPUT]),
    Row::new("layers.{}.per_layer_input_gate", "blk.{}.inp_gate", &[LAYER_INPUT, Hidden]),
    Row::new("layers.{}.per_layer_projection", "blk.{}.proj", &[Hidden, LAYER_INPUT]),
    Row::new("layers.{}.post_per_layer_input_norm", "blk.{}.post_norm", &[Hidden]),
];

/// The embeddings of the layers' own inputs, as they are.
pub(super) const LAYER_EMBEDDINGS: &[Row] =
    &[Row::new("embed_tokens_per_layer", "per_layer_token_embd", &[LAYER_VOCAB, LAYER_INPUTS_ALL])];

pub(super) const NORMS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", &[Hidden]),
    Row::new("layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("layers.{}.post_feedforward_layernorm", "blk.{}.post_ffw_norm", &[Hidden]),
];

/// Keys and values of their own; the last layers take those of an earlier one, though older checkpoints have them.
pub(super) const OWN_KEYS: Presence = Presence::Where(|config, block| block < first_shared(config));

const ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).weight(OWN_KEYS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).weight(OWN_KEYS),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]),
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[HeadWidth]),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[HeadWidth]).weight(OWN_KEYS),
];

const WIDE: Dim = Dim::Rule("intermediate_size", width);

const FORWARD: &[Row] = &[
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[WIDE, Hidden]),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[WIDE, Hidden]),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, WIDE]),
];

const COUNT: Dim = Key(&["altup_num_inputs"]);
const RANK: Dim = Key(&["laurel_rank"]);
/// The streams but the first.
const OTHERS: Dim = Dim::Rule("altup_num_inputs - 1", |config, _| Ok(config.dim(COUNT)?.saturating_sub(1)));

const STREAMS: &[Row] = &[
    Row::new("altup_projections.{e}", "altup_proj", &[Hidden, Hidden]).count(OTHERS),
    Row::new("altup_unembed_projections.{e}", "altup_unembd_proj", &[Hidden, Hidden]).count(OTHERS),
    Row::new("layers.{}.altup.correction_coefs", "blk.{}.altup_correct_coef", &[COUNT, COUNT]),
    Row::of(
        "blk.{}.altup_correct_scale.weight",
        Source::bare("layers.{}.altup.correct_output_scale", &[Hidden]),
    ),
    Row::new(
        "layers.{}.altup.prediction_coefs",
        "blk.{}.altup_predict_coef",
        &[Product(&[COUNT, COUNT]), COUNT],
    ),
    Row::new("layers.{}.altup.modality_router", "blk.{}.altup_router", &[COUNT, Hidden]),
    Row::new("layers.{}.altup.router_norm", "blk.{}.altup_router_norm", &[Hidden]),
    Row::new("layers.{}.laurel.linear_left", "blk.{}.laurel_l", &[RANK, Hidden]),
    Row::new("layers.{}.laurel.linear_right", "blk.{}.laurel_r", &[Hidden, RANK]),
    Row::new("layers.{}.laurel.post_laurel_norm", "blk.{}.laurel_post_norm", &[Hidden]),
];

/// The first layer that has no keys of its own.
pub(super) fn first_shared(config: &Config) -> u64 {
    let shared = config.get("num_kv_shared_layers").and_then(Value::as_u64).unwrap_or_default();
    config.dim(Blocks).unwrap_or_default().saturating_sub(shared)
}

fn most_words(config: &Config, _: u64) -> Result<u64, Error> {
    Ok(config.dim(Vocab)?.max(config.dim(LAYER_VOCAB)?))
}

/// A layer's width, from a list of them or one for all.
fn width(config: &Config, block: u64) -> Result<u64, Error> {
    const KEY: &str = "intermediate_size";
    let Some(Value::Array(widths)) = config.get(KEY) else { return config.dim(Dim::FeedForward) };
    let width = usize::try_from(block).ok().and_then(|block| widths.get(block));
    let width = width.and_then(Value::as_u64).filter(|&n| n > 0 && i32::try_from(n).is_ok());
    let found = || Value::from(widths.clone());
    width.ok_or_else(|| bad_key(config.path(), KEY, &found(), "a positive integer for each layer"))
}

/// The widths of all layers, a list in any case.
fn forward(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let widths = (0..config.dim(Blocks)?).map(|block| width(config, block).map(|n| n as i32));
    let widths: Vec<i32> = widths.collect::<Result<_, _>>()?;
    pairs.insert(context.key(".feed_forward_length"), widths);
    Ok(())
}

/// How many standard deviations above the mean a value is that lives, from the part that does not.
fn sparsity(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    const KEY: &str = "activation_sparsity_pattern";
    let config = context.config;
    let blocks = config.dim(Blocks)? as usize;
    let parts = match config.get(KEY) {
        Some(Value::Array(parts)) => parts.clone(),
        Some(part) => vec![part.clone(); blocks],
        // transformers' own: of models with more than ten layers the first ten.
        None => (0..blocks).map(|i| Value::from(if blocks > 10 && i < 10 { 0.95 } else { 0.0 })).collect(),
    };
    let scale = |part: &Value| {
        let part_of_all = part.as_f64().filter(|p| (0.0..1.0).contains(p));
        let part_of_all =
            part_of_all.ok_or_else(|| bad_key(config.path(), KEY, part, "numbers from 0 to below 1"))?;
        Ok(quantile(part_of_all as f32))
    };
    let scales: Vec<f32> = parts.iter().map(scale).collect::<Result<_, Error>>()?;
    pairs.insert(context.key(".activation_sparsity_scale"), scales);
    Ok(())
}

/// Which layers see a window only.
pub(super) fn window_layers(
    context: &Context<'_>,
    pairs: &mut Metadata,
    _: &mut Vec<String>,
) -> Result<(), Error> {
    let windows = sliding(context.config)?;
    let windows =
        windows.ok_or_else(|| context.config.missing(&["layer_types"], "a list of kinds of attention"))?;
    pairs.insert(context.key(".attention.sliding_window_pattern"), windows);
    Ok(())
}
