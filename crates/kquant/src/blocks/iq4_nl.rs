//! `IQ4_NL`: 32 weights in 18 bytes, `x = d · level(q)`, q four bits, the level from a
//! [codebook](crate::search::codebook).

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::{self, Importance, LaneBlock};
use super::{Block, nibbles};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::codebook::LEVELS;
use crate::search::{iq4, weights};

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockIq4Nl {
    d: F16,
    qs: [u8; 16],
}

impl BlockIq4Nl {
    /// Packs a block whose scale has been found.
    #[inline(always)]
    pub(super) fn finish(x: &[f32; 32], scale: f32) -> Self {
        Self { d: F16::from_f32(scale), qs: nibbles::pack_low(&iq4::places(x, scale)) }
    }
}

/// What [`weights::by_importance`] adds, here over the block: `Σ x² · 2 / 32`.
#[inline(always)]
fn variance(x: &[f32; 32]) -> f32 {
    weights::sum_of_squares(x) * (2.0 / 32.0)
}

impl Block<32> for BlockIq4Nl {
    const TYPE: GgmlType = GgmlType::IQ4_NL;

    #[inline]
    fn encode(x: &[f32; 32]) -> Self {
        Self::finish(x, iq4::search(x, &weights::squares(x)))
    }

    #[inline]
    fn encode_weighted(x: &[f32; 32], importance: &[f32; 32], _: f32) -> Self {
        Self::finish(x, iq4::search(x, &weights::by_importance(x, importance, variance(x))))
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 32]) {
        let d = self.d.to_f32();
        for (y, q) in y.iter_mut().zip(nibbles::unpack_low(&self.qs)) {
            *y = d * LEVELS[usize::from(q & 15)];
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 32]) {
        nibbles::decode_by::<V>(isa, &LEVELS, V::widen(isa, self.d), &self.qs, y);
    }
}

impl LaneBlock<32> for BlockIq4Nl {
    #[inline(always)]
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    ) {
        let scales = lanes::iq4::of_blocks::<V>(isa, src, importance);
        for ((block, x), scale) in dst.iter_mut().zip(src.as_chunks().0).zip(scales) {
            *block = Self::finish(x, scale);
        }
    }
}
