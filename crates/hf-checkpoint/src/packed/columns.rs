//! GPTQ and AWQ: matrices stored with the input dimension first, the output's columns side by side, integers in 32-bit
//! words, with a scale and a zero for each group of inputs and each output.

use std::collections::BTreeMap;
use std::ops::Range;

use super::part::Part;
use super::tile::Unpack;
use crate::error::Error;
use crate::shards::Shards;

/// How codes lie in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Codes of a word are of neighbouring inputs, the first in the lowest bits.
    Gptq,
    /// Codes of a word are of eight neighbouring outputs, in the order 0, 2, 4, 6, 1, 3, 5, 7 (autoawq's "gemm").
    Awq,
}

/// Where the k-th of eight outputs is in a word of AWQ.
const AWQ_PLACE: [u32; 8] = [0, 4, 1, 5, 2, 6, 3, 7];

/// (Code − zero) × scale, in F32 (`dequant_gptq`); the weight is the transpose of what is stored.
#[derive(Debug)]
pub(super) struct Columns {
    pub packing: Packing,
    /// inputs ÷ codes a word × outputs, or inputs × outputs ÷ codes a word.
    pub codes: Part,
    /// groups × outputs ÷ codes a word.
    pub zeros: Part,
    /// groups × outputs.
    pub scales: Part,
    /// The group of each input; in order without it.
    pub group_of: Option<Part>,
    pub bits: u32,
    /// Inputs of a group.
    pub group: u64,
    pub groups: u64,
    /// Added to zeros: 1 where they were stored less one.
    pub zero_offset: u32,
    pub inputs: u64,
    pub outputs: u64,
}

/// Scales and zeros of one group for the outputs of a tile.
type Group = (Vec<f32>, Vec<u32>);

impl Columns {
    fn per_word(&self) -> u64 {
        u64::from(32 / self.bits)
    }

    /// The shift for the output `output` in a word of neighbouring outputs.
    fn output_shift(&self, output: u64) -> u32 {
        let k = (output % self.per_word()) as usize;
        let place = match self.packing {
            Packing::Gptq => k as u32,
            Packing::Awq => AWQ_PLACE.get(k).copied().unwrap_or_default(),
        };
        place * self.bits
    }

    /// Codes of row `row` of a tensor in which words hold neighbouring outputs.
    fn across(
        &self,
        part: &Part,
        shards: &Shards,
        row: u64,
        outputs: &Range<u64>,
    ) -> Result<Vec<u32>, Error> {
        let per_word = self.per_word();
        let first = outputs.start / per_word;
        let count = outputs.end.div_ceil(per_word) - first;
        let words = part.words(shards, row * (self.outputs / per_word) + first, count as usize)?;
        let mask = (1u32 << self.bits) - 1;
        let code = |output: u64| {
            let word = words.get((output / per_word - first) as usize).copied().unwrap_or_default();
            word >> self.output_shift(output) & mask
        };
        Ok(outputs.clone().map(code).collect())
    }

    fn group(&self, shards: &Shards, group: u64, outputs: &Range<u64>) -> Result<Group, Error> {
        let n = (outputs.end - outputs.start) as usize;
        let scales = self.scales.floats(shards, group * self.outputs + outputs.start, n)?;
        Ok((scales, self.across(&self.zeros, shards, group, outputs)?))
    }
}

impl Unpack for Columns {
    fn cols(&self) -> u64 {
        self.inputs
    }

    /// Many outputs, so that what is read at a time is long; few inputs, so that few groups are held: with an index
    /// that mixes all groups 128 of them, 128 KiB.
    fn tile(&self) -> (u64, u64) {
        match self.packing {
            Packing::Gptq => (128, 128),
            Packing::Awq => (512, 32),
        }
    }

    fn unpack(
        &self,
        shards: &Shards,
        rows: Range<u64>,
        cols: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let (outputs, width) = (rows, (cols.end - cols.start) as usize);
        let count = (outputs.end - outputs.start) as usize;
        let indices = match &self.group_of {
            Some(part) => Some(part.words(shards, cols.start, width)?),
            None => None,
        };
        let mask = (1u32 << self.bits) - 1;
        let mut groups = BTreeMap::<u64, Group>::new();
        let mut words: (u64, Vec<u32>) = (u64::MAX, Vec::new());
        for (i, input) in cols.clone().enumerate() {
            let group = match &indices {
                Some(indices) => indices.get(i).copied().unwrap_or_default().into(),
                None => input / self.group.max(1),
            };
            if group >= self.groups {
                let part = self.group_of.as_ref().unwrap_or(&self.codes);
                let detail = format!("input {input} is of group {group}, there are {}", self.groups);
                return Err(part.wrong(shards, &detail));
            }
            let (scales, zeros) = match groups.entry(group) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(self.group(shards, group, &outputs)?)
                }
            };
            let codes = match self.packing {
                Packing::Gptq => {
                    let (row, place) = (input / self.per_word(), (input % self.per_word()) as u32);
                    if words.0 != row {
                        let first = row * self.outputs + outputs.start;
                        words = (row, self.codes.words(shards, first, count)?);
                    }
                    words.1.iter().map(|w| w >> (place * self.bits) & mask).collect()
                }
                Packing::Awq => self.across(&self.codes, shards, input, &outputs)?,
            };
            let column = out.iter_mut().skip(i).step_by(width.max(1));
            for (((out, code), zero), scale) in column.zip(codes).zip(zeros).zip(scales) {
                // All are at most 256.
                *out = *scale * (code.cast_signed() - (*zero + self.zero_offset).cast_signed()) as f32;
            }
        }
        Ok(())
    }

    fn main(&self) -> &Part {
        &self.codes
    }
}
