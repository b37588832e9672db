//! From a type to its encoder and decoder.

use gguf_format::GgmlType;

use crate::blocks::{
    Block, BlockBf16, BlockF16, BlockF32, BlockQ2K, BlockQ3K, BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0,
    BlockQ5_1, BlockQ5K, BlockQ6K, BlockQ8_0,
};
use crate::search::weights::sum_of_squares;

/// Encodes rows: weights, weights a row, importance of one row, blocks. Lengths have been checked.
pub(crate) type EncodeRows = fn(&[f32], usize, Option<&[f32]>, &mut [u8]);
/// Decodes blocks to weights. Lengths have been checked.
pub(crate) type DecodeRows = fn(&[u8], &mut [f32]);

/// What can be done with a type.
#[derive(Clone, Copy)]
pub(crate) struct Codec {
    pub(crate) encode: EncodeRows,
    pub(crate) decode: DecodeRows,
}

impl Codec {
    const fn of<const LEN: usize, B: Block<LEN>>() -> Self {
        const {
            assert!(size_of::<B>() == B::TYPE.block_bytes() && LEN == B::TYPE.block_len());
            assert!(align_of::<B>() == 1); // so that a cast of bytes cannot fail
        }
        Self { encode: encode::<LEN, B>, decode: decode::<LEN, B> }
    }
}

/// The codec of a type, if there is one.
pub(crate) const fn codec(ty: GgmlType) -> Option<Codec> {
    Some(match ty {
        GgmlType::F32 => Codec::of::<1, BlockF32>(),
        GgmlType::F16 => Codec::of::<1, BlockF16>(),
        GgmlType::BF16 => Codec::of::<1, BlockBf16>(),
        GgmlType::Q8_0 => Codec::of::<32, BlockQ8_0>(),
        GgmlType::Q4_0 => Codec::of::<32, BlockQ4_0>(),
        GgmlType::Q4_1 => Codec::of::<32, BlockQ4_1>(),
        GgmlType::Q5_0 => Codec::of::<32, BlockQ5_0>(),
        GgmlType::Q5_1 => Codec::of::<32, BlockQ5_1>(),
        GgmlType::Q2_K => Codec::of::<256, BlockQ2K>(),
        GgmlType::Q3_K => Codec::of::<256, BlockQ3K>(),
        GgmlType::Q4_K => Codec::of::<256, BlockQ4K>(),
        GgmlType::Q5_K => Codec::of::<256, BlockQ5K>(),
        GgmlType::Q6_K => Codec::of::<256, BlockQ6K>(),
        _ => return None,
    })
}

fn encode<const LEN: usize, B: Block<LEN>>(
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) {
    let blocks: &mut [B] = bytemuck::cast_slice_mut(dst);
    let Some(importance) = importance else {
        for (block, x) in blocks.iter_mut().zip(src.as_chunks().0) {
            *block = B::encode(x);
        }
        return;
    };
    let importance = importance.as_chunks().0;
    for (blocks, row) in blocks.chunks_exact_mut(row_len / LEN).zip(src.chunks_exact(row_len)) {
        let mean_square = if B::USES_ROW_MEAN_SQUARE { sum_of_squares(row) / row_len as f32 } else { 0.0 };
        for ((block, x), importance) in blocks.iter_mut().zip(row.as_chunks().0).zip(importance) {
            *block = B::encode_weighted(x, importance, mean_square);
        }
    }
}

fn decode<const LEN: usize, B: Block<LEN>>(src: &[u8], dst: &mut [f32]) {
    let blocks: &[B] = bytemuck::cast_slice(src);
    for (block, y) in blocks.iter().zip(dst.as_chunks_mut().0) {
        block.decode(y);
    }
}
