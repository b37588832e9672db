//! What can be wrong with a checkpoint, and with a call.

use std::io;
use std::path::PathBuf;

use gguf_format::{DimsError, MAX_TENSOR_NAME_BYTES};

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
    /// A shard that the index names is not there.
    #[error("{}: absent, but {} names it as the file of {tensors} tensors", shard.display(), index.display())]
    AbsentShard {
        /// The index.
        index: PathBuf,
        /// The shard.
        shard: PathBuf,
        /// How many tensors should be in it.
        tensors: usize,
    },
    /// The index names a file that is not in the folder itself.
    #[error("{}: file of `{tensor}` is `{found}`, expected the name of a file in the same folder", index.display())]
    ShardPath {
        /// The index.
        index: PathBuf,
        /// The tensor.
        tensor: String,
        /// What the index says.
        found: String,
    },
    /// Shards lack tensors that the index says they hold.
    #[error(
        "{}: lacks {} that {} says it holds: {}", shard.display(), count(tensors), index.display(), tensors.join(", ")
    )]
    NotInShard {
        /// The index.
        index: PathBuf,
        /// The shard.
        shard: PathBuf,
        /// The tensors.
        tensors: Vec<String>,
    },
    /// Shards hold tensors that the index does not name.
    #[error("{}: holds {} that {} does not place there: {}", shard.display(), count(tensors), index.display(), tensors.join(", "))]
    NotInIndex {
        /// The index.
        index: PathBuf,
        /// The shard.
        shard: PathBuf,
        /// The tensors.
        tensors: Vec<String>,
    },
    /// Two shards hold a tensor of the same name.
    #[error("tensor `{tensor}`: in {} and again in {}", first.display(), second.display())]
    DuplicateTensor {
        /// The tensor.
        tensor: String,
        /// One shard.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },

    // The adapter.
    /// A folder has an adapter, but no model.
    #[error(
        "{}: an adapter, not a model: give the folder of its base model, and the adapter as one to merge (--lora)",
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
    /// An adapter does not fit its base.
    #[error("{}: the adapter does not fit the base model: {}", path.display(), problems.join("; "))]
    Adapter {
        /// The adapter's folder.
        path: PathBuf,
        /// Everything that is wrong: tensor, found, expected.
        problems: Vec<String>,
    },

    // A file of the folder.
    /// A file is not JSON.
    #[error("{}: not valid JSON: {source}", path.display())]
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
    #[error("{}: key `{key}` is {found}, expected {expected}", path.display())]
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
    #[error("{}: not a valid safetensors file: {detail}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// Which rule, with tensor, found and expected.
        detail: String,
    },

    // The model.
    /// `config.json` names a model class that is not known.
    #[error(
        "{}: architecture `{found}` is not supported; nearest of those that are: {}; \
         to export the tensors as they are, use --raw", path.display(), nearest.join(", ")
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
        "{}: the weights are quantized in a way that is not read ({method}): \
         export the original model, or save it with plain weights first", path.display()
    )]
    Quantized {
        /// The config.
        path: PathBuf,
        /// The method.
        method: String,
    },
    /// Packed tensors lack what belongs to them.
    #[error("{}: weights packed by {method}: {}: download or save the model again", path.display(), problems.join("; "))]
    Packed {
        /// The file that names the method.
        path: PathBuf,
        /// The method.
        method: String,
        /// Everything that is wrong: tensor, found, expected.
        problems: Vec<String>,
    },
    /// A packed tensor has a value that it cannot have.
    #[error("{}: tensor `{tensor}`: {detail}", path.display())]
    PackedValue {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Which value, and what is expected.
        detail: String,
    },
    /// Tensors, config and tokenizer do not fit together.
    #[error("{}: {}", path.display(), listed(architecture, problems))]
    Mismatch {
        /// The folder.
        path: PathBuf,
        /// The GGUF architecture.
        architecture: &'static str,
        /// Everything that is wrong.
        problems: Vec<Problem>,
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
        /// Its shape, outermost first.
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
    /// A value has no exact counterpart in F32.
    #[error("{}: tensor `{tensor}`: element {index} is {value}, which F32 cannot hold exactly; convert {dtype} first", path.display())]
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
    #[error("tensor `{tensor}`: {unit} {start}..{end} asked for, the tensor has {len}")]
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
    #[error("tensor `{tensor}`: buffer of {found} bytes, expected {expected}")]
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
    /// The tokenizer has more or fewer tokens than there are embeddings.
    #[error("the tokenizer has {tokens} tokens, expected {rows}, the rows of the embeddings (vocab_size)")]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokens: u64,
        /// Rows of the embeddings.
        rows: u64,
    },
}

/// All problems in one line; tensors that have the same one together.
fn listed(architecture: &str, problems: &[Problem]) -> String {
    let of = |pick: fn(&Problem) -> Option<&String>| -> Vec<String> {
        problems.iter().filter_map(pick).cloned().collect()
    };
    let unknown = of(|p| if let Problem::Unknown { tensor } = p { Some(tensor) } else { None });
    let missing = of(|p| if let Problem::Missing { tensor } = p { Some(tensor) } else { None });
    let mut lines = Vec::new();
    if !unknown.is_empty() {
        lines.push(format!("{} unknown to {architecture}: {}", count(&unknown), unknown.join(", ")));
    }
    if !missing.is_empty() {
        lines.push(format!("{} missing that {architecture} needs: {}", count(&missing), missing.join(", ")));
    }
    let grouped = |p: &&Problem| !matches!(p, Problem::Unknown { .. } | Problem::Missing { .. });
    lines.extend(problems.iter().filter(grouped).map(Problem::to_string));
    lines.join("; ")
}

/// `1 tensor`, `3 tensors`.
fn count(tensors: &[String]) -> String {
    match tensors.len() {
        1 => "1 tensor".to_owned(),
        n => format!("{n} tensors"),
    }
}
