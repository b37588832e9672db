//! From one type to another, without a copy of the weights in between.

use gguf_format::GgmlType;

use crate::dispatch::Encoder;
use crate::error::Error;
use crate::{Isa, checked_encoder, decode_rows_on, row_bytes};

/// Weights that are decoded at a time: 32 KiB as f32, in the first-level cache of most machines. A multiple of every block.
const TILE_LEN: usize = 8192;

/// Encodes rows of blocks of `from` as blocks of `ty`: BF16 and F16 weights as a checkpoint has them, or anything else
/// that is decoded.
///
/// The blocks are those that [`decode_rows`](crate::decode_rows) and then [`encode_rows`](crate::encode_rows) give, but the
/// weights go through the processor's cache, not through memory. Nothing is allocated, save one row of weights where
/// importance is given, `ty` is Q4_0, Q4_1, Q5_0, Q5_1 or another type that looks at the whole row, and the row has more
/// than 8192 weights.
///
/// - `src`: whole rows, one after the other, of `row_len` weights each, at any address, little-endian.
/// - `importance`, `dst`: as for [`encode_rows`](crate::encode_rows).
///
/// # Errors
///
/// As [`decode_rows`](crate::decode_rows) and [`encode_rows`](crate::encode_rows); nothing is written then.
pub fn transcode_rows(
    from: GgmlType,
    src: &[u8],
    ty: GgmlType,
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) -> Result<(), Error> {
    let isa = Isa::best();
    if !crate::can_decode(from) {
        return Err(Error::CannotDecode { ty: from });
    }
    let src_row = row_bytes(from, row_len)?;
    if !src.len().is_multiple_of(src_row) {
        return Err(Error::SourceLength { found: src.len(), row: src_row, unit: "bytes" });
    }
    let rows = src.len() / src_row;
    let Some(weights) = rows.checked_mul(row_len) else {
        return Err(Error::RowLength { ty: from, row_len });
    };
    let encoder = checked_encoder(ty, weights, row_len, importance, dst.len())?;
    let importance = encoder.uses(importance);
    let work = Work { isa, from, ty, encoder };
    if row_len <= TILE_LEN {
        let step = TILE_LEN / row_len * row_len;
        let mut tile = [0.0; TILE_LEN];
        work.tiles(src, step, row_len, importance, &mut tile, dst)
    } else if importance.is_some() && encoder.looks_at_row {
        work.tiles(src, row_len, row_len, importance, &mut vec![0.0; row_len], dst)
    } else {
        let dst_row = ty.row_bytes(row_len as u64).and_then(|bytes| usize::try_from(bytes).ok());
        let dst_row = dst_row.ok_or(Error::RowLength { ty, row_len })?;
        src.chunks_exact(src_row)
            .zip(dst.chunks_exact_mut(dst_row))
            .try_for_each(|(src, dst)| work.parts_of_row(src, importance, dst))
    }
}

/// What does not change from tile to tile.
#[derive(Clone, Copy)]
struct Work {
    isa: Isa,
    from: GgmlType,
    ty: GgmlType,
    encoder: Encoder,
}

impl Work {
    /// Whole rows, `step` weights at a time.
    fn tiles(
        self,
        src: &[u8],
        step: usize,
        row_len: usize,
        importance: Option<&[f32]>,
        tile: &mut [f32],
        dst: &mut [u8],
    ) -> Result<(), Error> {
        let src = src.chunks(bytes(self.from, step));
        for (src, dst) in src.zip(dst.chunks_mut(bytes(self.ty, step))) {
            let len = src.len() / self.from.block_bytes() * self.from.block_len();
            let weights = &mut tile[..len];
            decode_rows_on(self.isa, self.from, src, row_len, weights)?;
            (self.encoder.run)(self.isa, weights, row_len, importance, dst);
        }
        Ok(())
    }

    /// One row, in parts that are rows to the encoder.
    fn parts_of_row(self, src: &[u8], importance: Option<&[f32]>, dst: &mut [u8]) -> Result<(), Error> {
        let mut tile = [0.0; TILE_LEN];
        let parts = src.chunks(bytes(self.from, TILE_LEN)).zip(dst.chunks_mut(bytes(self.ty, TILE_LEN)));
        for (i, (src, dst)) in parts.enumerate() {
            let len = src.len() / self.from.block_bytes() * self.from.block_len();
            let weights = &mut tile[..len];
            decode_rows_on(self.isa, self.from, src, len, weights)?;
            let importance = importance.map(|row| &row[i * TILE_LEN..][..len]);
            (self.encoder.run)(self.isa, weights, len, importance, dst);
        }
        Ok(())
    }
}

/// Bytes of whole blocks.
fn bytes(ty: GgmlType, len: usize) -> usize {
    len / ty.block_len() * ty.block_bytes()
}
