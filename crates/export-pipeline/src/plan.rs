//! The plan: a plain value that says all about a file before any tensor is read.

use std::sync::Arc;

use gguf_format::{Dims, GgmlType, Layout, Metadata, TensorSpec, compare_tensor_names};
use quant_recipe::{Assignment, Reason};

use crate::error::Error;
use crate::source::SourceTensor;

/// A tensor of a plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlannedTensor {
    /// The name in the file.
    pub name: String,
    /// The dimensions in ggml's order: the first is the row length.
    pub dims: Dims,
    /// The type in the source.
    pub element: GgmlType,
    /// The type in the file.
    pub ty: GgmlType,
    /// Why it has this type.
    pub reason: Reason,
    /// Its number in the source's list.
    pub source: usize,
    /// Where its bytes begin, from the beginning of the file.
    pub offset: u64,
    /// How many bytes it takes.
    pub bytes: u64,
    /// How much each column counts, in every matrix: as many values as the first dimension times the third.
    pub importance: Option<Arc<[f32]>>,
}

impl PlannedTensor {
    /// Weights in a row.
    #[must_use]
    pub fn row_len(&self) -> u64 {
        self.dims.row_len()
    }

    /// Weights in the tensor.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.dims.elements()
    }

    /// Columns of all matrices.
    fn columns(&self) -> u64 {
        let [row_len, _, matrices, _] = self.dims.ne();
        row_len * matrices
    }

    /// Weights in a matrix: all that share columns.
    pub(crate) fn matrix_len(&self) -> u64 {
        let [row_len, rows, ..] = self.dims.ne();
        row_len * rows
    }

    /// The importance of the matrix that holds an element.
    pub(crate) fn importance_at(&self, element: u64) -> Option<&[f32]> {
        let all = self.importance.as_deref()?;
        let [row_len, _, matrices, _] = self.dims.ne();
        // As long as a row is, which a buffer holds; there are that many values, or the plan would not exist.
        let start = (element / self.matrix_len() % matrices * row_len) as usize;
        all.get(start..start + row_len as usize)
    }

    /// Offset in the tensor's bytes of the block that begins with an element.
    pub(crate) fn byte_at(&self, element: u64) -> u64 {
        element / self.ty.block_len() as u64 * self.ty.block_bytes() as u64
    }

    /// Bytes of the tensor in the source.
    fn source_bytes(&self) -> u64 {
        self.elements() / self.element.block_len() as u64 * self.element.block_bytes() as u64
    }
}

/// A file that is to be written: its header, and for every tensor where its bytes go and what they are made of.
#[derive(Clone, Debug)]
pub struct Plan {
    layout: Layout,
    tensors: Vec<PlannedTensor>,
}

impl Plan {
    /// Plans a file with these tensors, each of the type assigned to it, in canonical order.
    ///
    /// # Errors
    /// The numbers of tensors and types differ, a name or a size cannot be written, or a tensor cannot be turned
    /// into its type.
    pub fn new(
        tensors: Vec<SourceTensor>,
        types: Vec<Assignment>,
        metadata: Metadata,
    ) -> Result<Self, Error> {
        if tensors.len() != types.len() {
            return Err(Error::Unmatched { tensors: tensors.len(), types: types.len() });
        }
        let mut planned: Vec<PlannedTensor> = tensors
            .into_iter()
            .zip(types)
            .enumerate()
            .map(|(source, (tensor, Assignment { ty, reason, .. }))| PlannedTensor {
                name: tensor.name,
                dims: tensor.dims.trimmed(),
                element: tensor.element,
                ty,
                reason,
                source,
                offset: 0,
                bytes: 0,
                importance: None,
            })
            .collect();
        planned.sort_by(|a, b| compare_tensor_names(&a.name, &b.name));

        for tensor in &planned {
            let (from, to) = (tensor.element, tensor.ty);
            if from != to && !(kquant::can_decode(from) && kquant::can_encode(to)) {
                return Err(Error::NoKernel { tensor: tensor.name.clone(), from, to });
            }
        }
        let specs = planned.iter().map(|t| TensorSpec::new(t.name.as_str(), t.dims, t.ty)).collect();
        let layout = Layout::new(metadata, specs)?;
        for (tensor, placed) in planned.iter_mut().zip(layout.tensors()) {
            tensor.offset = placed.offset();
            tensor.bytes = placed.byte_len();
        }
        Ok(Self { layout, tensors: planned })
    }

    /// Lets errors count by importance: `of` tells a tensor's, one value for each column of each matrix. Tensors that
    /// keep their type do without.
    ///
    /// # Errors
    /// There are more or fewer values than columns.
    pub fn with_importance(
        mut self,
        mut of: impl FnMut(&PlannedTensor) -> Option<Arc<[f32]>>,
    ) -> Result<Self, Error> {
        for tensor in &mut self.tensors {
            if tensor.element == tensor.ty {
                continue;
            }
            let Some(importance) = of(tensor) else { continue };
            let expected = tensor.columns();
            if importance.len() as u64 != expected {
                let (tensor, found) = (tensor.name.clone(), importance.len());
                return Err(Error::Importance { tensor, found, expected });
            }
            tensor.importance = Some(importance);
        }
        Ok(self)
    }

    /// The tensors, in file order.
    #[must_use]
    pub fn tensors(&self) -> &[PlannedTensor] {
        &self.tensors
    }

    /// The metadata, in file order.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.layout.metadata()
    }

    /// The exact length of the file in bytes.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.layout.file_len()
    }

    /// The file's bytes up to the first tensor.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        self.layout.header()
    }

    /// Bytes of all tensors in the source: what a run reads.
    #[must_use]
    pub fn source_bytes(&self) -> u64 {
        self.tensors.iter().map(PlannedTensor::source_bytes).sum()
    }
}
