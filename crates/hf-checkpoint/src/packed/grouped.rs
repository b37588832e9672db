//! compressed-tensors' pack-quantized: integers packed along the rows into 32-bit words, with scales for groups of
//! columns.

use std::ops::Range;

use super::part::Part;
use super::tile::Unpack;
use crate::error::Error;
use crate::shards::Shards;

/// (Code − zero) × scale (`dequant_packed`). A word has as many codes as fit whole, the lowest bits first.
#[derive(Debug)]
pub(super) struct Grouped {
    pub codes: Part,
    pub scales: Part,
    /// Packed along the rows' number, so that a word has the zeros of neighbouring rows.
    pub zeros: Option<Part>,
    /// The group of each column, where they are not in order.
    pub group_of: Option<Part>,
    pub bits: u32,
    pub group: u64,
    /// Groups of a row, and whether all rows share one scale.
    pub groups: u64,
    pub shared: bool,
    pub cols: u64,
}

impl Grouped {
    fn per_word(&self) -> u64 {
        u64::from(32 / self.bits)
    }
}

impl Unpack for Grouped {
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
        let width = (cols.end - cols.start) as usize;
        let per_word = self.per_word();
        let mask = (1u32 << self.bits) - 1;
        let indices = match &self.group_of {
            Some(part) => Some(part.words(shards, cols.start, width)?),
            None => None,
        };
        // Without an index the groups of these columns only; with one, any of the row's.
        let groups = match indices {
            Some(_) => 0..self.groups,
            None => cols.start / self.group..cols.end.div_ceil(self.group),
        };
        let count = (groups.end - groups.start) as usize;
        for (row, out) in rows.zip(out.chunks_exact_mut(width.max(1))) {
            let first_word = cols.start / per_word;
            let words = (cols.end.div_ceil(per_word) - first_word) as usize;
            let words = self.codes.words(shards, row * self.cols.div_ceil(per_word) + first_word, words)?;
            let scale_row = if self.shared { 0 } else { row };
            let scales = self.scales.floats(shards, scale_row * self.groups + groups.start, count)?;
            let zeros = match &self.zeros {
                Some(part) => {
                    let words = part.words(shards, row / per_word * self.groups + groups.start, count)?;
                    let shift = (row % per_word) as u32 * self.bits;
                    words.into_iter().map(|w| w >> shift & mask).collect()
                }
                None => vec![1 << (self.bits - 1); count],
            };
            for (i, (col, out)) in cols.clone().zip(out).enumerate() {
                let group = match indices.as_ref().and_then(|g| g.get(i)) {
                    // All ones is -1, which stands for groups in order.
                    Some(&u32::MAX) | None => col / self.group,
                    Some(&group) => group.into(),
                };
                let place = group.wrapping_sub(groups.start) as usize;
                let (Some(scale), Some(&zero)) = (scales.get(place), zeros.get(place)) else {
                    let part = self.group_of.as_ref().unwrap_or(&self.codes);
                    let detail = format!("column {col} is of group {group}, there are {}", self.groups);
                    return Err(part.wrong(shards, &detail));
                };
                let word = words.get((col / per_word - first_word) as usize).copied().unwrap_or_default();
                let code = word >> ((col % per_word) as u32 * self.bits) & mask;
                // Both are below 256.
                *out = (code.cast_signed() - zero.cast_signed()) as f32 * scale;
            }
        }
        Ok(())
    }

    fn main(&self) -> &Part {
        &self.codes
    }
}
