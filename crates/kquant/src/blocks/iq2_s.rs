//! `IQ2_S`: 256 weights in 82 bytes. 16 sub-blocks of 16 weights; `x = d · (s + ½) / 4 · ±v`, where s is of four bits for
//! each sub-block, and each eight weights share an index of ten bits, that of a grid's point, whose coordinates are the
//! v.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::grid_scales::Points;
use super::lanes::grid::GridBlock;
use super::super_block::sub_blocks;
use super::{Block, grid_scales};
use crate::float16::F16;
use crate::grids::{IQ2_S, IQ2_S_POINTS, values};
use crate::lanes::Vector;
use crate::search::grid::{Refine, Search, SubBlock, Sweep};
use crate::search::{grid_signs, weights};

static VALUES: [u64; 1024] = values::<1024, 8, 3>(&IQ2_S_POINTS, [8, 25, 43]);

const TOP_SCALE: u8 = 15;
const SWEEP: Sweep = Sweep { steps: 9, delta: 0.1 };
/// A sub-block without a larger magnitude is all zero.
const ALL_ZERO: f32 = 1e-8;
/// The scale is made a little smaller than the largest sub-block's asks for.
const SHRINK: f32 = 0.9875;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq2S {
    d: F16,
    /// Low bytes of the indices.
    qs: [[u8; 2]; 16],
    /// Bit i is set for a negative weight i of eight.
    signs: [[u8; 2]; 16],
    /// Upper two bits of the indices, four a byte from its low bits on.
    qh: [u8; 8],
    /// Two sub-blocks a byte: s of the even one in the low nibble.
    scales: [u8; 8],
}

impl GridBlock for BlockIq2S {
    #[inline(always)]
    fn try_encode(
        how: &mut impl Search,
        x: &[f32; 256],
        sum_of_squares: f32,
        importance: Option<&[f32; 256]>,
    ) -> Option<Self> {
        let neighbours = IQ2_S.neighbours();
        let variance = 2.0 * sum_of_squares / 256.0;
        let mut block = Self::zeroed();
        let mut scales = [0.0; 16];
        for (j, x) in sub_blocks::<16, 16, f32>(x).iter().enumerate() {
            let w = match importance {
                Some(importance) => {
                    weights::by_importance(x, &sub_blocks::<16, 16, f32>(importance)[j], variance)
                }
                None => x.map(|x| 0.25 * variance + x * x),
            };
            let mut signs = [0; 2];
            let magnitudes = grid_signs::magnitudes(x, &mut signs);
            let largest = grid_scales::max(&magnitudes);
            if largest < ALL_ZERO {
                continue;
            }
            let sub_block = SubBlock::new(&magnitudes, &w);
            let fit =
                sub_block.search::<3, 2>(how, neighbours, SWEEP, largest, largest / 5.0, Refine::OffGrid)?;
            scales[j] = fit.scale;
            block.signs[j] = if fit.flipped { signs.map(|signs| !signs) } else { signs };
            for k in 0..2 {
                let [low, high] = neighbours.index(fit.codes[k]).to_le_bytes();
                block.qs[j][k] = low;
                block.qh[j / 2] |= high << (4 * (j % 2) + 2 * k);
            }
        }
        if let Some((d, levels)) = grid_scales::share(&scales, TOP_SCALE) {
            block.d = F16::from_f32(d * SHRINK);
            block.scales = grid_scales::pack_nibbles(&levels);
        }
        Some(block)
    }
}

impl Points<16, 2> for BlockIq2S {
    #[inline(always)]
    fn points(&self, j: usize) -> grid_scales::SubBlock<2> {
        let scale = self.scales[j / 2] >> (4 * (j % 2)) & 15;
        let mut points = grid_scales::SubBlock {
            scale: self.d.to_f32() * (0.5 + f32::from(scale)) * 0.25,
            values: [0; 2],
            signs: self.signs[j],
        };
        for k in 0..2 {
            let high = self.qh[j / 2] >> (4 * (j % 2) + 2 * k) & 3;
            points.values[k] = VALUES[usize::from(u16::from_le_bytes([self.qs[j][k], high]))];
        }
        points
    }
}

impl Block<256> for BlockIq2S {
    const TYPE: GgmlType = GgmlType::IQ2_S;

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
