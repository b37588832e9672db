//! The block types: one file each, with layout, encoder and decoder side by side.
//!
//! Layouts are those of ggml's `ggml-common.h`. A block is a struct of bytes alone, so that it can lie at any
//! address, and little-endian whatever the machine.

mod bf16;
mod f16;
mod f32;
mod fp4;
mod grid_scales;
mod iq1;
mod iq1_m;
mod iq1_s;
mod iq2_s;
mod iq2_xs;
mod iq2_xxs;
mod iq3_s;
mod iq3_xxs;
mod iq4_nl;
mod iq4_xs;
pub(crate) mod lanes;
mod mxfp4;
mod nibbles;
mod nvfp4;
mod q1_0;
mod q2_0;
mod q2_k;
mod q3_k;
mod q4_0;
mod q4_1;
mod q4_k;
mod q5_0;
mod q5_1;
mod q5_k;
mod q6_k;
mod q8_0;
mod q8_1;
mod q8_k;
mod six_bit;
mod super_block;
mod ternary;
mod tq1_0;
mod tq2_0;
mod two_bit;

pub(crate) use self::bf16::BlockBf16;
pub(crate) use self::f16::BlockF16;
pub(crate) use self::f32::BlockF32;
pub(crate) use self::iq1_m::BlockIq1M;
pub(crate) use self::iq1_s::BlockIq1S;
pub(crate) use self::iq2_s::BlockIq2S;
pub(crate) use self::iq2_xs::BlockIq2Xs;
pub(crate) use self::iq2_xxs::BlockIq2Xxs;
pub(crate) use self::iq3_s::BlockIq3S;
pub(crate) use self::iq3_xxs::BlockIq3Xxs;
pub(crate) use self::iq4_nl::BlockIq4Nl;
pub(crate) use self::iq4_xs::BlockIq4Xs;
pub(crate) use self::mxfp4::BlockMxfp4;
pub(crate) use self::nvfp4::BlockNvfp4;
pub(crate) use self::q1_0::BlockQ1_0;
pub(crate) use self::q2_0::BlockQ2_0;
pub(crate) use self::q2_k::BlockQ2K;
pub(crate) use self::q3_k::BlockQ3K;
pub(crate) use self::q4_0::BlockQ4_0;
pub(crate) use self::q4_1::BlockQ4_1;
pub(crate) use self::q4_k::BlockQ4K;
pub(crate) use self::q5_0::BlockQ5_0;
pub(crate) use self::q5_1::BlockQ5_1;
pub(crate) use self::q5_k::BlockQ5K;
pub(crate) use self::q6_k::BlockQ6K;
pub(crate) use self::q8_0::BlockQ8_0;
pub(crate) use self::q8_1::BlockQ8_1;
pub(crate) use self::q8_k::BlockQ8K;
pub(crate) use self::tq1_0::BlockTq1_0;
pub(crate) use self::tq2_0::BlockTq2_0;

use gguf_format::GgmlType;

use crate::lanes::Vector;

/// What an encoder does with importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImportanceUse {
    /// It encodes as ever.
    Ignored,
    /// It encodes with or without.
    Optional,
    /// It cannot do without (`ggml_quantize_requires_imatrix`).
    Required,
}

/// A block of `LEN` weights that can be encoded and decoded: its layout is the type itself.
pub(crate) trait Block<const LEN: usize>: bytemuck::Pod {
    const TYPE: GgmlType;

    const IMPORTANCE: ImportanceUse = ImportanceUse::Optional;

    /// Whether [`Block::encode_weighted`] looks at the mean square of the row.
    const USES_ROW_MEAN_SQUARE: bool = false;

    /// Encodes without importance. Never called for a type that requires it.
    fn encode(x: &[f32; LEN]) -> Self;

    /// Encodes under importance, one value a weight. `row_mean_square` is that of the whole row, or 0 for a
    /// type that does not use it. Never called for a type that ignores importance.
    #[inline]
    fn encode_weighted(x: &[f32; LEN], importance: &[f32; LEN], row_mean_square: f32) -> Self {
        let _ = (importance, row_mean_square);
        Self::encode(x)
    }

    /// [`Block::encode`] with the vectors of an instruction set.
    #[inline(always)]
    fn encode_on<V: Vector>(_: V::Isa, x: &[f32; LEN]) -> Self {
        Self::encode(x)
    }

    fn decode(&self, y: &mut [f32; LEN]);

    /// The same with the vectors of an instruction set.
    #[inline(always)]
    fn decode_on<V: Vector>(&self, _: V::Isa, y: &mut [f32; LEN]) {
        self.decode(y);
    }
}

/// A block of `LEN` weights that can be decoded: every [`Block`], and the types that ggml does not store weights in.
pub(crate) trait Decode<const LEN: usize>: bytemuck::Pod {
    const TYPE: GgmlType;

    fn decode(&self, y: &mut [f32; LEN]);

    /// The same with the vectors of an instruction set.
    #[inline(always)]
    fn decode_on<V: Vector>(&self, _: V::Isa, y: &mut [f32; LEN]) {
        self.decode(y);
    }
}

impl<const LEN: usize, B: Block<LEN>> Decode<LEN> for B {
    const TYPE: GgmlType = B::TYPE;

    #[inline(always)]
    fn decode(&self, y: &mut [f32; LEN]) {
        Block::decode(self, y);
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; LEN]) {
        Block::decode_on::<V>(self, isa, y);
    }
}
