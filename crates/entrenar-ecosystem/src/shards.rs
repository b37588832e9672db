//! In how many files an export goes.

use gguf_format::ShardRule;

/// How the output of an export is cut into files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shards {
    /// One file.
    #[default]
    One,
    /// Shards filled up to a limit, in the order of the tensors: what `llama-gguf-split` makes of the one file.
    Rule(ShardRule),
    /// The shards that the input has (`llama-quantize --keep-split`), each tensor in that which it comes from, in the
    /// order of the input. The input is a GGUF model.
    AsInput,
}
