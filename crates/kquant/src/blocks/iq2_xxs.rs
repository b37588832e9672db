//! `IQ2_XXS`: 256 weights in 66 bytes. 8 sub-blocks of 32 weights; `x = d · (s + ½) / 4 · ±v`, where s is of four bits
//! for each sub-block, and each eight weights share an index of eight bits, that of a grid's point, whose coordinates are
//! the v. The number of negative signs among each eight is even.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::grid_scales::Points;
use super::lanes::grid::GridBlock;
use super::super_block::sub_blocks;
use super::{Block, ImportanceUse, grid_scales};
use crate::float16::F16;
use crate::grids::{IQ2_XXS, IQ2_XXS_POINTS, values};
use crate::lanes::Vector;
use crate::search::grid::{Refine, Search, SubBlock, Sweep};
use crate::search::{ALL_ZERO, grid_signs, weights};

static VALUES: [u64; 256] = values::<256, 8, 3>(&IQ2_XXS_POINTS, [8, 25, 43]);

const TOP_SCALE: u8 = 15;
const SWEEP: Sweep = Sweep { steps: 6, delta: 0.1 };

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq2Xxs {
    d: F16,
    qs: [SubBlockIq2Xxs; 8],
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct SubBlockIq2Xxs {
    indices: [u8; 4],
    /// A 32-bit number: signs of weight 8 · k + i at bit 7 · k + i, for i under 7; s at bit 28.
    signs_and_scale: [u8; 4],
}

impl GridBlock for BlockIq2Xxs {
    #[inline(always)]
    fn try_encode(
        how: &mut impl Search,
        x: &[f32; 256],
        sum_of_squares: f32,
        importance: Option<&[f32; 256]>,
    ) -> Option<Self> {
        let importance = importance.unwrap_or(&[1.0; 256]);
        let neighbours = IQ2_XXS.neighbours();
        let variance = sum_of_squares / 256.0;
        let mut block = Self::zeroed();
        let mut scales = [0.0; 8];
        let mut all_signs = [0u32; 8];
        let subs = sub_blocks::<32, 8, f32>(x).iter().zip(sub_blocks::<32, 8, f32>(importance));
        for (j, (x, importance)) in subs.enumerate() {
            let w = weights::by_importance(x, importance, variance);
            let mut signs = [0; 4];
            let magnitudes = grid_signs::even_magnitudes(x, &w, &mut signs);
            if grid_scales::max(&magnitudes) < ALL_ZERO {
                continue;
            }
            // The sweep is around this.
            let scale = how.first_scale(&magnitudes, &w);
            let largest = scale * 3.0;
            if largest <= 0.0 {
                continue;
            }
            let sub_block = SubBlock::new(&magnitudes, &w);
            let fit = sub_block.search::<3, 4>(how, neighbours, SWEEP, largest, scale, Refine::All)?;
            if fit.flipped {
                signs = signs.map(|signs| !signs & 127);
            }
            scales[j] = fit.scale;
            block.qs[j].indices = fit.codes.map(|code| neighbours.index(code) as u8);
            all_signs[j] = (0..4).fold(0, |all, k| all | u32::from(signs[k]) << (7 * k));
        }
        let Some((d, levels)) = grid_scales::share(&scales, TOP_SCALE) else {
            return Some(Self::zeroed());
        };
        block.d = F16::from_f32(d);
        for (sub, (signs, level)) in block.qs.iter_mut().zip(all_signs.iter().zip(levels)) {
            sub.signs_and_scale = (signs | u32::from(level) << 28).to_le_bytes();
        }
        Some(block)
    }
}

impl Points<8, 4> for BlockIq2Xxs {
    #[inline(always)]
    fn points(&self, j: usize) -> grid_scales::SubBlock<4> {
        let bits = u32::from_le_bytes(self.qs[j].signs_and_scale);
        let mut points = grid_scales::SubBlock {
            scale: self.d.to_f32() * (0.5 + (bits >> 28) as f32) * 0.25,
            values: [0; 4],
            signs: [0; 4],
        };
        for k in 0..4 {
            points.values[k] = VALUES[usize::from(self.qs[j].indices[k])];
            points.signs[k] = grid_signs::with_eighth((bits >> (7 * k)) as u8 & 127);
        }
        points
    }
}

impl Block<256> for BlockIq2Xxs {
    const TYPE: GgmlType = GgmlType::IQ2_XXS;

    const IMPORTANCE: ImportanceUse = ImportanceUse::Required;

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
