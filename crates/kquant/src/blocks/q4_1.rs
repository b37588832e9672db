//! `Q4_1`: 32 weights in 20 bytes. `x = d · q + m`, q of four bits.

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
pub(crate) struct BlockQ4_1 {
    d: F16,
    /// The minimum.
    m: F16,
    /// Low nibbles: weights 0–15; high nibbles: weights 16–31.
    qs: [u8; 16],
}

impl Block<32> for BlockQ4_1 {
    const TYPE: GgmlType = GgmlType::Q4_1;
    const USES_ROW_MEAN_SQUARE: bool = true;

    #[inline(always)]
    fn encode(x: &[f32; 32]) -> Self {
        let (min, max) = range(x);
        let d = (max - min) / 15.0;
        let levels = nibbles::levels(d, 15, x, |x, inverse| (x - min) * inverse + 0.5);
        Self { d: F16::from_f32(d), m: F16::from_f32(min), qs: nibbles::pack_low(&levels) }
    }

    #[inline]
    fn encode_weighted(x: &[f32; 32], importance: &[f32; 32], row_mean_square: f32) -> Self {
        let w = weights::by_importance(x, importance, row_mean_square);
        let mut levels = [0; 32];
        let fit = qkx3::search(15, x, &w, &mut levels);
        Self { d: F16::from_f32(fit.scale), m: F16::from_f32(-fit.offset), qs: nibbles::pack_low(&levels) }
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 32]) {
        let (d, m) = (self.d.to_f32(), self.m.to_f32());
        for (y, q) in y.iter_mut().zip(nibbles::unpack_low(&self.qs)) {
            *y = f32::from(q) * d + m;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 32]) {
        let unpacked = nibbles::unpack_low(&self.qs);
        levels::decode_above::<V::Part>(isa, V::widen(isa, self.d), -V::widen(isa, self.m), &unpacked, y);
    }
}

impl LegacyBlock for BlockQ4_1 {
    const SEARCH: Search = Search::Affine { top: 15 };

    #[inline(always)]
    fn from_parts(d: [u8; 2], m: [u8; 2], found: &Levels) -> Self {
        Self { d: bytemuck::cast(d), m: bytemuck::cast(m), qs: nibbles::pack_low(&found.levels) }
    }
}

impl RoundedBlock for BlockQ4_1 {
    #[inline(always)]
    fn scale<V: Vector>(isa: V::Isa, min: V, max: V) -> Scale<V> {
        Scale::new(isa, (max - min) / V::splat(isa, 15.0), min)
    }

    #[inline(always)]
    fn round<V: Vector>(isa: V::Isa, x: &[f32; 32], scale: &Scale<f32>, d: [u8; 2], m: [u8; 2]) -> Self {
        Self::from_parts(d, m, &levels::rounded::<V>(isa, x, scale, 0.5, 15))
    }
}
