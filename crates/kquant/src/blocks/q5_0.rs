//! `Q5_0`: 32 weights in 22 bytes. `x = d · (q − 16)`, q of five bits.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::legacy::{LegacyBlock, Search};
use super::lanes::levels::{self, Levels};
use super::lanes::rounded::{RoundedBlock, Scale, extreme};
use super::{Block, nibbles};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::extremes::largest_magnitude;
use crate::search::{qx, weights};

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ5_0 {
    d: F16,
    /// Bit i: the fifth bit of weight i.
    qh: [u8; 4],
    /// Low nibbles: weights 0–15; high nibbles: weights 16–31.
    qs: [u8; 16],
}

impl BlockQ5_0 {
    #[inline(always)]
    fn pack(d: f32, levels: &[u8; 32]) -> Self {
        Self { d: F16::from_f32(d), qh: nibbles::pack_fifth(levels), qs: nibbles::pack_low(levels) }
    }
}

impl Block<32> for BlockQ5_0 {
    const TYPE: GgmlType = GgmlType::Q5_0;
    const USES_ROW_MEAN_SQUARE: bool = true;

    /// The weight of largest magnitude goes to level 0, which stands for −16.
    #[inline(always)]
    fn encode(x: &[f32; 32]) -> Self {
        let d = largest_magnitude(x) / -16.0;
        Self::pack(d, &nibbles::levels(d, 31, x, |x, inverse| x * inverse + 16.5))
    }

    #[inline]
    fn encode_weighted(x: &[f32; 32], importance: &[f32; 32], row_mean_square: f32) -> Self {
        let w = weights::by_importance(x, importance, row_mean_square);
        let mut levels = [0; 32];
        let d = qx::search(16, x, &w, &mut levels);
        Self::pack(d, &levels)
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 32]) {
        let d = self.d.to_f32();
        for (y, q) in y.iter_mut().zip(nibbles::unpack(&self.qs, self.qh)) {
            *y = f32::from(q as i8 - 16) * d;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 32]) {
        nibbles::decode_five::<V::Part>(isa, (&self.qs, self.qh), 16.0, V::widen(isa, self.d), -0.0, y);
    }
}

impl LegacyBlock for BlockQ5_0 {
    const SEARCH: Search = Search::Scale { half: 16 };

    #[inline(always)]
    fn from_parts(d: [u8; 2], _: [u8; 2], found: &Levels) -> Self {
        Self { d: bytemuck::cast(d), qh: found.fifth, qs: nibbles::pack_low(&found.levels) }
    }
}

impl RoundedBlock for BlockQ5_0 {
    #[inline(always)]
    fn scale<V: Vector>(isa: V::Isa, min: V, max: V) -> Scale<V> {
        Scale::new(isa, extreme(isa, min, max) / V::splat(isa, -16.0), V::splat(isa, 0.0))
    }

    #[inline(always)]
    fn round<V: Vector>(isa: V::Isa, x: &[f32; 32], scale: &Scale<f32>, d: [u8; 2], m: [u8; 2]) -> Self {
        Self::from_parts(d, m, &levels::rounded::<V>(isa, x, scale, 16.5, 31))
    }
}
