//! `TQ2_0`: 256 weights in 66 bytes, `x = d · (q − 1)`, q two bits; encoding gives −1, 0 and 1 alone.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::levels::decode_around;
use super::{Block, ImportanceUse, ternary, two_bit};
use crate::float16::F16;
use crate::lanes::Vector;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockTq2_0 {
    qs: [u8; 64],
    d: F16,
}

impl Block<256> for BlockTq2_0 {
    const TYPE: GgmlType = GgmlType::TQ2_0;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline]
    fn encode(x: &[f32; 256]) -> Self {
        let ternary::Trits { scale, trits } = ternary::round(x, 1);
        Self { qs: two_bit::pack(&trits), d: F16::from_f32(scale) }
    }

    #[inline(always)]
    fn encode_on<V: Vector>(isa: V::Isa, x: &[f32; 256]) -> Self {
        let ternary::Trits { scale, trits } = ternary::round_on::<V, 256>(isa, x, 1);
        Self { qs: two_bit::pack(&trits), d: F16::from_f32(scale) }
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (y, q) in y.iter_mut().zip(two_bit::unpack(&self.qs)) {
            *y = f32::from(q as i8 - 1) * d;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        decode_around::<V::Part>(isa, 1.0, V::widen(isa, self.d), &two_bit::unpack(&self.qs), y);
    }
}
