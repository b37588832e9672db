//! The weights of a checkpoint: under the names, with the shapes and with the values that the model's class has,
//! however the files store them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gguf_format::GgmlType;
use safetensors::Dtype;
use serde_json::Value;

use crate::adapter::{self, Merged};
use crate::element::Element;
use crate::error::Error;
use crate::header::Entry;
use crate::packed::{self, Unpack};
use crate::positional::ReadAt;
use crate::problem;
use crate::shards::{Shards, SourceFile};

/// Bytes that are read at a time where they cannot be read straight into the caller's buffer.
const SCRATCH_BYTES: usize = 1 << 16;

/// All weights, in the order of their names, and the files that they are in.
#[derive(Debug)]
pub(crate) struct Weights {
    shards: Shards,
    list: Vec<Weight>,
    cache: adapter::Cache,
    /// What a user should know of how they are stored.
    notes: Vec<String>,
}

/// One weight.
#[derive(Clone, Debug)]
pub(crate) struct Weight {
    pub name: String,
    /// Outermost dimension first.
    pub shape: Vec<u64>,
    /// The type its values have.
    pub dtype: Dtype,
    content: Content,
}

/// How a weight is stored.
#[derive(Clone, Debug)]
enum Content {
    /// As it is, from this byte of a shard on.
    Plain { shard: usize, offset: u64 },
    /// By a quantization method.
    Packed(Arc<dyn Unpack>),
    /// With what adapters change of it.
    Merged(Arc<Merged>),
}

impl Weight {
    /// The tensor of a shard as it is.
    pub(crate) fn plain(name: String, entry: &Entry, shard: usize) -> Self {
        let content = Content::Plain { shard, offset: entry.offset };
        Self { name, shape: entry.shape.clone(), dtype: entry.dtype, content }
    }

    /// A weight that adapters change: in F32, whatever the base has it in.
    pub(crate) fn merged(merged: Merged) -> Self {
        let base = merged.base();
        let (name, shape) = (base.name.clone(), base.shape.clone());
        Self { name, shape, dtype: Dtype::F32, content: Content::Merged(Arc::new(merged)) }
    }

    /// The quantized type whose blocks hold this weight without loss, where it is stored so.
    pub(crate) fn block_type(&self) -> Option<GgmlType> {
        match &self.content {
            Content::Plain { .. } | Content::Merged(_) => None,
            Content::Packed(unpack) => unpack.block_type(),
        }
    }
}

impl Weights {
    /// The tensors of these shards as they are.
    pub(crate) fn new(shards: Shards) -> Self {
        let list = shards
            .tensors()
            .map(|stored| Weight::plain(stored.entry.name.clone(), &stored.entry, stored.shard));
        Self { list: list.collect(), shards, cache: adapter::Cache::default(), notes: Vec::new() }
    }

    /// The weights of these shards, of which some are packed as this `quantization_config` says.
    ///
    /// # Errors
    /// If the method is not read, or a packed tensor lacks what belongs to it.
    pub(crate) fn unpacked(shards: Shards, config: &Path, quantization: &Value) -> Result<Self, Error> {
        let packed::Unpacked { made, taken, left_out } = packed::find(config, quantization, &shards)?;
        let mut weights = Self::new(shards);
        let left_out: Vec<&str> = left_out.iter().map(String::as_str).collect();
        weights.notes.extend(problem::left_out(&left_out));
        weights.list.retain(|w| !taken.contains(&w.name));
        weights.list.extend(made.into_iter().map(|made| Weight {
            name: made.name,
            shape: made.shape,
            dtype: Dtype::F32,
            content: Content::Packed(made.unpack),
        }));
        weights.list.sort_by(|a, b| a.name.cmp(&b.name));
        let next = weights.list.iter().skip(1);
        if let Some((first, _)) = weights.list.iter().zip(next).find(|(a, b)| a.name == b.name) {
            let twice = format!("{} is there packed and plain", first.name);
            let method = "packed".to_owned();
            return Err(Error::Packed { path: config.to_owned(), method, problems: vec![twice] });
        }
        Ok(weights)
    }

    /// All weights; a weight's number is its place here.
    pub(crate) fn list(&self) -> &[Weight] {
        &self.list
    }

    /// What a user should know of how they are stored.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Puts another weight in the place of number `number`.
    pub(crate) fn replace(&mut self, number: usize, weight: Weight) {
        if let Some(place) = self.list.get_mut(number) {
            *place = weight;
        }
    }

    /// Adds a weight behind the others.
    pub(crate) fn push(&mut self, weight: Weight) {
        self.list.push(weight);
    }

    /// Adds a file that weights may come from; gives its number among the shards.
    pub(crate) fn add_file(&mut self, file: ReadAt) -> usize {
        self.shards.add_file(file)
    }

    /// The files.
    pub(crate) fn shards(&self) -> &Shards {
        &self.shards
    }

    /// What was read last of adapters.
    pub(crate) fn cache(&self) -> &adapter::Cache {
        &self.cache
    }

    /// The file that a weight is in, for messages.
    pub(crate) fn path_of(&self, weight: &Weight) -> PathBuf {
        let shard = match &weight.content {
            Content::Plain { shard, .. } => *shard,
            Content::Packed(unpack) => unpack.shard(),
            Content::Merged(merged) => return self.path_of(merged.base()),
        };
        self.shards.file(shard).map(|f| f.path().to_owned()).unwrap_or_default()
    }

    /// The files with their lengths.
    pub(crate) fn source_files(&self) -> Vec<SourceFile> {
        self.shards.source_files()
    }

    /// Fills `out` with elements of weight number `weight` from `start` on, in the order in which the checkpoint has
    /// them. `to` is the weight's own type without loss, F32, or its [`block_type`](Weight::block_type), whose blocks
    /// `start` then counts.
    ///
    /// # Errors
    /// If the file cannot be read, or a value has no exact counterpart in F32.
    pub(crate) fn read(&self, weight: usize, to: GgmlType, start: u64, out: &mut [u8]) -> Result<(), Error> {
        let absent = || Error::NoSuchTensor { tensor: weight, count: self.list.len() };
        self.fetch(self.list.get(weight).ok_or_else(absent)?, to, start, out)
    }

    /// As [`read`](Self::read), of a weight that need not be one of the list, in F32.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn read_f32(&self, weight: &Weight, start: u64, out: &mut [u8]) -> Result<(), Error> {
        self.fetch(weight, GgmlType::F32, start, out)
    }

    fn fetch(&self, weight: &Weight, to: GgmlType, start: u64, out: &mut [u8]) -> Result<(), Error> {
        let (shard, offset) = match &weight.content {
            Content::Merged(merged) => return merged.read(self, start, out),
            Content::Plain { shard, offset } => (*shard, *offset),
            Content::Packed(unpack) if to == GgmlType::F32 => {
                return packed::read(&**unpack, &self.shards, start, out);
            }
            Content::Packed(unpack) => {
                return unpack.blocks(&self.shards, start * to.block_len() as u64, out);
            }
        };
        let absent = || Error::NoSuchTensor { tensor: shard, count: self.list.len() };
        let file = self.shards.file(shard).ok_or_else(absent)?;
        let from = Element::number(weight.dtype).ok_or_else(|| Error::Dtype {
            path: self.path_of(weight),
            tensor: weight.name.clone(),
            dtype: weight.dtype.to_string(),
            expected: crate::element::NUMBERS,
        })?;
        let size = from.size();
        if to == from.lossless() && to.block_bytes() == size {
            return file.read_exact_at(out, offset + start * size as u64);
        }
        let per_read = SCRATCH_BYTES / size;
        let mut scratch = vec![0; size * per_read.min(out.len() / to.block_bytes())];
        let mut at = start;
        for piece in out.chunks_mut(per_read * to.block_bytes()) {
            let n = piece.len() / to.block_bytes();
            let scratch = scratch.get_mut(..n * size).unwrap_or_default();
            file.read_exact_at(scratch, offset + at * size as u64)?;
            from.to_f32(scratch, piece).map_err(|(i, value)| Error::Lossy {
                path: file.path().to_owned(),
                tensor: weight.name.clone(),
                dtype: from.name(),
                index: at + i,
                value,
            })?;
            at += n as u64;
        }
        Ok(())
    }
}
