//! Where everything lies in a file that is still to be written.

use std::collections::HashSet;

use crate::error::LayoutError;
use crate::keys;
use crate::limits::{DEFAULT_ARRAY_DEPTH, MAX_KEY_BYTES};
use crate::metadata::Metadata;
use crate::tensor::{MAX_TENSOR_NAME_BYTES, TensorSpec};
use crate::value::{Array, Value};
use crate::write;

/// The alignment of a file that does not name one (GGUF specification, `general.alignment`).
pub const DEFAULT_ALIGNMENT: u32 = 32;

/// The largest alignment that a layout takes; llama.cpp itself writes and expects 32.
pub const MAX_WRITE_ALIGNMENT: u32 = 1 << 20;

/// A file to be written, with every offset and its exact size known before a byte of it exists.
///
/// The file is little-endian, version 3. Tensors follow each other in the order given, each padded with zeros
/// to the alignment, the last one too: so do llama.cpp and gguf-py. The alignment is the metadata's
/// `general.alignment`, or 32 without it.
///
/// [`Layout::header`] gives the bytes of the file up to [`Layout::data_start`]; tensor bytes go to their
/// [offsets](PlacedTensor::offset) in any order, and what lies between must be zeros (which it is, if the file
/// was first extended to [`Layout::file_len`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    metadata: Metadata,
    tensors: Vec<PlacedTensor>,
    alignment: u32,
    data_start: u64,
    file_len: u64,
}

/// A tensor and where its bytes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedTensor {
    spec: TensorSpec,
    offset: u64,
    byte_len: u64,
    padding: u32,
}

impl PlacedTensor {
    /// Its name, dimensions and type.
    #[must_use]
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// Where its bytes begin, counted from the start of the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes it has.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.byte_len
    }

    /// How many zero bytes follow it.
    #[must_use]
    pub fn padding(&self) -> u32 {
        self.padding
    }
}

impl Layout {
    /// Lays out a file with this metadata and these tensors, both in the order given; for llama.cpp's own order
    /// see [`canonicalize`](crate::canonicalize).
    ///
    /// # Errors
    /// If a key or a tensor name is empty, too long, holds a NUL or occurs twice, if a row is not a whole number
    /// of blocks, if arrays are nested deeper than 4, if `general.alignment` is not a `u32` that is a power of
    /// two up to 2^20, or if the file would be larger than `i64::MAX` bytes.
    pub fn new(metadata: Metadata, tensors: Vec<TensorSpec>) -> Result<Self, LayoutError> {
        let alignment = alignment(&metadata)?;
        check_metadata(&metadata)?;
        let mut placed = place(tensors, u64::from(alignment))?;
        let header_len = write::header_len(&metadata, &placed);
        let data_start = pad(header_len, u64::from(alignment)).ok_or(LayoutError::FileTooLarge)?;
        // Offsets so far are from the start of the data, which only now is known.
        let mut file_len = data_start;
        for tensor in &mut placed {
            let end = [data_start, tensor.byte_len, u64::from(tensor.padding)]
                .iter()
                .try_fold(tensor.offset, |sum, &n| sum.checked_add(n))
                .filter(|&end| i64::try_from(end).is_ok())
                .ok_or(LayoutError::FileTooLarge)?;
            tensor.offset += data_start;
            file_len = end;
        }
        Ok(Self { metadata, tensors: placed, alignment, data_start, file_len })
    }

    /// The metadata.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tensors, in file order.
    #[must_use]
    pub fn tensors(&self) -> &[PlacedTensor] {
        &self.tensors
    }

    /// The alignment of the data and of every tensor, in bytes.
    #[must_use]
    pub fn alignment(&self) -> u32 {
        self.alignment
    }

    /// Where the first tensor begins: the length of the header with its padding.
    #[must_use]
    pub fn data_start(&self) -> u64 {
        self.data_start
    }

    /// The exact size of the finished file in bytes.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.file_len
    }
}

/// `n` rounded up to a multiple of `alignment`.
pub(crate) fn pad(n: u64, alignment: u64) -> Option<u64> {
    n.checked_next_multiple_of(alignment)
}

fn alignment(metadata: &Metadata) -> Result<u32, LayoutError> {
    match metadata.get(keys::GENERAL_ALIGNMENT) {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(&Value::U32(n)) if n.is_power_of_two() && n <= MAX_WRITE_ALIGNMENT => Ok(n),
        Some(&Value::U32(found)) => Err(LayoutError::Alignment { found }),
        Some(other) => Err(LayoutError::AlignmentType { found: other.value_type() }),
    }
}

fn check_metadata(metadata: &Metadata) -> Result<(), LayoutError> {
    let mut seen = HashSet::with_capacity(metadata.len());
    for (index, (key, value)) in metadata.iter().enumerate() {
        if key.is_empty() {
            return Err(LayoutError::EmptyKey { index });
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(LayoutError::KeyTooLong { key: key.to_owned(), max: MAX_KEY_BYTES });
        }
        if key.contains('\0') {
            return Err(LayoutError::NulInKey { key: key.to_owned() });
        }
        if !seen.insert(key) {
            return Err(LayoutError::DuplicateKey { key: key.to_owned() });
        }
        if let Value::Array(array) = value
            && !fits_depth(array, DEFAULT_ARRAY_DEPTH)
        {
            return Err(LayoutError::ArrayTooDeep { key: key.to_owned(), max: DEFAULT_ARRAY_DEPTH });
        }
    }
    Ok(())
}

/// Whether arrays are nested at most `depth` deep; looks no deeper than that.
fn fits_depth(array: &Array, depth: u8) -> bool {
    let Some(below) = depth.checked_sub(1) else { return false };
    match array {
        Array::Array(inner) => inner.iter().all(|a| fits_depth(a, below)),
        _ => true,
    }
}

/// Gives every tensor its offset from the start of the data.
fn place(tensors: Vec<TensorSpec>, alignment: u64) -> Result<Vec<PlacedTensor>, LayoutError> {
    let mut seen = HashSet::with_capacity(tensors.len());
    for (index, TensorSpec { name, .. }) in tensors.iter().enumerate() {
        if name.is_empty() {
            return Err(LayoutError::EmptyTensorName { index });
        }
        if name.len() > MAX_TENSOR_NAME_BYTES {
            return Err(LayoutError::TensorNameTooLong { name: name.clone(), max: MAX_TENSOR_NAME_BYTES });
        }
        if name.contains('\0') {
            return Err(LayoutError::NulInTensorName { name: name.clone() });
        }
        if !seen.insert(name.as_str()) {
            return Err(LayoutError::DuplicateTensor { name: name.clone() });
        }
    }
    drop(seen);
    let mut offset = 0u64;
    let mut placed = Vec::with_capacity(tensors.len());
    for spec in tensors {
        let (dims, ty) = (spec.dims, spec.ty);
        if ty.row_bytes(dims.row_len()).is_none() && !dims.row_len().is_multiple_of(ty.block_len() as u64) {
            return Err(LayoutError::RowLength { name: spec.name, row_len: dims.row_len(), ty });
        }
        let byte_len = dims.byte_len(ty).ok_or(LayoutError::FileTooLarge)?;
        let padded = pad(byte_len, alignment).ok_or(LayoutError::FileTooLarge)?;
        let end = offset.checked_add(padded).ok_or(LayoutError::FileTooLarge)?;
        // Less than the alignment, which is a u32.
        let padding = (padded - byte_len) as u32;
        placed.push(PlacedTensor { spec, offset, byte_len, padding });
        offset = end;
    }
    Ok(placed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ggml_type::GgmlType;
    use crate::tensor::Dims;

    fn tensor(name: &str, dims: &[u64], ty: GgmlType) -> TensorSpec {
        TensorSpec::new(name, Dims::new(dims).unwrap(), ty)
    }

    #[test]
    fn offsets_and_sizes_are_known_beforehand() {
        let metadata: Metadata = [("general.architecture", "llama")].into_iter().collect();
        let tensors = vec![
            tensor("a", &[3], GgmlType::F32),
            tensor("b", &[256, 2], GgmlType::Q4_K),
            tensor("c", &[1], GgmlType::F16),
        ];
        let layout = Layout::new(metadata, tensors).unwrap();
        // Counts 24; pair 8 + 20 + 4 + 8 + 5; entries 8 + 1 + 4 + 8 n + 4 + 8 each.
        let header = 24 + 45 + 33 + 41 + 33;
        let start = u64::next_multiple_of(header, 32);
        assert_eq!(layout.data_start(), start);
        let places: Vec<_> =
            layout.tensors().iter().map(|t| (t.offset(), t.byte_len(), t.padding())).collect();
        assert_eq!(places, [(start, 12, 20), (start + 32, 288, 0), (start + 320, 2, 30)]);
        assert_eq!(layout.file_len(), start + 352);
        assert_eq!(layout.header().len() as u64, start);
    }

    #[test]
    fn alignment_is_the_metadatas() {
        let aligned =
            |value: Value| Layout::new([(keys::GENERAL_ALIGNMENT, value)].into_iter().collect(), vec![]);
        let layout = aligned(Value::U32(4096)).unwrap();
        assert_eq!((layout.alignment(), layout.data_start(), layout.file_len()), (4096, 4096, 4096));
        for found in [0, 3, 48, 1 << 21, 1 << 31] {
            assert_eq!(aligned(Value::U32(found)), Err(LayoutError::Alignment { found }));
        }
        assert!(matches!(aligned(Value::U64(32)), Err(LayoutError::AlignmentType { .. })));
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        use GgmlType::{F32, Q4_0, Q8_0};
        let tensors = |tensors| Layout::new(Metadata::new(), tensors).unwrap_err();
        let t = tensor("t", &[1], F32);
        assert_eq!(tensors(vec![t.clone(), t]), LayoutError::DuplicateTensor { name: "t".into() });
        assert_eq!(tensors(vec![tensor("", &[1], F32)]), LayoutError::EmptyTensorName { index: 0 });
        assert!(matches!(tensors(vec![tensor("a\0b", &[1], F32)]), LayoutError::NulInTensorName { .. }));
        assert!(Layout::new(Metadata::new(), vec![tensor(&"n".repeat(63), &[1], F32)]).is_ok());
        assert!(matches!(
            tensors(vec![tensor(&"n".repeat(64), &[1], F32)]),
            LayoutError::TensorNameTooLong { .. }
        ));
        assert_eq!(
            tensors(vec![tensor("t", &[33], Q4_0)]),
            LayoutError::RowLength { name: "t".into(), row_len: 33, ty: Q4_0 }
        );
        assert_eq!(tensors(vec![tensor("t", &[i64::MAX as u64], F32)]), LayoutError::FileTooLarge);
        let quarter = |name| tensor(name, &[32, 1 << 57], Q8_0);
        assert_eq!(tensors(vec![quarter("a"), quarter("b")]), LayoutError::FileTooLarge);

        let pair = |key: &str, value: Value| Layout::new([(key, value)].into_iter().collect(), vec![]);
        assert_eq!(pair("", Value::U8(0)), Err(LayoutError::EmptyKey { index: 0 }));
        assert!(matches!(pair("a\0", Value::U8(0)), Err(LayoutError::NulInKey { .. })));
        assert!(pair(&"k".repeat(65_535), Value::U8(0)).is_ok());
        assert!(matches!(pair(&"k".repeat(65_536), Value::U8(0)), Err(LayoutError::KeyTooLong { .. })));
        let nested = |depth| (1..depth).fold(Array::U8(vec![1]), |inner, _| Array::Array(vec![inner]));
        assert!(pair("k", nested(4).into()).is_ok());
        assert_eq!(pair("k", nested(5).into()), Err(LayoutError::ArrayTooDeep { key: "k".into(), max: 4 }));
    }
}
