//! `IQ2_XS`: 256 weights in 74 bytes. 16 sub-blocks of 16 weights; `x = d · (s + ½) / 4 · ±v`, where s is of four bits for
//! each sub-block, and each eight weights share an index of nine bits, that of a grid's point, whose coordinates are the
//! v. The number of negative signs among each eight is even.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::grid_scales::Points;
use super::lanes::grid::GridBlock;
use super::super_block::sub_blocks;
use super::{Block, ImportanceUse, grid_scales};
use crate::float16::F16;
use crate::grids::{IQ2_XS, IQ2_XS_POINTS, values};
use crate::lanes::Vector;
use crate::search::grid::{Refine, Search, SubBlock, Sweep};
use crate::search::{ALL_ZERO, grid_signs, weights};

static VALUES: [u64; 512] = values::<512, 8, 3>(&IQ2_XS_POINTS, [8, 25, 43]);

const TOP_SCALE: u8 = 15;
const SWEEP: Sweep = Sweep { steps: 9, delta: 0.1 };

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq2Xs {
    d: F16,
    /// For each eight weights a 16-bit number: index at bit 0, signs of the first seven weights at bit 9.
    qs: [[[u8; 2]; 2]; 16],
    /// Two sub-blocks a byte: s of the even one in the low nibble.
    scales: [u8; 8],
}

impl GridBlock for BlockIq2Xs {
    #[inline(always)]
    fn try_encode(
        how: &mut impl Search,
        x: &[f32; 256],
        sum_of_squares: f32,
        importance: Option<&[f32; 256]>,
    ) -> Option<Self> {
        let importance = importance.unwrap_or(&[1.0; 256]);
        let neighbours = IQ2_XS.neighbours();
        let variance = sum_of_squares / 256.0;
        let mut block = Self::zeroed();
        let mut scales = [0.0; 16];
        let subs = sub_blocks::<16, 16, f32>(x).iter().zip(sub_blocks::<16, 16, f32>(importance));
        for (j, (x, importance)) in subs.enumerate() {
            let w = weights::by_importance(x, importance, variance);
            let mut signs = [0; 2];
            let magnitudes = grid_signs::even_magnitudes(x, &w, &mut signs);
            let largest = grid_scales::max(&magnitudes);
            if largest < ALL_ZERO {
                continue;
            }
            let sub_block = SubBlock::new(&magnitudes, &w);
            let fit =
                sub_block.search::<3, 2>(how, neighbours, SWEEP, largest, largest / 5.0, Refine::OffGrid)?;
            if fit.flipped {
                signs = signs.map(|signs| !signs & 127);
            }
            scales[j] = fit.scale;
            for (bits, (code, signs)) in block.qs[j].iter_mut().zip(fit.codes.into_iter().zip(signs)) {
                *bits = (neighbours.index(code) | u16::from(signs) << 9).to_le_bytes();
            }
        }
        let Some((d, levels)) = grid_scales::share(&scales, TOP_SCALE) else {
            return Some(Self::zeroed());
        };
        block.d = F16::from_f32(d);
        block.scales = grid_scales::pack_nibbles(&levels);
        Some(block)
    }
}

impl Points<16, 2> for BlockIq2Xs {
    #[inline(always)]
    fn points(&self, j: usize) -> grid_scales::SubBlock<2> {
        let scale = self.scales[j / 2] >> (4 * (j % 2)) & 15;
        let mut points = grid_scales::SubBlock {
            scale: self.d.to_f32() * (0.5 + f32::from(scale)) * 0.25,
            values: [0; 2],
            signs: [0; 2],
        };
        for k in 0..2 {
            let bits = u16::from_le_bytes(self.qs[j][k]);
            points.values[k] = VALUES[usize::from(bits & 511)];
            points.signs[k] = grid_signs::with_eighth((bits >> 9) as u8);
        }
        points
    }
}

impl Block<256> for BlockIq2Xs {
    const TYPE: GgmlType = GgmlType::IQ2_XS;

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
