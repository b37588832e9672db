//! Hunyuan's dense models: `HunYuanModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::llama::{DECODER_NAMES, ENDS, LLAMA, NORMS, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::parameter::{Kind, Parameter};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Names, Presence, Row, Skip};
use crate::error::Error;
use crate::json::bad_key;
use crate::sizes::Dim::HeadWidth;
use crate::tokenizer::TokenizerKind;

pub(super) const HUNYUAN: Family = Family {
    classes: &["HunYuanDenseV1ForCausalLM"],
    architecture: "hunyuan-dense",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[TEXT, &[Parameter::Rule(experts), Parameter::Rule(positions)]],
    closing: &[Parameter::Rule(ends)],
    names: Names { ..DECODER_NAMES },
    skip: &[&[Skip::Tied("lm_head.weight")], NOT_TEXT],
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, HEAD_NORMS, PLAIN_FORWARD],
    generated: &[],
    headed: &["HunYuanDenseV1ForCausalLM"],
    ..LLAMA
};

const HEAD_NORMS: &[Row] = &[
    Row::new("layers.{}.self_attn.query_layernorm", "blk.{}.attn_q_norm", &[HeadWidth])
        .weight(Presence::Where(|config, _| config.get("use_qk_norm").is_none_or(crate::json::truthy))),
    Row::new("layers.{}.self_attn.key_layernorm", "blk.{}.attn_k_norm", &[HeadWidth])
        .weight(Presence::Where(|config, _| config.get("use_qk_norm").is_none_or(crate::json::truthy))),
];

/// Some configs say that there is one expert, which is none.
fn experts(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    pairs.remove(&context.key(".expert_count"));
    Ok(())
}

/// The base of rotation for long contexts, by NTK-aware scaling with an alpha.
fn positions(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    /// What its models are good for, whatever their configs say.
    const CONTEXT: u32 = 256 * 1024;
    let config = context.config;
    let kind = config.rope.get("rope_type").and_then(serde_json::Value::as_str);
    if !matches!(kind, Some("dynamic" | "xdrope")) {
        return Ok(());
    }
    let number = |key: &str, or: f64| match config.rope.get(key).filter(|v| !v.is_null()) {
        None => Ok(or),
        Some(v) => v.as_f64().ok_or_else(|| bad_key(config.path(), &format!("rope {key}"), v, "a number")),
    };
    let (alpha, base) = (number("alpha", 50.0)?, number("rope_theta", 10_000.0)?);
    let width = config.dim(HeadWidth)? as f64;
    pairs.insert(context.key(".rope.freq_base"), (base * alpha.powf(width / (width - 2.0))) as f32);
    pairs.insert(context.key(".rope.scaling.type"), "none");
    pairs.insert(context.key(".rope.scaling.factor"), 1.0f32);
    if kind == Some("dynamic") {
        pairs.insert(context.key(".rope.scaling.original_context_length"), CONTEXT);
        pairs.insert(context.key(".context_length"), CONTEXT);
    }
    Ok(())
}

/// The tokens that end a text and a turn, which its files have wrong.
fn ends(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    if let Some(id) = context.config.get("eod_token_id") {
        pairs.insert("tokenizer.ggml.eos_token_id", context.value(Kind::U32, "eod_token_id", id)?);
    }
    let generation = context.config.beside("generation_config.json")?;
    let ids = generation.as_ref().and_then(|g| g.get("eos_token_id")).and_then(serde_json::Value::as_array);
    if let Some([turn, _, ..]) = ids.map(Vec::as_slice) {
        pairs.insert("tokenizer.ggml.eot_token_id", context.value(Kind::U32, "eos_token_id", turn)?);
    }
    Ok(())
}
