//! Tensors' data in the other byte order: which fields of a block have one.
//!
//! Source of the facts: the block structures in `ggml-common.h`, llama.cpp as pinned by `llama-cpp-sys-2` 0.1.161, and
//! for `F32`, `F16`, `BF16`, `Q4_0`, `Q8_0`, `Q4_K`, `Q6_K`, `MXFP4` and `NVFP4` what gguf-py 0.19's
//! `gguf-convert-endian` does with them.

use crate::ggml_type::GgmlType;
use crate::ggml_type::GgmlType as T;

/// A number of two or more bytes within a block: where it begins, how long it is.
type Field = (usize, usize);

/// A binary16 at the start of a block.
const SCALE: &[Field] = &[(0, 2)];
/// Two of them.
const SCALE_AND_OFFSET: &[Field] = &[(0, 2), (2, 2)];

/// The fields of each type's block. Types that are not here pack numbers into words of which nothing says how a big-endian
/// machine keeps them; nobody has written such a file.
const FIELDS: &[(&[GgmlType], &[Field])] = &[
    (&[T::I8, T::MXFP4, T::NVFP4], &[]),
    (&[T::F16, T::BF16, T::I16], &[(0, 2)]),
    (&[T::F32, T::I32], &[(0, 4)]),
    (&[T::F64, T::I64], &[(0, 8)]),
    (&[T::Q4_0, T::Q8_0, T::IQ4_NL, T::Q1_0, T::Q2_0], SCALE),
    (&[T::Q4_1, T::Q8_1, T::Q4_K, T::Q5_K], SCALE_AND_OFFSET),
    (&[T::Q2_K], &[(80, 2), (82, 2)]),
    (&[T::Q3_K], &[(108, 2)]),
    (&[T::Q6_K], &[(208, 2)]),
    (&[T::TQ1_0], &[(52, 2)]),
    (&[T::TQ2_0], &[(64, 2)]),
    // A scale, and a word of the upper bits of the scales.
    (&[T::IQ4_XS], &[(0, 2), (2, 2)]),
    // A scale (and an offset), and a word of fifth bits.
    (&[T::Q5_0], &[(0, 2), (2, 4)]),
    (&[T::Q5_1], &[(0, 2), (2, 2), (4, 4)]),
];

fn fields(ty: GgmlType) -> Option<&'static [Field]> {
    FIELDS.iter().find(|(types, _)| types.contains(&ty)).map(|&(_, fields)| fields)
}

/// Whether [`swap_byte_order`] knows the type's blocks.
#[must_use]
pub fn can_swap_byte_order(ty: GgmlType) -> bool {
    fields(ty).is_some()
}

/// Turns whole blocks of a type from big-endian to little-endian, or back, in place; a last part of a block stays as it is.
///
/// `false` if the type's blocks have no known form in another order: nothing has changed then.
#[must_use]
pub fn swap_byte_order(ty: GgmlType, blocks: &mut [u8]) -> bool {
    let Some(fields) = fields(ty) else { return false };
    for block in blocks.chunks_exact_mut(ty.block_bytes()) {
        for &(start, len) in fields {
            if let Some(field) = block.get_mut(start..start + len) {
                field.reverse();
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_within_blocks_one_after_the_other() {
        for (types, fields) in FIELDS {
            for ty in *types {
                let mut end = 0;
                for &(start, len) in *fields {
                    assert!(start >= end && len > 1, "{ty}");
                    end = start + len;
                }
                assert!(end <= ty.block_bytes(), "{ty}");
            }
        }
        let all: Vec<_> = FIELDS.iter().flat_map(|(types, _)| *types).collect();
        assert!(all.iter().enumerate().all(|(i, ty)| !all[..i].contains(ty)));
    }

    #[test]
    fn swapping_twice_changes_nothing_and_once_only_the_fields() {
        for &ty in GgmlType::ALL {
            let before: Vec<u8> = (0..2 * ty.block_bytes()).map(|i| i as u8).collect();
            let mut after = before.clone();
            assert_eq!(swap_byte_order(ty, &mut after), can_swap_byte_order(ty));
            let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
            let fields: usize = fields(ty).unwrap_or_default().iter().map(|(_, len)| len).sum();
            assert_eq!(changed, 2 * fields, "{ty}");
            let _ = swap_byte_order(ty, &mut after);
            assert_eq!(after, before, "{ty}");
        }
    }

    #[test]
    fn a_scale_is_turned_where_ggml_keeps_it() {
        let mut block = [0u8; 210];
        block[208..].copy_from_slice(&[0x3c, 0x00]);
        assert!(swap_byte_order(GgmlType::Q6_K, &mut block));
        assert_eq!(block[208..], [0x00, 0x3c]);
        assert!(block[..208].iter().all(|&b| b == 0));
        assert!(!swap_byte_order(GgmlType::IQ2_XXS, &mut [1; 66]));
    }
}
