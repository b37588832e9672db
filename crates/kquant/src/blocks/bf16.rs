//! `BF16`: each weight as the nearest bfloat16; subnormals are kept.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::{Block, ImportanceUse};
use crate::float16::Bf16;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct BlockBf16(Bf16);

impl Block<1> for BlockBf16 {
    const TYPE: GgmlType = GgmlType::BF16;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline(always)]
    fn encode(x: &[f32; 1]) -> Self {
        Self(Bf16::from_f32(x[0]))
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 1]) {
        y[0] = self.0.to_f32();
    }
}
