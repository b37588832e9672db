//! Cutting a model into shards: which tensors go where, and the metadata that each shard has.
//!
//! Source of the facts: `tools/gguf-split/gguf-split.cpp` of llama.cpp as in llama-cpp-python 0.3.36, and for shards
//! kept as they were `llama_model_quantize_impl` in `llama-quant.cpp`, as pinned by `llama-cpp-sys-2` 0.1.161.

use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Range;
use std::str::FromStr;

use crate::error::ShardError;
use crate::keys;
use crate::metadata::Metadata;
use crate::value::Value;

/// How much goes into a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShardLimit {
    /// At most this many tensors (`--split-max-tensors`).
    Tensors(NonZeroU32),
    /// At most this many bytes of tensors with their padding (`--split-max-size`). The header does not count, and a
    /// tensor that is larger by itself gets a shard of its own.
    Bytes(NonZeroU64),
}

impl Default for ShardLimit {
    /// 128 tensors, as `llama-gguf-split` has it.
    fn default() -> Self {
        const DEFAULT: NonZeroU32 = NonZeroU32::new(128).unwrap();
        Self::Tensors(DEFAULT)
    }
}

/// Text is a size in units of a thousand thousands: `300M`, `2G`. A number without a unit is refused, as by
/// `llama-gguf-split`.
impl FromStr for ShardLimit {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let wrong = || ShardError::Size { found: text.to_owned() };
        let unit = match text.chars().last() {
            Some('M') => 1_000_000,
            Some('G') => 1_000_000_000,
            _ => return Err(wrong()),
        };
        let digits = text.get(..text.len() - 1).unwrap_or_default();
        let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number: Option<u64> = whole.then(|| digits.parse().ok()).flatten();
        let bytes = number.and_then(|number| number.checked_mul(unit)).and_then(NonZeroU64::new);
        bytes.map(Self::Bytes).ok_or_else(wrong)
    }
}

/// The rule by which a model is cut: in the order of its tensors, each shard filled up to a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShardRule {
    limit: ShardLimit,
    metadata_alone: bool,
}

impl ShardRule {
    /// Shards of this limit.
    #[must_use]
    pub fn new(limit: ShardLimit) -> Self {
        Self { limit, metadata_alone: false }
    }

    /// Whether the first shard holds only metadata (`--no-tensor-first-split`), so that it can be replaced without
    /// the tensors.
    #[must_use]
    pub fn with_metadata_alone(mut self, alone: bool) -> Self {
        self.metadata_alone = alone;
        self
    }

    /// The limit.
    #[must_use]
    pub fn limit(&self) -> ShardLimit {
        self.limit
    }

    /// Cuts a list of tensors, given as each one's size in bytes, with its padding: the tensors of every shard, the
    /// first shard first. There is always at least one shard.
    ///
    /// # Errors
    /// [`ShardError::TooSmall`] if the first tensor is larger than a shard may be; `llama-gguf-split` stops there too,
    /// though a later one only gets a shard of its own. [`ShardError::TooMany`] for more than 65535 shards.
    pub fn cut(&self, sizes: impl IntoIterator<Item = u64>) -> Result<Vec<Range<usize>>, ShardError> {
        let mut shards = Vec::new();
        if self.metadata_alone {
            shards.push(0..0);
        }
        let (mut start, mut end, mut bytes) = (0, 0, 0u64);
        for size in sizes {
            bytes = bytes.saturating_add(size);
            let full = match self.limit {
                ShardLimit::Bytes(limit) if bytes > limit.get() && start == end => {
                    return Err(ShardError::TooSmall { tensor: end, size, limit: limit.get() });
                }
                ShardLimit::Bytes(limit) => bytes > limit.get(),
                ShardLimit::Tensors(limit) => end > 0 && (end as u64).is_multiple_of(u64::from(limit.get())),
            };
            if full {
                shards.push(start..end);
                (start, bytes) = (end, size);
            }
            end += 1;
        }
        shards.push(start..end);
        match u16::try_from(shards.len()) {
            Ok(_) => Ok(shards),
            Err(_) => Err(ShardError::TooMany { found: shards.len() }),
        }
    }
}

/// Which program's order the keys of a split have. Nothing else depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShardKeys {
    /// `split.no`, `split.tensors.count`, `split.count`, as `llama-gguf-split` writes.
    Split,
    /// `split.no`, `split.count`, `split.tensors.count`, as `llama-quantize --keep-split` writes.
    Kept,
}

impl ShardKeys {
    /// The metadata of one shard of a model: of the first all of the model's, of the others only what tells of the
    /// split.
    ///
    /// `index` is counted from 0; `tensors` is the number of tensors in all shards.
    #[must_use]
    pub fn metadata(self, model: &Metadata, index: u16, count: u16, tensors: i32) -> Metadata {
        let mut metadata = if index == 0 { model.clone() } else { Metadata::new() };
        let (no, count) = ((keys::SPLIT_NO, Value::U16(index)), (keys::SPLIT_COUNT, Value::U16(count)));
        let tensors = (keys::SPLIT_TENSORS_COUNT, Value::I32(tensors));
        let pairs = match self {
            Self::Split => [no, tensors, count],
            Self::Kept => [no, count, tensors],
        };
        for (key, value) in pairs {
            metadata.move_to_end(key, value);
        }
        metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(n: u64) -> ShardRule {
        ShardRule::new(ShardLimit::Bytes(NonZeroU64::new(n).unwrap()))
    }

    fn tensors(n: u32) -> ShardRule {
        ShardRule::new(ShardLimit::Tensors(NonZeroU32::new(n).unwrap()))
    }

    #[test]
    fn shards_are_filled_in_order() {
        let cut = |rule: ShardRule, sizes: &[u64]| rule.cut(sizes.iter().copied()).unwrap();
        assert_eq!(cut(tensors(2), &[1; 5]), [0..2, 2..4, 4..5]);
        assert_eq!(cut(tensors(2), &[1; 4]), [0..2, 2..4]);
        assert_eq!(cut(tensors(2).with_metadata_alone(true), &[1; 3]), [0..0, 0..2, 2..3]);
        assert_eq!(cut(bytes(64), &[32, 32, 32]), [0..2, 2..3]);
        // What is too large alone stands alone, if it is not the first.
        assert_eq!(cut(bytes(64), &[32, 96, 32, 32]), [0..1, 1..2, 2..4]);
        assert_eq!(cut(bytes(64).with_metadata_alone(true), &[64, 32]), [0..0, 0..1, 1..2]);
        assert_eq!(cut(bytes(64), &[]), vec![0; 1].into_iter().map(|at| at..at).collect::<Vec<_>>());
        assert_eq!(cut(tensors(1).with_metadata_alone(true), &[]), [0..0, 0..0]);
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        for rule in [bytes(64), bytes(64).with_metadata_alone(true)] {
            let error = rule.cut([96, 32]).unwrap_err();
            assert_eq!(error, ShardError::TooSmall { tensor: 0, size: 96, limit: 64 });
        }
        assert_eq!(tensors(1).cut(std::iter::repeat_n(1, 65_535)).map(|shards| shards.len()), Ok(65_535));
        assert_eq!(
            tensors(1).cut(std::iter::repeat_n(1, 65_536)),
            Err(ShardError::TooMany { found: 65_536 })
        );
        assert_eq!(bytes(64).cut([1, u64::MAX, u64::MAX]).unwrap(), [0..1, 1..2, 2..3]);
    }

    #[test]
    fn sizes_in_words() {
        let limit = |text: &str| text.parse::<ShardLimit>().ok();
        let size = |n: u64| NonZeroU64::new(n).map(ShardLimit::Bytes);
        assert_eq!(limit("1M"), size(1_000_000));
        assert_eq!(limit("48G"), size(48_000_000_000));
        for wrong in ["", "M", "12", "12K", "0M", "-1G", "1.5G", "1m", "+1M", " 1M", "99999999999999G", "1é"]
        {
            assert_eq!(limit(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_first_shard_has_the_models_metadata_and_all_tell_of_the_split() {
        let model: Metadata = [
            ("split.count", Value::U16(0)),
            ("general.name", "x".into()),
            ("general.file_type", Value::U32(1)),
        ]
        .into_iter()
        .collect();
        let keys = |metadata: &Metadata| -> Vec<String> {
            metadata.iter().map(|(key, value)| format!("{key}={value:?}")).collect()
        };
        assert_eq!(
            keys(&ShardKeys::Split.metadata(&model, 0, 3, 7)),
            [
                "general.name=String(\"x\")",
                "general.file_type=U32(1)",
                "split.no=U16(0)",
                "split.tensors.count=I32(7)",
                "split.count=U16(3)",
            ]
        );
        assert_eq!(
            keys(&ShardKeys::Kept.metadata(&model, 2, 3, 7)),
            ["split.no=U16(2)", "split.count=U16(3)", "split.tensors.count=I32(7)"]
        );
    }
}
