//! `F32`: the weights as they are, little-endian.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::VectorBlock;
use super::{Block, ImportanceUse};
use crate::lanes::Vector;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct BlockF32([u8; 4]);

impl Block<1> for BlockF32 {
    const TYPE: GgmlType = GgmlType::F32;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline(always)]
    fn encode(x: &[f32; 1]) -> Self {
        Self(x[0].to_le_bytes())
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 1]) {
        y[0] = f32::from_le_bytes(self.0);
    }
}

impl VectorBlock<1> for BlockF32 {
    #[inline(always)]
    fn encode_all<V: Vector>(_: V::Isa, src: &[f32], dst: &mut [Self]) {
        if cfg!(target_endian = "little") {
            dst.copy_from_slice(bytemuck::cast_slice(src));
        } else {
            for (block, x) in dst.iter_mut().zip(src) {
                *block = Self(x.to_le_bytes());
            }
        }
    }
}
