//! A Hugging Face checkpoint as input.

use std::ops::Range;
use std::path::{Path, PathBuf};

use export_pipeline::{Source, SourceError, SourceTensor};
use gguf_format::{Dims, Metadata};
use hf_checkpoint::{Checkpoint, Options};

use super::Input;
use crate::error::GgufExportError;

#[derive(Debug)]
pub(super) struct CheckpointInput(Checkpoint);

impl CheckpointInput {
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, GgufExportError> {
        Ok(Self(Checkpoint::open(path, options)?))
    }
}

impl Input for CheckpointInput {
    fn metadata(&self) -> Metadata {
        self.0.metadata().clone()
    }

    fn take_metadata(&mut self) -> Metadata {
        self.0.take_metadata()
    }

    fn tensors(&self) -> Result<Vec<SourceTensor>, GgufExportError> {
        let tensors = self.0.tensors().iter();
        tensors
            .map(|t| Ok(SourceTensor { name: t.name.clone(), dims: Dims::new(&t.dims)?, element: t.element }))
            .collect()
    }

    fn notes(&self) -> &[String] {
        self.0.notes()
    }

    fn details(&self) -> &[String] {
        self.0.details()
    }

    fn files(&self) -> Vec<PathBuf> {
        self.0.source_files().iter().map(|source| source.path.clone()).collect()
    }
}

impl Source for CheckpointInput {
    fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
        self.0.read_elements(tensor, elements, out).map_err(Into::into)
    }
}
