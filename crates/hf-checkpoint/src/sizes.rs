//! The dimensions that a config gives a model's tensors.

use crate::config::Config;
use crate::error::Error;

/// A dimension of a tensor, by what it means.
#[derive(Clone, Copy)]
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
    /// Experts of a mixture.
    Experts,
    /// Width of an expert's feed-forward part.
    ExpertForward,
    /// Positions that have an embedding of their own.
    Positions,
    /// Kinds of token, such as first and second sentence.
    TokenTypes,
    /// Classes of a classifier.
    Labels,
    /// The first of these settings that is there.
    Key(&'static [&'static str]),
    /// The first of these settings that is there, else something else.
    KeyOr(&'static [&'static str], &'static Dim),
    /// This number.
    Fixed(u64),
    /// All of them added.
    Sum(&'static [Dim]),
    /// All of them multiplied.
    Product(&'static [Dim]),
    /// The first divided by the second, rounded down.
    Quotient(&'static Dim, &'static Dim),
    /// Anything else: what messages call it, and how it is found for a block.
    Rule(&'static str, fn(&Config, u64) -> Result<u64, Error>),
}

impl Dim {
    /// How a message names it: the config's keys.
    pub(crate) fn name(self) -> String {
        let joined = |dims: &[Self], with: &str| {
            let names: Vec<_> = dims.iter().map(|d| d.name()).collect();
            names.join(with)
        };
        let name = match self {
            Self::Blocks => "num_hidden_layers",
            Self::Hidden => "hidden_size",
            Self::FeedForward => "intermediate_size",
            Self::Vocab => "vocab_size",
            Self::Heads => "num_attention_heads",
            Self::KeyHeads => "num_key_value_heads",
            Self::HeadWidth => "head_dim",
            Self::QueryRows => "num_attention_heads*head_dim",
            Self::KeyRows => "num_key_value_heads*head_dim",
            Self::Experts => "num_experts",
            Self::ExpertForward => "moe_intermediate_size",
            Self::Positions => "max_position_embeddings",
            Self::TokenTypes => "type_vocab_size",
            Self::Labels => "labels",
            Self::Key(keys) | Self::KeyOr(keys, _) => keys.first().copied().unwrap_or_default(),
            Self::Fixed(n) => return n.to_string(),
            Self::Sum(dims) => return format!("({})", joined(dims, "+")),
            Self::Product(dims) => return joined(dims, "*"),
            Self::Quotient(a, b) => return format!("{}/{}", a.name(), b.name()),
            Self::Rule(name, _) => name,
        };
        name.to_owned()
    }
}

/// A shape for messages.
pub(crate) fn terms(dims: &[Dim]) -> String {
    dims.iter().map(|d| d.name()).collect::<Vec<_>>().join(" x ")
}

const KEY_HEADS: &[&str] = &["num_key_value_heads", "n_kv_heads", "num_kv_heads"];

impl Config {
    /// A dimension that is the same in all blocks.
    pub(crate) fn dim(&self, dim: Dim) -> Result<u64, Error> {
        self.dim_of(dim, 0)
    }

    /// A dimension in a block, from the config's keys in the order in which convert_hf_to_gguf looks for them.
    pub(crate) fn dim_of(&self, dim: Dim, block: u64) -> Result<u64, Error> {
        let out_of_range = || {
            let found = serde_json::Value::Null;
            crate::json::bad_key(self.path(), &dim.name(), &found, "a size below 2^64")
        };
        let all = |dims: &[Dim]| dims.iter().map(|d| self.dim_of(*d, block)).collect::<Result<Vec<_>, _>>();
        match dim {
            Dim::Blocks => self.needed_size(&["n_layers", "num_hidden_layers", "n_layer", "num_layers"]),
            Dim::Hidden => self.needed_size(&["hidden_size", "n_embd", "dim", "d_model"]),
            Dim::FeedForward => self.needed_size(&[
                "prefix_dense_intermediate_size",
                "dense_intermediate_size",
                "intermediate_size",
                "n_inner",
                "hidden_dim",
            ]),
            Dim::Vocab => self.needed_size(&["vocab_size"]),
            Dim::Heads => self.needed_size(&["num_attention_heads", "n_head", "n_heads"]),
            Dim::KeyHeads => match self.size(KEY_HEADS)? {
                Some(_) => self.needed_size(KEY_HEADS),
                None => self.dim(Dim::Heads),
            },
            Dim::HeadWidth => match self.size(&["head_dim"])? {
                Some(_) => self.needed_size(&["head_dim"]),
                None => Ok(self.dim(Dim::Hidden)? / self.dim(Dim::Heads)?),
            },
            // Both factors are below 2^32.
            Dim::QueryRows => Ok(self.dim(Dim::Heads)? * self.dim(Dim::HeadWidth)?),
            Dim::KeyRows => Ok(self.dim(Dim::KeyHeads)? * self.dim(Dim::HeadWidth)?),
            Dim::Experts => self.needed_size(&["num_local_experts", "num_experts", "n_routed_experts"]),
            Dim::ExpertForward => {
                self.needed_size(&["moe_intermediate_size", "expert_ffn_hidden_size", "intermediate_size"])
            }
            Dim::Positions => self.needed_size(&["max_position_embeddings", "n_positions"]),
            Dim::TokenTypes => self.needed_size(&["type_vocab_size"]),
            Dim::Labels => Ok(match self.labels()? {
                Some(labels) => labels.len() as u64,
                None => 2,
            }),
            Dim::Key(keys) => self.needed_size(keys),
            Dim::KeyOr(keys, or) => match self.size(keys)? {
                Some(size) => Ok(size),
                None => self.dim_of(*or, block),
            },
            Dim::Fixed(n) => Ok(n),
            Dim::Sum(dims) => {
                let sum = all(dims)?.into_iter().try_fold(0u64, u64::checked_add);
                sum.ok_or_else(out_of_range)
            }
            Dim::Product(dims) => {
                let product = all(dims)?.into_iter().try_fold(1u64, u64::checked_mul);
                product.ok_or_else(out_of_range)
            }
            Dim::Quotient(a, b) => {
                let (a, b) = (self.dim_of(*a, block)?, self.dim_of(*b, block)?);
                a.checked_div(b).ok_or_else(out_of_range)
            }
            Dim::Rule(_, rule) => rule(self, block),
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
