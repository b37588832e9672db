//! What `config.json` may leave out: transformers' defaults, by model type.
//!
//! convert_hf_to_gguf reads the config through transformers' `AutoConfig`, which fills in what is absent. The table is
//! `defaults.json`, which `conformance/scripts/config_defaults.py` makes of the configuration classes of transformers
//! 5.23. Sizes that shape tensors (hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, vocab_size)
//! are left out on purpose: a config without them is broken, and transformers' defaults for them (4096, 32 …) only
//! hide it. Only models within models have them (`…_text`): the configs of Gemma 3 rely on that, and a wrong one does not
//! fit the tensors.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The defaults of one `model_type`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults(&'static Map<String, Value>);

static TABLE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("defaults.json")).unwrap_or_default());

const HIDDEN: &[&str] = &["hidden_size", "n_embd", "d_model"];
const HEADS: &[&str] = &["num_attention_heads", "n_head", "n_heads"];

impl Defaults {
    /// The defaults for this config, if its `model_type` has some and transformers would take it.
    pub(crate) fn of(config: &Map<String, Value>) -> Option<Self> {
        let model_type = config.get("model_type")?.as_str()?;
        let defaults = Self(TABLE.get(model_type)?.as_object()?);
        let split = || Some((integer(config, HIDDEN)?, integer(config, HEADS)?));
        let whole = split().is_none_or(|(hidden, heads)| heads != 0 && hidden.is_multiple_of(heads));
        // The converter takes a config that transformers refuses as it stands.
        (whole || defaults.special("whole_heads").is_none()).then_some(defaults)
    }

    fn special(self, key: &str) -> Option<&'static Value> {
        self.0.get("")?.get(key)
    }

    /// Whether the type has rotary embeddings, whose parameters transformers puts in one form.
    pub(crate) fn has_rope(self) -> bool {
        self.special("rope").is_some()
    }

    /// The parameters of rotary embeddings where the config has none.
    pub(crate) fn rope(self) -> Map<String, Value> {
        self.special("rope").and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// `rope_theta` of parameters that have none.
    pub(crate) fn theta(self) -> Value {
        self.special("theta").cloned().unwrap_or(Value::from(10_000.0))
    }

    /// `partial_rotary_factor` of parameters that have none.
    pub(crate) fn partial(self) -> Option<Value> {
        self.special("partial").cloned()
    }

    /// Whether the type says of each layer which kind of attention it has, even if the config does not.
    pub(crate) fn has_layer_types(self) -> bool {
        self.special("layer_types").is_some()
    }

    /// Fills in what is absent or null.
    pub(crate) fn fill(self, config: &mut Map<String, Value>) {
        // Twice: what is made of other settings may be made of such as are filled in.
        let all = || self.0.iter().filter(|(key, _)| !key.is_empty());
        for (key, fill) in all().chain(all()) {
            let absent = !config.contains_key(key);
            if !absent && config.get(key).is_some_and(|v| !v.is_null()) {
                continue;
            }
            let value = match fill {
                Value::Object(cases) => cases.get(if absent { "absent" } else { "null" }).cloned(),
                Value::String(text) if text.starts_with('=') => Some(fill.clone()),
                _ => absent.then(|| fill.clone()),
            };
            if let Some(value) = value.and_then(|v| made(&v, config)) {
                config.insert(key.clone(), value);
            }
        }
        self.fill_layer_types(config);
    }

    /// Kinds of layers, where every so many attend to everything and the others to a window.
    fn fill_layer_types(self, config: &mut Map<String, Value>) {
        let given = config.get("layer_types").is_some_and(|v| !v.is_null());
        let every = self.special("layer_types").and_then(Value::as_u64);
        let pattern = ["sliding_window_pattern", "_sliding_window_pattern"];
        let every = every.map(|every| integer(config, &pattern).unwrap_or(every)).filter(|n| *n > 0);
        let layers = integer(config, &["num_hidden_layers"]);
        if let (false, Some(every), Some(layers @ ..=4096)) = (given, every, layers) {
            let kind = |i: u64| if i.is_multiple_of(every) { "full_attention" } else { "sliding_attention" };
            config.insert("layer_types".to_owned(), (1..=layers).map(kind).collect());
        }
    }
}

/// A default, computed where it is made of other settings.
fn made(value: &Value, config: &Map<String, Value>) -> Option<Value> {
    let Some(formula) = value.as_str().and_then(|s| s.strip_prefix('=')) else {
        return (!value.is_null()).then(|| value.clone());
    };
    let (hidden, heads) = (integer(config, HIDDEN), integer(config, HEADS));
    let made = match formula {
        "heads" => heads,
        "layers" => integer(config, &["num_layers"]),
        "head_dim" => hidden.zip(heads).and_then(|(hidden, heads)| hidden.checked_div(heads)),
        other => {
            let times = other.strip_suffix("*hidden").and_then(|n| n.parse().ok());
            hidden.zip(times).and_then(|(hidden, times): (u64, u64)| hidden.checked_mul(times))
        }
    };
    made.map(Value::from)
}

fn integer(config: &Map<String, Value>, keys: &[&str]) -> Option<u64> {
    keys.iter().find_map(|key| config.get(*key)?.as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_has_as_many_layers_as_the_encoder_unless_the_config_says() {
        for model_type in ["t5", "mt5", "umt5"] {
            for (given, decoder) in
                [("", 12), (r#","num_decoder_layers":null"#, 12), (r#","num_decoder_layers":3"#, 3)]
            {
                let text = format!(r#"{{"model_type":"{model_type}","num_layers":12{given}}}"#);
                let mut config: Map<String, Value> = serde_json::from_str(&text).unwrap();
                Defaults::of(&config).unwrap().fill(&mut config);
                assert_eq!(config.get("num_decoder_layers"), Some(&Value::from(decoder)), "{text}");
            }
        }
    }

    #[test]
    fn the_table_is_read_and_formulas_are_known() {
        let table = TABLE.as_object().unwrap();
        assert!(table.len() > 60);
        let config = serde_json::json!({"hidden_size": 384, "num_attention_heads": 24, "num_layers": 12});
        for (model_type, values) in table {
            for (key, value) in values.as_object().unwrap() {
                let cases = match value {
                    Value::Object(cases) if !key.is_empty() => cases.values().cloned().collect(),
                    other => vec![other.clone()],
                };
                for case in cases.iter().filter(|c| !c.is_null()) {
                    assert!(made(case, config.as_object().unwrap()).is_some(), "{model_type} {key}");
                }
            }
        }
    }
}
