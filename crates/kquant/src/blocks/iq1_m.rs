//! `IQ1_M`: 256 weights in 56 bytes. 16 sub-blocks of 16 weights, each two points of a grid with levels l of −1, 0, 1 for
//! eight weights; `x = d · (2s + 1) · (l ± ⅛)`, s of three bits for each sub-block and a sign for each point.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::Block;
use super::iq1::{Points, variance};
use super::lanes::{self, Importance, LaneBlock};
use super::super_block::{largest, sub_blocks};
use crate::float16::F16;
use crate::grids::{IQ1_POINTS, Ternary};
use crate::lanes::Vector;
use crate::search::extremes::largest_size;
use crate::search::rounding::nearest_int;
use crate::search::snap::{Coded, snap};
use crate::search::{split, weights};

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq1M {
    /// The low eight bits of the points' indices.
    qs: [[u8; 2]; 16],
    /// For each point four bits, the first point's lowest: the three high bits of its index, its sign (set for −).
    qh: [u8; 16],
    /// Little-endian; each has s of four sub-blocks, lowest bits first, and four bits of d, its lowest first.
    scales: [[u8; 2]; 4],
}

/// A sub-block whose largest magnitude is below this counts as all zero (`GROUP_MAX_EPS_IQ1_M`).
pub(super) const NEAR_ZERO: f32 = 1e-7;

/// The best factor for the shared scale, found by trial when ggml was made.
const FUDGE: f32 = 1.1125;

impl BlockIq1M {
    /// Packs a super-block whose sub-blocks have been coded, but for d: gives a scale to begin with, 0 if nothing is left
    /// to do, and the factors 2s + 1.
    #[inline(always)]
    pub(super) fn pack(sub_blocks: &[Coded<2>; 16]) -> (Self, f32, [f32; 16]) {
        let mut block = Self::zeroed();
        let mut factors = [0.0; 16];
        let max = largest(&sub_blocks.map(|coded| coded.scale));
        for ((coded, low), high) in sub_blocks.iter().zip(&mut block.qs).zip(&mut block.qh) {
            *low = coded.indices.map(|index| index as u8);
            *high = (coded.indices[0] >> 8 | coded.indices[1] >> 8 << 4) as u8;
        }
        if max == 0.0 {
            return (block, 0.0, factors);
        }
        let d = max / 15.0;
        let inverse = 1.0 / d;
        let mut scales = [0u16; 4];
        for (j, coded) in sub_blocks.iter().enumerate() {
            let s = nearest_int(0.5 * (inverse * coded.scale - 1.0)).clamp(0, 7);
            scales[j / 4] |= (s as u16) << (3 * (j % 4));
            block.qh[j] |= coded.shifts[0] << 3 | coded.shifts[1] << 7;
            factors[j] = (2 * s + 1) as f32;
        }
        block.scales = scales.map(u16::to_le_bytes);
        (block, max, factors)
    }

    /// With everything else settled, d is fitted to all weights; `max` is the scale that [`Self::pack`] gave.
    #[inline(always)]
    pub(super) fn set_scale(&mut self, max: f32, sum_xl: f32, sum_ll: f32) {
        if max == 0.0 {
            return;
        }
        let d = if sum_ll > 0.0 { sum_xl / sum_ll } else { max / 15.0 };
        let bits = u16::from_le_bytes(bytemuck::cast(F16::from_f32(d * FUDGE)));
        for (i, scales) in self.scales.iter_mut().enumerate() {
            scales[1] |= ((bits >> (4 * i) & 15) << 4) as u8;
        }
    }

    fn finish(x: &[[f32; 16]; 16], w: &[[f32; 16]; 16], sub_blocks: &[Coded<2>; 16]) -> Self {
        let (mut block, max, factors) = Self::pack(sub_blocks);
        let (mut sum_xl, mut sum_ll) = (0.0f32, 0.0f32);
        for (j, coded) in sub_blocks.iter().enumerate() {
            let (x, w) = (x[j].as_chunks::<8>().0, w[j].as_chunks::<8>().0);
            for point in 0..2 {
                let levels = Ternary::levels(IQ1_POINTS[usize::from(coded.indices[point])]);
                for ((x, w), level) in x[point].iter().zip(&w[point]).zip(levels) {
                    let l = coded.levels(point)[level] * factors[j];
                    sum_xl += w * l * x;
                    sum_ll += w * l * l;
                }
            }
        }
        block.set_scale(max, sum_xl, sum_ll);
        block
    }

    /// `None` where ggml aborts.
    fn try_encode(x: &[f32; 256], w: &[f32; 256]) -> Option<Self> {
        let (x, w): (&[[f32; 16]; 16], &[[f32; 16]; 16]) = (sub_blocks(x), sub_blocks(w));
        let mut all = [Coded::BLANK; 16];
        for ((coded, x), w) in all.iter_mut().zip(x).zip(w) {
            if largest_size(x) >= NEAR_ZERO {
                *coded = match split::shift_by_half(x, w) {
                    Some(fit) => snap(x, w, &fit)?,
                    None => Coded::BLANK,
                };
            }
        }
        Some(Self::finish(x, w, &all))
    }
}

impl Points<16, 2> for BlockIq1M {
    #[inline(always)]
    fn d(&self) -> F16 {
        let scales = u64::from_le_bytes(bytemuck::cast(self.scales));
        let d = scales >> 12 & 0xf | scales >> 24 & 0xf0 | scales >> 36 & 0xf00 | scales >> 48 & 0xf000;
        F16::from_bytes((d as u16).to_le_bytes())
    }

    #[inline(always)]
    fn points(&self, j: usize) -> (f32, [(usize, bool); 2]) {
        // 12 bits of each 16 are scales.
        let scales = u16::from_le_bytes(self.scales[j / 4]);
        let factor = (2 * (scales >> (3 * (j % 4)) & 7) + 1).into();
        let mut points = [(0, false); 2];
        for (i, point) in points.iter_mut().enumerate() {
            let high = usize::from(self.qh[j]) >> (4 * i);
            *point = (usize::from(self.qs[j][i]) | (high & 7) << 8, high & 8 != 0);
        }
        (factor, points)
    }
}

impl Block<256> for BlockIq1M {
    const TYPE: GgmlType = GgmlType::IQ1_M;

    fn encode(x: &[f32; 256]) -> Self {
        Self::try_encode(x, &weights::squares(x)).unwrap_or_else(Self::zeroed)
    }

    fn encode_weighted(x: &[f32; 256], importance: &[f32; 256], _: f32) -> Self {
        let w = weights::by_importance(x, importance, variance(x));
        Self::try_encode(x, &w).unwrap_or_else(Self::zeroed)
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        self.decode_points(y);
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        self.decode_points_on::<V>(isa, y);
    }
}

impl LaneBlock for BlockIq1M {
    #[inline(always)]
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    ) {
        lanes::iq1::encode_batch_m::<V>(isa, src, importance, dst, |x, importance| match importance {
            Some(importance) => Self::encode_weighted(x, importance, 0.0),
            None => Self::encode(x),
        });
    }
}
