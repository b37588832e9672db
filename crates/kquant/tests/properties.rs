//! What holds for any input.

#[expect(dead_code, reason = "shared with other tests")]
mod common;

use common::{TYPES, same_float};
use gguf_format::GgmlType;
use kquant::{Isa, decode_rows, decode_rows_on, encode_rows, encode_rows_on};
use proptest::collection::vec;
use proptest::prelude::*;

fn any_type() -> impl Strategy<Value = GgmlType> {
    prop::sample::select(TYPES.to_vec())
}

/// Floats of every kind, NaN and infinity among them, or finite ones in a range.
fn any_weights() -> impl Strategy<Value = Vec<f32>> {
    prop_oneof![
        vec(any::<u32>().prop_map(f32::from_bits), 512),
        vec(-2.0f32..2.0, 512),
        vec(prop_oneof![Just(0.0f32), Just(1.0), Just(-1.0), any::<f32>()], 512),
    ]
}

fn encode(ty: GgmlType, src: &[f32], row_len: usize, importance: Option<&[f32]>) -> Vec<u8> {
    let mut dst = vec![0; src.len() / ty.block_len() * ty.block_bytes()];
    let ones = vec![1.0; row_len];
    let importance = importance.or(kquant::needs_importance(ty).then_some(&ones));
    assert_eq!(encode_rows(ty, src, row_len, importance, &mut dst), Ok(()));
    dst
}

fn decode(ty: GgmlType, src: &[u8], row_len: usize) -> Vec<f32> {
    let mut dst = vec![0.0; src.len() / ty.block_bytes() * ty.block_len()];
    assert_eq!(decode_rows(ty, src, row_len, &mut dst), Ok(()));
    dst
}

proptest! {
    #[test]
    fn any_bytes_decode(ty in any_type(), bytes in vec(any::<u8>(), 2 * 210 * 16)) {
        let bytes = &bytes[..bytes.len() / ty.block_bytes() * ty.block_bytes()];
        let weights = decode(ty, bytes, ty.block_len());
        prop_assert_eq!(weights.len(), bytes.len() / ty.block_bytes() * ty.block_len());
    }

    #[test]
    fn any_floats_encode_and_decode(
        ty in any_type(),
        src in any_weights(),
        importance in prop::option::of(vec(prop_oneof![0.0f32..10.0, 0.0f32..f32::MAX, Just(0.0)], 256)),
    ) {
        let bytes = encode(ty, &src, 256, importance.as_deref());
        let _ = decode(ty, &bytes, 256);
    }

    #[test]
    fn rows_do_not_depend_on_each_other(
        ty in any_type(),
        src in any_weights(),
        importance in prop::option::of(vec(0.0f32..10.0, 256)),
    ) {
        let whole = encode(ty, &src, 256, importance.as_deref());
        let cut: Vec<u8> =
            src.chunks(256).flat_map(|row| encode(ty, row, 256, importance.as_deref())).collect();
        prop_assert_eq!(whole, cut);
    }

    /// The plain version is what the others are held to, in every length of a ragged end.
    #[test]
    fn instruction_sets_agree(
        ty in any_type(),
        rows in 1usize..80,
        src in any_weights(),
        importance in prop::option::of(vec(prop_oneof![0.0f32..10.0, Just(0.0), 0.0f32..f32::MAX], 256)),
    ) {
        let finite = src.iter().map(|x| if x.is_finite() { *x } else { 0.25 });
        let src: Vec<f32> = finite.cycle().take(rows * 256).collect();
        let importance = importance.or(kquant::needs_importance(ty).then(|| vec![1.0; 256]));
        let mut plain = vec![0; src.len() / ty.block_len() * ty.block_bytes()];
        encode_rows_on(Isa::Scalar, ty, &src, 256, importance.as_deref(), &mut plain).unwrap();
        let mut plain_weights = vec![0.0; src.len()];
        decode_rows_on(Isa::Scalar, ty, &plain, 256, &mut plain_weights).unwrap();
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let mut bytes = vec![0; plain.len()];
            encode_rows_on(isa, ty, &src, 256, importance.as_deref(), &mut bytes).unwrap();
            prop_assert!(bytes == plain, "{ty} on {isa}: other blocks");
            let mut weights = vec![0.0; src.len()];
            decode_rows_on(isa, ty, &bytes, 256, &mut weights).unwrap();
            let same = weights.iter().zip(&plain_weights).all(|(&a, &b)| same_float(a, b));
            prop_assert!(same, "{ty} on {isa}: other weights");
        }
    }

    /// In the range where no scale leaves binary16, an error is bounded by the step of the largest magnitude.
    #[test]
    fn ordinary_weights_come_back_near(
        ty in any_type(),
        src in vec(-100.0f32..100.0, 512),
        importance in prop::option::of(vec(0.1f32..10.0, 256)),
    ) {
        let bytes = encode(ty, &src, 256, importance.as_deref());
        let decoded = decode(ty, &bytes, 256);
        let largest = src.iter().fold(0.0f32, |max, x| max.max(x.abs()));
        // Twice the step of an even grid over ±largest: one for rounding, one for what a search trades.
        let bits = match ty {
            GgmlType::F32 => 23,
            GgmlType::F16 => 10,
            GgmlType::BF16 => 7,
            GgmlType::Q8_0 => 7,
            GgmlType::Q6_K => 5,
            GgmlType::Q5_0 | GgmlType::Q5_1 | GgmlType::Q5_K => 4,
            GgmlType::Q4_0 | GgmlType::Q4_1 | GgmlType::Q4_K => 3,
            GgmlType::IQ4_NL | GgmlType::IQ4_XS => 3,
            GgmlType::Q3_K | GgmlType::MXFP4 | GgmlType::NVFP4 => 2,
            // Neighbouring weights are coded together: one may get the sign and the level that suit the others.
            GgmlType::IQ1_S | GgmlType::IQ1_M => -1,
            GgmlType::IQ2_XXS | GgmlType::IQ2_XS | GgmlType::IQ2_S | GgmlType::IQ3_XXS | GgmlType::IQ3_S => 0,
            _ => 1,
        };
        let bound = 2.0 * largest / 2f32.powi(bits);
        for (x, y) in src.iter().zip(&decoded) {
            prop_assert!((x - y).abs() <= bound, "{}: {} became {}, bound {}", ty, x, y, bound);
        }
    }

    /// What a float type decodes to, it encodes to again.
    #[test]
    fn float_types_keep_what_they_can_hold(bits in vec(any::<u16>(), 64)) {
        let bytes: Vec<u8> = bits.iter().flat_map(|b| b.to_le_bytes()).collect();
        for ty in [GgmlType::F16, GgmlType::BF16] {
            let weights = decode(ty, &bytes, 64);
            let again = encode(ty, &weights, 64, None);
            let back = decode(ty, &again, 64);
            prop_assert!(weights.iter().zip(&back).all(|(&a, &b)| same_float(a, b)));
        }
    }
}

#[test]
fn the_16_bit_floats_are_those_of_the_half_crate() {
    for bits in 0..=u16::MAX {
        let f16 = decode(GgmlType::F16, &bits.to_le_bytes(), 1)[0];
        assert!(same_float(f16, half::f16::from_bits(bits).to_f32()), "{bits:#06x}");
        let bf16 = decode(GgmlType::BF16, &bits.to_le_bytes(), 1)[0];
        assert!(same_float(bf16, half::bf16::from_bits(bits).to_f32()), "{bits:#06x}");
    }
    // A stride that meets every exponent and every pattern of the bits that decide a rounding.
    for bits in (0..=u32::MAX).step_by(4001) {
        let x = f32::from_bits(bits);
        if !x.is_nan() {
            assert_eq!(encode(GgmlType::F16, &[x], 1, None), half::f16::from_f32(x).to_le_bytes(), "{x:e}");
            assert_eq!(encode(GgmlType::BF16, &[x], 1, None), half::bf16::from_f32(x).to_le_bytes(), "{x:e}");
        }
    }
}

#[test]
fn nan_becomes_what_ggml_makes_of_it() {
    for bits in [0x7f80_0001u32, 0x7fc0_0000, 0x7fff_ffff] {
        for (sign, expected) in [(0, 0x7e00u16), (0x8000_0000, 0xfe00)] {
            let x = f32::from_bits(bits | sign);
            assert_eq!(encode(GgmlType::F16, &[x], 1, None), expected.to_le_bytes());
        }
    }
}
