//! From a table's steps to the axes of a view.

use crate::arch::{Change, Source, Start, Step};
use crate::config::Config;
use crate::error::Error;
use crate::transform::Axis;

/// More heads than any layer has: a bound on what a wrong setting can ask for.
const MAX_HEADS: u64 = 1 << 16;

/// A part of a weight.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The element that it starts at.
    pub start: u64,
    pub axes: Vec<Axis>,
    pub changes: Vec<Change>,
}

/// The parts of a weight of this shape; `None` if the shape is not one that the steps can be taken from.
pub(crate) fn of(
    source: &Source,
    shape: &[u64],
    config: &Config,
    block: u64,
) -> Result<Option<Vec<Part>>, Error> {
    let mut stride = 1;
    let mut axes: Vec<Axis> = Vec::new();
    for &count in shape.iter().rev() {
        axes.push(Axis { count, stride });
        // Of a config's own making, where no weight's shape was held against it.
        let Some(next) = u64::checked_mul(stride, count) else { return Ok(None) };
        stride = next;
    }
    axes.reverse();
    if source.parts.is_empty() {
        let axes = vec![Axis { count: stride, stride: 1 }];
        return Ok(Some(vec![Part { start: 0, axes, changes: Vec::new() }]));
    }
    let heads = source.heads.map_or(Ok(1), |dim| config.dim_of(dim, block))?;
    let mut head = 0;
    if let Some(rows) = axes.first_mut().filter(|_| heads != 1) {
        if heads == 0 || heads > MAX_HEADS || !rows.count.is_multiple_of(heads) {
            return Ok(None);
        }
        rows.count /= heads;
        head = rows.count * rows.stride;
    }
    let mut made = Vec::new();
    for start in (0..heads).map(|number| number * head) {
        for steps in source.parts {
            let mut part = Part { start, axes: axes.clone(), changes: Vec::new() };
            for step in *steps {
                if take(*step, &mut part, config, block)?.is_none() {
                    return Ok(None);
                }
            }
            // Nothing is left over where a part is the whole.
            if part.axes.iter().all(|axis| axis.count > 0) {
                made.push(part);
            }
        }
    }
    Ok(Some(made))
}

fn take(step: Step, part: &mut Part, config: &Config, block: u64) -> Result<Option<()>, Error> {
    let Part { start, axes, changes } = part;
    let size = |dim| config.dim_of(dim, block);
    match step {
        Step::Split(at, into) => {
            let Some(axis) = axes.get(at).copied() else { return Ok(None) };
            let counts = into.iter().map(|d| size(*d)).collect::<Result<Vec<_>, _>>()?;
            let mut rest = axis;
            let mut split = Vec::new();
            for count in counts {
                if count == 0 || !rest.count.is_multiple_of(count) || rest.count < count {
                    return Ok(None);
                }
                rest.count /= count;
                split.push(Axis { count, stride: axis.stride * rest.count });
            }
            split.push(rest);
            axes.splice(at..=at, split);
        }
        Step::Swap(a, b) => {
            if a.max(b) >= axes.len() {
                return Ok(None);
            }
            axes.swap(a, b);
        }
        Step::Slice(at, from, count) => {
            let from = match from {
                Start::First => 0,
                Start::After(dim) => size(dim)?,
            };
            let count = size(count)?;
            let Some(axis) = axes.get_mut(at) else { return Ok(None) };
            if from.checked_add(count).is_none_or(|end| end > axis.count) {
                return Ok(None);
            }
            *start += from * axis.stride;
            axis.count = count;
        }
        Step::Every(at, first, every) => {
            let Some(axis) = axes.get_mut(at) else { return Ok(None) };
            if every == 0 || first >= every || !axis.count.is_multiple_of(every) || axis.count == 0 {
                return Ok(None);
            }
            *start += first * axis.stride;
            axis.count /= every;
            axis.stride *= every;
        }
        Step::Change(change) => changes.push(change),
        Step::Times(key, place) => changes.push(Change::Times(factor(config, key, place)?)),
    }
    Ok(Some(()))
}

/// A setting that is a number, or one of a list of numbers.
fn factor(config: &Config, key: &str, place: Option<usize>) -> Result<f32, Error> {
    let missing = || config.missing(&[key], if place.is_some() { "a list of numbers" } else { "a number" });
    let value = config.get(key).ok_or_else(missing)?;
    let value = match place {
        Some(place) => value.get(place).ok_or_else(missing)?,
        None => value,
    };
    config.f32(key, value)
}

/// What a step asks of the config, for messages.
pub(super) fn terms(step: &Step) -> String {
    match step {
        Step::Split(axis, dims) => format!("axis {axis} in {}", crate::sizes::terms(dims)),
        Step::Swap(a, b) => format!("axes {a} and {b} turned round"),
        Step::Slice(axis, Start::First, count) => format!("the first {} of axis {axis}", count.name()),
        Step::Slice(axis, Start::After(from), count) => {
            format!("{} after {} of axis {axis}", count.name(), from.name())
        }
        Step::Change(_) | Step::Times(..) => "its values".to_owned(),
        Step::Every(axis, first, every) => format!("every {every} of axis {axis} from {first}"),
    }
}
