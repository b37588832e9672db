//! The plan: a plain value that says all about the output's files before any tensor is read.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gguf_format::{
    Dims, GgmlType, Layout, Limits, Metadata, ShardError, ShardKeys, ShardRule, TensorSpec,
    compare_tensor_names, shard_file_name,
};
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
    /// The file it goes to: an index of [`Plan::files`].
    pub file: usize,
    /// Where its bytes begin, from the beginning of its file.
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

/// A file of a plan: its header, and which of the plan's tensors it holds.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    layout: Layout,
    tensors: Range<usize>,
}

impl PlannedFile {
    /// The metadata, in file order.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.layout.metadata()
    }

    /// The tensors it holds: a range of [`Plan::tensors`].
    #[must_use]
    pub fn tensors(&self) -> Range<usize> {
        self.tensors.clone()
    }

    /// The exact length of the file in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.layout.file_len()
    }

    /// Never: a file without tensors has a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file's bytes up to the first tensor.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        self.layout.header()
    }
}

/// What is to be written, in one file or several shards: the headers, and for every tensor where its bytes go and
/// what they are made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Never none.
    files: Vec<PlannedFile>,
    tensors: Vec<PlannedTensor>,
    /// Whether the files' names tell of shards.
    sharded: bool,
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
        let mut tensors = assigned(tensors, types)?;
        tensors.sort_by(|a, b| compare_tensor_names(&a.name, &b.name));
        Self::of(tensors, metadata)
    }

    /// Plans a file with these tensors, each of the type assigned to it, in the order given.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn in_order(
        tensors: Vec<SourceTensor>,
        types: Vec<Assignment>,
        metadata: Metadata,
    ) -> Result<Self, Error> {
        Self::of(assigned(tensors, types)?, metadata)
    }

    fn of(mut tensors: Vec<PlannedTensor>, metadata: Metadata) -> Result<Self, Error> {
        let all = 0..tensors.len();
        let file = lay_out(&mut tensors, 0, all, metadata)?;
        Ok(Self { files: vec![file], tensors, sharded: false })
    }

    /// The same tensors in the same order, cut into shards by a rule.
    ///
    /// # Errors
    /// The rule's limit is too small for the model.
    pub fn split(self, rule: &ShardRule) -> Result<Self, Error> {
        let alignment = u64::from(self.first().layout.alignment());
        // A tensor's size with its padding: what the layout that exists has given it.
        let sizes = self.tensors.iter().map(|t| t.bytes.next_multiple_of(alignment));
        let cuts = rule.cut(sizes).map_err(|error| match error {
            ShardError::TooSmall { tensor, size, limit } => {
                let tensor = self.tensors.get(tensor).map(|t| t.name.clone()).unwrap_or_default();
                Error::ShardTooSmall { tensor, size, limit }
            }
            other => other.into(),
        })?;
        self.cut(&cuts, ShardKeys::Split)
    }

    /// The same tensors, each in the shard of this number, counted from 0; `shards` tells it for each tensor of the
    /// source's list. Within a shard the order stays. The last of the `count` shards may be empty, as any other.
    ///
    /// A single shard is an unsplit model, under a shard's name: so has llama-quantize it.
    ///
    /// # Errors
    /// A shard's number is not below `count`, or is not known of every tensor.
    pub fn keep_shards(mut self, shards: &[u16], count: u16) -> Result<Self, Error> {
        let shard = |tensor: &PlannedTensor| shards.get(tensor.source).copied().unwrap_or(u16::MAX);
        self.tensors.sort_by_key(shard);
        let mut cuts = Vec::with_capacity(usize::from(count));
        let mut start = 0;
        for index in 0..count {
            let len = self.tensors.iter().skip(start).take_while(|tensor| shard(tensor) == index).count();
            cuts.push(start..start + len);
            start += len;
        }
        if start != self.tensors.len() || count == 0 {
            return Err(Error::Shards { tensors: self.tensors.len(), placed: start, count });
        }
        self.cut(&cuts, ShardKeys::Kept)
    }

    /// Lays the tensors out in these shards, which cover them in order.
    fn cut(self, cuts: &[Range<usize>], keys: ShardKeys) -> Result<Self, Error> {
        let Self { files, mut tensors, .. } = self;
        let model = files.into_iter().next().map(|file| file.layout.metadata().clone()).unwrap_or_default();
        let total =
            i32::try_from(tensors.len()).map_err(|_| Error::TooManyTensors { found: tensors.len() })?;
        let count = cuts.len() as u16; // No rule makes more.
        let mut files = Vec::with_capacity(cuts.len());
        for (index, cut) in (0u16..).zip(cuts) {
            let metadata = match keys {
                ShardKeys::Kept if count == 1 => model.clone(),
                keys => keys.metadata(&model, index, count, total),
            };
            files.push(lay_out(&mut tensors, index.into(), cut.clone(), metadata)?);
        }
        Ok(Self { files, tensors, sharded: true })
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

    /// The files: one, or the shards in order.
    #[must_use]
    pub fn files(&self) -> &[PlannedFile] {
        &self.files
    }

    fn first(&self) -> &PlannedFile {
        // No constructor makes a plan without a file.
        &self.files[0]
    }

    /// The files' paths for an output: the output itself; for shards, `output-00001-of-00003.gguf` and so on, a
    /// `.gguf` at the output's end left out.
    #[must_use]
    pub fn paths(&self, output: &Path) -> Vec<PathBuf> {
        if !self.sharded {
            return vec![output.to_path_buf()];
        }
        let is_gguf = output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
        let prefix = if is_gguf { output.with_extension("") } else { output.to_path_buf() };
        let count = self.files.len() as u16;
        let path = |index| {
            let mut path = prefix.clone().into_os_string();
            path.push(shard_file_name("", index, count));
            PathBuf::from(path)
        };
        (0..count).map(path).collect()
    }

    /// The tensors, in file order.
    #[must_use]
    pub fn tensors(&self) -> &[PlannedTensor] {
        &self.tensors
    }

    /// The metadata of the model, in file order: the first file's.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.first().metadata()
    }

    /// The exact length of the file in bytes; of shards, of all together.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.files.iter().map(PlannedFile::len).fold(0, u64::saturating_add)
    }

    /// Bytes of all tensors in the source: what a run reads.
    #[must_use]
    pub fn source_bytes(&self) -> u64 {
        self.tensors.iter().map(PlannedTensor::source_bytes).sum()
    }
}

/// The tensors with their types, not yet laid out.
fn assigned(tensors: Vec<SourceTensor>, types: Vec<Assignment>) -> Result<Vec<PlannedTensor>, Error> {
    if tensors.len() != types.len() {
        return Err(Error::Unmatched { tensors: tensors.len(), types: types.len() });
    }
    let mut planned = Vec::with_capacity(tensors.len());
    for (source, (tensor, Assignment { ty, reason, .. })) in tensors.into_iter().zip(types).enumerate() {
        let SourceTensor { name, dims, element } = tensor;
        if element != ty && !(kquant::can_decode(element) && kquant::can_encode(ty)) {
            return Err(Error::NoKernel { tensor: name, from: element, to: ty });
        }
        planned.push(PlannedTensor {
            name,
            dims: dims.trimmed(),
            element,
            ty,
            reason,
            source,
            file: 0,
            offset: 0,
            bytes: 0,
            importance: None,
        });
    }
    Ok(planned)
}

/// Lays out some of the tensors as the file of this number.
fn lay_out(
    tensors: &mut [PlannedTensor],
    file: usize,
    range: Range<usize>,
    metadata: Metadata,
) -> Result<PlannedFile, Error> {
    let own = tensors.get_mut(range.clone()).unwrap_or_default();
    let specs = own.iter().map(|t| TensorSpec::new(t.name.as_str(), t.dims, t.ty)).collect();
    let layout = Layout::new(metadata, specs)?;
    let limits = Limits::new();
    let sizes = [
        ("metadata pairs", layout.metadata().len() as u64, limits.pairs.into()),
        ("tensors", layout.tensors().len() as u64, limits.tensors.into()),
        ("bytes before its tensors", layout.data_start(), limits.header_bytes),
    ];
    if let Some((what, found, limit)) = sizes.into_iter().find(|(_, found, limit)| found > limit) {
        return Err(Error::HeaderTooLarge { what, found, limit });
    }
    for (tensor, placed) in own.iter_mut().zip(layout.tensors()) {
        tensor.file = file;
        tensor.offset = placed.offset();
        tensor.bytes = placed.byte_len();
    }
    Ok(PlannedFile { layout, tensors: range })
}
