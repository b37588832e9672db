//! The walk over a stretch of a packed matrix: in tiles of bounded size, so that no read takes more memory than that.

use std::fmt::Debug;
use std::ops::Range;

use gguf_format::GgmlType;

use super::part::Part;
use crate::error::Error;
use crate::shards::Shards;

/// A packed weight, seen as a matrix of floats.
pub(crate) trait Unpack: Debug + Send + Sync {
    /// Columns of the matrix: the weight's innermost dimension.
    fn cols(&self) -> u64;

    /// The largest tile that is unpacked at a time, as rows and columns: at most [`TILE`] elements.
    fn tile(&self) -> (u64, u64) {
        (1, TILE)
    }

    /// Fills `out` with these rows and columns, row by row.
    ///
    /// # Errors
    /// If a file cannot be read, or a stored value cannot be.
    fn unpack(
        &self,
        shards: &Shards,
        rows: Range<u64>,
        cols: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), Error>;

    /// The quantized type whose blocks hold the same values, where there is one.
    fn block_type(&self) -> Option<GgmlType> {
        None
    }

    /// Fills `out` with whole blocks of [`block_type`](Self::block_type), from the element `start` on.
    ///
    /// # Errors
    /// As [`unpack`](Self::unpack).
    fn blocks(&self, _shards: &Shards, _start: u64, _out: &mut [u8]) -> Result<(), Error> {
        Ok(())
    }

    /// The tensor that the codes are in.
    fn main(&self) -> &Part;
}

/// Elements of a tile at most: 64 KiB as F32.
pub(super) const TILE: u64 = 1 << 14;

/// Fills `out` with elements from `start` on, as little-endian F32.
pub(crate) fn read(unpack: &dyn Unpack, shards: &Shards, start: u64, out: &mut [u8]) -> Result<(), Error> {
    let cols = unpack.cols().max(1);
    let (tile_rows, tile_cols) = unpack.tile();
    let end = start + (out.len() / 4) as u64;
    let mut values = Vec::new();
    let mut at = start;
    while at < end {
        let (row, col) = (at / cols, at % cols);
        // Whole rows together, a row that is cut alone.
        let (rows, width) = if col == 0 && end - at >= cols {
            (row..row + ((end - at) / cols).min(tile_rows), cols)
        } else {
            (row..row + 1, (cols - col).min(end - at))
        };
        let mut left = col;
        while left < col + width {
            let right = (col + width).min(left + tile_cols);
            let n = (right - left) as usize;
            values.resize((rows.end - rows.start) as usize * n, 0.0);
            unpack.unpack(shards, rows.clone(), left..right, &mut values)?;
            for (row, values) in rows.clone().zip(values.chunks_exact(n)) {
                let place = (row * cols + left - start) as usize * 4;
                let place = out.get_mut(place..place + n * 4).unwrap_or_default();
                for (to, value) in place.as_chunks_mut::<4>().0.iter_mut().zip(values) {
                    *to = value.to_le_bytes();
                }
            }
            left = right;
        }
        at += (rows.end - rows.start) * width;
    }
    Ok(())
}
