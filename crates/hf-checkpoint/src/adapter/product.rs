//! The product of two factors, added to what is there: each sum over the rank is taken from 0 up.

use std::ops::Range;

use super::cache::PANEL;

/// Rows that the innermost loop takes at a time.
const ROWS: usize = 4;

/// Where the elements of a product go: rows of so many elements, from this column on.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub width: usize,
    pub first: usize,
}

/// Adds left x right x scale, as far as it is in these columns of the panels, to little-endian F32.
pub(super) fn product(
    left: &[f32],
    panels: &[[f32; PANEL]],
    rank: usize,
    scale: f32,
    cols: Range<usize>,
    place: Place,
    out: &mut [u8],
) {
    for panel in cols.start / PANEL..cols.end.div_ceil(PANEL) {
        let right = panels.get(panel * rank..(panel + 1) * rank).unwrap_or_default();
        let within = cols.start.max(panel * PANEL)..cols.end.min((panel + 1) * PANEL);
        let first = place.first + within.start - cols.start;
        let skip = within.start - panel * PANEL;
        let groups = out.chunks_mut(place.width * ROWS * 4).zip(left.chunks(rank * ROWS));
        for (out, left) in groups {
            let sums = sums(left, right, rank);
            for (out, sums) in out.chunks_mut(place.width * 4).zip(&sums) {
                let out = out.get_mut(first * 4..(first + within.len()) * 4).unwrap_or_default();
                for (place, sum) in floats(out).zip(sums.iter().skip(skip)) {
                    set(place, get(place) + sum * scale);
                }
            }
        }
    }
}

/// Up to [`ROWS`] rows of the left factor with a panel: each sum over the rank, from 0 up.
fn sums(left: &[f32], right: &[[f32; PANEL]], rank: usize) -> [[f32; PANEL]; ROWS] {
    let mut rows = left.chunks_exact(rank);
    let mut next = || rows.next().unwrap_or_default();
    let (a, b, c, d) = (next(), next(), next(), next());
    let mut sums = [[0.0; PANEL]; ROWS];
    if d.is_empty() {
        for (row, sums) in [a, b, c].iter().zip(&mut sums) {
            for (l, right) in row.iter().zip(right) {
                for (sum, r) in sums.iter_mut().zip(right) {
                    *sum += l * r;
                }
            }
        }
        return sums;
    }
    let [w, x, y, z] = &mut sums;
    for ((((right, a), b), c), d) in right.iter().zip(a).zip(b).zip(c).zip(d) {
        for ((((r, w), x), y), z) in right.iter().zip(&mut *w).zip(&mut *x).zip(&mut *y).zip(&mut *z) {
            *w += a * r;
            *x += b * r;
            *y += c * r;
            *z += d * r;
        }
    }
    sums
}

/// The elements of little-endian F32.
pub(super) fn floats(bytes: &mut [u8]) -> impl Iterator<Item = &mut [u8; 4]> {
    bytes.as_chunks_mut::<4>().0.iter_mut()
}

pub(super) fn get(place: &[u8; 4]) -> f32 {
    f32::from_le_bytes(*place)
}

pub(super) fn set(place: &mut [u8; 4], value: f32) {
    *place = value.to_le_bytes();
}
