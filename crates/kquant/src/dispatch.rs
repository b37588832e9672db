//! From a type and an instruction set to encoder and decoder.

use bytemuck::{cast_slice, cast_slice_mut};
use gguf_format::{GgmlType, SUPER_BLOCK_LEN};

use crate::blocks::lanes::grid::{EncodeGrid, GridBlock};
use crate::blocks::lanes::legacy::{EncodeWeighted, LegacyBlock};
use crate::blocks::lanes::rounded::{EncodeRounded, RoundedBlock};
use crate::blocks::lanes::{DecodeAll, Encode, EncodeAll, LaneBlock, VectorBlock};
use crate::blocks::{
    Block, BlockBf16, BlockF16, BlockF32, BlockIq1M, BlockIq1S, BlockIq2S, BlockIq2Xs, BlockIq2Xxs,
    BlockIq3S, BlockIq3Xxs, BlockIq4Nl, BlockIq4Xs, BlockMxfp4, BlockNvfp4, BlockQ1_0, BlockQ2_0, BlockQ2K,
    BlockQ3K, BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0, BlockQ5_1, BlockQ5K, BlockQ6K, BlockQ8_0, BlockQ8_1,
    BlockQ8K, BlockTq1_0, BlockTq2_0, Decode, ImportanceUse,
};
use crate::lanes::{Isa, Kernel, PART_BYTES, Parts, Vector, make_all};
use crate::search::weights::sum_of_squares;

/// Encodes rows: weights, weights a row, importance of one row, blocks. Lengths have been checked.
pub(crate) type EncodeRows = fn(Isa, &[f32], usize, Option<&[f32]>, &mut [u8]);
/// Decodes blocks to weights. Lengths have been checked.
pub(crate) type DecodeRows = fn(Isa, &[u8], &mut [f32]);

/// What can be done with a type.
#[derive(Clone, Copy)]
pub(crate) struct Codec {
    /// Of a type that ggml itself only makes as an intermediate: none.
    pub(crate) encoder: Option<Encoder>,
    pub(crate) decode: DecodeRows,
}

/// How a type is encoded.
#[derive(Clone, Copy)]
pub(crate) struct Encoder {
    pub(crate) run: EncodeRows,
    pub(crate) importance: ImportanceUse,
    /// Whether blocks depend, under importance, on the rest of their row.
    pub(crate) looks_at_row: bool,
}

impl Encoder {
    const fn of<const LEN: usize, B: Block<LEN>>(run: EncodeRows) -> Self {
        Self { run, importance: B::IMPORTANCE, looks_at_row: B::USES_ROW_MEAN_SQUARE }
    }

    /// The importance, unless it plays no part.
    pub(crate) fn uses<'a>(&self, importance: Option<&'a [f32]>) -> Option<&'a [f32]> {
        importance.filter(|_| self.importance != ImportanceUse::Ignored)
    }
}

impl Codec {
    /// One block after the other, in code that the compiler may turn into an instruction set's vectors.
    const fn of<const LEN: usize, B: Block<LEN>>() -> Self {
        let encoder = Encoder::of::<LEN, B>(encode::<LEN, B>);
        Self { encoder: Some(encoder), ..Self::decode_only::<LEN, B>() }
    }

    const fn decode_only<const LEN: usize, B: Decode<LEN>>() -> Self {
        const {
            assert!(size_of::<B>() == B::TYPE.block_bytes() && LEN == B::TYPE.block_len());
            assert!(align_of::<B>() == 1); // so that a cast of bytes cannot fail
        }
        Self { encoder: None, decode: decode::<LEN, B> }
    }

    /// One block after the other, with vectors along each.
    const fn vectors<const LEN: usize, B: VectorBlock<LEN>>() -> Self {
        let encoder = Encoder::of::<LEN, B>(encode_vectors::<LEN, B>);
        Self { encoder: Some(encoder), decode: decode_vectors::<LEN, B> }
    }

    /// Blocks side by side for what is common to each, one after the other for the rest.
    const fn rounded<B: RoundedBlock>() -> Self {
        Self { encoder: Some(Encoder::of::<32, B>(encode_rounded::<B>)), ..Self::decode_only::<32, B>() }
    }

    /// The same; under importance, blocks side by side.
    const fn legacy<B: LegacyBlock + RoundedBlock>() -> Self {
        Self { encoder: Some(Encoder::of::<32, B>(encode_legacy::<B>)), ..Self::decode_only::<32, B>() }
    }

    /// Blocks side by side.
    const fn lanes<const LEN: usize, B: LaneBlock<LEN>>() -> Self {
        let encoder = Encoder::of::<LEN, B>(encode_lanes::<LEN, B>);
        Self { encoder: Some(encoder), ..Self::decode_only::<LEN, B>() }
    }

    /// Super-blocks one after the other, each with a search side by side.
    const fn grid<B: GridBlock>() -> Self {
        let encoder = Encoder::of::<256, B>(encode_grid::<B>);
        Self { encoder: Some(encoder), ..Self::decode_only::<256, B>() }
    }
}

/// The codec of a type, if there is one.
pub(crate) const fn codec(ty: GgmlType) -> Option<Codec> {
    Some(match ty {
        GgmlType::F32 => Codec::vectors::<1, BlockF32>(),
        GgmlType::F16 => Codec::vectors::<1, BlockF16>(),
        GgmlType::BF16 => Codec::vectors::<1, BlockBf16>(),
        GgmlType::Q8_0 => Codec::rounded::<BlockQ8_0>(),
        GgmlType::Q4_0 => Codec::legacy::<BlockQ4_0>(),
        GgmlType::Q4_1 => Codec::legacy::<BlockQ4_1>(),
        GgmlType::Q5_0 => Codec::legacy::<BlockQ5_0>(),
        GgmlType::Q5_1 => Codec::legacy::<BlockQ5_1>(),
        GgmlType::Q2_K => Codec::lanes::<256, BlockQ2K>(),
        GgmlType::Q3_K => Codec::lanes::<256, BlockQ3K>(),
        GgmlType::Q4_K => Codec::lanes::<256, BlockQ4K>(),
        GgmlType::Q5_K => Codec::lanes::<256, BlockQ5K>(),
        GgmlType::Q6_K => Codec::lanes::<256, BlockQ6K>(),
        GgmlType::IQ1_S => Codec::lanes::<256, BlockIq1S>(),
        GgmlType::IQ1_M => Codec::lanes::<256, BlockIq1M>(),
        GgmlType::IQ2_XXS => Codec::grid::<BlockIq2Xxs>(),
        GgmlType::IQ2_XS => Codec::grid::<BlockIq2Xs>(),
        GgmlType::IQ2_S => Codec::grid::<BlockIq2S>(),
        GgmlType::IQ3_XXS => Codec::grid::<BlockIq3Xxs>(),
        GgmlType::IQ3_S => Codec::grid::<BlockIq3S>(),
        GgmlType::IQ4_NL => Codec::lanes::<32, BlockIq4Nl>(),
        GgmlType::IQ4_XS => Codec::lanes::<256, BlockIq4Xs>(),
        GgmlType::TQ1_0 => Codec::of::<256, BlockTq1_0>(),
        GgmlType::TQ2_0 => Codec::of::<256, BlockTq2_0>(),
        GgmlType::MXFP4 => Codec::of::<32, BlockMxfp4>(),
        GgmlType::NVFP4 => Codec::of::<64, BlockNvfp4>(),
        GgmlType::Q1_0 => Codec::of::<128, BlockQ1_0>(),
        GgmlType::Q2_0 => Codec::of::<64, BlockQ2_0>(),
        GgmlType::Q8_1 => Codec::decode_only::<32, BlockQ8_1>(),
        GgmlType::Q8_K => Codec::decode_only::<256, BlockQ8K>(),
        _ => return None,
    })
}

/// Weights of a part of a call's [`Results`]: a multiple of every block, none of which takes more than four bytes a weight.
pub(crate) const PART: usize = PART_BYTES / 4;

/// How far ahead weights are asked for, in bytes.
pub(crate) const AHEAD: usize = 2048;

/// Places of a large call at which weights are read in turn.
pub(crate) const STRETCHES: usize = 4;

fn encode<const LEN: usize, B: Block<LEN>>(
    isa: Isa,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) {
    let kernel = EncodeBlocks::<LEN, B> { src, row_len, importance, dst: cast_slice_mut(dst) };
    match isa {
        Isa::Scalar => kernel.one_by_one(),
        vectors => vectors.run(kernel),
    }
}

fn encode_lanes<const LEN: usize, B: LaneBlock<LEN>>(
    isa: Isa,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) {
    match isa {
        Isa::Scalar => encode::<LEN, B>(isa, src, row_len, importance, dst),
        vectors => vectors.run(Encode::<LEN, B> { src, importance, dst: cast_slice_mut(dst) }),
    }
}

fn encode_rounded<B: RoundedBlock>(
    isa: Isa,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) {
    match isa {
        Isa::Scalar => encode::<32, B>(isa, src, row_len, importance, dst),
        vectors => vectors.run(EncodeRounded::<B> { src, dst: cast_slice_mut(dst) }),
    }
}

fn encode_legacy<B: LegacyBlock + RoundedBlock>(
    isa: Isa,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) {
    match (isa, importance) {
        (Isa::Scalar, _) => encode::<32, B>(isa, src, row_len, importance, dst),
        (vectors, None) => vectors.run(EncodeRounded::<B> { src, dst: cast_slice_mut(dst) }),
        (vectors, Some(importance)) => {
            vectors.run(EncodeWeighted::<B> { src, row_len, importance, dst: cast_slice_mut(dst) });
        }
    }
}

fn encode_vectors<const LEN: usize, B: VectorBlock<LEN>>(
    isa: Isa,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) {
    match isa {
        Isa::Scalar => encode::<LEN, B>(isa, src, row_len, importance, dst),
        vectors => vectors.run(EncodeAll::<LEN, B> { src, dst: cast_slice_mut(dst) }),
    }
}

fn decode_vectors<const LEN: usize, B: VectorBlock<LEN>>(isa: Isa, src: &[u8], dst: &mut [f32]) {
    match isa {
        Isa::Scalar => decode::<LEN, B>(isa, src, dst),
        vectors => vectors.run(DecodeAll::<LEN, B> { src: cast_slice(src), dst }),
    }
}

fn encode_grid<B: GridBlock>(
    isa: Isa,
    src: &[f32],
    row_len: usize,
    importance: Option<&[f32]>,
    dst: &mut [u8],
) {
    let kernel = EncodeGrid::<B> { src, row_len, importance, dst: cast_slice_mut(dst) };
    match isa {
        Isa::Scalar => kernel.one_by_one(),
        vectors => vectors.run(kernel),
    }
}

fn decode<const LEN: usize, B: Decode<LEN>>(isa: Isa, src: &[u8], dst: &mut [f32]) {
    let kernel = DecodeBlocks::<LEN, B> { src: cast_slice(src), dst };
    match isa {
        Isa::Scalar => kernel.one_by_one(),
        vectors => vectors.run(kernel),
    }
}

struct EncodeBlocks<'a, const LEN: usize, B> {
    src: &'a [f32],
    row_len: usize,
    importance: Option<&'a [f32]>,
    dst: &'a mut [B],
}

impl<const LEN: usize, B: Block<LEN>> EncodeBlocks<'_, LEN, B> {
    #[inline(always)]
    fn one_by_one(self) {
        let Self { src, row_len, importance, dst } = self;
        let Some(importance) = importance else {
            for (block, x) in dst.iter_mut().zip(src.as_chunks().0) {
                *block = B::encode(x);
            }
            return;
        };
        let importance = importance.as_chunks().0;
        for (blocks, row) in dst.chunks_exact_mut(row_len / LEN).zip(src.chunks_exact(row_len)) {
            let mean_square =
                if B::USES_ROW_MEAN_SQUARE { sum_of_squares(row) / row_len as f32 } else { 0.0 };
            for ((block, x), importance) in blocks.iter_mut().zip(row.as_chunks().0).zip(importance) {
                *block = B::encode_weighted(x, importance, mean_square);
            }
        }
    }
}

impl<const LEN: usize, B: Block<LEN>> Kernel for EncodeBlocks<'_, LEN, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        if self.importance.is_some() {
            self.one_by_one();
        } else {
            let Self { src, dst, .. } = self;
            make_all::<V, B, STRETCHES>(isa, src.len(), PART / LEN, dst, &Encoded::<LEN> { src });
        }
    }
}

/// Blocks, made from weights.
struct Encoded<'a, const LEN: usize> {
    src: &'a [f32],
}

impl<const LEN: usize, B: Block<LEN>> Parts<B> for Encoded<'_, LEN> {
    #[inline(always)]
    fn make<V: Vector>(&self, isa: V::Isa, at: usize, to: &mut [B]) {
        for (block, x) in to.iter_mut().zip(self.src[at * LEN..].as_chunks().0) {
            // (Super-blocks are long: their encoders ask line by line.)
            if LEN < SUPER_BLOCK_LEN {
                V::prefetch(isa, cast_slice(x), AHEAD);
            }
            *block = B::encode_on::<V>(isa, x);
        }
    }
}

struct DecodeBlocks<'a, const LEN: usize, B> {
    src: &'a [B],
    dst: &'a mut [f32],
}

impl<const LEN: usize, B: Decode<LEN>> DecodeBlocks<'_, LEN, B> {
    #[inline(always)]
    fn one_by_one(self) {
        for (block, y) in self.src.iter().zip(self.dst.as_chunks_mut().0) {
            block.decode(y);
        }
    }
}

impl<const LEN: usize, B: Decode<LEN>> Kernel for DecodeBlocks<'_, LEN, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let Self { src, dst } = self;
        make_all::<V, f32, 1>(isa, dst.len(), PART, dst, &Decoded::<LEN, B> { src });
    }
}

/// Weights, made from blocks.
struct Decoded<'a, const LEN: usize, B> {
    src: &'a [B],
}

impl<const LEN: usize, B: Decode<LEN>> Parts<f32> for Decoded<'_, LEN, B> {
    #[inline(always)]
    fn make<V: Vector>(&self, isa: V::Isa, at: usize, to: &mut [f32]) {
        let src = &self.src[at / LEN..][..to.len() / LEN];
        V::prefetch(isa, cast_slice(src), AHEAD);
        for (block, y) in src.iter().zip(to.as_chunks_mut().0) {
            block.decode_on::<V>(isa, y);
        }
    }
}
