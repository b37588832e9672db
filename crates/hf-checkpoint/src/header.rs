//! The header of a safetensors file: which tensor lies where, every claim checked against the file's length.
//!
//! Format: eight bytes of header length (little-endian), the header as JSON, then the tensors' bytes without gaps
//! (safetensors 0.8). The checks are made here rather than by the `safetensors` crate, because its errors name no
//! tensor and it lets a repeated name pass.

use std::fmt;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::error::Error;
use crate::limits::Limits;
use crate::positional::ReadAt;

/// A tensor of a safetensors file.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub dtype: Dtype,
    /// Outermost dimension first, as in the header.
    pub shape: Vec<u64>,
    /// Where its bytes start, from the start of the file.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Reads and checks the header; entries come in the order of their names.
pub(crate) fn read(file: &ReadAt, limits: &Limits) -> Result<Vec<Entry>, Error> {
    let wrong = |detail: String| Error::Header { path: file.path().to_owned(), detail };
    let truncated =
        |expected: u64| Error::Truncated { path: file.path().to_owned(), found: file.len(), expected };
    if file.len() < 8 {
        return Err(truncated(8));
    }
    let mut len = [0; 8];
    file.read_exact_at(&mut len, 0)?;
    let header_len = u64::from_le_bytes(len);
    if header_len > limits.header_bytes {
        let most = limits.header_bytes;
        return Err(wrong(format!("header of {header_len} bytes, expected at most {most}")));
    }
    let data_start = header_len.saturating_add(8);
    if file.len() < data_start {
        return Err(truncated(data_start));
    }
    // No larger than the file, and no larger than the bound above.
    let mut text = vec![0; usize::try_from(header_len).map_err(|_| truncated(data_start))?];
    file.read_exact_at(&mut text, 8)?;
    let mut json = serde_json::Deserializer::from_slice(&text);
    let raw = Names.deserialize(&mut json).and_then(|raw| json.end().map(|()| raw));
    let raw = raw.map_err(|source| wrong(format!("header: {source}")))?;

    let mut entries = Vec::with_capacity(raw.len());
    for (name, info) in raw {
        entries.push(entry(name, info, data_start).map_err(wrong)?);
    }
    let end = check_layout(&mut entries, data_start).map_err(wrong)?;
    if file.len() < end {
        return Err(truncated(end));
    }
    if file.len() > end {
        return Err(wrong(format!(
            "{} bytes long, expected {end}: nothing may follow the tensors",
            file.len()
        )));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let twice = entries.iter().zip(entries.iter().skip(1)).find(|(a, b)| a.name == b.name);
    if let Some((first, _)) = twice {
        return Err(wrong(format!("tensor `{}` is there twice", first.name)));
    }
    Ok(entries)
}

/// An entry as it stands in the header.
#[derive(Deserialize)]
struct RawInfo {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// Deserialises the header into a list, so that a repeated name is not lost.
struct Names;

impl<'de> DeserializeSeed<'de> for Names {
    type Value = Vec<(String, RawInfo)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Vec<(String, RawInfo)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
            } else {
                let info = map.next_value::<RawInfo>();
                entries.push((
                    name.clone(),
                    info.map_err(|e| serde::de::Error::custom(format_args!("tensor `{name}`: {e}")))?,
                ));
            }
        }
        Ok(entries)
    }
}

fn entry(name: String, info: RawInfo, data_start: u64) -> Result<Entry, String> {
    let RawInfo { dtype, shape, data_offsets: (begin, end) } = info;
    let known = Dtype::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&dtype));
    let Ok(dtype) = known else {
        return Err(format!("tensor `{name}`: dtype `{dtype}`, expected one that safetensors 0.8 knows"));
    };
    let elements = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d));
    let bits = elements.and_then(|n| n.checked_mul(dtype.bitsize() as u64));
    let Some(bits) = bits.filter(|bits| bits.is_multiple_of(8)) else {
        return Err(format!(
            "tensor `{name}`: shape {shape:?} of {dtype} is no whole number of bytes below 2^61"
        ));
    };
    let bytes = bits / 8;
    if end.checked_sub(begin) != Some(bytes) {
        return Err(format!(
            "tensor `{name}`: offsets {begin}..{end}, expected {bytes} bytes for shape {shape:?} of {dtype}"
        ));
    }
    let offset = data_start.checked_add(begin).filter(|o| o.checked_add(bytes).is_some());
    let Some(offset) = offset else {
        return Err(format!("tensor `{name}`: offsets {begin}..{end} go beyond 2^64 bytes"));
    };
    Ok(Entry { name, dtype, shape, offset, bytes })
}

/// Checks that the tensors lie side by side; gives the offset where they end.
fn check_layout(entries: &mut [Entry], data_start: u64) -> Result<u64, String> {
    entries.sort_by_key(|e| (e.offset, e.bytes));
    let mut next = data_start;
    for Entry { name, offset, bytes, .. } in &*entries {
        if *offset != next {
            let (found, expected) = (offset - data_start, next - data_start);
            let what = if *offset < next { "overlaps the tensor before" } else { "leaves a gap" };
            return Err(format!("tensor `{name}`: starts at {found}, expected {expected}: it {what}"));
        }
        next = offset + bytes;
    }
    Ok(next)
}
