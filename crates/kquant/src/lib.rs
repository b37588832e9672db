#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod blocks;
mod dispatch;
mod error;
mod float16;
mod grids;
#[expect(unsafe_code, reason = "instruction sets; lanes/mod.rs says what makes it safe")]
mod lanes;
mod search;
mod transcode;

use blocks::ImportanceUse;
use dispatch::{Codec, Encoder};

pub use error::Error;
pub use gguf_format::GgmlType;
pub use lanes::{Isa, UnknownIsa};
pub use transcode::transcode_rows;

/// Whether [`encode_rows`] knows the type.
#[must_use]
pub const fn can_encode(ty: GgmlType) -> bool {
    matches!(dispatch::codec(ty), Some(Codec { encoder: Some(_), .. }))
}

/// Whether [`encode_rows`] takes the type with importance only (`ggml_quantize_requires_imatrix`).
#[must_use]
pub const fn needs_importance(ty: GgmlType) -> bool {
    const REQUIRED: ImportanceUse = ImportanceUse::Required;
    matches!(dispatch::codec(ty), Some(Codec { encoder: Some(Encoder { importance: REQUIRED, .. }), .. }))
}

/// Whether the blocks of a type change with importance.
#[must_use]
pub const fn uses_importance(ty: GgmlType) -> bool {
    const IGNORED: ImportanceUse = ImportanceUse::Ignored;
    match dispatch::codec(ty) {
        Some(Codec { encoder: Some(Encoder { importance: IGNORED, .. }), .. }) => false,
        Some(Codec { encoder: Some(_), .. }) => true,
        _ => false,
    }
}

/// Whether [`decode_rows`] knows the type.
#[must_use]
pub const fn can_decode(ty: GgmlType) -> bool {
    dispatch::codec(ty).is_some()
}

/// Encodes rows of weights as blocks of `ty`.
///
/// - `src`: whole rows, one after the other, of `row_len` weights each; `row_len` is a positive multiple of
///   [`GgmlType::block_len`]. No rows at all is fine.
/// - `importance`: for each column, how much an error in it counts (one row of an importance matrix: mean
///   squares of activations), `row_len` finite values of at least 0. Types without a search take no notice;
///   [`needs_importance`] says which types cannot do without.
/// - `dst`: as long as the result, [`GgmlType::row_bytes`] for each row.
///
/// The bytes are those of `ggml_quantize_chunk` (llama.cpp as in `llama-cpp-sys-2` 0.1.161, baseline x86-64
/// build) for every finite input. Rows do not depend on each other: any cut into calls gives the same bytes.
/// Infinity and NaN do not panic, but what block they give is not specified; check for them before. (The float
/// types keep them.)
///
/// # Errors
///
/// [`Error::CannotEncode`] for a type without encoder; [`Error::NeedsImportance`] for one that is not encoded
/// without importance; the other variants for lengths that do not fit and for
/// importance that is not finite or is negative (ggml's own calls take negative importance; it has no meaning).
/// `dst` is then as it was.
pub fn encode_rows(
    ty: GgmlType,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) -> Result<(), Error> {
    encode_rows_on(Isa::best(), ty, src, row_len, importance, dst)
}

/// [`encode_rows`] on an instruction set of one's choice; the bytes are the same on all.
///
/// # Errors
///
/// As [`encode_rows`], and [`Error::IsaMissing`] when the machine does not have it.
pub fn encode_rows_on(
    isa: Isa,
    ty: GgmlType,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) -> Result<(), Error> {
    if !isa.is_available() {
        return Err(Error::IsaMissing { isa });
    }
    let encoder = checked_encoder(ty, src.len(), row_len, importance, dst.len())?;
    (encoder.run)(isa, src, row_len, encoder.uses(importance), dst);
    Ok(())
}

/// The encoder of a type, when the lengths (in weights and bytes) fit each other and the importance is in order.
fn checked_encoder(
    ty: GgmlType,
    src_len: usize,
    row_len: usize,
    importance: Option<&[f32]>,
    dst_len: usize,
) -> Result<Encoder, Error> {
    let encoder = dispatch::codec(ty).and_then(|codec| codec.encoder).ok_or(Error::CannotEncode { ty })?;
    let row_bytes = row_bytes(ty, row_len)?;
    if !src_len.is_multiple_of(row_len) {
        return Err(Error::SourceLength { found: src_len, row: row_len, unit: "weights" });
    }
    // The weights' bytes fit in an isize and a block is no longer than its weights, so this cannot overflow.
    let expected = src_len / row_len * row_bytes;
    if dst_len != expected {
        return Err(Error::DestinationLength { found: dst_len, expected, unit: "bytes" });
    }
    if let Some(importance) = importance {
        if importance.len() != row_len {
            return Err(Error::ImportanceLength { found: importance.len(), expected: row_len });
        }
        let bad = importance.iter().position(|&value| !(value.is_finite() && value >= 0.0));
        if let Some(column) = bad {
            return Err(Error::ImportanceValue { column, value: importance[column] });
        }
    } else if encoder.importance == ImportanceUse::Required {
        return Err(Error::NeedsImportance { ty });
    }
    Ok(encoder)
}

/// Decodes blocks of `ty` to weights.
///
/// - `src`: whole rows, one after the other, of [`GgmlType::row_bytes`] bytes each, at any address.
/// - `row_len`: weights in a row, a positive multiple of [`GgmlType::block_len`].
/// - `dst`: as long as the result, `row_len` weights for each row.
///
/// The weights are bit for bit those of ggml's `to_float` (`dequantize_row_*`), save that the sign and payload
/// of a NaN in a quantized type are not specified. Any bytes decode to something; a block whose scale is
/// infinity or NaN decodes to such.
///
/// # Errors
///
/// [`Error::CannotDecode`] for a type without decoder; the other variants for lengths that do not fit. `dst` is
/// then as it was.
pub fn decode_rows(ty: GgmlType, src: &[u8], row_len: usize, dst: &mut [f32]) -> Result<(), Error> {
    decode_rows_on(Isa::best(), ty, src, row_len, dst)
}

/// [`decode_rows`] on an instruction set of one's choice; the weights are the same on all.
///
/// # Errors
///
/// As [`decode_rows`], and [`Error::IsaMissing`] when the machine does not have it.
pub fn decode_rows_on(
    isa: Isa,
    ty: GgmlType,
    src: &[u8],
    row_len: usize,
    dst: &mut [f32],
) -> Result<(), Error> {
    if !isa.is_available() {
        return Err(Error::IsaMissing { isa });
    }
    let codec = dispatch::codec(ty).ok_or(Error::CannotDecode { ty })?;
    let row_bytes = row_bytes(ty, row_len)?;
    if !src.len().is_multiple_of(row_bytes) {
        return Err(Error::SourceLength { found: src.len(), row: row_bytes, unit: "bytes" });
    }
    let rows = src.len() / row_bytes;
    if rows.checked_mul(row_len) != Some(dst.len()) {
        let expected = rows.saturating_mul(row_len);
        return Err(Error::DestinationLength { found: dst.len(), expected, unit: "weights" });
    }
    (codec.decode)(isa, src, dst);
    Ok(())
}

/// Bytes of a row, which is not empty.
fn row_bytes(ty: GgmlType, row_len: usize) -> Result<usize, Error> {
    let bytes = ty.row_bytes(row_len as u64).and_then(|bytes| usize::try_from(bytes).ok());
    bytes.filter(|&bytes| bytes != 0).ok_or(Error::RowLength { ty, row_len })
}
