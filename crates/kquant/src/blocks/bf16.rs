//! `BF16`: each weight as the nearest bfloat16; subnormals are kept.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::VectorBlock;
use super::{Block, ImportanceUse};
use crate::float16::Bf16;
use crate::lanes::Vector;

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

impl VectorBlock<1> for BlockBf16 {
    /// Integers throughout, which compilers turn into the vectors of the instruction set.
    #[inline(always)]
    fn encode_all<V: Vector>(_: V::Isa, src: &[f32], dst: &mut [Self]) {
        for (block, &x) in dst.iter_mut().zip(src) {
            *block = Self(Bf16::from_f32(x));
        }
    }
}
