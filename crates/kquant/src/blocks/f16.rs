//! `F16`: each weight as the nearest binary16; beyond 65504 that is infinity.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::VectorBlock;
use super::{Block, ImportanceUse};
use crate::float16::F16;
use crate::lanes::Vector;

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

impl VectorBlock<1> for BlockF16 {
    #[inline(always)]
    fn encode_all<V: Vector>(isa: V::Isa, src: &[f32], dst: &mut [Self]) {
        let mut blocks = dst.chunks_exact_mut(V::LANES);
        let mut weights = src.chunks_exact(V::LANES);
        for (blocks, x) in (&mut blocks).zip(&mut weights) {
            let vector = V::load(isa, x);
            if V::any(!vector.same(vector)) {
                // ggml has one NaN for all.
                plain(x, blocks);
            } else {
                vector.store_f16(bytemuck::cast_slice_mut(blocks));
            }
        }
        plain(weights.remainder(), blocks.into_remainder());
    }

    #[inline(always)]
    fn decode_all<V: Vector>(isa: V::Isa, src: &[Self], dst: &mut [f32]) {
        let blocks = src.chunks_exact(V::LANES);
        let mut weights = dst.chunks_exact_mut(V::LANES);
        let rest = blocks.remainder();
        for (blocks, y) in blocks.zip(&mut weights) {
            V::load_f16(isa, bytemuck::cast_slice(blocks)).store(y);
        }
        for (block, y) in rest.iter().zip(weights.into_remainder()) {
            *y = block.0.to_f32();
        }
    }
}

#[inline(always)]
fn plain(src: &[f32], dst: &mut [BlockF16]) {
    for (block, x) in dst.iter_mut().zip(src) {
        *block = BlockF16(F16::from_f32(*x));
    }
}
