//! What does not fit together in a checkpoint, and how a message tells of many such things.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use gguf_format::{DimsError, MAX_TENSOR_NAME_BYTES};

use crate::text::line;

/// Where an index and its shards, or two shards, contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShardProblem {
    /// A shard that the index names is not there.
    #[error("{}: absent, but {} names it as the file of {}", shard.display(), index.display(), count(*tensors))]
    Absent {
        /// The index.
        index: PathBuf,
        /// The shard.
        shard: PathBuf,
        /// How many tensors should be in it.
        tensors: usize,
    },
    /// The index names a file that is not in the folder itself.
    #[error("{}: file of `{tensor}` is `{found}`, expected the name of a file in the same folder", index.display())]
    Outside {
        /// The index.
        index: PathBuf,
        /// The tensor.
        tensor: String,
        /// What the index says.
        found: String,
    },
    /// A shard lacks tensors that the index says it holds.
    #[error(
        "{}: lacks {} that {} says it holds: {}",
        shard.display(), count(tensors.len()), index.display(), told(tensors, ", ")
    )]
    Lacks {
        /// The index.
        index: PathBuf,
        /// The shard.
        shard: PathBuf,
        /// The tensors.
        tensors: Vec<String>,
    },
    /// A shard holds tensors that the index does not name.
    #[error(
        "{}: holds {} that {} does not place there: {}",
        shard.display(), count(tensors.len()), index.display(), told(tensors, ", ")
    )]
    Extra {
        /// The index.
        index: PathBuf,
        /// The shard.
        shard: PathBuf,
        /// The tensors.
        tensors: Vec<String>,
    },
    /// Two shards hold tensors of the same names.
    #[error("{} in {} and again in {}: {}", count(tensors.len()), first.display(), second.display(), told(tensors, ", "))]
    Twice {
        /// One shard.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The tensors.
        tensors: Vec<String>,
    },
}

/// Where tensors, config and tokenizer do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A tensor that the architecture has no place for.
    #[error("tensor `{tensor}`: unknown")]
    Unknown {
        /// The tensor.
        tensor: String,
    },
    /// A tensor that the architecture needs and the checkpoint lacks.
    #[error("tensor `{tensor}`: missing")]
    Missing {
        /// The tensor's name in the checkpoint.
        tensor: String,
    },
    /// Two tensors of the checkpoint are the same tensor of the model.
    #[error("`{first}` and `{second}` are both `{plain}`, expected one of them")]
    Twice {
        /// One tensor.
        first: String,
        /// The other.
        second: String,
        /// The name that both have without what stands before it.
        plain: String,
    },
    /// A tensor's shape is not what the config says.
    #[error("{}: tensor `{tensor}`: shape {found:?}, expected {expected:?} by config.json ({terms})", path.display())]
    Shape {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape, outermost first.
        found: Vec<u64>,
        /// The shape by the config.
        expected: Vec<u64>,
        /// What the expected dimensions are: `vocab_size x hidden_size`.
        terms: String,
    },
    /// A tensor cannot be divided as the config says.
    #[error("{}: tensor `{tensor}`: shape {found:?}, expected one that has {expected} by config.json", path.display())]
    Layout {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape, outermost first.
        found: Vec<u64>,
        /// The divisions.
        expected: String,
    },
    /// A tensor's elements are of a type that is not read.
    #[error("{}: tensor `{tensor}`: dtype {dtype} is not read, expected {expected}", path.display())]
    Dtype {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its dtype.
        dtype: String,
        /// Dtypes that are read.
        expected: &'static str,
    },
    /// A tensor's shape is none that a GGUF file can hold.
    #[error("{}: tensor `{tensor}`: shape {found:?}: {source}", path.display())]
    Dims {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The shape it would have, outermost first.
        found: Vec<u64>,
        /// Which rule it breaks.
        source: DimsError,
    },
    /// A tensor's name is longer than llama.cpp takes.
    #[error("tensor `{name}`: name of {} bytes, expected 1 to {MAX_TENSOR_NAME_BYTES} without NUL", name.len())]
    Name {
        /// The name.
        name: String,
    },
    /// The tokenizer, or another part of the metadata, cannot be converted.
    #[error("{said}")]
    Metadata {
        /// The error's message.
        said: String,
    },
    /// The tokenizer has more or fewer tokens than there are embeddings.
    #[error("the tokenizer has {tokens} tokens, expected {rows}, the rows of the embeddings (vocab_size)")]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokens: u64,
        /// Rows of the embeddings.
        rows: u64,
    },
}

/// How many things of a list a message tells: about what a person reads. The error itself has all of them.
const TOLD: usize = 10;

/// The first things of a list, and how many more there are.
pub(crate) fn told<T: Display>(list: &[T], between: &str) -> String {
    let mut text = list.iter().take(TOLD).map(line).collect::<Vec<_>>().join(between);
    if let Some(more) = list.len().checked_sub(TOLD).filter(|more| *more > 0) {
        text.push_str(&format!("{between}and {more} more"));
    }
    text
}

/// All problems of a model in one line; tensors that have the same one together.
pub(crate) fn mismatch(path: &Path, architecture: Option<&str>, problems: &[Problem]) -> String {
    let of = |pick: fn(&Problem) -> Option<&String>| problems.iter().filter_map(pick).collect::<Vec<_>>();
    let unknown = of(|p| if let Problem::Unknown { tensor } = p { Some(tensor) } else { None });
    let missing = of(|p| if let Problem::Missing { tensor } = p { Some(tensor) } else { None });
    let mut parts = Vec::new();
    if let Some(architecture) = architecture {
        if !unknown.is_empty() {
            parts.push(format!(
                "{} unknown to {architecture}: {}",
                count(unknown.len()),
                told(&unknown, ", ")
            ));
        }
        if !missing.is_empty() {
            parts.push(format!(
                "{} missing that {architecture} needs: {}",
                count(missing.len()),
                told(&missing, ", ")
            ));
        }
    }
    let grouped = |p: &&Problem| !matches!(p, Problem::Unknown { .. } | Problem::Missing { .. });
    let others: Vec<&Problem> = problems.iter().filter(grouped).collect();
    if !others.is_empty() {
        parts.push(told(&others, "; "));
    }
    let text = parts.join("; ");
    // Tensors that are taken as they are name their file themselves.
    if architecture.is_some() { format!("{}: {text}", path.display()) } else { text }
}

/// The note of tensors that are left out; none if there are none.
pub(crate) fn left_out(names: &[&str]) -> Option<String> {
    let (count, told) = (count(names.len()), told(names, ", "));
    let note = format!("{count} of the checkpoint left out, for which a GGUF file has no place: {told}");
    (!names.is_empty()).then_some(note)
}

/// `1 tensor`, `3 tensors`.
fn count(tensors: usize) -> String {
    if tensors == 1 { "1 tensor".to_owned() } else { format!("{tensors} tensors") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_short() {
        let names = |n: usize| (0..n).map(|i| format!("t{i}")).collect::<Vec<_>>();
        assert_eq!(told(&names(2), ", "), "t0, t1");
        assert_eq!(told(&names(10), ", "), "t0, t1, t2, t3, t4, t5, t6, t7, t8, t9");
        assert_eq!(told(&names(223), ", "), "t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, and 213 more");
        let mut problems: Vec<Problem> =
            names(12).into_iter().map(|tensor| Problem::Missing { tensor }).collect();
        problems.push(Problem::Vocabulary { tokens: 3, rows: 2 });
        problems.push(Problem::Unknown { tensor: "x".into() });
        assert_eq!(
            mismatch(Path::new("m"), Some("llama"), &problems),
            "m: 1 tensor unknown to llama: x; 12 tensors missing that llama needs: t0, t1, t2, t3, t4, t5, t6, t7, t8, \
             t9, and 2 more; the tokenizer has 3 tokens, expected 2, the rows of the embeddings (vocab_size)"
        );
    }
}
