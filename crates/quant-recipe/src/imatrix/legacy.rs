//! The older format (`.dat`): little-endian, no mark at its beginning.
//!
//! `i32` number of entries; for each `i32` length of the name, the name, `i32` number of calls, `i32` number of values,
//! the values as `f32`. Then, or not: `i32` number of chunks; then, or not: `i32` length of the dataset's name, the name.
//! The file holds means times calls.

use std::io::Read;

use gguf_format::Limits;

use super::ImportanceMatrix;
use super::error::ImportanceError;

/// Reads a file of this length.
pub(super) fn read(
    reader: impl Read,
    len: u64,
    limits: &Limits,
) -> Result<ImportanceMatrix, ImportanceError> {
    let mut file = Remaining { reader, len };
    let mut matrix = ImportanceMatrix::default();
    let entries = positive(file.number("number of entries")?, "number of entries")?;
    for entry in 1..=entries {
        if entry > u64::from(limits.tensors) {
            return Err(ImportanceError::TooMany { found: entries, max: limits.tensors });
        }
        let place = |what: &str| format!("entry {entry} of {entries}: {what}");
        let name = file.text(&place("name"))?;
        let calls = file.number(&place("number of calls"))?;
        let weights = file.floats(&place("values"))?;
        // As llama.cpp: a file without calls holds the means themselves.
        let calls = if calls > 0 { calls as f32 } else { 1.0 };
        matrix.add(name, weights.into_iter().map(|sum| sum / calls).collect())?;
    }
    if file.len > 0 {
        // Negative where the writer did not count.
        matrix.chunks = u32::try_from(file.number("number of chunks")?).unwrap_or(0);
    }
    if file.len > 0 {
        let len = file.number("length of the dataset's name")?;
        if let Ok(len @ 1..) = u64::try_from(len) {
            matrix.datasets.push(file.text_of(len, "name of the dataset")?);
        }
    }
    Ok(matrix)
}

fn positive(found: i32, place: &str) -> Result<u64, ImportanceError> {
    match u64::try_from(found) {
        Ok(count @ 1..) => Ok(count),
        _ => Err(ImportanceError::Count { place: place.to_owned(), found }),
    }
}

/// What is left of a file. Nothing is allocated for more than that.
struct Remaining<R> {
    reader: R,
    len: u64,
}

impl<R: Read> Remaining<R> {
    fn bytes(&mut self, needed: u64, place: &str) -> Result<Vec<u8>, ImportanceError> {
        let truncated = |remaining| ImportanceError::Truncated { place: place.to_owned(), needed, remaining };
        let remaining = self.len.checked_sub(needed).ok_or_else(|| truncated(self.len))?;
        // Grows with what is there, should the file have become shorter.
        let mut bytes = Vec::new();
        let found = self.reader.by_ref().take(needed).read_to_end(&mut bytes)?;
        if found as u64 != needed {
            return Err(truncated(found as u64));
        }
        self.len = remaining;
        Ok(bytes)
    }

    fn number(&mut self, place: &str) -> Result<i32, ImportanceError> {
        let bytes = self.bytes(4, place)?;
        Ok(bytes.first_chunk().copied().map_or(0, i32::from_le_bytes))
    }

    fn text(&mut self, place: &str) -> Result<String, ImportanceError> {
        let len = positive(self.number(place)?, place)?;
        self.text_of(len, place)
    }

    fn text_of(&mut self, len: u64, place: &str) -> Result<String, ImportanceError> {
        let text = String::from_utf8(self.bytes(len, place)?).ok().filter(|text| !text.contains('\0'));
        text.ok_or_else(|| ImportanceError::Text { place: place.to_owned() })
    }

    fn floats(&mut self, place: &str) -> Result<Vec<f32>, ImportanceError> {
        // 31 bits of count: four times that fits.
        let len = positive(self.number(place)?, place)? * 4;
        let bytes = self.bytes(len, place)?;
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}
