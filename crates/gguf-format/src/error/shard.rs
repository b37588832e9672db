//! A model cannot be cut as the caller asks.

/// A model cannot be cut into shards in the way that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// A size that is none.
    #[error("{found:?} is no size of a shard, expected a whole number and M or G, as in 300M or 2G")]
    Size {
        /// The text.
        found: String,
    },
    /// The first tensor does not fit.
    #[error("tensor {tensor} has {size} bytes, more than the {limit} a shard may have: raise the size")]
    TooSmall {
        /// Which one, counted from 0.
        tensor: usize,
        /// Its size with padding.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// There would be more shards than a file can count.
    #[error("{found} shards, and a set has at most 65535: raise the limit of a shard")]
    TooMany {
        /// How many there would be.
        found: usize,
    },
}
