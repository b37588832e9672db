//! `Q1_0`: 128 weights in 18 bytes, `x = ±d`, where d is the mean magnitude.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::{Block, ImportanceUse};
use crate::float16::F16;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ1_0 {
    d: F16,
    /// Weight i is bit i, little-endian: 1 where it is not negative (nor NaN).
    signs: [u8; 16],
}

impl Block<128> for BlockQ1_0 {
    const TYPE: GgmlType = GgmlType::Q1_0;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline]
    fn encode(x: &[f32; 128]) -> Self {
        let sum = x.iter().fold(0.0f32, |sum, x| sum + x.abs());
        let mut signs = [0; 16];
        for (byte, x) in signs.iter_mut().zip(x.as_chunks::<8>().0) {
            for (i, &x) in x.iter().enumerate() {
                *byte |= u8::from(x >= 0.0) << i;
            }
        }
        Self { d: F16::from_f32(sum / 128.0), signs }
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 128]) {
        let d = self.d.to_f32();
        for (y, &byte) in y.as_chunks_mut::<8>().0.iter_mut().zip(&self.signs) {
            for (i, y) in y.iter_mut().enumerate() {
                *y = if byte >> i & 1 == 0 { -d } else { d };
            }
        }
    }
}
