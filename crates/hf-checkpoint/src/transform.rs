//! How weights of the checkpoint become a tensor of the GGUF file, a stretch of elements at a time.
//!
//! A tensor is made of parts laid one after another along its outermost dimension: one for a plain tensor, one an
//! expert for stacked experts. Each part is a strided [`View`] of one weight, as numpy's are: slices, transposes and
//! permutations of rows are views, and several tensors may be views of the same weight.

use std::ops::Range;

use gguf_format::GgmlType;

use crate::arch::Change;
use crate::error::Error;
use crate::weights::Weights;

/// Bytes that one call reads at a time where it cannot read straight into the caller's buffer.
const SCRATCH_BYTES: usize = 1 << 16;

/// Where a tensor's bytes come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// Views of weights, outermost first.
    Parts(Vec<View>),
    /// Made up: the bytes, in the tensor's element type.
    Generated(Vec<u8>),
}

/// What happens to the values of a view.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// One after another.
    pub list: Vec<Change>,
    /// Each in F16; else in F32.
    pub half: bool,
}

impl Changes {
    /// Changes values, little-endian F32, in place.
    fn apply(&self, out: &mut [u8]) {
        for change in &self.list {
            for bytes in out.as_chunks_mut::<4>().0 {
                let value = f32::from_le_bytes(*bytes);
                let changed = match change {
                    Change::Plus(n) => value + n,
                    Change::Times(n) => value * n,
                    // Rounded once; PyTorch's own is within one unit of the last place of this, and nearly always it.
                    Change::NegExp => -(f64::from(value).exp() as f32),
                };
                let changed = if self.half { half::f16::from_f32(changed).to_f32() } else { changed };
                *bytes = changed.to_le_bytes();
            }
        }
    }
}

/// Elements of one weight in an order of their own.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The weight's number.
    pub weight: usize,
    /// The weight's element that comes first.
    pub start: u64,
    /// Outermost first. None of them is 0 long.
    pub axes: Vec<Axis>,
    /// What happens to its values, where they are read as F32.
    pub changes: Changes,
}

/// A dimension of a view: how long it is and how many elements of the weight a step along it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub count: u64,
    pub stride: u64,
}

/// An axis of a block that is read as a whole: with its step in the output, too.
#[derive(Clone, Copy, Debug)]
struct Lane {
    count: u64,
    source: u64,
    target: u64,
}

impl View {
    /// The first `count` elements of a weight as they are.
    pub(crate) fn whole(weight: usize, count: u64) -> Self {
        Self { weight, start: 0, axes: vec![Axis { count, stride: 1 }], changes: Changes::default() }
    }

    /// How many elements it has.
    pub(crate) fn elements(&self) -> u64 {
        volume(&self.axes)
    }

    /// Fills `out` with these elements of the view, converted to `to`.
    ///
    /// They must be within the view, and `out` as long as they are in `to`.
    fn read(
        &self,
        weights: &Weights,
        to: GgmlType,
        elements: Range<u64>,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let size = to.block_bytes();
        let mut blocks = Vec::new();
        cut(&self.axes, self.start, elements, &mut |axes, start, count| {
            blocks.push((axes, start, count));
        });
        let mut rest = out;
        for (lanes, start, count) in blocks {
            let (block, after) = std::mem::take(&mut rest).split_at_mut(count as usize * size);
            read_block(lanes, start, size, block, &mut |at, out| weights.read(self.weight, to, at, out))?;
            rest = after;
        }
        Ok(())
    }
}

/// Fills `out` with these elements of the parts together, converted to `to`.
pub(crate) fn read(
    parts: &[View],
    weights: &Weights,
    to: GgmlType,
    elements: Range<u64>,
    out: &mut [u8],
) -> Result<(), Error> {
    let (mut first, mut rest) = (0, out);
    for part in parts {
        let end = first + part.elements();
        let (from, until) = (elements.start.max(first), elements.end.min(end));
        if from < until {
            let bytes = (until - from) as usize * to.block_bytes();
            let (piece, after) = std::mem::take(&mut rest).split_at_mut(bytes);
            part.read(weights, to, from - first..until - first, piece)?;
            part.changes.apply(piece);
            rest = after;
        }
        first = end;
    }
    // What lies beyond all parts is zeros, in every type.
    rest.fill(0);
    Ok(())
}

fn volume(axes: &[Axis]) -> u64 {
    axes.iter().map(|a| a.count).product()
}

/// Cuts a stretch of a view into blocks: some steps along one axis with all that is inside.
///
/// `block` gets the lanes, the weight's element that the block starts at, and how many elements it has; at most two
/// blocks an axis, in the order of the output.
fn cut(axes: &[Axis], start: u64, elements: Range<u64>, block: &mut impl FnMut(Vec<Lane>, u64, u64)) {
    if elements.is_empty() {
        return;
    }
    let Some((axis, inner)) = axes.split_first() else {
        return block(Vec::new(), start, 1);
    };
    let step = volume(inner);
    let (mut from, until) = (elements.start, elements.end);
    let at = |element: u64| start + element / step * axis.stride;
    if !from.is_multiple_of(step) {
        let end = until.min(from.next_multiple_of(step));
        let base = from - from % step;
        cut(inner, at(from), from - base..end - base, block);
        from = end;
    }
    let whole = (until - from) / step;
    if whole > 0 {
        let mut target = 1;
        let mut lanes = Vec::new();
        for (count, source) in inner.iter().rev().map(|a| (a.count, a.stride)).chain([(whole, axis.stride)]) {
            lanes.push(Lane { count, source, target });
            target *= count;
        }
        block(lanes, at(from), target);
        from += whole * step;
    }
    if from < until {
        cut(inner, at(from), 0..until - from, block);
    }
}

/// Reads a block: runs of elements that lie side by side in the weight, each element then put in its place.
fn read_block(
    mut lanes: Vec<Lane>,
    start: u64,
    size: usize,
    out: &mut [u8],
    read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    lanes.retain(|l| l.count != 1);
    lanes.sort_by_key(|l| l.source);
    // The lanes that together are one run of the weight, and those that say where the runs are.
    let mut run = 1;
    let chain = lanes
        .iter()
        .take_while(|l| {
            let next = l.source == run;
            run *= if next { l.count } else { 1 };
            next
        })
        .count();
    let (inside, outside) = lanes.split_at(chain);
    // Elements that stay together: those of the lanes whose steps are the same on both sides.
    let together: u64 = inside.iter().take_while(|l| l.source == l.target).map(|l| l.count).product();
    let runs: u64 = outside.iter().map(|l| l.count).product();
    let per_read = (SCRATCH_BYTES as u64 / size as u64 / together).max(1) * together;
    let straight = together == run || together as usize * size > SCRATCH_BYTES;
    let mut scratch = vec![0; if straight { 0 } else { per_read.min(run) as usize * size }];
    for number in 0..runs {
        let (source, target) = place(outside, number);
        let mut done = 0;
        while done < run {
            let n = if straight { together } else { per_read.min(run - done) };
            let to = |offset: u64| {
                let first = (target + place(inside, done + offset).1) as usize * size;
                first..first + together as usize * size
            };
            if straight {
                read(start + source + done, out.get_mut(to(0)).unwrap_or_default())?;
            } else {
                let scratch = scratch.get_mut(..n as usize * size).unwrap_or_default();
                read(start + source + done, scratch)?;
                for (i, piece) in scratch.chunks_exact(together as usize * size).enumerate() {
                    if let Some(place) = out.get_mut(to(i as u64 * together)) {
                        place.copy_from_slice(piece);
                    }
                }
            }
            done += n;
        }
    }
    Ok(())
}

/// Where step `number` along these lanes is, the first of them the fastest: in the weight and in the output.
fn place(lanes: &[Lane], mut number: u64) -> (u64, u64) {
    let (mut source, mut target) = (0, 0);
    for lane in lanes {
        source += number % lane.count * lane.source;
        target += number % lane.count * lane.target;
        number /= lane.count;
    }
    (source, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every element's place in the weight, one at a time.
    fn naive(view: &View) -> Vec<u64> {
        let mut order = vec![view.start];
        for axis in &view.axes {
            order = order.iter().flat_map(|&at| (0..axis.count).map(move |i| at + i * axis.stride)).collect();
        }
        order
    }

    fn got(view: &View, elements: Range<u64>) -> Vec<u64> {
        let mut all = Vec::new();
        cut(&view.axes, view.start, elements, &mut |lanes, start, count| {
            let mut out = vec![0xFF; count as usize * 8];
            read_block(lanes, start, 8, &mut out, &mut |at, out| {
                for (i, place) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                    *place = (at + i as u64).to_le_bytes();
                }
                Ok(())
            })
            .unwrap();
            all.extend(out.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)));
        });
        all
    }

    /// Rows of heads, the halves of a head interleaved.
    fn interleaved(heads: u64, half: u64, row: u64) -> View {
        view(0, &[(heads, 2 * half * row), (half, row), (2, half * row), (row, 1)])
    }

    fn view(start: u64, axes: &[(u64, u64)]) -> View {
        let axes = axes.iter().map(|&(count, stride)| Axis { count, stride }).collect();
        View { weight: 0, start, axes, changes: Changes::default() }
    }

    #[test]
    fn every_stretch_of_a_view_is_what_the_naive_order_gives() {
        let views = [
            View::whole(0, 20),
            interleaved(3, 2, 1),
            interleaved(2, 3, 4),
            // a transpose, a slice of columns, every second element, three axes turned round, a batched transpose
            view(0, &[(5, 1), (4, 5)]),
            view(3, &[(4, 9), (5, 1)]),
            view(1, &[(13, 2)]),
            view(0, &[(3, 1), (4, 3), (2, 12)]),
            view(7, &[(2, 12), (4, 1), (3, 4)]),
            // the same element again and again
            view(2, &[(3, 0), (4, 1)]),
        ];
        for view in views {
            let expected = naive(&view);
            assert_eq!(expected.len() as u64, view.elements());
            for start in 0..=expected.len() {
                for end in start..=expected.len() {
                    assert_eq!(got(&view, start as u64..end as u64), expected[start..end], "{view:?}");
                }
            }
        }
    }

    #[test]
    fn blocks_longer_than_the_scratch_are_read_in_pieces() {
        for view in [view(5, &[(200, 1), (150, 200)]), interleaved(2, 60, 90), interleaved(1, 2, 9000)] {
            let expected = naive(&view);
            for elements in [0..expected.len(), 1..expected.len() - 1, 4321..12_345] {
                let range = elements.start as u64..elements.end as u64;
                assert!(got(&view, range) == expected[elements], "{view:?}");
            }
        }
    }

    #[test]
    fn a_permutation_is_the_one_that_the_converter_writes() {
        // numpy: arange(12).reshape(2, 2, 3).swapaxes(1, 2).reshape(12)
        let view = interleaved(2, 3, 1);
        assert_eq!(naive(&view), [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
    }
}
