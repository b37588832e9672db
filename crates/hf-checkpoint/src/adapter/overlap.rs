//! Where a weight of the base holds numbers of another form of the same tensor: of all experts' gate and up projections in
//! one (transformers 5), of one expert's gate (transformers 4), of a gate whose blocks are packed (gpt-oss).

use std::ops::Range;

use super::arranged::{Arranged, arranged};
use crate::arch::Source;
use crate::config::Config;
use crate::error::Error;
use crate::map::{self, layout};
use crate::transform::Axis;

/// The part of what is meant that a weight has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Overlap {
    /// The shape that the weight must have.
    pub shape: Vec<u64>,
    /// Matrices of the weight.
    pub matrices: Range<u64>,
    /// The matrix of what is meant that belongs to the first of them.
    pub first: u64,
    /// The lines of its matrices that the weight has.
    pub meant: Lines,
    /// The lines of the weight's matrices that are those, in the same order.
    pub own: Lines,
}

/// Rows of a matrix, or columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    pub columns: bool,
    /// The first of them, and how far they are apart.
    pub first: u64,
    pub step: u64,
    pub count: u64,
    /// Elements of each.
    pub len: u64,
}

/// How a form has the tensor of its row.
struct Form {
    shape: Vec<u64>,
    /// How many experts are in one weight, where it is one for all.
    experts: Option<u64>,
    lines: Lines,
}

impl Form {
    /// `None` if it is more than lines of matrices.
    fn of(source: &Source, config: &Config, block: u64) -> Result<Option<Self>, Error> {
        let shape = map::sizes(config, source.shape, block)?;
        let (experts, rows, cols) = match *shape {
            [rows, cols] => (None, rows, cols),
            [experts, rows, cols] => (Some(experts), rows, cols),
            _ => return Ok(None),
        };
        let whole = Lines { columns: false, first: 0, step: 1, count: rows, len: cols };
        if source.parts.is_empty() {
            return Ok(Some(Self { shape, experts, lines: whole }));
        }
        let parts = layout::of(source, &shape, config, block)?.unwrap_or_default();
        let [part] = parts.as_slice() else { return Ok(None) };
        if !part.changes.is_empty() {
            return Ok(None);
        }
        let lines = match arranged(part, experts, rows, cols) {
            Some(Arranged::Rows(axes, first)) => (axes, Lines { first, ..whole }),
            Some(Arranged::Turned(axes, first)) => (axes, Lines { columns: true, first, len: rows, ..whole }),
            None => return Ok(None),
        };
        let ([Axis { count, stride }], lines) = (lines.0.as_slice(), lines.1) else { return Ok(None) };
        let lines = Lines { count: *count, step: *stride, ..lines };
        Ok(Some(Self { shape, experts, lines }))
    }
}

/// What weights of the form `other` have of one of the form `meant`; `None` if that cannot be told by lines.
///
/// `of`: the expert that what is meant is one of; `own`: the one that the weight is of.
pub(super) fn between(
    (meant, of): (&Source, Option<u64>),
    (other, own): (&Source, Option<u64>),
    config: &Config,
    block: u64,
) -> Result<Option<Overlap>, Error> {
    let (Some(meant), Some(other)) = (Form::of(meant, config, block)?, Form::of(other, config, block)?)
    else {
        return Ok(None);
    };
    let alike = (meant.lines.count, meant.lines.len) == (other.lines.count, other.lines.len);
    // A weight's own lines are put in place as one rectangle.
    if !alike || other.lines.step != 1 {
        return Ok(None);
    }
    let (matrices, first) = match (of, meant.experts, own, other.experts) {
        // One for one, or all experts for all.
        (None, None, None, None) => (0..1, 0),
        (None, Some(a), None, Some(b)) if a == b => (0..a, 0),
        // One expert of all, one expert for itself, all experts by one.
        (Some(expert), None, None, Some(all)) if expert < all => (expert..expert + 1, 0),
        (Some(expert), None, Some(own), None) if expert == own => (0..1, 0),
        (None, Some(all), Some(own), None) if own < all => (0..1, own),
        _ => return Ok(None),
    };
    Ok(Some(Overlap { shape: other.shape, matrices, first, meant: meant.lines, own: other.lines }))
}
