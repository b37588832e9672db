//! `Q2_0`: 64 weights in 18 bytes, `x = d · (q − 1)`, q two bits; encoding gives −1, 0 and 1 alone.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::levels::decode_around;
use super::{Block, ImportanceUse, ternary};
use crate::float16::F16;
use crate::lanes::Vector;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ2_0 {
    d: F16,
    /// Byte j holds weights 4·j … 4·j + 3, lowest bits first.
    qs: [u8; 16],
}

impl BlockQ2_0 {
    #[inline(always)]
    fn pack(found: ternary::Trits<64>) -> Self {
        let mut qs = [0; 16];
        for (byte, trits) in qs.iter_mut().zip(found.trits.as_chunks::<4>().0) {
            *byte = trits[0] | trits[1] << 2 | trits[2] << 4 | trits[3] << 6;
        }
        Self { d: F16::from_f32(found.scale), qs }
    }

    /// The levels 0 … 3 again.
    #[inline(always)]
    fn levels(&self) -> [u8; 64] {
        let mut levels = [0; 64];
        for (levels, &byte) in levels.as_chunks_mut::<4>().0.iter_mut().zip(&self.qs) {
            *levels = [byte & 3, byte >> 2 & 3, byte >> 4 & 3, byte >> 6];
        }
        levels
    }
}

impl Block<64> for BlockQ2_0 {
    const TYPE: GgmlType = GgmlType::Q2_0;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline]
    fn encode(x: &[f32; 64]) -> Self {
        Self::pack(ternary::round(x, 0))
    }

    #[inline(always)]
    fn encode_on<V: Vector>(isa: V::Isa, x: &[f32; 64]) -> Self {
        Self::pack(ternary::round_on::<V, 64>(isa, x, 0))
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 64]) {
        let d = self.d.to_f32();
        for (y, level) in y.iter_mut().zip(self.levels()) {
            *y = f32::from(level as i8 - 1) * d;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 64]) {
        decode_around::<V::Part>(isa, 1.0, V::widen(isa, self.d), &self.levels(), y);
    }
}
