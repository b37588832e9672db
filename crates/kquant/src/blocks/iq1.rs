//! What IQ1_S and IQ1_M have in common: points of one grid, and levels moved by an eighth.

use crate::grids;

/// The grid's points, −1, 0 or 1 for each of eight weights.
static POINTS: [[i8; 8]; 2048] = grids::values::<2048, 8, 3>(&grids::IQ1_POINTS, [-1, 0, 1]);

/// Indices have so many values.
const INDICES: usize = POINTS.len();

/// How far the levels of a point are moved.
const SHIFT: f32 = 0.125;

/// The levels of eight weights.
#[inline(always)]
pub(super) fn levels(index: usize, down: bool) -> [f32; 8] {
    let point = POINTS[index % INDICES];
    let shift = if down { -SHIFT } else { SHIFT };
    let mut levels = [0.0; 8];
    for i in 0..8 {
        levels[i] = f32::from(point[i]) + shift;
    }
    levels
}

/// Decodes eight weights.
#[inline(always)]
pub(super) fn decode_point(index: usize, down: bool, scale: f32) -> [f32; 8] {
    let mut y = levels(index, down);
    for y in &mut y {
        *y *= scale;
    }
    y
}

/// `2 · Σ x² / 256`: what importance is raised by.
#[inline(always)]
pub(super) fn variance(x: &[f32; 256]) -> f32 {
    2.0 * crate::search::weights::sum_of_squares(x) / 256.0
}
