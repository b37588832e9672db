//! `Q5_K`: 256 weights in 176 bytes. 8 sub-blocks of 32 weights; `x = d · s · q − dmin · m`, where s and m are of
//! six bits for each sub-block and q of five bits for each weight.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::affine::{self, Affine, AffineBlock, SearchLevels};
use super::lanes::{Importance, LaneBlock};
use super::super_block::{add_planes, pack_planes};
use super::{Block, six_bit};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::qkx2::{Cost, Sweep};

const TOP: i32 = 31;
const SCALE_LIMIT: u8 = 63;
const SWEEP: Sweep = Sweep { first: -0.5, delta: 0.1, last: 15 };

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ5K {
    d: F16,
    dmin: F16,
    /// Scales and minima: see [`six_bit`].
    scales: [u8; 12],
    /// The fifth bit of every level: bit k of byte j belongs to weight 32 · k + j.
    qh: [u8; 32],
    /// 32 bytes for each pair of sub-blocks, the first in the low nibbles, the second in the high ones.
    qs: [u8; 128],
}

impl From<six_bit::Fit> for BlockQ5K {
    #[inline(always)]
    fn from(fit: six_bit::Fit) -> Self {
        let qh = pack_planes(&fit.levels, 4);
        let qs = six_bit::pack_nibbles(&fit.levels);
        Self { d: fit.d, dmin: fit.dmin, scales: fit.scales, qh, qs }
    }
}

impl Block<256> for BlockQ5K {
    const TYPE: GgmlType = GgmlType::Q5_K;

    #[inline]
    fn encode(x: &[f32; 256]) -> Self {
        six_bit::fit(TOP, SWEEP, x).into()
    }

    #[inline]
    fn encode_weighted(x: &[f32; 256], importance: &[f32; 256], _: f32) -> Self {
        six_bit::fit_weighted(TOP, SCALE_LIMIT, x, importance).into()
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        six_bit::decode(self.d, self.dmin, &self.scales, &self.levels(), y);
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        six_bit::decode_on::<V::Part>(isa, self.d, self.dmin, &self.scales, &self.levels(), y);
    }
}

impl BlockQ5K {
    /// The levels 0 … 31 again.
    #[inline(always)]
    fn levels(&self) -> [u8; 256] {
        let mut levels = six_bit::unpack_nibbles(&self.qs);
        add_planes(&mut levels, &self.qh, 16);
        levels
    }
}

impl LaneBlock for BlockQ5K {
    #[inline(always)]
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    ) {
        affine::encode_batch::<V, _, 32, 8>(isa, src, importance, dst);
    }
}

impl AffineBlock<32, 8> for BlockQ5K {
    const AFFINE: Affine = Affine {
        top: TOP,
        sweep: SWEEP,
        cost: Cost::Square,
        top_scale: six_bit::TOP_SCALE,
        variance_factor: 2.0,
    };

    #[inline(always)]
    fn from_search(
        x: &[f32; 256],
        scales: &[f32; 8],
        offsets: &[f32; 8],
        levels: SearchLevels<'_, 8>,
    ) -> Self {
        six_bit::from_search(TOP, x, scales, offsets, |j, x| levels.of(j, x)).into()
    }

    #[inline(always)]
    fn from_levels(
        x: &[f32; 256],
        d: f32,
        dmin: f32,
        scales: [u8; 8],
        offsets: [u8; 8],
        levels: SearchLevels<'_, 8>,
    ) -> Self {
        six_bit::finish(TOP, x, d, dmin, scales, offsets, |j, x| levels.of(j, x)).into()
    }
}
