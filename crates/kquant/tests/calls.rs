//! What is refused, and that nothing is written then.

use gguf_format::GgmlType;
use kquant::{
    Error, Isa, can_decode, can_encode, decode_rows, decode_rows_on, encode_rows, encode_rows_on,
    needs_importance,
};

#[test]
fn every_type_of_weights_goes_both_ways_and_the_others_are_refused() {
    let supported: Vec<&str> =
        GgmlType::ALL.iter().filter(|&&ty| can_encode(ty)).map(|ty| ty.name()).collect();
    assert_eq!(
        supported,
        [
            "F32", "F16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
            "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "IQ1_M", "BF16",
            "TQ1_0", "TQ2_0", "MXFP4", "NVFP4", "Q1_0", "Q2_0",
        ]
    );
    for &ty in GgmlType::ALL {
        // ggml makes these of activations; nobody stores weights in them.
        let decode_only = matches!(ty, GgmlType::Q8_1 | GgmlType::Q8_K);
        assert_eq!(can_decode(ty), can_encode(ty) || decode_only);
        let src = vec![0.5; ty.block_len()];
        let mut dst = vec![0; ty.block_bytes()];
        let ones = needed_importance(ty, ty.block_len());
        let encoded = encode_rows(ty, &src, ty.block_len(), ones.as_deref(), &mut dst);
        let decoded = decode_rows(ty, &dst, ty.block_len(), &mut vec![0.0; ty.block_len()]);
        assert_eq!(encoded, if can_encode(ty) { Ok(()) } else { Err(Error::CannotEncode { ty }) });
        assert_eq!(decoded, if can_decode(ty) { Ok(()) } else { Err(Error::CannotDecode { ty }) });
    }
}

#[test]
fn types_that_need_importance_say_so() {
    for &ty in GgmlType::ALL.iter().filter(|&&ty| can_encode(ty)) {
        let mut dst = vec![7; ty.block_bytes()];
        let encoded = encode_rows(ty, &vec![0.5; ty.block_len()], ty.block_len(), None, &mut dst);
        if needs_importance(ty) {
            assert_eq!(encoded, Err(Error::NeedsImportance { ty }));
            assert_eq!(dst, vec![7; ty.block_bytes()]);
        } else {
            assert_eq!(encoded, Ok(()));
        }
    }
    let need = GgmlType::ALL.iter().filter(|&&ty| needs_importance(ty)).map(|ty| ty.name());
    assert_eq!(need.collect::<Vec<_>>(), ["IQ2_XXS", "IQ2_XS", "IQ1_S"]);
}

/// Importance for a type that cannot do without.
fn needed_importance(ty: GgmlType, row_len: usize) -> Option<Vec<f32>> {
    needs_importance(ty).then(|| vec![1.0; row_len])
}

#[test]
fn lengths_that_do_not_fit_are_refused_and_nothing_is_written() {
    let ty = GgmlType::Q4_K;
    let src = [1.0f32; 512];
    let mut dst = [7u8; 288];
    for row_len in [0, 1, 255, 257, usize::MAX] {
        assert_eq!(encode_rows(ty, &src, row_len, None, &mut dst), Err(Error::RowLength { ty, row_len }));
        assert_eq!(decode_rows(ty, &dst, row_len, &mut [0.0; 512]), Err(Error::RowLength { ty, row_len }));
    }
    assert_eq!(
        encode_rows(ty, &src[..300], 256, None, &mut dst),
        Err(Error::SourceLength { found: 300, row: 256, unit: "weights" })
    );
    assert_eq!(
        encode_rows(ty, &src, 256, None, &mut dst[..287]),
        Err(Error::DestinationLength { found: 287, expected: 288, unit: "bytes" })
    );
    assert_eq!(
        decode_rows(ty, &dst[..287], 256, &mut [0.0; 512]),
        Err(Error::SourceLength { found: 287, row: 144, unit: "bytes" })
    );
    assert_eq!(
        decode_rows(ty, &dst, 512, &mut [0.0; 511]),
        Err(Error::DestinationLength { found: 511, expected: 512, unit: "weights" })
    );
    // A row longer than anything can hold, whose length is a multiple of the block all the same.
    let row_len = usize::MAX - 255;
    assert!(encode_rows(ty, &src, row_len, None, &mut dst).is_err());
    assert!(decode_rows(ty, &dst, row_len, &mut [0.0; 512]).is_err());
    assert_eq!(dst, [7u8; 288]);
}

#[test]
fn importance_must_be_one_finite_value_a_column() {
    let ty = GgmlType::Q6_K;
    let src = [1.0f32; 512];
    let mut dst = [7u8; 420];
    assert_eq!(
        encode_rows(ty, &src, 512, Some(&[1.0; 256]), &mut dst),
        Err(Error::ImportanceLength { found: 256, expected: 512 })
    );
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, -1e-40] {
        let mut importance = [1.0; 256];
        importance[17] = bad;
        let error = encode_rows(ty, &src, 256, Some(&importance), &mut dst).unwrap_err();
        assert!(
            matches!(error, Error::ImportanceValue { column: 17, value } if value.to_bits() == bad.to_bits())
        );
        assert!(error.to_string().contains("column 17"), "{error}");
    }
    assert_eq!(dst, [7u8; 420]);
    assert_eq!(encode_rows(ty, &src, 256, Some(&[-0.0; 256]), &mut dst), Ok(()));
}

#[test]
fn no_rows_at_all_are_fine() {
    assert_eq!(encode_rows(GgmlType::Q2_K, &[], 256, Some(&[1.0; 256]), &mut []), Ok(()));
    assert_eq!(decode_rows(GgmlType::Q2_K, &[], 256, &mut []), Ok(()));
}

#[test]
fn blocks_may_lie_at_any_address() {
    let src: Vec<f32> = (0..512).map(|i| (i as f32 - 200.0) * 0.01).collect();
    for &ty in GgmlType::ALL.iter().filter(|&&ty| can_encode(ty)) {
        let len = ty.row_bytes(512).unwrap() as usize;
        let mut buffer = vec![0; len + 8];
        let mut decoded = Vec::new();
        for shift in 0..8 {
            let ones = needed_importance(ty, 512);
            encode_rows(ty, &src, 512, ones.as_deref(), &mut buffer[shift..shift + len]).unwrap();
            let mut weights = vec![0.0; 512];
            decode_rows(ty, &buffer[shift..shift + len], 512, &mut weights).unwrap();
            decoded.push(weights);
        }
        assert!(decoded.windows(2).all(|pair| pair[0] == pair[1]), "{ty}");
    }
}

/// What large calls write goes past the caches, from several places in turn.
#[test]
fn large_calls_make_what_small_ones_make() {
    let row_len = 33 * 256;
    let rows = (4 << 20) / row_len + 1;
    let row: Vec<f32> = (0..row_len).map(|i| ((i * 7919) % 2003) as f32 * 0.01 - 10.0).collect();
    let src: Vec<f32> = (0..rows).flat_map(|r| row.iter().map(move |x| x * (1 + r % 7) as f32)).collect();
    for ty in
        [GgmlType::F16, GgmlType::BF16, GgmlType::Q8_0, GgmlType::Q5_1, GgmlType::TQ2_0, GgmlType::NVFP4]
    {
        let row_bytes = ty.row_bytes(row_len as u64).unwrap() as usize;
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            // At an address like no other.
            let mut all = vec![0; rows * row_bytes + 3];
            encode_rows_on(isa, ty, &src, row_len, None, &mut all[3..]).unwrap();
            let mut weights = vec![0.0; rows * row_len];
            decode_rows_on(isa, ty, &all[3..], row_len, &mut weights).unwrap();
            for (r, blocks) in all[3..].chunks(row_bytes).enumerate() {
                let mut one = vec![0; row_bytes];
                encode_rows_on(isa, ty, &src[r * row_len..][..row_len], row_len, None, &mut one).unwrap();
                assert!(blocks == one, "{ty} {isa} row {r}");
                let mut decoded = vec![0.0; row_len];
                decode_rows_on(isa, ty, &one, row_len, &mut decoded).unwrap();
                assert!(weights[r * row_len..][..row_len] == decoded, "{ty} {isa} row {r}");
            }
        }
    }
}
