//! The flags that say how large shards may be: those of llama-gguf-split, by their names.

use std::num::NonZeroU32;

use clap::Args as ClapArgs;
use entrenar::ecosystem::{ShardError, ShardLimit, ShardRule};

#[derive(ClapArgs)]
#[command(next_help_heading = "Shards")]
pub(crate) struct Sharding {
    /// Bytes of tensors in a shard, as in 300M or 2G (thousands of thousands)
    #[arg(long, value_name = "N(M|G)", value_parser = size, conflicts_with = "split_max_tensors")]
    split_max_size: Option<ShardLimit>,

    /// Tensors in a shard
    #[arg(long, value_name = "N")]
    split_max_tensors: Option<NonZeroU32>,

    /// Only metadata in the first shard
    #[arg(long)]
    no_tensor_first_split: bool,
}

fn size(text: &str) -> Result<ShardLimit, ShardError> {
    text.parse()
}

impl Sharding {
    /// The limit that was given.
    fn limit(&self) -> Option<ShardLimit> {
        self.split_max_size.or(self.split_max_tensors.map(ShardLimit::Tensors))
    }

    /// The rule, with llama-gguf-split's limit where none was given.
    pub(crate) fn rule(&self) -> ShardRule {
        ShardRule::new(self.limit().unwrap_or_default()).with_metadata_alone(self.no_tensor_first_split)
    }

    /// Whether any of the flags was given.
    pub(crate) fn is_given(&self) -> bool {
        self.limit().is_some() || self.no_tensor_first_split
    }
}
