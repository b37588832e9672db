//! The shards of a model do not fit together.

use std::path::PathBuf;

use super::key::KeyError;
use super::read::FileError;

/// The shards of a split model do not make one model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A shard cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A shard is not there.
    #[error("{}: shard {number} of {count} is missing: put it beside the others", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// Which one, counted from 1 as in file names.
        number: u32,
        /// How many there are.
        count: u16,
    },
    /// A shard's name does not end as its metadata say.
    #[error("{}: by its metadata the name should end in {suffix:?}: rename it", path.display())]
    Name {
        /// The shard.
        path: PathBuf,
        /// How its name should end.
        suffix: String,
    },
    /// A key that tells of the split is missing or of the wrong type.
    #[error("{}: {source}", path.display())]
    Key {
        /// The shard.
        path: PathBuf,
        /// What is wrong with the key.
        source: KeyError,
    },
    /// A shard's number, or the number of shards, is beyond what a `u16` holds.
    #[error("{}: key {key:?} is {found}, expected at most 65535: the file is damaged", path.display())]
    TooLarge {
        /// The shard.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        found: u64,
    },
    /// A shard's `split.no` is not that of its name.
    #[error("{}: split.no is {found}, expected {expected}: the file is misnamed", path.display())]
    Number {
        /// The shard.
        path: PathBuf,
        /// Its number, counted from 0.
        found: u16,
        /// The number that its name gives.
        expected: u16,
    },
    /// A shard's number is beyond the set.
    #[error("{}: split.no is {found}, expected a number below split.count {count}: the file is damaged", path.display())]
    Beyond {
        /// The shard.
        path: PathBuf,
        /// Its number, counted from 0.
        found: u16,
        /// The number of shards.
        count: u16,
    },
    /// A shard belongs to a set of another size.
    #[error("{}: split.count is {found}, expected {expected}: the shard is of another set", path.display())]
    Count {
        /// The shard.
        path: PathBuf,
        /// Its count.
        found: u16,
        /// The count of the shard that was opened.
        expected: u16,
    },
    /// The shards have more or fewer tensors than one of them says.
    #[error("{}: split.tensors.count is {claimed}, but the shards have {found} tensors: one is of another set",
        path.display())]
    TensorCount {
        /// The shard that says otherwise.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// How many it says.
        claimed: u64,
    },
    /// Two shards have a tensor of the same name.
    #[error("{}: tensor {name:?} is also in {}: one is of another set", path.display(), first.display())]
    DuplicateTensor {
        /// The later shard.
        path: PathBuf,
        /// The earlier shard.
        first: PathBuf,
        /// The tensor.
        name: String,
    },
}
