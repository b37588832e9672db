//! `IQ1_S`: 256 weights in 50 bytes. 8 sub-blocks of 32 weights, each four points of a grid with levels l of −1, 0, 1 for
//! eight weights; `x = d · (2s + 1) · (l ± ⅛)`, s of three bits and one sign for each sub-block.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::iq1::{Points, variance};
use super::lanes::{self, Importance, LaneBlock};
use super::super_block::{largest, sub_blocks};
use super::{Block, ImportanceUse};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::extremes::largest_size;
use crate::search::rounding::nearest_int;
use crate::search::snap::{Coded, snap};
use crate::search::{split, weights};

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq1S {
    d: F16,
    /// The low eight bits of the points' indices.
    qs: [[u8; 4]; 8],
    /// For each sub-block, little-endian, from the lowest bit: three high bits of each index, s, the sign (set for −).
    qh: [[u8; 2]; 8],
}

/// A sub-block whose largest magnitude is below this counts as all zero (`GROUP_MAX_EPS_IQ1_S`).
pub(super) const NEAR_ZERO: f32 = 1e-12;

/// The best factor for the shared scale, found by trial when ggml was made.
const FUDGE: f32 = 1.125;

impl BlockIq1S {
    /// Packs a super-block whose sub-blocks have been coded.
    #[inline(always)]
    pub(super) fn finish(sub_blocks: &[Coded<4>; 8]) -> Self {
        let mut block = Self::zeroed();
        let max = largest(&sub_blocks.map(|coded| coded.scale));
        let d = max / 15.0;
        block.d = F16::from_f32(d * FUDGE);
        let inverse = 1.0 / d;
        for (j, coded) in sub_blocks.iter().enumerate() {
            let mut high = 0;
            for (i, index) in coded.indices.into_iter().enumerate() {
                block.qs[j][i] = index as u8;
                high |= (index >> 8) << (3 * i);
            }
            if max != 0.0 {
                let s = nearest_int(0.5 * (inverse * coded.scale - 1.0)).clamp(0, 7) as u16;
                high |= s << 12 | u16::from(coded.shifts[0]) << 15;
            }
            block.qh[j] = high.to_le_bytes();
        }
        block
    }

    /// `None` where ggml aborts.
    fn try_encode(x: &[f32; 256], importance: &[f32; 256]) -> Option<Self> {
        let variance = variance(x);
        let (x, importance): (&[[f32; 32]; 8], &[[f32; 32]; 8]) = (sub_blocks(x), sub_blocks(importance));
        let mut all = [Coded::BLANK; 8];
        for ((coded, x), importance) in all.iter_mut().zip(x).zip(importance) {
            if largest_size(x) >= NEAR_ZERO {
                let w = weights::by_importance(x, importance, variance);
                *coded = match split::one_shift(x, &w) {
                    Some(fit) => snap(x, &w, &fit)?,
                    None => Coded::BLANK,
                };
            }
        }
        Some(Self::finish(&all))
    }
}

impl Points<8, 4> for BlockIq1S {
    #[inline(always)]
    fn d(&self) -> F16 {
        self.d
    }

    #[inline(always)]
    fn points(&self, j: usize) -> (f32, [(usize, bool); 4]) {
        let high = usize::from(u16::from_le_bytes(self.qh[j]));
        let factor = (2 * (high >> 12 & 7) + 1) as f32;
        let mut points = [(0, high >> 15 != 0); 4];
        for (i, point) in points.iter_mut().enumerate() {
            point.0 = usize::from(self.qs[j][i]) | (high >> (3 * i) & 7) << 8;
        }
        (factor, points)
    }
}

impl Block<256> for BlockIq1S {
    const TYPE: GgmlType = GgmlType::IQ1_S;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Required;

    fn encode(x: &[f32; 256]) -> Self {
        Self::encode_weighted(x, &[1.0; 256], 0.0)
    }

    fn encode_weighted(x: &[f32; 256], importance: &[f32; 256], _: f32) -> Self {
        Self::try_encode(x, importance).unwrap_or_else(Self::zeroed)
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

impl LaneBlock for BlockIq1S {
    #[inline(always)]
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    ) {
        lanes::iq1::encode_batch_s::<V>(isa, src, importance, dst, |x, importance| {
            Self::encode_weighted(x, importance, 0.0)
        });
    }
}
