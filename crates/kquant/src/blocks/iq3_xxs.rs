//! `IQ3_XXS`: 256 weights in 98 bytes. 8 sub-blocks of 32 weights; `x = d · (s + ½) / 2 · ±v`, where s is of four bits
//! for each sub-block, and each four weights share an index of eight bits, that of a grid's point, whose coordinates are
//! the v. The number of negative signs among each eight is even.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::grid_scales::Points;
use super::lanes::grid::GridBlock;
use super::super_block::sub_blocks;
use super::{Block, grid_scales};
use crate::float16::F16;
use crate::grids::{IQ3_XXS, IQ3_XXS_POINTS, values};
use crate::lanes::Vector;
use crate::search::grid::{Refine, Search, SubBlock, Sweep};
use crate::search::{grid_signs, weights};

static VALUES: [u64; 256] = values::<256, 4, 8>(&IQ3_XXS_POINTS, [4, 12, 20, 28, 36, 44, 52, 62]);

const TOP_SCALE: u8 = 15;
const SWEEP: Sweep = Sweep { steps: 15, delta: 0.2 };
/// A sub-block without a larger magnitude is all zero.
const ALL_ZERO: f32 = 1e-8;
/// The scale is made a little larger than the largest sub-block's asks for.
const STRETCH: f32 = 1.0125;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq3Xxs {
    d: F16,
    indices: [[u8; 8]; 8],
    /// A 32-bit number a sub-block: signs of weight 8 · k + i at bit 7 · k + i, for i under 7; s at bit 28.
    signs_and_scales: [[u8; 4]; 8],
}

impl GridBlock for BlockIq3Xxs {
    #[inline(always)]
    fn try_encode(
        how: &mut impl Search,
        x: &[f32; 256],
        sum_of_squares: f32,
        importance: Option<&[f32; 256]>,
    ) -> Option<Self> {
        let neighbours = IQ3_XXS.neighbours();
        let variance = 2.0 * sum_of_squares / 256.0;
        let mut block = Self::zeroed();
        let mut scales = [0.0; 8];
        let mut all_signs = [0u32; 8];
        for (j, x) in sub_blocks::<32, 8, f32>(x).iter().enumerate() {
            let w = match importance {
                Some(importance) => {
                    weights::by_importance(x, &sub_blocks::<32, 8, f32>(importance)[j], variance)
                }
                None => weights::squares(x),
            };
            let mut signs = [0; 4];
            let magnitudes = grid_signs::even_magnitudes(x, &w, &mut signs);
            let largest = grid_scales::max(&magnitudes);
            if largest < ALL_ZERO {
                continue;
            }
            let sub_block = SubBlock::new(&magnitudes, &w);
            let fit =
                sub_block.search::<8, 8>(how, neighbours, SWEEP, largest, largest / 15.0, Refine::OffGrid)?;
            if fit.flipped {
                signs = signs.map(|signs| !signs & 127);
            }
            scales[j] = fit.scale;
            block.indices[j] = fit.codes.map(|code| neighbours.index(code) as u8);
            all_signs[j] = (0..4).fold(0, |all, k| all | u32::from(signs[k]) << (7 * k));
        }
        let Some((d, levels)) = grid_scales::share(&scales, TOP_SCALE) else {
            return Some(Self::zeroed());
        };
        block.d = F16::from_f32(d * STRETCH);
        for (j, bits) in block.signs_and_scales.iter_mut().enumerate() {
            *bits = (all_signs[j] | u32::from(levels[j]) << 28).to_le_bytes();
        }
        Some(block)
    }
}

impl Points<8, 4> for BlockIq3Xxs {
    #[inline(always)]
    fn points(&self, j: usize) -> grid_scales::SubBlock<4> {
        let bits = u32::from_le_bytes(self.signs_and_scales[j]);
        let mut points = grid_scales::SubBlock {
            scale: self.d.to_f32() * (0.5 + (bits >> 28) as f32) * 0.5,
            values: [0; 4],
            signs: [0; 4],
        };
        for k in 0..4 {
            let [a, b] = [self.indices[j][2 * k], self.indices[j][2 * k + 1]].map(usize::from);
            points.values[k] = VALUES[a] | VALUES[b] << 32;
            points.signs[k] = grid_signs::with_eighth((bits >> (7 * k)) as u8 & 127);
        }
        points
    }
}

impl Block<256> for BlockIq3Xxs {
    const TYPE: GgmlType = GgmlType::IQ3_XXS;

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
