//! `Q2_0`: 64 weights in 18 bytes, `x = d · (q − 1)`, q two bits; encoding gives −1, 0 and 1 alone.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::{Block, ImportanceUse, ternary};
use crate::float16::F16;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ2_0 {
    d: F16,
    /// Byte j holds weights 4·j … 4·j + 3, lowest bits first.
    qs: [u8; 16],
}

impl Block<64> for BlockQ2_0 {
    const TYPE: GgmlType = GgmlType::Q2_0;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline]
    fn encode(x: &[f32; 64]) -> Self {
        let ternary::Trits { scale, trits } = ternary::round(x, 0);
        let mut qs = [0; 16];
        for (byte, trits) in qs.iter_mut().zip(trits.as_chunks::<4>().0) {
            *byte = trits[0] | trits[1] << 2 | trits[2] << 4 | trits[3] << 6;
        }
        Self { d: F16::from_f32(scale), qs }
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 64]) {
        let d = self.d.to_f32();
        for (y, &byte) in y.as_chunks_mut::<4>().0.iter_mut().zip(&self.qs) {
            for (i, y) in y.iter_mut().enumerate() {
                *y = f32::from((byte >> (2 * i) & 3) as i8 - 1) * d;
            }
        }
    }
}
