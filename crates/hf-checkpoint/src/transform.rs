//! How a tensor of the checkpoint becomes a tensor of the GGUF file, a stretch of elements at a time.

use std::ops::Range;

use gguf_format::GgmlType;

use crate::error::Error;
use crate::weights::Weights;

/// Bytes that one call reads at a time where it cannot read straight into the caller's buffer.
const SCRATCH_BYTES: usize = 1 << 16;

/// The order of a tensor's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As it is in the checkpoint.
    AsIs,
    /// Rows of each head in another order: the first half of a head's rows become its even rows, the second half
    /// its odd ones.
    ///
    /// Hugging Face rotates the two halves of a head against each other, ggml's `llama` architecture neighbouring
    /// pairs (`LlamaModel.permute` in convert_hf_to_gguf).
    Interleave {
        /// Rows of a head: an even number, of which the tensor has a whole multiple.
        head_rows: u64,
    },
}

/// Where a tensor's bytes come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A weight of the checkpoint.
    Moved(Moved),
    /// Made up: the bytes, in the tensor's element type.
    Generated(Vec<u8>),
}

/// A weight and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    /// Its number.
    pub weight: usize,
    pub order: Order,
    /// Elements that stay together: a row, or one element of a tensor of one dimension.
    pub unit: u64,
}

/// Elements that lie side by side in the checkpoint.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    /// The first of them there.
    source: u64,
    /// How many units.
    units: u64,
    /// Which unit of the output the first of them is, and how far apart their places are.
    target: u64,
    step: u64,
}

impl Moved {
    /// Fills `out` with `elements` of the tensor in their new order, converted to `to`.
    ///
    /// `elements` must be within the tensor, and `out` as long as they are in `to`.
    pub(crate) fn read(
        &self,
        weights: &Weights,
        to: GgmlType,
        elements: Range<u64>,
        out: &mut [u8],
    ) -> Result<(), Error> {
        match self.order {
            Order::AsIs => weights.read(self.weight, to, elements.start, out),
            Order::Interleave { head_rows } => {
                let unit = self.unit.max(1);
                // A stretch that starts or ends inside a unit: its pieces one by one.
                if !elements.start.is_multiple_of(unit) || !elements.end.is_multiple_of(unit) {
                    return self.read_pieces(weights, to, elements, out);
                }
                let units = elements.start / unit..elements.end / unit;
                for span in interleaved(units.clone(), head_rows) {
                    self.read_span(weights, to, &span, units.start, out)?;
                }
                Ok(())
            }
        }
    }

    /// A span of units: read in runs, each unit then put in its place.
    fn read_span(
        &self,
        weights: &Weights,
        to: GgmlType,
        span: &Span,
        first: u64,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let unit_bytes = self.unit as usize * to.block_bytes();
        let per_read = (SCRATCH_BYTES / unit_bytes).max(1).min(span.units as usize);
        // A unit longer than the scratch is read straight into its place.
        let mut scratch = vec![0; if unit_bytes <= SCRATCH_BYTES { per_read * unit_bytes } else { 0 }];
        let mut done = 0;
        while done < span.units {
            let n = (span.units - done).min(per_read as u64);
            let source = (span.source + done) * self.unit;
            let target = |i: u64| {
                let place = (span.target - first + (done + i) * span.step) as usize * unit_bytes;
                place..place + unit_bytes
            };
            if scratch.is_empty() {
                let place = out.get_mut(target(0)).unwrap_or_default();
                weights.read(self.weight, to, source, place)?;
            } else {
                let scratch = scratch.get_mut(..n as usize * unit_bytes).unwrap_or_default();
                weights.read(self.weight, to, source, scratch)?;
                for (i, unit) in scratch.chunks_exact(unit_bytes).enumerate() {
                    if let Some(place) = out.get_mut(target(i as u64)) {
                        place.copy_from_slice(unit);
                    }
                }
            }
            done += n;
        }
        Ok(())
    }

    /// A stretch of elements that cuts units.
    fn read_pieces(
        &self,
        weights: &Weights,
        to: GgmlType,
        elements: Range<u64>,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let mut rest = out;
        let mut at = elements.start;
        while at < elements.end {
            let unit = at / self.unit;
            let end = ((unit + 1) * self.unit).min(elements.end);
            let (piece, after) =
                std::mem::take(&mut rest).split_at_mut((end - at) as usize * to.block_bytes());
            let source = match self.order {
                Order::AsIs => unit,
                Order::Interleave { head_rows } => interleaved_source(unit, head_rows),
            };
            weights.read(self.weight, to, source * self.unit + at % self.unit, piece)?;
            rest = after;
            at = end;
        }
        Ok(())
    }
}

/// Which unit of the checkpoint becomes this one.
fn interleaved_source(unit: u64, head_rows: u64) -> u64 {
    let (head, row) = (unit / head_rows, unit % head_rows);
    head * head_rows + row % 2 * (head_rows / 2) + row / 2
}

/// The spans of the checkpoint that make up these units: two a head.
fn interleaved(units: Range<u64>, head_rows: u64) -> impl Iterator<Item = Span> {
    let heads = units.start / head_rows..units.end.div_ceil(head_rows);
    heads.flat_map(move |head| {
        let start = units.start.max(head * head_rows);
        let end = units.end.min((head + 1) * head_rows);
        [0, 1].into_iter().filter_map(move |half| {
            // The first unit from `start` on that comes of this half.
            let target = start + (start % head_rows % 2 != half) as u64;
            (target < end).then(|| Span {
                source: interleaved_source(target, head_rows),
                units: (end - target).div_ceil(2),
                target,
                step: 2,
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The permutation as convert_hf_to_gguf writes it: reshape to (heads, 2, half, …), swap axes 1 and 2.
    fn naive(rows: u64, head_rows: u64) -> Vec<u64> {
        let half = head_rows / 2;
        let mut order = Vec::new();
        for head in 0..rows / head_rows {
            for j in 0..half {
                for k in 0..2 {
                    order.push(head * head_rows + k * half + j);
                }
            }
        }
        order
    }

    #[test]
    fn spans_give_the_naive_order_for_every_range() {
        for (rows, head_rows) in [(12, 4), (8, 8), (6, 2), (24, 6)] {
            let expected = naive(rows, head_rows);
            for start in 0..rows {
                for end in start..=rows {
                    let mut got = vec![None; (end - start) as usize];
                    for span in interleaved(start..end, head_rows) {
                        for i in 0..span.units {
                            let place = &mut got[(span.target - start + i * span.step) as usize];
                            assert_eq!(*place, None);
                            *place = Some(span.source + i);
                        }
                    }
                    let got: Vec<_> = got.into_iter().map(Option::unwrap).collect();
                    assert_eq!(got, expected[start as usize..end as usize]);
                }
            }
            for unit in 0..rows {
                assert_eq!(interleaved_source(unit, head_rows), expected[unit as usize]);
            }
        }
    }
}
