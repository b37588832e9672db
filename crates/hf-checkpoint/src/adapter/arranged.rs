//! Which rows or columns of a weight's matrix a tensor is made of.

use crate::map::layout::Part;
use crate::transform::Axis;

/// What a part takes of a weight: rows in an order, counted in rows; or, turned, columns, counted in columns.
pub(super) enum Arranged {
    Rows(Vec<Axis>, u64),
    Turned(Vec<Axis>, u64),
}

/// What a part does to the matrix of a weight; `None` if it is more than factors can follow.
pub(super) fn arranged(part: &Part, experts: Option<u64>, rows: u64, cols: u64) -> Option<Arranged> {
    let axes = match experts {
        Some(experts) => {
            let (first, rest) = part.axes.split_first()?;
            (first.count == experts && first.stride == rows * cols).then_some(rest)?
        }
        None => &part.axes,
    };
    let (last, others) = axes.split_last()?;
    if *last == (Axis { count: cols, stride: 1 }) && part.start.is_multiple_of(cols) {
        let in_rows = |a: &Axis| {
            a.stride.is_multiple_of(cols).then(|| Axis { count: a.count, stride: a.stride / cols })
        };
        return Some(Arranged::Rows(others.iter().map(in_rows).collect::<Option<_>>()?, part.start / cols));
    }
    let turned = *last == (Axis { count: rows, stride: cols }) && part.start < cols;
    let columns = others.iter().all(|a| a.stride < cols);
    (turned && columns).then(|| Arranged::Turned(others.to_vec(), part.start))
}
