//! `Q5_1`: 32 weights in 24 bytes. `x = d · q + m`, q of five bits.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::legacy::{LegacyBlock, Search};
use super::lanes::levels::{self, Levels};
use super::lanes::rounded::{RoundedBlock, Scale};
use super::{Block, nibbles};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::extremes::range;
use crate::search::{qkx3, weights};

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ5_1 {
    d: F16,
    /// The minimum.
    m: F16,
    /// Bit i: the fifth bit of weight i.
    qh: [u8; 4],
    /// Low nibbles: weights 0–15; high nibbles: weights 16–31.
    qs: [u8; 16],
}

impl BlockQ5_1 {
    #[inline(always)]
    fn pack(d: f32, m: f32, levels: &[u8; 32]) -> Self {
        Self {
            d: F16::from_f32(d),
            m: F16::from_f32(m),
            qh: nibbles::pack_fifth(levels),
            qs: nibbles::pack_low(levels),
        }
    }
}

impl Block<32> for BlockQ5_1 {
    const TYPE: GgmlType = GgmlType::Q5_1;
    const USES_ROW_MEAN_SQUARE: bool = true;

    #[inline(always)]
    fn encode(x: &[f32; 32]) -> Self {
        let (min, max) = range(x);
        let d = (max - min) / 31.0;
        Self::pack(d, min, &nibbles::levels(d, 31, x, |x, inverse| (x - min) * inverse + 0.5))
    }

    #[inline]
    fn encode_weighted(x: &[f32; 32], importance: &[f32; 32], row_mean_square: f32) -> Self {
        let w = weights::by_importance(x, importance, row_mean_square);
        let mut levels = [0; 32];
        let fit = qkx3::search(31, x, &w, &mut levels);
        Self::pack(fit.scale, -fit.offset, &levels)
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 32]) {
        let (d, m) = (self.d.to_f32(), self.m.to_f32());
        for (y, q) in y.iter_mut().zip(nibbles::unpack(&self.qs, self.qh)) {
            *y = f32::from(q) * d + m;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 32]) {
        nibbles::decode_five::<V::Part>(
            isa,
            (&self.qs, self.qh),
            0.0,
            V::widen(isa, self.d),
            V::widen(isa, self.m),
            y,
        );
    }
}

impl LegacyBlock for BlockQ5_1 {
    const SEARCH: Search = Search::Affine { top: 31 };

    #[inline(always)]
    fn from_parts(d: [u8; 2], m: [u8; 2], found: &Levels) -> Self {
        Self {
            d: bytemuck::cast(d),
            m: bytemuck::cast(m),
            qh: found.fifth,
            qs: nibbles::pack_low(&found.levels),
        }
    }
}

impl RoundedBlock for BlockQ5_1 {
    #[inline(always)]
    fn scale<V: Vector>(isa: V::Isa, min: V, max: V) -> Scale<V> {
        Scale::new(isa, (max - min) / V::splat(isa, 31.0), min)
    }

    #[inline(always)]
    fn round<V: Vector>(isa: V::Isa, x: &[f32; 32], scale: &Scale<f32>, d: [u8; 2], m: [u8; 2]) -> Self {
        Self::from_parts(d, m, &levels::rounded::<V>(isa, x, scale, 0.5, 31))
    }
}
