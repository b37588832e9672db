//! What IQ1_S and IQ1_M have in common: points of one grid, and levels moved by an eighth.

use bytemuck::cast_slice;

use super::lanes::levels::decode_around;
use crate::float16::F16;
use crate::grids;
use crate::lanes::Vector;

/// For each of the grid's points `8 · level + 8`, where levels are −1, 0, 1: bytes of a word, the first lowest.
static EIGHTHS: [u64; 2048] = grids::values::<2048, 8, 3>(&grids::IQ1_POINTS, [0, 8, 16]);

/// Indices have so many values.
const INDICES: usize = EIGHTHS.len();

/// How far the levels of a point are moved.
const SHIFT: f32 = 0.125;

/// The levels of eight weights.
#[inline(always)]
pub(super) fn levels(index: usize, down: bool) -> [f32; 8] {
    let point = EIGHTHS[index % INDICES].to_le_bytes();
    let shift = if down { -SHIFT } else { SHIFT };
    let mut levels = [0.0; 8];
    for i in 0..8 {
        levels[i] = f32::from(point[i]) * 0.125 - 1.0 + shift;
    }
    levels
}

/// A super-block of `C` sub-blocks, each `P` points.
pub(super) trait Points<const C: usize, const P: usize> {
    /// What the scales of all sub-blocks are multiples of.
    fn d(&self) -> F16;

    /// The factor of a sub-block's scale, and of each point its index and whether its levels are moved down.
    fn points(&self, sub_block: usize) -> (f32, [(usize, bool); P]);

    #[inline(always)]
    fn decode_points(&self, y: &mut [f32; 256]) {
        let d = self.d().to_f32();
        for (j, y) in y.chunks_exact_mut(8 * P).take(C).enumerate() {
            let (factor, points) = self.points(j);
            let scale = d * factor;
            for (y, (index, down)) in y.chunks_exact_mut(8).zip(points) {
                for (y, level) in y.iter_mut().zip(levels(index, down)) {
                    *y = level * scale;
                }
            }
        }
    }

    /// The same in vectors: of each level, `8 · (level ± ⅛) + 9`, which is 0 … 18. That is exact, as is an eighth of a
    /// scale: none is so small that it loses a bit.
    #[inline(always)]
    fn decode_points_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        let d = V::widen(isa, self.d());
        for (j, y) in y.chunks_exact_mut(8 * P).take(C).enumerate() {
            let (factor, points) = self.points(j);
            let mut words = [0; P];
            for (word, (index, down)) in words.iter_mut().zip(points) {
                *word = (EIGHTHS[index % INDICES] + if down { 0 } else { TWOS }).to_le();
            }
            decode_around::<V::Part>(isa, 9.0, d * factor * 0.125, cast_slice(&words), y);
        }
    }
}

/// A byte of 2 for each.
const TWOS: u64 = u64::from_le_bytes([2; 8]);

/// `2 · Σ x² / 256`: what importance is raised by.
#[inline(always)]
pub(super) fn variance(x: &[f32; 256]) -> f32 {
    2.0 * crate::search::weights::sum_of_squares(x) / 256.0
}
