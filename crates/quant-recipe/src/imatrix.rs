//! Importance matrices: how much an error in each column of a weight matrix counts, as llama.cpp's `llama-imatrix`
//! measures it.
//!
//! Source of the facts: `common/imatrix-loader.cpp` and `src/llama-quant.cpp` of llama.cpp as pinned by
//! `llama-cpp-sys-2` 0.1.161; `tools/quantize/quantize.cpp` of the same time (llama-cpp-python 0.3.36), which the crate
//! does not carry.

mod check;
mod error;
mod gguf;
mod legacy;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use gguf_format::{Gguf, GgufFile, Limits, MAGIC, Value};

pub use check::requires_importance;
pub use error::{ImportanceError, ImportanceFileError};

use crate::category::Category;
use crate::prune::Renumbering;

/// An importance matrix file: for every tensor it knows, a weight for each column, or for each column of each expert.
///
/// A weight is the mean square of the activations that met the column. A file may name tensors that a model does not
/// have, and lack some that it has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportanceMatrix {
    entries: BTreeMap<String, Arc<[f32]>>,
    /// How many entries there are by the file's names.
    count: usize,
    datasets: Vec<String>,
    /// 0 where the file does not tell.
    chunks: u32,
}

/// The longest text that llama-quantize writes, in bytes (`val_str` of `llama_model_kv_override`, without its NUL).
const MAX_TEXT: usize = 127;

impl ImportanceMatrix {
    /// Reads a file of either format: GGUF, or the older one (`.dat`), which has no mark of its own and is taken for
    /// granted where GGUF's is missing.
    ///
    /// # Errors
    /// If the file cannot be read, or is neither.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ImportanceFileError> {
        Self::open_with_limits(path, &Limits::default())
    }

    /// Reads a file of either format. The limits are those of a GGUF header; of the older format no more entries are
    /// read than tensors are allowed. Memory is in proportion to the file.
    ///
    /// # Errors
    /// As [`open`](Self::open), and if the file is beyond the limits.
    pub fn open_with_limits(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, ImportanceFileError> {
        let path = path.as_ref();
        Self::read_file(path, limits).map_err(|source| ImportanceFileError { path: path.to_owned(), source })
    }

    fn read_file(path: &Path, limits: &Limits) -> Result<Self, ImportanceError> {
        // Before it is opened: opening a pipe would wait for its other end.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file").into());
        }
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        let mut magic = Vec::new();
        file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic)?;
        if magic == MAGIC {
            let file = GgufFile::open_with_limits(path, limits)
                .map_err(|error| ImportanceError::Gguf(error.source))?;
            return gguf::read(file.header(), |tensor, bytes| {
                let range = file.read_tensor_at(tensor.index(), 0, bytes);
                range.map_err(|error| ImportanceError::Gguf(error.source))
            });
        }
        file.rewind()?;
        legacy::read(BufReader::new(file), len, limits)
    }

    /// Reads the bytes of a file of either format.
    ///
    /// # Errors
    /// If they are neither.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImportanceError> {
        let limits = Limits::default();
        if !bytes.starts_with(&MAGIC) {
            return legacy::read(bytes, bytes.len() as u64, &limits);
        }
        let header = Gguf::parse(bytes, &limits).map_err(ImportanceError::Gguf)?;
        gguf::read(&header, |tensor, out| {
            let data = tensor.data(bytes).unwrap_or_default();
            // Equal lengths: the header was checked against the file's.
            for (out, byte) in out.iter_mut().zip(data) {
                *out = *byte;
            }
            Ok(())
        })
    }

    /// Adds a tensor's weights.
    fn add(&mut self, name: String, weights: Vec<f32>) -> Result<(), ImportanceError> {
        if self.entries.contains_key(&name) {
            return Err(ImportanceError::Duplicate { name });
        }
        self.entries.insert(name, weights.into());
        self.count += 1;
        Ok(())
    }

    /// The number of tensors it has weights for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has weights for no tensor. No file that was read is so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The tensors it has weights for, by name.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The texts it was measured on, as the file names them.
    #[must_use]
    pub fn datasets(&self) -> &[String] {
        &self.datasets
    }

    /// How many chunks of text it was measured on; `None` if the file does not tell.
    #[must_use]
    pub fn chunk_count(&self) -> Option<u32> {
        (self.chunks > 0).then_some(self.chunks)
    }

    /// The weights for a tensor of these dimensions (ggml's order, the row length first): as many as the row length,
    /// for every matrix of the third dimension. `None` if there are none, and for token embeddings also if there are
    /// others: theirs never fit.
    ///
    /// # Errors
    /// [`ImportanceError::Size`] if there are more or fewer; [`ImportanceError::Weight`] if one is negative, infinite
    /// or no number.
    pub fn for_tensor(&self, name: &str, dims: &[u64]) -> Result<Option<&Arc<[f32]>>, ImportanceError> {
        let Some(weights) = self.entries.get(name) else { return Ok(None) };
        let dim = |at: usize| dims.get(at).copied().unwrap_or(1);
        let expected = dim(0).saturating_mul(dim(2));
        if weights.len() as u64 != expected {
            if Category::of(name) == Category::TokenEmbedding {
                return Ok(None);
            }
            return Err(ImportanceError::Size { name: name.to_owned(), found: weights.len(), expected });
        }
        match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            Some(index) => {
                let found = weights.get(index).copied().unwrap_or_default();
                Err(ImportanceError::Weight { name: name.to_owned(), index, found })
            }
            None => Ok(Some(weights)),
        }
    }

    /// Only the tensors whose name contains one of these parts (`--include-weights`).
    ///
    /// # Errors
    /// [`ImportanceError::Unmatched`] for a part that is in no name.
    pub fn including<S: AsRef<str>>(self, parts: &[S]) -> Result<Self, ImportanceError> {
        self.filtered(parts, true)
    }

    /// Without the tensors whose name contains one of these parts (`--exclude-weights`).
    ///
    /// # Errors
    /// [`ImportanceError::Unmatched`] for a part that is in no name; [`ImportanceError::Empty`] if nothing stays.
    pub fn excluding<S: AsRef<str>>(self, parts: &[S]) -> Result<Self, ImportanceError> {
        self.filtered(parts, false)
    }

    fn filtered<S: AsRef<str>>(mut self, parts: &[S], wanted: bool) -> Result<Self, ImportanceError> {
        for part in parts.iter().map(AsRef::as_ref) {
            if !self.entries.keys().any(|name| name.contains(part)) {
                return Err(ImportanceError::Unmatched { part: part.to_owned() });
            }
        }
        self.entries.retain(|name, _| parts.iter().any(|part| name.contains(part.as_ref())) == wanted);
        self.count = self.entries.len();
        if self.entries.is_empty() { Err(ImportanceError::Empty) } else { Ok(self) }
    }

    /// For the model that [loses layers](crate::PrunedLayers): weights under the tensors' new names. The
    /// [metadata](Self::metadata) stay those of the whole file.
    #[must_use]
    pub fn renumbered(self, renumbering: &Renumbering) -> Self {
        let entries = self.entries.into_iter();
        let entries =
            entries.filter_map(|(name, weights)| Some((renumbering.rename(&name)?, weights))).collect();
        Self { entries, ..self }
    }

    /// What a file says that was quantized with this matrix: `quantize.imatrix.file`, `.dataset` (the first),
    /// `.entries_count` and `.chunks_count`, in llama-quantize's order and types.
    ///
    /// Of the path only the file's name is told, and of a dataset with an absolute path too: where someone keeps files
    /// is nobody's business. llama-quantize tells both as they are. As there, texts end after 127 bytes.
    #[must_use]
    pub fn metadata(&self, path: impl AsRef<Path>) -> Vec<(&'static str, Value)> {
        let file = path.as_ref().file_name().unwrap_or_default().to_string_lossy();
        let mut pairs = vec![("quantize.imatrix.file", Value::from(cut(&file)))];
        if let Some(dataset) = self.datasets.first() {
            pairs.push(("quantize.imatrix.dataset", cut(without_folder(dataset)).into()));
        }
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        pairs.push(("quantize.imatrix.entries_count", count.into()));
        pairs.extend(self.chunk_count().map(|chunks| ("quantize.imatrix.chunks_count", chunks.into())));
        pairs
    }
}

/// The beginning of a text that llama-quantize has room for.
fn cut(text: &str) -> &str {
    let fits = |&end: &usize| end <= MAX_TEXT;
    let ends = text.char_indices().map(|(start, c)| start + c.len_utf8());
    ends.take_while(fits).last().and_then(|end| text.get(..end)).unwrap_or_default()
}

/// The file's name, if this is an absolute path of Unix or Windows or one from a home folder; else all of it.
fn without_folder(dataset: &str) -> &str {
    let drive = dataset.as_bytes().get(1..3).is_some_and(|part| matches!(part, b":\\" | b":/"));
    if drive || dataset.starts_with(['/', '\\', '~']) {
        dataset.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or_default()
    } else {
        dataset
    }
}
