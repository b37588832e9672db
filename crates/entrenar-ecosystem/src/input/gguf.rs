//! A GGUF file, or a set of shards, as input.

use std::ops::Range;
use std::path::{Path, PathBuf};

use export_pipeline::{Source, SourceError, SourceTensor};
use gguf_format::{ByteOrder, GgufSet, Limits, Metadata, can_swap_byte_order, keys, swap_byte_order};
use hf_checkpoint::Options;

use super::Input;
use crate::error::GgufExportError;

/// The key that [`Options::pre_tokenizer`] names the value of.
const PRE_TOKENIZER: &str = "tokenizer.ggml.pre";

#[derive(Debug)]
pub(crate) struct GgufInput {
    set: GgufSet,
    metadata: Metadata,
    notes: Vec<String>,
}

impl GgufInput {
    /// Of the options, the names count; tensors keep theirs anyway.
    pub(crate) fn open(path: &Path, options: &Options, limits: &Limits) -> Result<Self, GgufExportError> {
        if options.raw {
            return Err(GgufExportError::RawNames(path.to_path_buf()));
        }
        let set = GgufSet::open_with_limits(path, limits)?;
        let mut metadata = set.to_metadata();
        if let Some(name) = &options.model_name {
            metadata.insert("general.name", name.as_str());
        }
        if let Some(pre) = &options.pre_tokenizer {
            metadata.insert(PRE_TOKENIZER, pre.as_str());
        }
        let mut notes = Vec::new();
        if set.files().iter().any(|file| file.header().byte_order() == ByteOrder::Big) {
            notes.push("a big-endian file: the output is little-endian".to_string());
        }
        Ok(Self { set, metadata, notes })
    }

    /// The metadata of the first shard, with what they tell of the split; `None` if the model is not one of shards.
    pub(crate) fn split_metadata(&self) -> Option<Metadata> {
        let first = self.set.metadata();
        // A count of 0 is left in files that were merged.
        first.get(keys::SPLIT_COUNT).and_then(|count| count.as_integer()).filter(|&count| count > 0)?;
        Some(first.to_metadata())
    }

    /// Whether the byte order of a tensor's file is not ours.
    fn is_swapped(&self, tensor: gguf_format::SetTensor<'_>) -> bool {
        self.set.files().get(tensor.shard).is_some_and(|file| file.header().byte_order() == ByteOrder::Big)
    }
}

impl Input for GgufInput {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn tensors(&self) -> Result<Vec<SourceTensor>, GgufExportError> {
        self.set
            .tensors()
            .map(|found| {
                let tensor = found.tensor;
                if self.is_swapped(found) && !can_swap_byte_order(tensor.ty()) {
                    let (tensor, ty) = (tensor.name().to_string(), tensor.ty());
                    return Err(GgufExportError::ByteOrder { tensor, ty });
                }
                Ok(SourceTensor {
                    name: tensor.name().to_string(),
                    dims: tensor.dims(),
                    element: tensor.ty(),
                })
            })
            .collect()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn files(&self) -> Vec<PathBuf> {
        self.set.files().iter().map(|file| file.path().to_path_buf()).collect()
    }

    fn shards(&self) -> Option<(Vec<u16>, u16)> {
        // A set has at most 65535 files.
        let shards = self.set.tensors().map(|tensor| tensor.shard as u16).collect();
        Some((shards, self.set.files().len() as u16))
    }
}

impl Source for GgufInput {
    fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
        let Some(found) = self.set.tensor(tensor) else {
            return Err(format!("no tensor number {tensor}").into());
        };
        let ty = found.tensor.ty();
        let offset = elements.start / ty.block_len() as u64 * ty.block_bytes() as u64;
        self.set.read_tensor_at(tensor, offset, out)?;
        if self.is_swapped(found) && !swap_byte_order(ty, out) {
            return Err(format!("blocks of {ty} have no known form in big-endian files").into());
        }
        Ok(())
    }
}
