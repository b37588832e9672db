//! What `config.json` may leave out: transformers' defaults, by model type.
//!
//! convert_hf_to_gguf reads the config through transformers' `AutoConfig`, which fills in what is absent. Source:
//! the configuration classes of transformers 5.23. Sizes that shape tensors (hidden_size, num_hidden_layers,
//! num_attention_heads, intermediate_size, vocab_size) are left out on purpose: a config without them is broken,
//! and transformers' defaults for them (4096, 32 …) only hide it.

use serde_json::{Map, Value};

/// The defaults of one `model_type`.
pub(crate) struct Defaults {
    pub model_type: &'static str,
    pub values: &'static [(&'static str, Fill)],
    /// Whether the type has rotary embeddings, whose parameters transformers puts in one form.
    pub rope: bool,
    /// Whether the type says of each layer which kind of attention it has, even if the config does not.
    pub layer_types: bool,
    /// Whether transformers refuses a hidden size that is no multiple of the heads; the converter then takes the
    /// config as it stands, without defaults.
    pub whole_heads: bool,
}

/// What a key without a value gets.
pub(crate) enum Fill {
    /// This integer.
    Int(u64),
    /// This float.
    Float(f64),
    /// hidden_size / num_attention_heads, rounded down.
    HeadDim,
    /// num_attention_heads, in the case of null; the integer in the case of no key.
    Heads(Option<u64>),
}

const TABLE: &[Defaults] = &[
    Defaults {
        model_type: "llama",
        values: &[
            ("num_key_value_heads", Fill::Heads(None)),
            ("max_position_embeddings", Fill::Int(2048)),
            ("rms_norm_eps", Fill::Float(1e-6)),
            ("head_dim", Fill::HeadDim),
        ],
        rope: true,
        layer_types: false,
        whole_heads: true,
    },
    Defaults {
        model_type: "mistral",
        values: &[
            ("num_key_value_heads", Fill::Heads(Some(8))),
            ("max_position_embeddings", Fill::Int(131_072)),
            ("rms_norm_eps", Fill::Float(1e-6)),
            ("head_dim", Fill::HeadDim),
        ],
        rope: true,
        layer_types: false,
        whole_heads: false,
    },
    Defaults {
        model_type: "qwen2",
        values: &[
            ("num_key_value_heads", Fill::Heads(Some(32))),
            ("max_position_embeddings", Fill::Int(32_768)),
            ("rms_norm_eps", Fill::Float(1e-6)),
        ],
        rope: true,
        layer_types: true,
        whole_heads: false,
    },
    Defaults {
        model_type: "qwen3",
        values: &[
            ("num_key_value_heads", Fill::Heads(Some(32))),
            ("max_position_embeddings", Fill::Int(32_768)),
            ("rms_norm_eps", Fill::Float(1e-6)),
            ("head_dim", Fill::Int(128)),
        ],
        rope: true,
        layer_types: true,
        whole_heads: false,
    },
    Defaults {
        model_type: "bert",
        values: &[
            ("max_position_embeddings", Fill::Int(512)),
            ("type_vocab_size", Fill::Int(2)),
            ("layer_norm_eps", Fill::Float(1e-12)),
        ],
        rope: false,
        layer_types: false,
        whole_heads: false,
    },
];

/// The defaults for this config, if its `model_type` has some and transformers would take it.
pub(crate) fn of(config: &Map<String, Value>) -> Option<&'static Defaults> {
    let model_type = config.get("model_type")?.as_str()?;
    let defaults = TABLE.iter().find(|d| d.model_type == model_type)?;
    let split = || Some((integer(config, "hidden_size")?, integer(config, "num_attention_heads")?));
    let whole = split().is_none_or(|(hidden, heads)| heads != 0 && hidden.is_multiple_of(heads));
    (whole || !defaults.whole_heads).then_some(defaults)
}

/// Fills in what is absent or null.
pub(crate) fn fill(defaults: &Defaults, config: &mut Map<String, Value>) {
    for (key, fill) in defaults.values {
        let absent = config.get(*key);
        if absent.is_some_and(|v| !v.is_null()) {
            continue;
        }
        let heads = integer(config, "num_attention_heads");
        let value = match fill {
            Fill::Int(v) => Some(Value::from(*v)),
            Fill::Float(v) => Some(Value::from(*v)),
            Fill::HeadDim => {
                let hidden = integer(config, "hidden_size");
                hidden.zip(heads).and_then(|(hidden, heads)| hidden.checked_div(heads)).map(Value::from)
            }
            Fill::Heads(Some(v)) if absent.is_none() => Some(Value::from(*v)),
            Fill::Heads(_) => heads.map(Value::from),
        };
        if let Some(value) = value {
            config.insert((*key).to_owned(), value);
        }
    }
}

fn integer(config: &Map<String, Value>, key: &str) -> Option<u64> {
    config.get(key)?.as_u64()
}
