//! A model without some of its layers.

use std::ops::Range;
use std::path::PathBuf;

use export_pipeline::{Source, SourceError, SourceTensor};
use gguf_format::Metadata;
use quant_recipe::{PrunedLayers, Renumbering};

use super::Input;
use crate::error::GgufExportError;

/// Another input, of which some tensors go and others change their names.
#[derive(Debug)]
pub(crate) struct PrunedInput {
    inner: Box<dyn Input>,
    renumbering: Renumbering,
    tensors: Vec<SourceTensor>,
    /// For each tensor that stays, its number in the whole model.
    numbers: Vec<usize>,
}

impl PrunedInput {
    pub(crate) fn new(inner: Box<dyn Input>, layers: &PrunedLayers) -> Result<Self, GgufExportError> {
        let all = inner.tensors()?;
        let renumbering = layers.renumber(all.iter().map(|tensor| tensor.name.as_str()))?;
        let (mut tensors, mut numbers) = (Vec::new(), Vec::new());
        for (number, tensor) in all.into_iter().enumerate() {
            if let Some(name) = renumbering.rename(&tensor.name) {
                tensors.push(SourceTensor { name, ..tensor });
                numbers.push(number);
            }
        }
        Ok(Self { inner, renumbering, tensors, numbers })
    }

    pub(crate) fn renumbering(&self) -> &Renumbering {
        &self.renumbering
    }
}

impl Input for PrunedInput {
    fn metadata(&self) -> Metadata {
        self.inner.metadata()
    }

    fn tensors(&self) -> Result<Vec<SourceTensor>, GgufExportError> {
        Ok(self.tensors.clone())
    }

    fn notes(&self) -> &[String] {
        self.inner.notes()
    }

    fn details(&self) -> &[String] {
        self.inner.details()
    }

    fn files(&self) -> Vec<PathBuf> {
        self.inner.files()
    }

    fn shards(&self) -> Option<(Vec<u16>, u16)> {
        let (all, count) = self.inner.shards()?;
        let shards = self.numbers.iter().filter_map(|&number| all.get(number).copied()).collect();
        Some((shards, count))
    }
}

impl Source for PrunedInput {
    fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
        let number = self.numbers.get(tensor).ok_or_else(|| format!("no tensor number {tensor}"))?;
        self.inner.read(*number, elements, out)
    }
}
