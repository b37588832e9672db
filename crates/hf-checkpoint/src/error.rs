//! What can be wrong with a checkpoint, and with a call.

use std::io;
use std::path::PathBuf;

use crate::problem::{Problem, ShardProblem, mismatch, told};
use crate::text::line;

/// Why a checkpoint cannot be opened or read. Each message is one line that names file, tensor or key, what was
/// found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The system.
    /// A file cannot be opened or read.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What was tried: `open`, `read 8 bytes at offset 0`.
        action: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    // The folder.
    /// The path is neither a folder, nor an index, nor a safetensors file.
    #[error(
        "{}: not a checkpoint: give a folder with config.json, a *.safetensors.index.json or a .safetensors file",
        path.display()
    )]
    NotACheckpoint {
        /// The path given.
        path: PathBuf,
    },
    /// The folder has no `config.json`.
    #[error("{}: no config.json: without it tensors can only be exported as they are (--raw)", folder.display())]
    NoConfig {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has no weights in safetensors form.
    #[error(
        "{}: no weights: found neither model.safetensors, nor model*.safetensors, nor model.safetensors.index.json{hint}",
        folder.display()
    )]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// What else was there (`; pytorch_model.bin is not read, save it as safetensors`), or nothing.
        hint: &'static str,
    },
    /// The index and the shards contradict each other.
    #[error("{}", told(problems, "; "))]
    Shards {
        /// Everything that is wrong.
        problems: Vec<ShardProblem>,
    },

    // The adapter.
    /// A folder has an adapter, but no model.
    #[error(
        "{}: an adapter, not a model: to make an adapter file, name its base (--base); to merge it, export the base with it \
         (--lora)",
        folder.display()
    )]
    AdapterAlone {
        /// The folder.
        folder: PathBuf,
    },
    /// An adapter has no weights in safetensors form.
    #[error(
        "{}: no adapter_model.safetensors; adapter_model.bin is not read, save the adapter as safetensors",
        folder.display()
    )]
    NoAdapterWeights {
        /// The adapter's folder.
        folder: PathBuf,
    },
    /// An adapter cannot be a GGUF file of its own.
    #[error("{}: cannot be told as an adapter file: {}", path.display(), told(problems, "; "))]
    NoAdapterFile {
        /// The adapter's folder.
        path: PathBuf,
        /// Everything that cannot: tensor, found, expected.
        problems: Vec<String>,
    },
    /// A base was given for a folder that has no adapter.
    #[error("{}: no adapter_config.json: a base is given for an adapter only", folder.display())]
    NoAdapter {
        /// The folder.
        folder: PathBuf,
    },
    /// An adapter does not fit its base.
    #[error("{}: the adapter does not fit the base model: {}", path.display(), told(problems, "; "))]
    Adapter {
        /// The adapter's folder.
        path: PathBuf,
        /// Everything that is wrong: tensor, found, expected.
        problems: Vec<String>,
    },

    // A file of the folder.
    /// A file is larger than any of its kind.
    #[error("{}: {bytes} bytes, expected at most {limit} of such a file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// The weights are in more files than may be opened.
    #[error("{}: one of {found} files of weights, the limit is {limit}: raise Limits::shards", first.display())]
    TooManyShards {
        /// The first of them.
        first: PathBuf,
        /// How many there are.
        found: usize,
        /// The most that are opened.
        limit: u16,
    },
    /// A file is not JSON.
    #[error("{}: not valid JSON: {}", path.display(), line(source))]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said, with line and column.
        source: serde_json::Error,
    },
    /// A key is missing.
    #[error("{}: key `{key}` is missing, expected {expected}", path.display())]
    MissingKey {
        /// The file.
        path: PathBuf,
        /// The key; alternatives separated by ` or `.
        key: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A key has a value that it cannot have.
    #[error("{}: key `{}` is {}, expected {expected}", path.display(), line(key), line(found))]
    BadKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The value, cut short.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A safetensors file is shorter than its header says.
    #[error("{}: truncated: found {found} bytes, expected {expected}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
        /// The length that its header asks for.
        expected: u64,
    },
    /// The header of a safetensors file breaks the format's rules.
    #[error("{}: not a valid safetensors file: {}", path.display(), line(detail))]
    Header {
        /// The file.
        path: PathBuf,
        /// Which rule, with tensor, found and expected.
        detail: String,
    },

    // The model.
    /// `config.json` names a model class that is not known.
    #[error(
        "{}: architecture `{}` is not supported; nearest of those that are: {}; \
         to export the tensors as they are, use --raw", path.display(), line(found), nearest.join(", ")
    )]
    UnknownArchitecture {
        /// The config.
        path: PathBuf,
        /// The class it names.
        found: String,
        /// The known classes whose names are most like it.
        nearest: Vec<&'static str>,
    },
    /// `config.json` names no model class.
    #[error(
        "{}: key `architectures` is missing or empty, expected the model's class, such as LlamaForCausalLM; \
         to export the tensors as they are, use --raw", path.display()
    )]
    NoArchitecture {
        /// The config.
        path: PathBuf,
    },
    /// The weights are quantized already.
    #[error(
        "{}: the weights are quantized in a way that is not read ({}): \
         export the original model, or save it with plain weights first", path.display(), line(method)
    )]
    Quantized {
        /// The config.
        path: PathBuf,
        /// The method.
        method: String,
    },
    /// Packed tensors lack what belongs to them.
    #[error(
        "{}: weights packed by {}: {}: download or save the model again",
        path.display(), line(method), told(problems, "; ")
    )]
    Packed {
        /// The file that names the method.
        path: PathBuf,
        /// The method.
        method: String,
        /// Everything that is wrong: tensor, found, expected.
        problems: Vec<String>,
    },
    /// A packed tensor has a value that it cannot have.
    #[error("{}: tensor `{}`: {}", path.display(), line(tensor), line(detail))]
    PackedValue {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Which value, and what is expected.
        detail: String,
    },
    /// Tensors, config and tokenizer do not fit together.
    #[error("{}", mismatch(path, *architecture, problems))]
    Mismatch {
        /// The folder.
        path: PathBuf,
        /// The GGUF architecture; `None` for tensors that are taken as they are.
        architecture: Option<&'static str>,
        /// Everything that is wrong.
        problems: Vec<Problem>,
    },
    /// A tensor's elements are of a type that is not read.
    #[error("{}: tensor `{}`: dtype {dtype} is not read, expected {expected}", path.display(), line(tensor))]
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
    /// A value has no exact counterpart in F32.
    #[error(
        "{}: tensor `{}`: element {index} is {value}, which F32 cannot hold exactly; convert {dtype} first",
        path.display(), line(tensor)
    )]
    Lossy {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its dtype.
        dtype: &'static str,
        /// Which element of the tensor.
        index: u64,
        /// Its value.
        value: String,
    },

    /// The tokenizer cannot be converted.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),

    // The caller.
    /// There is no tensor of this number.
    #[error("tensor number {tensor}: the checkpoint has {count}")]
    NoSuchTensor {
        /// The number asked for.
        tensor: usize,
        /// How many there are.
        count: usize,
    },
    /// A range that is not within the tensor.
    #[error("tensor `{}`: {unit} {start}..{end} asked for, the tensor has {len}", line(tensor))]
    Range {
        /// The tensor.
        tensor: String,
        /// `rows` or `elements`.
        unit: &'static str,
        /// Where the range starts.
        start: u64,
        /// Where it ends.
        end: u64,
        /// How many there are.
        len: u64,
    },
    /// The buffer has not the size of what was asked for.
    #[error("tensor `{}`: buffer of {found} bytes, expected {expected}", line(tensor))]
    Buffer {
        /// The tensor.
        tensor: String,
        /// The buffer's length.
        found: usize,
        /// The length of what was asked for.
        expected: u64,
    },
}

pub use crate::tokenizer::TokenizerError;
