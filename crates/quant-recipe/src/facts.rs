//! What the rules need to know of a model.

use gguf_format::{Array, Metadata, Value};

use crate::error::RecipeError;

/// The hyper-parameters that decide a mix.
///
/// Without metadata of an architecture ([`ModelFacts::default`]), every number is 0 and no rule for a special
/// architecture applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelFacts {
    /// `general.architecture`.
    pub architecture: String,
    /// `{arch}.block_count`: the number of layers, those for multi-token prediction included.
    pub block_count: u32,
    /// `{arch}.nextn_predict_layers`: how many of the layers are for multi-token prediction.
    pub nextn_predict_layers: u32,
    /// `{arch}.attention.head_count`, of the first layer.
    pub head_count: u32,
    /// `{arch}.attention.head_count_kv`, of the first layer; that of `head_count` if it is not there.
    pub head_count_kv: u32,
    /// `{arch}.expert_count`.
    pub expert_count: u32,
}

/// Architectures in which llama.cpp calls a model of this many layers its 70B type, and gives the attention's
/// values more bits. Source: `load_arch_hparams` in llama.cpp's `models/{arch}.cpp`, as pinned by
/// `llama-cpp-sys-2` 0.1.161.
const LAYERS_OF_70B: &[(&str, u32, Heads)] = &[
    ("llama", 80, Heads::Grouped),
    ("llama-embed", 80, Heads::Grouped),
    ("qwen2", 80, Heads::Any),
    ("deci", 80, Heads::Any),
    ("olmo", 80, Heads::Any),
    ("jais2", 68, Heads::Any),
];

/// What a row of the table asks of the attention heads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heads {
    /// Nothing.
    Any,
    /// More query heads than key heads; and not eight experts, whose models have types of their own.
    Grouped,
}

impl ModelFacts {
    /// Reads the facts from a model's metadata. A key that is not there counts as 0 (`head_count_kv`: as
    /// `head_count`); of a list with an entry a layer, the first counts, as in llama.cpp.
    ///
    /// # Errors
    /// [`RecipeError::Metadata`] if a key holds something else than a number that fits 32 bits, or a list of
    /// them with as many entries as layers.
    pub fn from_metadata(metadata: &Metadata) -> Result<Self, RecipeError> {
        let key = "general.architecture";
        let architecture = match metadata.get(key) {
            None => return Ok(Self::default()),
            Some(value) => value.as_str().ok_or_else(|| wrong(key, value, "a string"))?.to_string(),
        };
        let number = |name: &str| number(metadata, &format!("{architecture}.{name}"));
        let block_count = number("block_count")?.unwrap_or(0);
        let first = |name: &str| first(metadata, &format!("{architecture}.{name}"), block_count);
        let head_count = first("attention.head_count")?.unwrap_or(0);
        Ok(Self {
            block_count,
            nextn_predict_layers: number("nextn_predict_layers")?.unwrap_or(0),
            head_count,
            head_count_kv: first("attention.head_count_kv")?.unwrap_or(head_count),
            expert_count: number("expert_count")?.unwrap_or(0),
            architecture,
        })
    }

    /// Query heads to a key head, in the first layer; 0 if it has no key heads.
    pub(crate) fn queries_per_key(&self) -> u32 {
        self.head_count.checked_div(self.head_count_kv).unwrap_or(0)
    }

    /// Whether llama.cpp counts the model among those of 70B.
    pub(crate) fn is_70b(&self) -> bool {
        let layers = self.block_count.saturating_sub(self.nextn_predict_layers);
        LAYERS_OF_70B.iter().any(|&(architecture, count, heads)| {
            let grouped = self.head_count != self.head_count_kv && self.expert_count != 8;
            architecture == self.architecture && count == layers && (heads == Heads::Any || grouped)
        })
    }
}

fn wrong(key: &str, found: &Value, expected: &str) -> RecipeError {
    let found = match (found.as_u64(), found) {
        (Some(number), _) => format!("{} {number}", found.value_type()),
        (None, Value::Array(list)) => format!("a list of {} {}", list.len(), list.element_type()),
        (None, other) => other.value_type().to_string(),
    };
    RecipeError::Metadata { key: key.to_string(), found, expected: expected.to_string() }
}

/// A number; `None` if the key is not there.
fn number(metadata: &Metadata, key: &str) -> Result<Option<u32>, RecipeError> {
    let Some(value) = metadata.get(key) else { return Ok(None) };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or_else(|| wrong(key, value, "a number of 32 bits"))
}

/// A number, or the first of a list with an entry a layer; `None` if the key is not there.
fn first(metadata: &Metadata, key: &str, block_count: u32) -> Result<Option<u32>, RecipeError> {
    let Some(value @ Value::Array(list)) = metadata.get(key) else { return number(metadata, key) };
    let first = match list {
        Array::U32(list) => list.first().copied(),
        Array::I32(list) => list.first().and_then(|&first| u32::try_from(first).ok()),
        _ => None,
    };
    match first {
        Some(first) if list.len() as u64 == u64::from(block_count) => Ok(Some(first)),
        _ => Err(wrong(key, value, &format!("a number of 32 bits, or a list of {block_count}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, Value)]) -> Result<ModelFacts, RecipeError> {
        ModelFacts::from_metadata(&pairs.iter().cloned().collect())
    }

    #[test]
    fn a_model_without_an_architecture_has_defaults() {
        assert_eq!(read(&[("llama.block_count", Value::U32(3))]), Ok(ModelFacts::default()));
        let named = read(&[("general.architecture", "mistral".into())]).unwrap();
        assert_eq!(named, ModelFacts { architecture: "mistral".into(), ..ModelFacts::default() });
        assert_eq!(named.queries_per_key(), 0);
    }

    #[test]
    fn lists_give_their_first_entry_and_keys_default_to_queries() {
        let facts = read(&[
            ("general.architecture", "deci".into()),
            ("deci.block_count", Value::U32(3)),
            ("deci.attention.head_count", Value::U32(32)),
            ("deci.attention.head_count_kv", vec![4_u32, 8, 0].into()),
            ("deci.expert_count", Value::U32(8)),
        ])
        .unwrap();
        assert_eq!((facts.block_count, facts.head_count, facts.head_count_kv), (3, 32, 4));
        assert_eq!((facts.expert_count, facts.queries_per_key()), (8, 8));
        let facts = read(&[
            ("general.architecture", "a".into()),
            ("a.block_count", Value::U32(2)),
            ("a.attention.head_count", vec![6_i32, 7].into()),
        ])
        .unwrap();
        assert_eq!((facts.head_count, facts.head_count_kv), (6, 6));
    }

    #[test]
    fn what_is_no_number_is_refused_by_name() {
        for (key, value, message) in [
            (
                "a.block_count",
                "3".into(),
                "metadata key a.block_count: found str, expected a number of 32 bits",
            ),
            ("a.block_count", Value::I32(-1), "metadata key a.block_count: found i32, expected"),
            ("a.expert_count", Value::U64(1 << 32), "metadata key a.expert_count: found u64 4294967296,"),
            (
                "a.attention.head_count",
                vec![1_u32, 2].into(),
                "a.attention.head_count: found a list of 2 u32,",
            ),
            ("a.attention.head_count_kv", Vec::<u32>::new().into(), "found a list of 0 u32,"),
            ("general.architecture", Value::U32(1), "found u32 1, expected a string"),
        ] {
            // The second architecture replaces the first.
            let error = read(&[("general.architecture", "a".into()), (key, value)]);
            let error = error.unwrap_err().to_string();
            assert!(error.contains(message), "{error:?} lacks {message:?}");
        }
    }

    #[test]
    fn models_of_70b() {
        let model = |architecture: &str, block_count, head_count_kv, expert_count| ModelFacts {
            architecture: architecture.into(),
            block_count,
            head_count: 64,
            head_count_kv,
            expert_count,
            ..ModelFacts::default()
        };
        assert!(model("llama", 80, 8, 0).is_70b());
        assert!(!model("llama", 80, 64, 0).is_70b());
        assert!(!model("llama", 80, 8, 8).is_70b());
        assert!(!model("llama", 79, 8, 0).is_70b());
        assert!(model("qwen2", 80, 64, 8).is_70b());
        assert!(!model("qwen3", 80, 8, 0).is_70b());
        assert!(model("jais2", 68, 64, 0).is_70b());
        assert!(ModelFacts { nextn_predict_layers: 1, ..model("qwen2", 81, 8, 0) }.is_70b());
    }
}
