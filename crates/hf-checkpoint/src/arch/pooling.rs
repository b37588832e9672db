//! How a sentence embedding is made of the tokens' ones: the folder's sentence-transformers files.

use std::path::Path;

use gguf_format::Metadata;
use serde_json::Value;

use super::Context;
use crate::error::Error;
use crate::json::{self, bad_key, truthy};
use crate::limits::Limits;

/// Names of the ways, with their numbers in GGUF (`PoolingType` of gguf-py).
const MODES: &[(&str, u32)] = &[("mean", 1), ("cls", 2), ("lasttoken", 3)];
/// The settings of sentence-transformers that each turn one on, in the order in which they count.
const SWITCHES: &[(&str, u32)] =
    &[("pooling_mode_mean_tokens", 1), ("pooling_mode_cls_token", 2), ("pooling_mode_lasttoken", 3)];

/// Writes `pooling_type`, if modules.json names a pooling module.
pub(super) fn of_sentence(context: &Context<'_>, pairs: &mut Metadata) -> Result<(), Error> {
    let arch = context.architecture;
    let modules_path = context.folder.join("modules.json");
    if let Some(modules) = json::read_if_there(&modules_path, context.folder.limits)? {
        let Value::Array(modules) = modules else {
            return Err(bad_key(&modules_path, ".", &modules, "a list of modules"));
        };
        let pooling =
            |m: &&Value| m.get("type").and_then(Value::as_str).is_some_and(|t| t.ends_with("Pooling"));
        if let Some(module) = modules.iter().find(pooling) {
            let folder = module.get("path").unwrap_or(&Value::Null);
            // As in the index of the shards: no way out of the model's folder.
            let Some(inside) = folder.as_str().filter(|p| is_inside(p)) else {
                return Err(bad_key(&modules_path, "path", folder, "a folder within the model's"));
            };
            let path = context.folder.join(inside).join("config.json");
            pairs.insert(format!("{arch}.pooling_type"), kind(&path, context.folder.limits)?);
        }
    }
    Ok(())
}

/// The same, and `classifier.pooling_type`.
pub(super) fn write(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    of_sentence(context, pairs)?;
    if let Some(mode) = context.config.get("classifier_pooling") {
        let known = MODES.iter().take(2).find(|(name, _)| mode == name);
        let Some((_, number)) = known else {
            return Err(bad_key(context.config.path(), "classifier_pooling", mode, "cls or mean"));
        };
        pairs.insert(context.key(".classifier.pooling_type"), *number);
    }
    Ok(())
}

fn is_inside(path: &str) -> bool {
    let mut parts = std::path::Path::new(path).components();
    parts.all(|c| matches!(c, std::path::Component::Normal(_) | std::path::Component::CurDir))
}

fn kind(path: &Path, limits: &Limits) -> Result<u32, Error> {
    let pooling = json::read(path, limits)?;
    let on = |(key, _): &&(&str, u32)| pooling.get(key).is_some_and(truthy);
    let named = |(name, _): &&(&str, u32)| pooling.get("pooling_mode").is_some_and(|mode| mode == name);
    let found = SWITCHES.iter().find(on).or_else(|| MODES.iter().find(named));
    found.map(|(_, number)| *number).ok_or_else(|| {
        let mode = pooling.get("pooling_mode").unwrap_or(&Value::Null);
        bad_key(path, "pooling_mode", mode, "mean, cls or lasttoken (llama.cpp has no other)")
    })
}
