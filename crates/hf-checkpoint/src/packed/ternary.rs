//! BitNet: ternary weights, four to a byte, with one scale.

use std::ops::Range;

use super::part::Part;
use super::tile::Unpack;
use crate::error::Error;
use crate::shards::Shards;

/// (Code − 1) ÷ scale (`dequant_bitnet`): the bits `2k` and `2k + 1` of the packed rows are the k-th quarter of the rows.
#[derive(Debug)]
pub(super) struct Ternary {
    pub codes: Part,
    pub scale: f32,
    pub packed_rows: u64,
    pub cols: u64,
}

impl Unpack for Ternary {
    fn cols(&self) -> u64 {
        self.cols
    }

    fn unpack(
        &self,
        shards: &Shards,
        rows: Range<u64>,
        cols: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let mut bytes = vec![0; (cols.end - cols.start) as usize];
        for (row, out) in rows.zip(out.chunks_exact_mut(bytes.len().max(1))) {
            let (quarter, packed) = (row / self.packed_rows.max(1), row % self.packed_rows.max(1));
            self.codes.bytes(shards, packed * self.cols + cols.start, &mut bytes)?;
            for (byte, out) in bytes.iter().zip(out) {
                *out = (f32::from(byte >> (2 * quarter) & 3) - 1.0) / self.scale;
            }
        }
        Ok(())
    }

    fn main(&self) -> &Part {
        &self.codes
    }
}
