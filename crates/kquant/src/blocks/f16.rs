//! `F16`: each weight as the nearest binary16; beyond 65504 that is infinity.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::{Block, ImportanceUse};
use crate::float16::F16;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct BlockF16(F16);

impl Block<1> for BlockF16 {
    const TYPE: GgmlType = GgmlType::F16;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline(always)]
    fn encode(x: &[f32; 1]) -> Self {
        Self(F16::from_f32(x[0]))
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 1]) {
        y[0] = self.0.to_f32();
    }
}
