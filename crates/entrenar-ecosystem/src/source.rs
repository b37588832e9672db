//! A checkpoint as the pipeline sees it.

use std::ops::Range;

use export_pipeline::{Source, SourceError, SourceTensor};
use gguf_format::{Dims, DimsError};
use hf_checkpoint::Checkpoint;

/// Delivers the tensors of a checkpoint.
pub(crate) struct CheckpointSource<'a>(pub(crate) &'a Checkpoint);

impl CheckpointSource<'_> {
    /// The tensors, as the plan is made of them.
    pub(crate) fn tensors(&self) -> Result<Vec<SourceTensor>, DimsError> {
        let tensors = self.0.tensors().iter();
        tensors
            .map(|t| Ok(SourceTensor { name: t.name.clone(), dims: Dims::new(&t.dims)?, element: t.element }))
            .collect()
    }
}

impl Source for CheckpointSource<'_> {
    fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
        self.0.read_elements(tensor, elements, out).map_err(Into::into)
    }
}
