//! Rotary position embeddings: one form for the many that configs have used, and llama 3's frequency factors.

use std::f32::consts::TAU;

use gguf_format::Metadata;
use serde_json::{Map, Value};

use crate::arch::Generated;
use crate::config::Config;
use crate::defaults::Defaults;
use crate::error::Error;
use crate::json::{bad_key, truthy};
use crate::sizes::Dim;

/// The parameters, whichever way the config has them.
///
/// If transformers knows the model type, it puts the parameters in order first, so that rope_theta and rope_type are
/// always there. What follows is what convert_hf_to_gguf's `TextModel` does with any config.
pub(crate) fn parameters(config: &Config, known: Option<Defaults>) -> Result<Map<String, Value>, Error> {
    let object = |key: &str| match config.get(key) {
        None => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map.clone())),
        Some(other) => Err(bad_key(config.path(), key, other, "an object of rope parameters")),
    };
    let (old, new) = (object("rope_scaling")?, object("rope_parameters")?);
    let mut rope = match known.filter(|d| d.has_rope()) {
        Some(defaults) if nested(&defaults.rope()) => by_kind(config, defaults, old, new),
        Some(defaults) => {
            let given = old.filter(|map| !map.is_empty()).or(new).unwrap_or_else(|| defaults.rope());
            in_order(config, defaults, given)
        }
        None => new.or(old).unwrap_or_default(),
    };
    if nested(&rope) {
        return Ok(rope);
    }
    let theta = config.find(&[
        "global_rope_theta",
        "rope_global_theta",
        "rope_theta_global",
        "rope_theta",
        "rotary_emb_base",
    ]);
    let original = config.find(&["original_max_position_embeddings"]);
    let partial = config.find(&["partial_rotary_factor", "rope_pct", "rope_percent"]);
    let alias = rope.get("type").filter(|v| !v.is_null()).cloned();
    set_default(&mut rope, "rope_theta", theta.map(|(_, v)| v.clone()));
    set_default(&mut rope, "rope_type", alias);
    set_default(&mut rope, "partial_rotary_factor", partial.map(|(_, v)| v.clone()));
    set_default(&mut rope, "original_max_position_embeddings", original.map(|(_, v)| v.clone()));
    Ok(rope)
}

/// Parameters for each kind of layer, where the model type has them so. Older configs have them flat, and the base of layers
/// that see a window only under a name of its own.
fn by_kind(
    config: &Config,
    defaults: Defaults,
    old: Option<Map<String, Value>>,
    new: Option<Map<String, Value>>,
) -> Map<String, Value> {
    let usual = defaults.rope();
    let mut rope = new.unwrap_or_else(|| {
        let mut start = usual.clone();
        for inner in start.values_mut().filter_map(Value::as_object_mut) {
            inner.remove("rope_theta");
        }
        start
    });
    if let (Some(Value::Object(full)), Some(old)) = (rope.get_mut("full_attention"), old) {
        full.extend(old);
    }
    for (kind, keys) in [
        ("full_attention", ["global_rope_theta", "rope_theta"]),
        ("sliding_attention", ["rope_local_base_freq", "local_rope_theta"]),
    ] {
        let default = || usual.get(kind).and_then(|u| u.get("rope_theta")).cloned();
        let theta = keys.iter().find_map(|key| config.get(key)).cloned().or_else(default);
        let inner = rope.entry(kind).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(inner) = inner {
            set_default(inner, "rope_theta", theta);
        }
    }
    in_order(config, defaults, rope)
}

/// Whether there is a set of parameters for each kind of layer.
fn nested(rope: &Map<String, Value>) -> bool {
    rope.contains_key("full_attention") || rope.contains_key("sliding_attention")
}

fn set_default(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let (Some(value), false) = (value, map.contains_key(key)) {
        map.insert(key.to_owned(), value);
    }
}

/// What transformers does to the parameters of a type that it knows.
fn in_order(config: &Config, defaults: Defaults, mut rope: Map<String, Value>) -> Map<String, Value> {
    let layers = config.get("layer_types").and_then(Value::as_array);
    let declared = |kind: &str| match layers {
        Some(layers) => layers.iter().any(|l| l == kind),
        None => defaults.has_layer_types() && kind == "full_attention",
    };
    let kinds: Vec<String> = rope.keys().filter(|k| declared(k)).cloned().collect();
    if kinds.is_empty() {
        complete(config, defaults, &mut rope);
    }
    for kind in kinds {
        if let Some(Value::Object(inner)) = rope.get_mut(&kind) {
            complete(config, defaults, inner);
        }
    }
    rope
}

fn complete(config: &Config, defaults: Defaults, rope: &mut Map<String, Value>) {
    let theta = config.get("rope_theta").cloned().unwrap_or_else(|| defaults.theta());
    let partial = config.get("partial_rotary_factor").cloned().or_else(|| defaults.partial());
    let rope_type = rope.get("type").cloned().unwrap_or(Value::from("default"));
    set_default(rope, "rope_theta", Some(theta));
    set_default(rope, "rope_type", Some(rope_type));
    set_default(rope, "partial_rotary_factor", partial);
    if matches!(rope.get("rope_type").and_then(Value::as_str), Some("llama3" | "yarn" | "longrope")) {
        set_default(rope, "original_max_position_embeddings", config.get("max_position_embeddings").cloned());
    }
}

/// The parameters of the layers that attend to everything.
fn global(config: &Config) -> &Map<String, Value> {
    match config.rope.get("full_attention") {
        Some(Value::Object(inner)) => inner,
        _ => &config.rope,
    }
}

fn number(config: &Config, rope: &Map<String, Value>, key: &str) -> Result<Option<f64>, Error> {
    match rope.get(key).filter(|v| !v.is_null()) {
        None => Ok(None),
        Some(v) => {
            v.as_f64().map(Some).ok_or_else(|| bad_key(config.path(), &format!("rope {key}"), v, "a number"))
        }
    }
}

/// The pairs that say how positions are encoded, as `TextModel.set_gguf_parameters` writes them.
pub(crate) fn write(
    config: &Config,
    arch: &str,
    pairs: &mut Metadata,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let rope = global(config);
    let key = |name: &str| format!("{arch}.rope.{name}");
    let value = |name: &str| rope.get(name).filter(|v| !v.is_null());
    let put = |pairs: &mut Metadata, name: &str, from: &str, v: &Value| -> Result<(), Error> {
        pairs.insert(key(name), config.f32(&format!("rope {from}"), v)?);
        Ok(())
    };
    if let Some(kind) = value("rope_type") {
        let Some(kind) = kind.as_str() else {
            return Err(bad_key(config.path(), "rope rope_type", kind, "a string"));
        };
        match (kind, value("factor")) {
            ("linear", Some(factor)) => {
                pairs.insert(key("scaling.type"), "linear");
                put(pairs, "scaling.factor", "factor", factor)?;
            }
            ("yarn", Some(factor)) => {
                pairs.insert(key("scaling.type"), "yarn");
                put(pairs, "scaling.factor", "factor", factor)?;
                let from = "original_max_position_embeddings";
                let Some(length) = value(from) else {
                    return Err(config.missing(&[from], "an integer, for rope type yarn"));
                };
                let whole = length.as_u64().and_then(|n| u32::try_from(n).ok());
                let whole =
                    whole.ok_or_else(|| bad_key(config.path(), from, length, "an integer below 2^32"))?;
                pairs.insert(key("scaling.original_context_length"), whole);
                let attention =
                    if rope.contains_key("attention_factor") { "attention_factor" } else { "attn_factor" };
                for (name, from) in [
                    ("scaling.yarn_ext_factor", "extrapolation_factor"),
                    ("scaling.yarn_attn_factor", attention),
                    ("scaling.yarn_beta_fast", "beta_fast"),
                    ("scaling.yarn_beta_slow", "beta_slow"),
                ] {
                    if let Some(v) = value(from) {
                        put(pairs, name, from, v)?;
                    }
                }
            }
            ("su" | "longrope", _) => {
                pairs.insert(key("scaling.type"), "longrope");
            }
            // The last is in the tensor of frequencies.
            ("default" | "dynamic" | "proportional", _) => {}
            (other, _) if other.eq_ignore_ascii_case("llama3") => {}
            (other, _) => {
                notes.push(format!("rope type `{other}` has no counterpart in GGUF and was left out"));
            }
        }
    }
    if let Some(Value::Array(sections)) = config.rope.get("mrope_section") {
        let ints: Option<Vec<i32>> =
            sections.iter().map(|v| v.as_i64().and_then(|n| i32::try_from(n).ok())).collect();
        let Some(mut ints) = ints else {
            let found = Value::from(sections.clone());
            return Err(bad_key(config.path(), "rope mrope_section", &found, "a list of integers"));
        };
        ints.resize(4, 0);
        pairs.insert(key("dimension_sections"), ints);
    }
    if let Some(theta) = value("rope_theta") {
        put(pairs, "freq_base", "rope_theta", theta)?;
    }
    let sliding = config.rope.get("sliding_attention").and_then(|s| s.get("rope_theta"));
    if let Some(theta) = sliding.filter(|v| !v.is_null()) {
        put(pairs, "freq_base_swa", "rope_theta", theta)?;
    }
    Ok(())
}

/// `rope_freqs.weight`, where llama 3 scales its frequencies: factors of the frequencies of a head, head_dim / 2 of
/// them.
///
/// The arithmetic is that of `LlamaModel.generate_extra_tensors`, where PyTorch computes in F32 and divides by
/// multiplying with a reciprocal.
pub(crate) fn llama3(config: &Config) -> Result<Vec<Generated>, Error> {
    llama3_with(config, 8.0)
}

/// The same with another factor where the config has none.
pub(crate) fn llama3_with(config: &Config, default_factor: f64) -> Result<Vec<Generated>, Error> {
    let head_dim = config.dim(Dim::HeadWidth)?;
    let rope = global(config);
    let kind = rope.get("rope_type").and_then(Value::as_str).unwrap_or_default();
    if !truthy(&Value::Object(config.rope.clone())) || !kind.eq_ignore_ascii_case("llama3") {
        return Ok(Vec::new());
    }
    let get = |key: &str, default: f64| number(config, rope, key).map(|v| v.unwrap_or(default));
    let base = get("rope_theta", 10_000.0)?;
    let factor = get("factor", default_factor)? as f32;
    let (low, high) = (get("low_freq_factor", 1.0)?, get("high_freq_factor", 4.0)?);
    let context = get("original_max_position_embeddings", 8192.0)?;
    let (long_wave, short_wave) = ((context / low) as f32, (context / high) as f32);
    let mut values = Vec::new();
    for i in (0..head_dim).step_by(2) {
        let exponent = i as f32 / head_dim as f32;
        // PyTorch's F32 power is within one unit of this one in the last place, and which of the two it gives
        // depends on the machine's vector width; for the powers of two that were tried they agreed.
        let power = f64::from(base as f32).powf(f64::from(exponent)) as f32;
        let frequency = 1.0 / power;
        let wave = (1.0 / frequency) * TAU;
        let scale = if wave < short_wave {
            1.0
        } else if wave > long_wave {
            factor
        } else {
            let smooth = ((1.0 / wave) * context as f32 - low as f32) / (high - low) as f32;
            1.0 / ((1.0 - smooth) / factor + smooth)
        };
        values.push(scale);
    }
    Ok(vec![Generated { name: "rope_freqs.weight", values }])
}
