//! A factor of a low-rank product: a stored matrix, seen whichever way round the product needs it.

use std::ops::Range;

use crate::error::Error;
use crate::packed::Part;
use crate::shards::Shards;

/// A matrix of `outer` x `inner` elements within a stored tensor, of which there may be several (one an expert).
#[derive(Clone, Debug)]
pub(super) struct Factor {
    pub part: Part,
    /// The element of the tensor that comes first.
    pub start: u64,
    /// Elements from one matrix to the next.
    pub batch: u64,
    /// Elements from one outer index to the next.
    pub outer: u64,
    /// Elements from one inner index to the next.
    pub inner: u64,
}

impl Factor {
    /// The matrix with its indices the other way round.
    pub(super) fn turned(self) -> Self {
        Self { outer: self.inner, inner: self.outer, ..self }
    }

    /// Of the matrix every `step` outer index from `first` on.
    pub(super) fn every_outer(mut self, first: u64, step: u64) -> Self {
        self.start = self.start.saturating_add(first.saturating_mul(self.outer));
        self.outer = self.outer.saturating_mul(step);
        self
    }

    /// The matrices from this one on.
    pub(super) fn after_batches(mut self, index: u64) -> Self {
        self.start = self.start.saturating_add(index.saturating_mul(self.batch));
        self
    }

    /// A part of one matrix, outer index by outer index.
    ///
    /// Reads along whichever index has the smaller step, so that a read is one stretch of the file.
    pub(super) fn load(
        &self,
        shards: &Shards,
        batch: u64,
        outer: Range<u64>,
        inner: Range<u64>,
    ) -> Result<Vec<f32>, Error> {
        let (rows, cols) = ((outer.end - outer.start) as usize, (inner.end - inner.start) as usize);
        let first = self.start + batch * self.batch + outer.start * self.outer + inner.start * self.inner;
        if self.inner == 1 && self.outer == cols as u64 {
            return self.part.floats(shards, first, rows * cols);
        }
        let mut values = vec![0.0; rows * cols];
        let along_inner = self.inner <= self.outer;
        let (lines, len, line, step) = if along_inner {
            (rows, cols, self.outer, self.inner)
        } else {
            (cols, rows, self.inner, self.outer)
        };
        if len == 0 {
            return Ok(values);
        }
        for number in 0..lines {
            let span = (len - 1) * step as usize + 1;
            let read = self.part.floats(shards, first + number as u64 * line, span)?;
            let picked = read.iter().step_by(step.max(1) as usize);
            let places = if along_inner {
                values.get_mut(number * cols..).unwrap_or_default().iter_mut().step_by(1)
            } else {
                values.get_mut(number..).unwrap_or_default().iter_mut().step_by(cols)
            };
            for (place, value) in places.zip(picked) {
                *place = *value;
            }
        }
        Ok(values)
    }
}
