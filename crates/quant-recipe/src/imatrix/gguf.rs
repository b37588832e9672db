//! The format of today: a GGUF file. Keys `imatrix.datasets`, `imatrix.chunk_count`, `imatrix.chunk_size`; for each
//! tensor `<name>.in_sum2`, the sums of squares by matrix and column, and `<name>.counts`, how many rows each matrix saw.
//! `<name>.in_sum`, the plain sums, is not used.

use std::collections::BTreeMap;

use gguf_format::{ByteOrder, GgmlType, Gguf, Strings, TensorRef};

use super::ImportanceMatrix;
use super::error::ImportanceError;

/// The tensors of an entry.
#[derive(Default)]
struct Parts<'a> {
    sums: Option<TensorRef<'a>>,
    squares: Option<TensorRef<'a>>,
    counts: Option<TensorRef<'a>>,
}

/// From a file's header and what reads a tensor's bytes.
pub(super) fn read(
    header: &Gguf<'_>,
    mut fetch: impl FnMut(TensorRef<'_>, &mut [u8]) -> Result<(), ImportanceError>,
) -> Result<ImportanceMatrix, ImportanceError> {
    let mut matrix = ImportanceMatrix::default();
    let metadata = header.metadata();
    let datasets: Strings<'_> = metadata.get_as("imatrix.datasets")?;
    matrix.datasets = datasets.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let chunks: u32 = metadata.get_as("imatrix.chunk_count")?;
    // llama.cpp keeps it as i32, and does not tell a number below 1.
    matrix.chunks = i32::try_from(chunks).map_or(0, |_| chunks);
    metadata.get_as::<u32>("imatrix.chunk_size")?;

    let mut entries: BTreeMap<&str, Parts<'_>> = BTreeMap::new();
    let tensors = header.tensors();
    for tensor in tensors.iter() {
        let Some((name, kind)) = tensor.name().rsplit_once('.') else { continue };
        if ["in_sum", "in_sum2", "counts"].contains(&kind) {
            let parts = entries.entry(name).or_default();
            match kind {
                "in_sum" => parts.sums = Some(tensor),
                "in_sum2" => parts.squares = Some(tensor),
                _ => parts.counts = Some(tensor),
            }
        }
    }
    let mut floats = |tensor: TensorRef<'_>| -> Result<Vec<f32>, ImportanceError> {
        if tensor.ty() != GgmlType::F32 {
            return Err(ImportanceError::Type { tensor: tensor.name().to_owned(), found: tensor.ty() });
        }
        // The header was checked: the file has as many bytes.
        let mut bytes = vec![0; usize::try_from(tensor.byte_len()).unwrap_or(0)];
        fetch(tensor, &mut bytes)?;
        let float = match header.byte_order() {
            ByteOrder::Little => f32::from_le_bytes,
            ByteOrder::Big => f32::from_be_bytes,
        };
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(numbers.iter().map(|bytes| float(*bytes)).collect())
    };
    for (name, parts) in entries {
        let lacks =
            |kind| ImportanceError::Unpaired { name: name.to_owned(), lacks: format!("{name}.{kind}") };
        let squares = parts.squares.ok_or_else(|| lacks("in_sum2"))?;
        let counts = parts.counts.ok_or_else(|| lacks("counts"))?;
        let sums = floats(squares)?;
        let counts = floats(counts)?;
        let shape = |others, of| ImportanceError::Shape {
            name: name.to_owned(),
            sums: sums.len(),
            counts: others,
            of,
        };
        if let Some(plain) = parts.sums {
            let plain = usize::try_from(plain.byte_len() / 4).unwrap_or(usize::MAX);
            if plain != sums.len() {
                return Err(shape(plain, "plain sums"));
            }
        }
        if counts.is_empty() || sums.is_empty() || !sums.len().is_multiple_of(counts.len()) {
            return Err(shape(counts.len(), "counts"));
        }
        let weights = means(name, &sums, &counts)?;
        matrix.add(name.to_owned(), weights)?;
    }
    if matrix.is_empty() { Err(ImportanceError::Empty) } else { Ok(matrix) }
}

/// Means from sums: of each matrix by its own count; all 1 for a matrix that was never called (an expert that no text
/// reached).
fn means(name: &str, sums: &[f32], counts: &[f32]) -> Result<Vec<f32>, ImportanceError> {
    let mut means = Vec::with_capacity(sums.len());
    for (index, (sums, &count)) in sums.chunks(sums.len() / counts.len()).zip(counts).enumerate() {
        // llama.cpp rounds to i64, and what is beyond has no meaning.
        if !count.is_finite() || count.abs() >= i64::MAX as f32 {
            return Err(ImportanceError::Called { name: name.to_owned(), index, found: count });
        }
        let count = count.round();
        means.extend(sums.iter().map(|sum| if count > 0.0 { sum / count } else { 1.0 }));
    }
    Ok(means)
}
