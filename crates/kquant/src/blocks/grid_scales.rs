//! What the types whose weights are points of a grid have in common.

use bytemuck::cast_slice;

use super::lanes::levels::decode_signed;
use crate::lanes::Vector;
use crate::search::rounding::nearest_int;

/// One scale for those of a super-block, `scale ≈ d · (2 · level + 1)` with levels 0 … `top`; none if all are zero.
#[inline(always)]
pub(super) fn share<const N: usize>(scales: &[f32; N], top: u8) -> Option<(f32, [u8; N])> {
    let max = scales.iter().fold(0.0, |max: f32, &scale| if max > scale { max } else { scale });
    (max != 0.0).then(|| {
        let d = max / f32::from(2 * top + 1);
        let inverse = 1.0 / d;
        let level = |scale| nearest_int(0.5 * (inverse * scale - 1.0)).clamp(0, top.into()) as u8;
        (d, scales.map(level))
    })
}

/// The largest of some numbers, zero or not.
#[inline(always)]
pub(super) fn max<const N: usize>(x: &[f32; N]) -> f32 {
    x[1..].iter().fold(x[0], |max, &x| if max > x { max } else { x })
}

/// A super-block of `C` sub-blocks, each `P` points of eight coordinates.
pub(super) trait Points<const C: usize, const P: usize> {
    /// Those of a sub-block.
    fn points(&self, sub_block: usize) -> SubBlock<P>;

    /// The weights: a scale times a coordinate, which the sign negates.
    #[inline(always)]
    fn decode_points(&self, y: &mut [f32; 256]) {
        for (j, y) in y.chunks_exact_mut(8 * P).take(C).enumerate() {
            let points = self.points(j);
            for (y, level) in y.iter_mut().zip(cast_slice::<_, i8>(&points.levels())) {
                *y = points.scale * f32::from(*level);
            }
        }
    }

    /// The same in vectors.
    #[inline(always)]
    fn decode_points_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        for (j, y) in y.chunks_exact_mut(8 * P).take(C).enumerate() {
            let points = self.points(j);
            decode_signed::<V::Part>(isa, points.scale, cast_slice(&points.levels()), y);
        }
    }
}

/// Weights that share a scale.
pub(super) struct SubBlock<const P: usize> {
    pub(super) scale: f32,
    /// Coordinates, a byte each, the first lowest. All are positive.
    pub(super) values: [u64; P],
    /// Bit i is set for a negative weight i of eight.
    pub(super) signs: [u8; P],
}

impl<const P: usize> SubBlock<P> {
    /// The coordinates with their signs, eight at a time in a word: inverted and then one more. Nothing is carried from
    /// byte to byte, for no coordinate is 0.
    #[inline(always)]
    fn levels(&self) -> [u64; P] {
        let mut words = [0; P];
        for (word, (values, &signs)) in words.iter_mut().zip(self.values.iter().zip(&self.signs)) {
            let negative = NEGATIVE[usize::from(signs)];
            *word = ((values ^ negative) + (negative & ONES)).to_le();
        }
        words
    }
}

/// A byte of 1 for each.
const ONES: u64 = u64::from_le_bytes([1; 8]);

/// For each eight signs, bytes with all bits set where the sign is.
static NEGATIVE: [u64; 256] = {
    let mut all = [0; 256];
    let mut signs = 0;
    while signs < 256 {
        let mut i = 0;
        while i < 8 {
            all[signs] |= ((signs >> i & 1) as u64 * 255) << (8 * i);
            i += 1;
        }
        signs += 1;
    }
    all
};

/// Two levels a byte, the even one in the low nibble.
#[inline(always)]
pub(super) fn pack_nibbles<const N: usize, const B: usize>(levels: &[u8; N]) -> [u8; B] {
    const { assert!(N == 2 * B) }
    std::array::from_fn(|i| levels[2 * i] | levels[2 * i + 1] << 4)
}
