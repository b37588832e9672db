//! What a model is read from: one trait, and a file for each kind.

mod checkpoint;
mod gguf;
mod pruned;

use std::fmt::Debug;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use export_pipeline::{Source, SourceTensor};
use gguf_format::{Limits, MAGIC, Metadata};
use hf_checkpoint::Options;

pub(crate) use self::gguf::GgufInput;
pub(crate) use self::pruned::PrunedInput;
use crate::error::GgufExportError;

/// A model whose headers have been read and whose tensors can be.
pub(crate) trait Input: Source + Debug + Send {
    /// The model's own metadata, in file order.
    fn metadata(&self) -> Metadata;

    /// The same, moved out where that saves a copy; none are left then.
    fn take_metadata(&mut self) -> Metadata {
        self.metadata()
    }

    /// The tensors, as the plan is made of them.
    fn tensors(&self) -> Result<Vec<SourceTensor>, GgufExportError>;

    /// What a user should know about the model.
    fn notes(&self) -> &[String];

    /// What was found in the model and by which rule.
    fn details(&self) -> &[String] {
        &[]
    }

    /// The files that the model is read from.
    fn files(&self) -> Vec<PathBuf>;

    /// Of a GGUF model, the shard that each tensor comes from, counted from 0, and how many shards there are.
    fn shards(&self) -> Option<(Vec<u16>, u16)> {
        None
    }
}

/// Opens the model at a path: a GGUF file or a shard of several, within these limits, or else a checkpoint.
pub(crate) fn open(
    path: &Path,
    options: &Options,
    limits: &Limits,
) -> Result<Box<dyn Input>, GgufExportError> {
    if is_gguf(path) {
        return Ok(Box::new(GgufInput::open(path, options, limits)?));
    }
    Ok(Box::new(checkpoint::CheckpointInput::open(path, options)?))
}

/// By name, or by its first bytes: a file may be called anything.
fn is_gguf(path: &Path) -> bool {
    let named = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
    let begins = || {
        let mut magic = [0; 4];
        path.is_file()
            && File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok()
            && magic == MAGIC
    };
    (named && !path.is_dir()) || begins()
}
