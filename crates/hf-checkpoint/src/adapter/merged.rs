//! A weight of the base with what adapters change of it, a stretch at a time.
//!
//! Every sum is taken in one order, whatever stretches are asked for: a product over the rank from 0 up, a length over
//! a row (or column) from 0 up. So results do not depend on threads.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::cache::{PANEL, Tile};
use super::factor::Factor;
use super::product::{Place, floats, get, product, set};
use crate::error::Error;
use crate::packed::Part;
use crate::weights::{Weight, Weights};

/// Elements of a tile of a factor at most, but for one panel of a large rank: 4 MiB.
const TILE: u64 = 1 << 20;
/// Elements of the other factor that are read at a time, but for one row of a large rank.
const LEFT: u64 = 1 << 16;
/// Elements of the base that are read at a time where lengths are computed: 64 KiB.
const PIECE: u64 = 1 << 14;

/// The largest rank that is read: of all experts of a tensor together.
pub(super) const MAX_RANK: u64 = 1 << 18;

/// A weight of the base, seen as matrices one after another, and what happens to it, in order.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(super) base: Weight,
    pub(super) rows: u64,
    pub(super) cols: u64,
    pub(super) updates: Vec<Update>,
}

/// What an adapter does to a weight.
#[derive(Debug)]
pub(super) enum Update {
    /// A product is added.
    LowRank(Box<LowRank>),
    /// A vector, times a number, is added.
    Add { vector: Part, scale: f32 },
    /// Rows are put in place of the base's: each with its number in the tensor, by number in the weight.
    Rows { rows: Vec<(u64, u64)>, values: Part },
}

impl Update {
    /// Whether it leaves a rectangle as it is.
    fn leaves(&self, place: &Block) -> bool {
        match self {
            Self::LowRank(update) => update.place.common(place).is_none(),
            Self::Add { .. } | Self::Rows { .. } => false,
        }
    }
}

/// scale x left x right.
#[derive(Debug)]
pub(super) struct LowRank {
    /// A number of its own among all updates.
    pub id: usize,
    /// Where in the weight it is added.
    pub place: Block,
    /// Its outer index is the row, its inner one the rank; its matrices are those of the place.
    pub left: Factor,
    /// Its outer index is the rank, its inner one the column.
    pub right: Factor,
    pub rank: u64,
    pub scale: f32,
    pub magnitude: Option<Magnitude>,
}

/// DoRA: the length that each output's weights get.
#[derive(Debug)]
pub(super) struct Magnitude {
    pub lengths: Part,
    /// Outputs are the weight's rows; else its columns.
    pub of_rows: bool,
    /// Where outputs are columns: the factors, computed when they are needed first, kept since they take the whole
    /// weight.
    pub factors: Mutex<Option<Arc<Vec<f32>>>>,
}

/// A rectangle of some of a weight's matrices.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub batches: Range<u64>,
    pub rows: Range<u64>,
    pub cols: Range<u64>,
}

impl Block {
    /// What two of them have in common, if anything.
    fn common(&self, other: &Self) -> Option<Self> {
        let both = |a: &Range<u64>, b: &Range<u64>| {
            let (start, end) = (a.start.max(b.start), a.end.min(b.end));
            (start < end).then_some(start..end)
        };
        Some(Self {
            batches: both(&self.batches, &other.batches)?,
            rows: both(&self.rows, &other.rows)?,
            cols: both(&self.cols, &other.cols)?,
        })
    }
}

impl Merged {
    /// The weight without what was merged into it.
    pub(crate) fn base(&self) -> &Weight {
        &self.base
    }

    /// Fills `out` with elements from `start` on, little-endian F32.
    ///
    /// # Errors
    /// If a file cannot be read, or a value of the base has no exact counterpart in F32.
    pub(crate) fn read(&self, weights: &Weights, start: u64, out: &mut [u8]) -> Result<(), Error> {
        weights.read_f32(&self.base, start, out)?;
        for (number, update) in self.updates.iter().enumerate() {
            match update {
                Update::LowRank(update) => {
                    // Most of a weight of many experts is none of one expert's business.
                    if self.reaches(&update.place, start, (out.len() / 4) as u64) {
                        let before = self.updates.get(..number).unwrap_or_default();
                        let first = before.iter().all(|u| u.leaves(&update.place));
                        self.merge(update, first, weights, start, out)?;
                    }
                }
                Update::Add { vector, scale } => {
                    let added = vector.floats(weights.shards(), start, out.len() / 4)?;
                    for (place, value) in floats(out).zip(added) {
                        set(place, get(place) + value * scale);
                    }
                }
                Update::Rows { rows, values } => self.replace(rows, values, weights, start, out)?,
            }
        }
        Ok(())
    }

    /// Whether a rectangle may have some of so many elements from `start` on.
    fn reaches(&self, place: &Block, start: u64, count: u64) -> bool {
        let row = |batch: u64, row: u64| (batch * self.rows + row) * self.cols;
        let from = row(place.batches.start, place.rows.start);
        let until = row(place.batches.end.saturating_sub(1), place.rows.end);
        from < start + count && start < until
    }

    /// Adds a product, and gives the outputs their lengths. `first`: what `out` has of its place is the base's.
    fn merge(
        &self,
        update: &LowRank,
        first: bool,
        weights: &Weights,
        start: u64,
        out: &mut [u8],
    ) -> Result<(), Error> {
        self.add(update, weights, start, out)?;
        let Some(magnitude) = &update.magnitude else { return Ok(()) };
        let factors = match magnitude.of_rows {
            true => None,
            false => Some(self.column_factors(update, magnitude, weights)?),
        };
        let mut rest = out;
        for block in self.blocks(start, (rest.len() / 4) as u64, 1) {
            let width = block.cols.end - block.cols.start;
            let (piece, after) = std::mem::take(&mut rest).split_at_mut(width as usize * 4);
            rest = after;
            let Some(common) = block.common(&update.place) else { continue };
            let place = &update.place;
            let first_col = (common.cols.start - block.cols.start) as usize;
            let cols = (common.cols.end - common.cols.start) as usize;
            if let Some(factors) = &factors {
                let skip = (common.cols.start - place.cols.start) as usize;
                let piece = piece.get_mut(first_col * 4..(first_col + cols) * 4).unwrap_or_default();
                for (place, factor) in floats(piece).zip(factors.iter().skip(skip)) {
                    set(place, factor * get(place));
                }
                continue;
            }
            let (batch, row) = (common.batches.start, common.rows.start);
            let output =
                (batch - place.batches.start) * (place.rows.end - place.rows.start) + row - place.rows.start;
            let length = magnitude.lengths.floats(weights.shards(), output, 1)?;
            let norm = if first && width == self.cols {
                squares(piece).sqrt() as f32
            } else {
                self.row_norm(update, weights, batch * self.rows + row)?
            };
            let factor = length.first().copied().unwrap_or(f32::NAN) / norm;
            floats(piece).for_each(|place| set(place, factor * get(place)));
        }
        Ok(())
    }

    /// The length of a row of the base with this update alone: so peft takes it, whatever was merged before.
    fn row_norm(&self, update: &LowRank, weights: &Weights, row: u64) -> Result<f32, Error> {
        let mut sum = 0.0;
        let mut buffer = vec![0; self.cols.min(PIECE) as usize * 4];
        for from in (0..self.cols).step_by(PIECE as usize) {
            let n = (self.cols - from).min(PIECE) as usize;
            let piece = buffer.get_mut(..n * 4).unwrap_or_default();
            weights.read_f32(&self.base, row * self.cols + from, piece)?;
            self.add(update, weights, row * self.cols + from, piece)?;
            sum = floats(piece).fold(sum, square);
        }
        Ok(sum.sqrt() as f32)
    }

    /// What each column of its place is multiplied by.
    fn column_factors(
        &self,
        update: &LowRank,
        magnitude: &Magnitude,
        weights: &Weights,
    ) -> Result<Arc<Vec<f32>>, Error> {
        // Others wait: they would have to read the whole weight as well.
        let mut kept = magnitude.factors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(factors) = &*kept {
            return Ok(Arc::clone(factors));
        }
        let Block { batches, rows, cols } = &update.place;
        let width = (cols.end - cols.start) as usize;
        let mut sums = vec![0.0; width];
        let first = batches.start * self.rows;
        let (row_bytes, step) = (self.cols as usize * 4, (PIECE / self.cols.max(1)).max(1));
        let mut buffer = vec![0; step as usize * row_bytes];
        let placed = cols.start as usize * 4..cols.end as usize * 4;
        for row in rows.clone().step_by(step as usize) {
            let n = (rows.end - row).min(step) as usize * row_bytes;
            let piece = buffer.get_mut(..n).unwrap_or_default();
            let at = (first + row) * self.cols;
            weights.read_f32(&self.base, at, piece)?;
            self.add(update, weights, at, piece)?;
            for row in piece.chunks_mut(row_bytes.max(1)) {
                let row = row.get_mut(placed.clone()).unwrap_or_default();
                for (sum, place) in sums.iter_mut().zip(floats(row)) {
                    *sum = square(*sum, place);
                }
            }
        }
        let lengths = magnitude.lengths.floats(weights.shards(), 0, width)?;
        let factors = lengths.iter().zip(&sums).map(|(m, sum): (&f32, &f64)| m / sum.sqrt() as f32).collect();
        Ok(Arc::clone(kept.insert(Arc::new(factors))))
    }

    /// Adds a product to elements from `start` on.
    fn add(&self, update: &LowRank, weights: &Weights, start: u64, out: &mut [u8]) -> Result<(), Error> {
        let rank = update.rank;
        let tile_cols = (TILE / rank / PANEL as u64).max(1) * PANEL as u64;
        let most_rows = (LEFT / rank).max(1);
        let mut rest = out;
        for block in self.blocks(start, (rest.len() / 4) as u64, most_rows) {
            let width = (block.cols.end - block.cols.start) as usize;
            let rows = (block.rows.end - block.rows.start) as usize;
            let (piece, after) = std::mem::take(&mut rest).split_at_mut(rows * width * 4);
            rest = after;
            let Some(common) = block.common(&update.place) else { continue };
            let above = (common.rows.start - block.rows.start) as usize;
            let piece = piece.get_mut(above * width * 4..).unwrap_or_default();
            // Within the factors.
            let batch = common.batches.start - update.place.batches.start;
            let of_factor = |lines: &Range<u64>, first: u64| lines.start - first..lines.end - first;
            let rows = of_factor(&common.rows, update.place.rows.start);
            let cols = of_factor(&common.cols, update.place.cols.start);
            let left = update.left.load(weights.shards(), batch, rows, 0..rank)?;
            let factor_cols = update.place.cols.end - update.place.cols.start;
            let before = (common.cols.start - block.cols.start) as usize;
            for tile in cols.start / tile_cols..cols.end.div_ceil(tile_cols) {
                let of_tile = tile * tile_cols..((tile + 1) * tile_cols).min(factor_cols);
                let panels = weights.cache().get((update.id, batch, tile), || {
                    panels(&update.right, weights, batch, rank, of_tile.clone())
                })?;
                let now = of_tile.start.max(cols.start)..of_tile.end.min(cols.end);
                let within = (now.start - of_tile.start) as usize..(now.end - of_tile.start) as usize;
                let place = Place { width, first: before + (now.start - cols.start) as usize };
                product(&left, &panels, rank as usize, update.scale, within, place, piece);
            }
        }
        Ok(())
    }

    /// Cuts a stretch into rectangles: the rest of a row, whole rows, the start of a row.
    fn blocks(&self, start: u64, count: u64, most_rows: u64) -> Vec<Block> {
        let (end, cols) = (start + count, self.cols);
        let mut blocks = Vec::new();
        let mut at = start;
        while at < end {
            let (row, col) = (at / cols, at % cols);
            let (batch, row) = (row / self.rows, row % self.rows);
            let (rows, until) = if col == 0 && end - at >= cols {
                (((end - at) / cols).min(most_rows).min(self.rows - row), cols)
            } else {
                (1, (col + end - at).min(cols))
            };
            blocks.push(Block { batches: batch..batch + 1, rows: row..row + rows, cols: col..until });
            at += rows * (until - col);
        }
        blocks
    }

    /// Puts rows in the base's place.
    fn replace(
        &self,
        rows: &[(u64, u64)],
        values: &Part,
        weights: &Weights,
        start: u64,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let (end, cols) = (start + (out.len() / 4) as u64, self.cols);
        let first = rows.partition_point(|(row, _)| (row + 1) * cols <= start);
        for (row, number) in rows.iter().skip(first).take_while(|(row, _)| row * cols < end) {
            let (from, until) = ((row * cols).max(start), ((row + 1) * cols).min(end));
            let new = values.floats(
                weights.shards(),
                number * cols + from - row * cols,
                (until - from) as usize,
            )?;
            let place = (from - start) as usize * 4..(until - start) as usize * 4;
            for (place, value) in floats(out.get_mut(place).unwrap_or_default()).zip(new) {
                set(place, value);
            }
        }
        Ok(())
    }
}

/// A stretch of columns of the right factor in panels.
fn panels(right: &Factor, weights: &Weights, batch: u64, rank: u64, cols: Range<u64>) -> Result<Tile, Error> {
    let width = (cols.end - cols.start) as usize;
    let values = right.load(weights.shards(), batch, 0..rank, cols)?;
    let mut panels = vec![[0.0; PANEL]; width.div_ceil(PANEL) * rank as usize];
    for (k, row) in values.chunks(width.max(1)).enumerate() {
        for (panel, columns) in row.chunks(PANEL).enumerate() {
            let place = panels.get_mut(panel * rank as usize + k);
            place.into_iter().flatten().zip(columns).for_each(|(to, from)| *to = *from);
        }
    }
    Ok(Arc::new(panels))
}

/// The sum of squares of elements, from the first on.
fn squares(bytes: &mut [u8]) -> f64 {
    floats(bytes).fold(0.0, square)
}

fn square(sum: f64, place: &mut [u8; 4]) -> f64 {
    sum + f64::from(get(place)).powi(2)
}
