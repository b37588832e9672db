//! The dimensions that a config gives a model's tensors.

use crate::config::Config;
use crate::error::Error;

/// A dimension of a tensor, by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dim {
    /// Layers.
    Blocks,
    /// Width of the embeddings.
    Hidden,
    /// Width of the feed-forward part.
    FeedForward,
    /// Rows of the embeddings.
    Vocab,
    /// Query heads.
    Heads,
    /// Key and value heads.
    KeyHeads,
    /// Width of a head.
    HeadWidth,
    /// Heads times their width.
    QueryRows,
    /// Key heads times their width.
    KeyRows,
    /// Positions that have an embedding of their own.
    Positions,
    /// Kinds of token, such as first and second sentence.
    TokenTypes,
    /// Classes of a classifier.
    Labels,
}

impl Dim {
    /// How a message names it: the config's keys.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blocks => "num_hidden_layers",
            Self::Hidden => "hidden_size",
            Self::FeedForward => "intermediate_size",
            Self::Vocab => "vocab_size",
            Self::Heads => "num_attention_heads",
            Self::KeyHeads => "num_key_value_heads",
            Self::HeadWidth => "head_dim",
            Self::QueryRows => "num_attention_heads*head_dim",
            Self::KeyRows => "num_key_value_heads*head_dim",
            Self::Positions => "max_position_embeddings",
            Self::TokenTypes => "type_vocab_size",
            Self::Labels => "labels",
        }
    }
}

impl Config {
    /// A dimension, from the config's keys in the order in which convert_hf_to_gguf looks for them.
    pub(crate) fn dim(&self, dim: Dim) -> Result<u64, Error> {
        match dim {
            Dim::Blocks => self.needed_size(&["n_layers", "num_hidden_layers", "n_layer", "num_layers"]),
            Dim::Hidden => self.needed_size(&["hidden_size", "n_embd", "dim"]),
            Dim::FeedForward => self.needed_size(&["intermediate_size", "n_inner", "hidden_dim"]),
            Dim::Vocab => self.needed_size(&["vocab_size"]),
            Dim::Heads => self.needed_size(&["num_attention_heads", "n_head", "n_heads"]),
            Dim::KeyHeads => match self.size(&["num_key_value_heads", "n_kv_heads"])? {
                Some(_) => self.needed_size(&["num_key_value_heads", "n_kv_heads"]),
                None => self.dim(Dim::Heads),
            },
            Dim::HeadWidth => match self.size(&["head_dim"])? {
                Some(_) => self.needed_size(&["head_dim"]),
                None => Ok(self.dim(Dim::Hidden)? / self.dim(Dim::Heads)?),
            },
            // Both factors are below 2^32.
            Dim::QueryRows => Ok(self.dim(Dim::Heads)? * self.dim(Dim::HeadWidth)?),
            Dim::KeyRows => Ok(self.dim(Dim::KeyHeads)? * self.dim(Dim::HeadWidth)?),
            Dim::Positions => self.needed_size(&["max_position_embeddings"]),
            Dim::TokenTypes => self.needed_size(&["type_vocab_size"]),
            Dim::Labels => Ok(match self.labels()? {
                Some(labels) => labels.len() as u64,
                None => 2,
            }),
        }
    }

    /// The names of a classifier's classes, by number; `None` if there are none but the two that transformers makes up.
    pub(crate) fn labels(&self) -> Result<Option<Vec<String>>, Error> {
        use serde_json::Value;
        const EXPECTED: &str = "an object of numbers and names";
        let labels = match self.get("id2label") {
            Some(given @ Value::Object(map)) => {
                let wrong = || crate::json::bad_key(self.path(), "id2label", given, EXPECTED);
                let mut labels = Vec::new();
                for (number, name) in map {
                    let number: i64 = number.trim().parse().map_err(|_| wrong())?;
                    labels.push((number, name.as_str().ok_or_else(wrong)?.to_owned()));
                }
                labels.sort_by_key(|(number, _)| *number);
                labels
            }
            Some(other) => return Err(crate::json::bad_key(self.path(), "id2label", other, EXPECTED)),
            None => {
                // No more than a header can have bytes: they are names that would all be written out.
                let count = self.size(&["num_labels"])?.unwrap_or(2).min(1 << 20) as i64;
                (0..count).map(|i| (i, format!("LABEL_{i}"))).collect()
            }
        };
        let made_up =
            labels.len() == 2 && labels.iter().any(|(number, name)| *number == 0 && name == "LABEL_0");
        Ok((!labels.is_empty() && !made_up).then(|| labels.into_iter().map(|(_, name)| name).collect()))
    }
}
