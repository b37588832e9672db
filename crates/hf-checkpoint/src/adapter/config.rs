//! `adapter_config.json` as peft 0.21 reads it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::parameters::Parameters;
use super::pattern::{Pattern, compiled};
use crate::bounded::Folder;
use crate::error::Error;
use crate::json::{self, bad_key};

const CONFIG: &str = "adapter_config.json";

/// Settings of variants whose weights are not base + scale x B x A, or not the same for every token.
const OTHER_VARIANTS: &[&str] = &[
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "layer_replication",
    "monteclora_config",
    "use_bdlora",
    "use_qalora",
];

/// Initialisations that take their own product out of the base weights; what was trained then belongs to other weights
/// than the base has.
const CHANGE_THE_BASE: &[&str] = &["pissa", "corda", "olora", "loftq", "lora_ga"];

/// How an adapter is to be applied.
#[derive(Debug)]
pub(crate) struct AdapterConfig {
    path: PathBuf,
    rank: u64,
    alpha: f64,
    ranks: Vec<(Pattern, u64)>,
    alphas: Vec<(Pattern, f64)>,
    rank_stabilized: bool,
    /// Weights are decomposed into a direction and a magnitude.
    pub dora: bool,
    /// Weights of the base are stored with inputs first.
    pub fan_in_fan_out: bool,
    /// Parameters that are adapted by themselves.
    parameters: Parameters,
    tokens: Value,
}

/// Whether a folder holds an adapter rather than a model.
pub(crate) fn is_adapter(folder: &Path) -> bool {
    folder.join(CONFIG).is_file()
}

impl AdapterConfig {
    /// Reads the settings of the adapter in this folder.
    ///
    /// # Errors
    /// If they are not there, are no LoRA's, or are of a variant that is not read.
    pub(crate) fn read(folder: Folder<'_>) -> Result<Self, Error> {
        let path = folder.join(CONFIG);
        let raw = json::read(&path, folder.limits)?;
        let Value::Object(map) = &raw else {
            return Err(bad_key(&path, ".", &raw, "an object of settings"));
        };
        let set = |key: &str| map.get(key).filter(|v| json::truthy(v));
        match map.get("peft_type") {
            Some(Value::String(kind)) if kind == "LORA" => {}
            Some(other) => return Err(bad_key(&path, "peft_type", other, "\"LORA\"")),
            None => return Err(missing(&path, "peft_type", "\"LORA\"")),
        }
        if let Some((key, value)) = OTHER_VARIANTS.iter().find_map(|key| Some((*key, set(key)?))) {
            return Err(bad_key(&path, key, value, "nothing: this variant of LoRA is not read"));
        }
        if let Some(given @ Value::String(how)) = set("init_lora_weights")
            && CHANGE_THE_BASE.iter().any(|c| how.to_ascii_lowercase().starts_with(c))
        {
            let expected = "an initialisation that leaves the base as it is; save the adapter with \
                            path_initial_model_for_weight_conversion first";
            return Err(bad_key(&path, "init_lora_weights", given, expected));
        }
        let rank = map.get("r").ok_or_else(|| missing(&path, "r", "a positive integer"))?;
        let alpha = map.get("lora_alpha").ok_or_else(|| missing(&path, "lora_alpha", "a number"))?;
        let patterns = |key| match map.get(key).filter(|v| !v.is_null()) {
            None => Ok(None),
            Some(Value::Object(patterns)) => Ok(Some(patterns)),
            Some(other) => Err(bad_key(&path, key, other, "an object of patterns and numbers")),
        };
        let (ranks, alphas) = (patterns("rank_pattern")?, patterns("alpha_pattern")?);
        let parameters = match map.get("target_parameters").filter(|v| !v.is_null()) {
            None => Parameters::default(),
            Some(given) => {
                let names = given.as_array().map(|a| a.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
                let expected = "a list of names, of at most 256 different parameters";
                let parameters = names.flatten().and_then(Parameters::new);
                parameters.ok_or_else(|| bad_key(&path, "target_parameters", given, expected))?
            }
        };
        Ok(Self {
            rank: positive(&path, "r", rank)?,
            alpha: number(&path, "lora_alpha", alpha)?,
            ranks: compiled(&path, "rank_pattern", ranks, positive)?,
            alphas: compiled(&path, "alpha_pattern", alphas, number)?,
            rank_stabilized: set("use_rslora").is_some(),
            dora: set("use_dora").is_some(),
            fan_in_fan_out: set("fan_in_fan_out").is_some(),
            parameters,
            tokens: map.get("trainable_token_indices").cloned().unwrap_or(Value::Null),
            path,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The rank of the module, or parameter, of this name.
    ///
    /// # Errors
    /// If a pattern takes too long to match.
    pub(crate) fn rank(&self, module: &str) -> Result<u64, Error> {
        Ok(self.first(&self.ranks, module)?.unwrap_or(self.rank))
    }

    /// What its alpha is.
    ///
    /// # Errors
    /// As [`rank`](Self::rank).
    pub(crate) fn alpha(&self, module: &str) -> Result<f64, Error> {
        Ok(self.first(&self.alphas, module)?.unwrap_or(self.alpha))
    }

    /// What its product is multiplied by: alpha / rank, or with rsLoRA alpha / sqrt(rank).
    ///
    /// # Errors
    /// As [`rank`](Self::rank).
    pub(crate) fn scale(&self, module: &str) -> Result<f64, Error> {
        let rank = self.rank(module)? as f64;
        Ok(self.alpha(module)? / if self.rank_stabilized { rank.sqrt() } else { rank })
    }

    /// The alpha of a file that has one for all: such that alpha / rank is the scale of what no pattern is about.
    pub(crate) fn file_alpha(&self) -> f64 {
        let alpha = if self.rank_stabilized { self.alpha * (self.rank as f64).sqrt() } else { self.alpha };
        // llama.cpp takes 0 for a scale of 1.
        if alpha == 0.0 { 1.0 } else { alpha }
    }

    /// The parameter of a module of experts that `depth` others are wrapped around: the wrapped ones lie inside one
    /// another, the first of the module innermost.
    pub(crate) fn parameter(&self, module: &str, depth: usize) -> Option<&str> {
        self.parameters.of(module).into_iter().rev().nth(depth)
    }

    /// The value of the first pattern that matches, as `get_pattern_key` of peft finds it.
    fn first<T: Copy>(&self, patterns: &[(Pattern, T)], module: &str) -> Result<Option<T>, Error> {
        for (pattern, value) in patterns {
            let matches = pattern.matches(module).map_err(|(text, why)| {
                let key = "rank_pattern or alpha_pattern";
                bad_key(&self.path, key, &text.into(), &format!("a simpler pattern: {why}"))
            })?;
            if matches {
                return Ok(Some(*value));
            }
        }
        Ok(None)
    }

    /// The tokens whose embeddings in this module were trained by themselves.
    ///
    /// # Errors
    /// If the setting does not say.
    pub(crate) fn tokens(&self, module: &str) -> Result<Vec<u64>, Error> {
        const EXPECTED: &str = "a list of tokens, or an object of such lists";
        let key = "trainable_token_indices";
        let wrong = || bad_key(&self.path, key, &self.tokens, EXPECTED);
        let list = match &self.tokens {
            Value::Object(of_modules) => {
                let is =
                    |name: &str| module.strip_suffix(name).is_some_and(|m| m.is_empty() || m.ends_with('.'));
                of_modules.iter().find(|(name, _)| is(name)).map(|(_, list)| list)
            }
            list => Some(list),
        };
        let list = list.and_then(Value::as_array).ok_or_else(wrong)?;
        list.iter().map(|v| v.as_u64().ok_or_else(wrong)).collect()
    }
}

fn missing(path: &Path, key: &str, expected: &'static str) -> Error {
    Error::MissingKey { path: path.to_owned(), key: key.to_owned(), expected }
}

fn positive(path: &Path, key: &str, value: &Value) -> Result<u64, Error> {
    let n = value.as_u64().filter(|n| (1..=1 << 32).contains(n));
    n.ok_or_else(|| bad_key(path, key, value, "a positive integer"))
}

fn number(path: &Path, key: &str, value: &Value) -> Result<f64, Error> {
    let n = value.as_f64().filter(|n| (*n as f32).is_finite());
    n.ok_or_else(|| bad_key(path, key, value, "a number within the range of F32"))
}
