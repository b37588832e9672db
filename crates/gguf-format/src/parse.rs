//! From bytes to the index of a header: where each key, value and tensor lies. Everything is checked here.

use crate::cursor::{At, ByteOrder, Cursor, Encoding, Source, Span};
use crate::error::{FormatError, LimitError, ReadError, excerpt};
use crate::ggml_type::GgmlType;
use crate::keys;
use crate::layout::{DEFAULT_ALIGNMENT, pad};
use crate::limits::{Limits, MAX_KEY_BYTES};
use crate::tensor::{Dims, MAX_DIMS, MAX_TENSOR_NAME_BYTES};
use crate::value::ValueType;
use crate::write::MAGIC;

/// The newest version of the format that is read.
const MAX_VERSION: u32 = 3;

/// Where everything is in a header that was checked from end to end.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) version: u32,
    pub(crate) encoding: Encoding,
    pub(crate) alignment: u32,
    pub(crate) pairs: Vec<Pair>,
    /// Indices of `pairs`, by key.
    pub(crate) pairs_by_key: Vec<u32>,
    pub(crate) tensors: Vec<Entry>,
    /// Indices of `tensors`, by name.
    pub(crate) tensors_by_name: Vec<u32>,
    /// Bytes of the header, without padding.
    pub(crate) header_len: usize,
    pub(crate) data_start: u64,
    pub(crate) file_len: u64,
}

/// A metadata pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) key: Span,
    pub(crate) ty: ValueType,
    pub(crate) value: Span,
}

/// A tensor of the directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: Span,
    pub(crate) dims: Dims,
    pub(crate) ty: GgmlType,
    /// From the start of the file.
    pub(crate) offset: u64,
    pub(crate) byte_len: u64,
}

/// Reads and checks a header; gives the source back, which holds at least the header's bytes.
pub(crate) fn parse<S: Source>(source: S, limits: &Limits) -> Result<(Index, S), ReadError> {
    let little = Encoding { order: ByteOrder::Little, wide: true };
    let mut cursor = Cursor::new(source, little, limits.header_bytes);
    let version = preamble(&mut cursor)?;
    let n_tensors = cursor.length()?;
    let n_pairs = cursor.length()?;
    check_counts(&cursor, n_tensors, n_pairs, limits)?;

    let (pairs, pairs_by_key) = read_pairs(&mut cursor, n_pairs as u32, limits)?;
    let alignment = find_alignment(&cursor, &pairs, &pairs_by_key)?;
    let (mut tensors, tensors_by_name) = read_directory(&mut cursor, n_tensors as u32, alignment)?;

    let header_len = cursor.position();
    let file_len = cursor.total();
    // A header is far shorter than 2^63 bytes and the alignment is below 2^32.
    let data_start = pad(header_len as u64, u64::from(alignment)).unwrap_or(u64::MAX);
    place_tensors(&cursor, &mut tensors, data_start)?;
    let index = Index {
        version,
        encoding: cursor.encoding(),
        alignment,
        pairs,
        pairs_by_key,
        tensors,
        tensors_by_name,
        header_len,
        data_start,
        file_len,
    };
    Ok((index, cursor.into_source()))
}

/// Magic and version, which decide how the rest is stored.
fn preamble<S: Source>(cursor: &mut Cursor<S>) -> Result<u32, ReadError> {
    let magic = cursor.bytes(4)?;
    if magic != MAGIC {
        return Err(FormatError::Magic { found: excerpt(magic) }.into());
    }
    let little = cursor.u32()?;
    let big = little.swap_bytes();
    let (order, version) = if (1..=MAX_VERSION).contains(&big) {
        (ByteOrder::Big, big)
    } else if (1..=MAX_VERSION).contains(&little) {
        (ByteOrder::Little, little)
    } else {
        return Err(FormatError::Version { found: little }.into());
    };
    cursor.set_encoding(Encoding { order, wide: version > 1 });
    Ok(version)
}

/// Refuses counts that the rest of the file has no room for, and counts above the limits.
fn check_counts<S: Source>(
    cursor: &Cursor<S>,
    tensors: u64,
    pairs: u64,
    limits: &Limits,
) -> Result<(), ReadError> {
    let length = cursor.encoding().length_bytes();
    // Key of one byte, type, value of one byte; name of one byte, count of dimensions, none of them, type, offset.
    let least_pair = length + 1 + 4 + 1;
    let least_tensor = length + 1 + 4 + 4 + 8;
    let room = cursor.remaining();
    let least = pairs.saturating_mul(least_pair).saturating_add(tensors.saturating_mul(least_tensor));
    if least > room {
        return Err(FormatError::Counts { tensors, pairs, room }.into());
    }
    if pairs > u64::from(limits.pairs) {
        return Err(LimitError::Pairs { found: pairs, max: limits.pairs }.into());
    }
    if tensors > u64::from(limits.tensors) {
        return Err(LimitError::Tensors { found: tensors, max: limits.tensors }.into());
    }
    Ok(())
}

fn read_pairs<S: Source>(
    cursor: &mut Cursor<S>,
    count: u32,
    limits: &Limits,
) -> Result<(Vec<Pair>, Vec<u32>), ReadError> {
    let mut pairs = Vec::new();
    for index in 0..count {
        cursor.at(At::Key(index));
        let key = cursor.string()?;
        check_text(cursor, key, MAX_KEY_BYTES)?;
        cursor.at(At::Value { key });
        let ty = cursor.value_type()?;
        let start = cursor.position();
        cursor.skip_value(ty, limits.array_depth)?;
        pairs.push(Pair { key, ty, value: Span { start, len: cursor.position() - start } });
    }
    match sorted(cursor.loaded(), pairs.iter().map(|p| p.key)) {
        Ok(by_key) => Ok((pairs, by_key)),
        Err(key) => Err(FormatError::DuplicateKey { key }.into()),
    }
}

fn find_alignment<S: Source>(cursor: &Cursor<S>, pairs: &[Pair], by_key: &[u32]) -> Result<u32, ReadError> {
    let bytes = cursor.loaded();
    let key = keys::GENERAL_ALIGNMENT.as_bytes();
    let Some(pair) = find(bytes, by_key, key, |i| pairs.get(i).map(|p| p.key)).and_then(|i| pairs.get(i))
    else {
        return Ok(DEFAULT_ALIGNMENT);
    };
    match (pair.ty, pair.value.of(bytes).try_into()) {
        (ValueType::U32, Ok(value)) => {
            let found = cursor.encoding().u32(value);
            if found.is_power_of_two() { Ok(found) } else { Err(FormatError::Alignment { found }.into()) }
        }
        _ => Err(FormatError::AlignmentType { found: pair.ty }.into()),
    }
}

fn read_directory<S: Source>(
    cursor: &mut Cursor<S>,
    count: u32,
    alignment: u32,
) -> Result<(Vec<Entry>, Vec<u32>), ReadError> {
    let mut tensors = Vec::new();
    for index in 0..count {
        cursor.at(At::TensorName(index));
        let name = cursor.string()?;
        check_text(cursor, name, MAX_TENSOR_NAME_BYTES)?;
        cursor.at(At::Tensor { name });
        let dims = read_dims(cursor)?;
        let id = cursor.u32()?;
        let offset = cursor.u64()?;
        let text = |cursor: &Cursor<S>| excerpt(name.of(cursor.loaded()));
        let Some(ty) = GgmlType::from_id(id) else {
            return Err(FormatError::TensorType { name: text(cursor), found: id }.into());
        };
        if !dims.row_len().is_multiple_of(ty.block_len() as u64) {
            return Err(FormatError::RowLength { name: text(cursor), row_len: dims.row_len(), ty }.into());
        }
        let Some(byte_len) = dims.byte_len(ty) else {
            return Err(FormatError::TensorTooLarge { name: text(cursor), dims, ty }.into());
        };
        if !offset.is_multiple_of(u64::from(alignment)) {
            return Err(FormatError::Misaligned { name: text(cursor), offset, alignment }.into());
        }
        tensors.push(Entry { name, dims, ty, offset, byte_len });
    }
    match sorted(cursor.loaded(), tensors.iter().map(|t| t.name)) {
        Ok(by_name) => Ok((tensors, by_name)),
        Err(name) => Err(FormatError::DuplicateTensor { name }.into()),
    }
}

fn read_dims<S: Source>(cursor: &mut Cursor<S>) -> Result<Dims, ReadError> {
    let n = cursor.u32()?;
    let mut ne = [1; MAX_DIMS];
    let Some(used) = usize::try_from(n).ok().and_then(|n| ne.get_mut(..n)) else {
        return Err(FormatError::DimsCount { place: cursor.place(), found: n }.into());
    };
    for dim in used.iter_mut() {
        *dim = cursor.length()?;
    }
    // A tensor without dimensions holds one number: ggml's four ones, of which one has to be shown.
    let shown = if used.is_empty() { ne.get(..1).unwrap_or_default() } else { used };
    Dims::new(shown).map_err(|problem| FormatError::Dims { place: cursor.place(), problem }.into())
}

/// Turns offsets from the start of the data into offsets from the start of the file, and refuses tensors that
/// leave the file or share bytes.
fn place_tensors<S: Source>(
    cursor: &Cursor<S>,
    tensors: &mut [Entry],
    data_start: u64,
) -> Result<(), ReadError> {
    let file_len = cursor.total();
    let text = |tensor: &Entry| excerpt(tensor.name.of(cursor.loaded()));
    for tensor in tensors.iter_mut() {
        let start = data_start.checked_add(tensor.offset);
        let end = start.and_then(|start| start.checked_add(tensor.byte_len));
        match (start, end) {
            (Some(start), Some(end)) if end <= file_len => tensor.offset = start,
            _ => {
                let (name, needed) = (text(tensor), tensor.byte_len);
                let offset = start.unwrap_or(u64::MAX);
                return Err(FormatError::OutOfFile { name, offset, needed, file_len }.into());
            }
        }
    }
    // Nearly always sorted already, which costs no second list.
    let ends_before = |a: &Entry, b: &Entry| a.offset + a.byte_len <= b.offset;
    if tensors.is_sorted_by(ends_before) {
        return Ok(());
    }
    let mut by_offset: Vec<&Entry> = tensors.iter().collect();
    by_offset.sort_unstable_by_key(|t| t.offset);
    match by_offset.iter().zip(by_offset.iter().skip(1)).find(|(a, b)| !ends_before(a, b)) {
        None => Ok(()),
        Some((a, b)) => Err(FormatError::Overlap { first: text(a), second: text(b) }.into()),
    }
}

/// A key or a tensor's name: not empty, not too long, text, no NUL (C programs would cut it there, and two
/// names would become one).
fn check_text<S: Source>(cursor: &Cursor<S>, span: Span, max: usize) -> Result<(), ReadError> {
    let bytes = span.of(cursor.loaded());
    if bytes.is_empty() {
        return Err(FormatError::EmptyName { place: cursor.place() }.into());
    }
    if bytes.len() > max {
        let (place, text, len) = (cursor.place(), excerpt(bytes), bytes.len());
        return Err(FormatError::NameTooLong { place, text, len, max }.into());
    }
    if bytes.contains(&0) || std::str::from_utf8(bytes).is_err() {
        return Err(FormatError::NameNotText { place: cursor.place(), text: excerpt(bytes) }.into());
    }
    Ok(())
}

/// The indices of these names in the names' order, or the first name that occurs twice.
fn sorted(bytes: &[u8], names: impl ExactSizeIterator<Item = Span>) -> Result<Vec<u32>, String> {
    let mut order: Vec<(u32, &[u8])> = (0..).zip(names.map(|span| span.of(bytes))).collect();
    order.sort_unstable_by_key(|(_, name)| *name);
    match order.iter().zip(order.iter().skip(1)).find(|(a, b)| a.1 == b.1) {
        Some((twice, _)) => Err(excerpt(twice.1)),
        None => Ok(order.into_iter().map(|(i, _)| i).collect()),
    }
}

/// The index of a name, by bisection.
pub(crate) fn find(
    bytes: &[u8],
    order: &[u32],
    name: &[u8],
    span: impl Fn(usize) -> Option<Span>,
) -> Option<usize> {
    let text = |i: &u32| span(*i as usize).map(|s| s.of(bytes)).unwrap_or_default();
    order.binary_search_by(|i| text(i).cmp(name)).ok().and_then(|at| order.get(at)).map(|&i| i as usize)
}
