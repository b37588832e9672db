//! Rules that several families have.

use gguf_format::Metadata;
use serde_json::Value;

use super::Context;
use crate::config::Config;
use crate::error::Error;
use crate::json::bad_key;
use crate::sizes::Dim;

/// `partial_rotary_factor`, or this.
pub(super) fn rotary_part(config: &Config, or: f64) -> Result<f64, Error> {
    let keys = "partial_rotary_factor";
    match config.rope.get(keys).filter(|v| !v.is_null()) {
        None => Ok(or),
        Some(v) => {
            let part = v.as_f64().filter(|p| (0.0..=1.0).contains(p));
            part.ok_or_else(|| bad_key(config.path(), keys, v, "a number from 0 to 1"))
        }
    }
}

/// `rotary_pct`, as older configs call it; else as [`rotary_part`].
pub(super) fn rotary_pct(config: &Config, or: f64) -> Result<f64, Error> {
    let key = "rotary_pct";
    match config.get(key) {
        None => rotary_part(config, or),
        Some(v) => {
            let part = v.as_f64().filter(|p| (0.0..=1.0).contains(p));
            part.ok_or_else(|| bad_key(config.path(), key, v, "a number from 0 to 1"))
        }
    }
}

/// Part of a size, as Python's `int(part * size)`.
pub(super) fn part_of(part: f64, size: u64) -> u32 {
    (part * size as f64) as u32
}

/// `.rope.dimension_count` where part of a head is rotated: the part, or else half of it, of head_dim.
pub(super) fn part_of_head(
    context: &Context<'_>,
    pairs: &mut Metadata,
    _: &mut Vec<String>,
) -> Result<(), Error> {
    let part = rotary_part(context.config, 0.5)?;
    let width = context.config.dim(Dim::HeadWidth)?;
    pairs.insert(context.key(".rope.dimension_count"), part_of(part, width));
    Ok(())
}

/// The same where the converter takes the part of all heads together and divides.
pub(super) fn part_of_hidden(
    context: &Context<'_>,
    pairs: &mut Metadata,
    _: &mut Vec<String>,
) -> Result<(), Error> {
    let part = rotary_part(context.config, 1.0)?;
    let (hidden, heads) = (context.config.dim(Dim::Hidden)?, context.config.dim(Dim::Heads)?);
    let all = u64::from(part_of(part, hidden));
    pairs.insert(context.key(".rope.dimension_count"), (all / heads) as u32);
    Ok(())
}

/// Which layers look at a window only; `None` if the config does not say.
pub(super) fn sliding(config: &Config) -> Result<Option<Vec<bool>>, Error> {
    let Some(types) = config.get("layer_types") else { return Ok(None) };
    let kinds = types.as_array().and_then(|t| t.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let kinds =
        kinds.ok_or_else(|| bad_key(config.path(), "layer_types", types, "a list of kinds of attention"))?;
    Ok(Some(kinds.into_iter().map(|k| k == "sliding_attention").collect()))
}
