//! Floats or integers of eight bits with scales: one for the tensor, for each output channel, or for each block.

use std::ops::Range;

use super::part::Part;
use super::tile::Unpack;
use crate::error::Error;
use crate::shards::Shards;

/// Value × scale, in F32 (`dequant_simple` in convert_hf_to_gguf).
#[derive(Debug)]
pub(super) struct Scaled {
    codes: Part,
    scales: Part,
    /// For each dimension of the weight: how many elements share a scale, and how far apart scales are.
    steps: Vec<(u64, u64)>,
}

impl Scaled {
    /// `block`: sizes of a block in the innermost dimensions of the scales.
    pub(super) fn new(codes: Part, scales: Part, block: &[u64]) -> Result<Self, String> {
        let whole = || {
            format!(
                "{}: shape {:?}, expected one scale, one a channel or one a block{} of {} with shape {:?}",
                scales.name,
                scales.shape,
                if block.is_empty() { String::new() } else { format!(" of {block:?}") },
                codes.name,
                codes.shape
            )
        };
        let single = scales.elements() == 1;
        if scales.shape.len() > codes.shape.len() && !single {
            return Err(whole());
        }
        let first_block = scales.shape.len().checked_sub(block.len());
        let mut steps = vec![(u64::MAX, 0); codes.shape.len()];
        let mut stride = 1u64;
        if !single {
            for (i, (&count, &size)) in scales.shape.iter().zip(&codes.shape).enumerate().rev() {
                let block =
                    first_block.and_then(|f| block.get(i.checked_sub(f)?)).copied().unwrap_or(1).max(1);
                let step = match count {
                    _ if count == size.div_ceil(block) => (block, stride),
                    1 => (u64::MAX, 0),
                    _ => return Err(whole()),
                };
                if let Some(place) = steps.get_mut(i) {
                    *place = step;
                }
                stride = stride.saturating_mul(count);
            }
        }
        Ok(Self { codes, scales, steps })
    }
}

impl Unpack for Scaled {
    fn cols(&self) -> u64 {
        self.codes.shape.last().copied().unwrap_or(1)
    }

    fn unpack(
        &self,
        shards: &Shards,
        rows: Range<u64>,
        cols: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let width = (cols.end - cols.start) as usize;
        let (share, stride) = self.steps.last().copied().unwrap_or((u64::MAX, 0));
        for (row, out) in rows.zip(out.chunks_exact_mut(width.max(1))) {
            // Where the row's scales start: its place in each outer dimension, innermost first.
            let (mut rest, mut base) = (row, 0);
            let outer = self.codes.shape.iter().zip(&self.steps).rev().skip(1);
            for (&size, &(share, stride)) in outer {
                base += rest % size.max(1) / share * stride;
                rest /= size.max(1);
            }
            let first = cols.start / share;
            let count = if stride == 0 { 1 } else { cols.end.div_ceil(share) - first };
            let scales = self.scales.floats(shards, base + first * stride, count as usize)?;
            let codes = self.codes.floats(shards, row * self.cols() + cols.start, width)?;
            for ((col, code), out) in cols.clone().zip(codes).zip(out) {
                let scale = scales.get((col / share - first) as usize).copied().unwrap_or(f32::NAN);
                *out = code * scale;
            }
        }
        Ok(())
    }

    fn main(&self) -> &Part {
        &self.codes
    }
}
