//! `config.json`, as convert_hf_to_gguf sees it: text part on top, transformers' defaults filled in.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::bounded::Folder;
use crate::defaults::Defaults;
use crate::error::Error;
use crate::json::{self, bad_key};
use crate::limits::Limits;
use crate::rope;

/// The configuration of a model.
#[derive(Debug)]
pub(crate) struct Config {
    path: PathBuf,
    /// How much of the files beside it is read.
    limits: Limits,
    /// As it is in the file.
    pub raw: Value,
    /// The settings of the language model, as they are in the file, if they stand by themselves.
    text: Option<Map<String, Value>>,
    values: Map<String, Value>,
    /// Rotary embedding parameters in today's form; empty if there are none.
    pub rope: Map<String, Value>,
}

/// What models that see or hear call the settings of their language model: most; InternVL, GLM-ASR, Qwen's Omni, DeepSeek's OCR,
/// LFM's audio. The last that is there counts (`ModelBase.load_hparams`).
const TEXT_CONFIGS: [&str; 6] =
    ["/text_config", "/llm_config", "/lm_config", "/thinker_config/text_config", "/language_config", "/lfm"];

impl Config {
    /// Reads `config.json` of a folder.
    pub(crate) fn read(folder: Folder<'_>) -> Result<Self, Error> {
        let path = folder.join("config.json");
        if !path.is_file() {
            return Err(Error::NoConfig { folder: folder.path.to_owned() });
        }
        let raw = json::read(&path, folder.limits)?;
        Self::new(path, raw, folder.limits.clone())
    }

    fn new(path: PathBuf, raw: Value, limits: Limits) -> Result<Self, Error> {
        let Value::Object(mut values) = raw.clone() else {
            return Err(bad_key(&path, ".", &raw, "an object of settings"));
        };
        let mut defaults = Defaults::of(&values);
        if let Some(defaults) = defaults {
            defaults.fill(&mut values);
        }
        let text = TEXT_CONFIGS.iter().filter_map(|name| raw.pointer(name)?.as_object()).next_back().cloned();
        if let Some(mut text) = text.clone() {
            let of_text = Defaults::of(&text);
            if let Some(defaults) = of_text {
                defaults.fill(&mut text);
            }
            defaults = of_text.or(defaults);
            // SmolVLM 2 was published without, and the converter knows.
            if text.get("architectures").and_then(|classes| classes.get(0)?.as_str())
                == Some("VLlama3ForCausalLM")
            {
                text.entry("num_attention_heads").or_insert_with(|| 32.into());
            }
            values.extend(text);
        }
        let mut config = Self { path, limits, raw, text, values, rope: Map::new() };
        config.rope = rope::parameters(&config, defaults)?;
        Ok(config)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The settings in a file beside it, if it is there.
    pub(crate) fn beside(&self, name: &str) -> Result<Option<Value>, Error> {
        json::read_if_there(&self.path.with_file_name(name), &self.limits)
    }

    /// A setting; `None` for null, too.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|v| !v.is_null())
    }

    /// Sets a size.
    pub(crate) fn set(&mut self, key: &str, size: u64) {
        self.values.insert(key.to_owned(), size.into());
    }

    /// Says that the head is not the embeddings.
    pub(crate) fn untie(&mut self) {
        self.values.insert("tie_word_embeddings".to_owned(), false.into());
    }

    /// The first of these keys that is there, if its value is not null.
    pub(crate) fn find<'a>(&'a self, keys: &[&'a str]) -> Option<(&'a str, &'a Value)> {
        let key = keys.iter().find(|k| self.values.contains_key(**k))?;
        self.get(key).map(|v| (*key, v))
    }

    /// The model class that the checkpoint was saved from.
    pub(crate) fn class(&self) -> Result<&str, Error> {
        let text = self.text.as_ref().and_then(|t| t.get("architectures"));
        let classes = text.filter(|c| !c.is_null()).or(self.get("architectures"));
        match classes.and_then(|c| c.get(0)) {
            Some(Value::String(class)) => Ok(class),
            Some(other) => Err(bad_key(&self.path, "architectures", other, "a list of class names")),
            None => Err(Error::NoArchitecture { path: self.path.clone() }),
        }
    }

    /// How the weights are packed, and the file that says so.
    ///
    /// The key is `quantization_config`, `compression_config` with the first compressed-tensors; modelopt's first
    /// files have it in `hf_quant_config.json` beside the config.
    pub(crate) fn quantization(&self) -> Result<Option<(PathBuf, Value)>, Error> {
        let keys = ["quantization_config", "compression_config"];
        if let Some(found) = keys.iter().find_map(|k| self.get(k).filter(|v| json::truthy(v))) {
            return Ok(Some((self.path.clone(), found.clone())));
        }
        const BESIDE: &str = "hf_quant_config.json";
        let found = self.beside(BESIDE)?.and_then(|v| v.get("quantization").cloned());
        Ok(found.filter(|q| q.get("quant_algo").is_some_and(json::truthy)).map(|mut q| {
            if let Value::Object(map) = &mut q {
                map.entry("quant_method").or_insert_with(|| "modelopt".into());
            }
            (self.path.with_file_name(BESIDE), q)
        }))
    }

    /// The size of one of these keys, if there is one.
    pub(crate) fn size(&self, keys: &[&str]) -> Result<Option<u64>, Error> {
        self.find(keys)
            .map(|(key, v)| {
                let size = v.as_u64().filter(|&n| u32::try_from(n).is_ok());
                size.ok_or_else(|| bad_key(&self.path, key, v, "an integer from 0 to 4294967295"))
            })
            .transpose()
    }

    /// The size of one of these keys.
    pub(crate) fn needed_size(&self, keys: &[&str]) -> Result<u64, Error> {
        match self.size(keys)? {
            Some(0) => Err(bad_key(&self.path, &keys.join(" or "), &Value::from(0), "a positive integer")),
            Some(n) => Ok(n),
            None => Err(self.missing(keys, "a positive integer")),
        }
    }

    /// The error for keys none of which is there.
    pub(crate) fn missing(&self, keys: &[&str], expected: &'static str) -> Error {
        Error::MissingKey { path: self.path.clone(), key: keys.join(" or "), expected }
    }

    /// A setting that is on or off; off if it is not there.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(json::truthy)
    }

    /// An f32 of this value, rounded as Python's `struct.pack("<f", …)` does.
    pub(crate) fn f32(&self, key: &str, value: &Value) -> Result<f32, Error> {
        json::to_f32(value).ok_or_else(|| bad_key(&self.path, key, value, "a number within the range of F32"))
    }
}
