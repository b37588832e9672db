//! From one type straight to another: the same as by way of f32.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a panic")]

#[expect(dead_code, reason = "shared with other tests")]
mod common;

use common::TYPES;
use common::distributions::Random;
use gguf_format::GgmlType;
use kquant::{Error, can_encode, decode_rows, encode_rows, transcode_rows};

fn weights(len: usize) -> Vec<f32> {
    let mut random = Random::new(7);
    (0..len).map(|_| (random.below(20_001) as f32 - 10_000.0) / 10_000.0).collect()
}

fn encode(ty: GgmlType, src: &[f32], row_len: usize, importance: Option<&[f32]>) -> Vec<u8> {
    let mut dst = vec![0; src.len() / ty.block_len() * ty.block_bytes()];
    encode_rows(ty, src, row_len, importance, &mut dst).unwrap();
    dst
}

#[test]
fn the_blocks_are_those_of_decoding_and_encoding() {
    // Several rows in a tile, rows that end within one, rows longer than one.
    for (rows, row_len) in [(7, 256), (3, 5120), (2, 8192), (2, 8192 + 512), (1, 20_480)] {
        let original = weights(rows * row_len);
        let importance: Vec<f32> = weights(row_len).iter().map(|x| x.abs() + 0.01).collect();
        for from in [GgmlType::BF16, GgmlType::F16, GgmlType::F32, GgmlType::Q8_0] {
            let src = encode(from, &original, row_len, None);
            let mut decoded = vec![0.0; original.len()];
            decode_rows(from, &src, row_len, &mut decoded).unwrap();
            for ty in TYPES.into_iter().filter(|&ty| can_encode(ty) && matches!(ty.block_len(), 1 | 32 | 256))
            {
                for importance in [Some(importance.as_slice()), None] {
                    if importance.is_none() && kquant::needs_importance(ty) {
                        continue;
                    }
                    let expected = encode(ty, &decoded, row_len, importance);
                    let mut found = vec![0xaa; expected.len()];
                    transcode_rows(from, &src, ty, row_len, importance, &mut found).unwrap();
                    assert!(found == expected, "{from} to {ty}, {rows} rows of {row_len}");
                }
            }
        }
    }
}

#[test]
fn wrong_calls_are_errors_and_write_nothing() {
    let (from, ty) = (GgmlType::BF16, GgmlType::Q4_K);
    let src = [0u8; 1024];
    let mut dst = [7u8; 288];
    assert_eq!(
        transcode_rows(from, &src[..1000], ty, 256, None, &mut dst),
        Err(Error::SourceLength { found: 1000, row: 512, unit: "bytes" })
    );
    assert_eq!(
        transcode_rows(from, &src, ty, 256, None, &mut dst[..287]),
        Err(Error::DestinationLength { found: 287, expected: 288, unit: "bytes" })
    );
    assert_eq!(
        transcode_rows(from, &src, ty, 128, None, &mut dst),
        Err(Error::RowLength { ty, row_len: 128 })
    );
    assert_eq!(
        transcode_rows(from, &src, ty, 0, None, &mut dst),
        Err(Error::RowLength { ty: from, row_len: 0 })
    );
    assert_eq!(
        transcode_rows(from, &src, ty, 512, Some(&[1.0; 256]), &mut dst),
        Err(Error::ImportanceLength { found: 256, expected: 512 })
    );
    assert_eq!(dst, [7u8; 288]);
}
