//! `IQ3_S`: 256 weights in 110 bytes. 8 sub-blocks of 32 weights; `x = d · (2 · s + 1) · ±v`, where s is of four bits for
//! each sub-block, and each four weights share an index of nine bits, that of a grid's point, whose coordinates are the
//! v.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::grid_scales::Points;
use super::lanes::grid::GridBlock;
use super::super_block::sub_blocks;
use super::{Block, grid_scales};
use crate::float16::F16;
use crate::grids::{IQ3_S, IQ3_S_POINTS, values};
use crate::lanes::Vector;
use crate::search::grid::{Refine, Search, SubBlock, Sweep};
use crate::search::{grid_signs, weights};

static VALUES: [u64; 512] = values::<512, 4, 8>(&IQ3_S_POINTS, [1, 3, 5, 7, 9, 11, 13, 15]);

const TOP_SCALE: u8 = 15;
const SWEEP: Sweep = Sweep { steps: 9, delta: 0.2 };
/// The scale is made a little larger than the largest sub-block's asks for.
const STRETCH: f32 = 1.033;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq3S {
    d: F16,
    /// Low bytes of the indices.
    qs: [[u8; 8]; 8],
    /// The ninth bit of the indices: bit k of byte j is that of the k-th of sub-block j.
    qh: [u8; 8],
    /// Bit i is set for a negative weight i of eight.
    signs: [[u8; 4]; 8],
    /// Two sub-blocks a byte: s of the even one in the low nibble.
    scales: [u8; 4],
}

impl GridBlock for BlockIq3S {
    #[inline(always)]
    fn try_encode(
        how: &mut impl Search,
        x: &[f32; 256],
        sum_of_squares: f32,
        importance: Option<&[f32; 256]>,
    ) -> Option<Self> {
        let neighbours = IQ3_S.neighbours();
        let variance = 2.0 * sum_of_squares / 256.0;
        let mut block = Self::zeroed();
        let mut scales = [0.0; 8];
        // After a sub-block of zeros, ggml goes on writing low bytes and signs where that would have had its own (its
        // pointers stand still). The ninth bits and the scales are in their places.
        let mut written = 0;
        for (j, x) in sub_blocks::<32, 8, f32>(x).iter().enumerate() {
            let w = match importance {
                Some(importance) => {
                    weights::by_importance(x, &sub_blocks::<32, 8, f32>(importance)[j], variance)
                }
                None => weights::squares(x),
            };
            let mut signs = [0; 4];
            let magnitudes = grid_signs::magnitudes(x, &mut signs);
            let largest = grid_scales::max(&magnitudes);
            if largest == 0.0 {
                continue;
            }
            let sub_block = SubBlock::new(&magnitudes, &w);
            let (scale, refine) = (largest / 15.0, Refine::AllUnlessOnGrid);
            let fit = sub_block.search::<8, 8>(how, neighbours, SWEEP, largest, scale, refine)?;
            scales[j] = fit.scale;
            block.signs[written] = if fit.flipped { signs.map(|signs| !signs) } else { signs };
            for (k, &code) in fit.codes.iter().enumerate() {
                let [low, high] = neighbours.index(code).to_le_bytes();
                block.qs[written][k] = low;
                block.qh[j] |= high << k;
            }
            written += 1;
        }
        if let Some((d, levels)) = grid_scales::share(&scales, TOP_SCALE) {
            block.d = F16::from_f32(d * STRETCH);
            block.scales = grid_scales::pack_nibbles(&levels);
        }
        Some(block)
    }
}

impl Points<8, 4> for BlockIq3S {
    #[inline(always)]
    fn points(&self, j: usize) -> grid_scales::SubBlock<4> {
        let scale = self.scales[j / 2] >> (4 * (j % 2)) & 15;
        let mut points = grid_scales::SubBlock {
            scale: self.d.to_f32() * f32::from(1 + 2 * scale),
            values: [0; 4],
            signs: self.signs[j],
        };
        for k in 0..4 {
            let high = usize::from(self.qh[j]) >> (2 * k);
            let index_a = usize::from(self.qs[j][2 * k]) | (high & 1) << 8;
            let index_b = usize::from(self.qs[j][2 * k + 1]) | (high & 2) << 7;
            points.values[k] = VALUES[index_a] | VALUES[index_b] << 32;
        }
        points
    }
}

impl Block<256> for BlockIq3S {
    const TYPE: GgmlType = GgmlType::IQ3_S;

    fn encode(x: &[f32; 256]) -> Self {
        Self::encode_plain(x, None)
    }

    fn encode_weighted(x: &[f32; 256], importance: &[f32; 256], _: f32) -> Self {
        Self::encode_plain(x, Some(importance))
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
