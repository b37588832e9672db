//! What a tensor gets whose rows are not a whole number of blocks.
//!
//! Source of the facts: `tensor_type_fallback` in llama.cpp's `llama-quant.cpp`, as pinned by
//! `llama-cpp-sys-2` 0.1.161.

use gguf_format::GgmlType;
use gguf_format::GgmlType as T;

/// Types with long blocks, and the type with blocks of 32 in their place.
const SHORTER: &[(GgmlType, GgmlType)] = &[
    (T::IQ1_S, T::IQ4_NL),
    (T::IQ1_M, T::IQ4_NL),
    (T::IQ2_XXS, T::IQ4_NL),
    (T::IQ2_XS, T::IQ4_NL),
    (T::IQ2_S, T::IQ4_NL),
    (T::IQ3_XXS, T::IQ4_NL),
    (T::IQ3_S, T::IQ4_NL),
    (T::IQ4_XS, T::IQ4_NL),
    (T::Q2_0, T::Q4_0),
    (T::Q2_K, T::Q4_0),
    (T::Q3_K, T::Q4_0),
    (T::TQ1_0, T::Q4_0),
    (T::TQ2_0, T::Q4_0),
    (T::Q4_K, T::Q5_0),
    (T::Q5_K, T::Q5_1),
    (T::Q6_K, T::Q8_0),
];

/// The longest block that has no shorter one in its place: where it does not fit, nothing but `F16` is left.
const SHORTEST: usize = 32;

/// Whether rows of this length are a whole number of blocks.
pub(crate) fn fits(ty: GgmlType, row_len: u64) -> bool {
    row_len.is_multiple_of(ty.block_len() as u64)
}

/// The type for rows of this length: the wanted one if its blocks fit, else the next with shorter blocks, else
/// `F16`. `None` for a type with blocks of more than 32 that has no other in its place (`Q1_0`, `NVFP4`): there
/// llama.cpp gives up as well.
pub(crate) fn fitting(wanted: GgmlType, row_len: u64) -> Option<GgmlType> {
    if fits(wanted, row_len) {
        return Some(wanted);
    }
    let shorter = SHORTER.iter().find(|(long, _)| *long == wanted).map(|&(_, short)| short);
    if shorter.is_none() && wanted.block_len() > SHORTEST {
        return None;
    }
    Some(shorter.filter(|&ty| fits(ty, row_len)).unwrap_or(T::F16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_falls_to_one_that_fits() {
        for &ty in GgmlType::ALL {
            for row_len in [0, 1, 31, 32, 64, 96, 128, 255, 256, 512, u64::MAX] {
                let Some(given) = fitting(ty, row_len) else {
                    assert!(
                        matches!(ty, T::Q1_0 | T::NVFP4 | T::Q8_K) && !fits(ty, row_len),
                        "{ty} {row_len}"
                    );
                    continue;
                };
                assert!(fits(given, row_len), "{ty} {row_len}");
                assert_eq!(given == ty, fits(ty, row_len), "{ty} {row_len}");
            }
        }
    }

    #[test]
    fn k_quants_fall_as_in_llama_cpp() {
        for (wanted, at_32, at_8) in [
            (T::Q2_K, T::Q4_0, T::F16),
            (T::Q3_K, T::Q4_0, T::F16),
            (T::Q4_K, T::Q5_0, T::F16),
            (T::Q5_K, T::Q5_1, T::F16),
            (T::Q6_K, T::Q8_0, T::F16),
            (T::Q8_0, T::Q8_0, T::F16),
        ] {
            assert_eq!((fitting(wanted, 160), fitting(wanted, 72)), (Some(at_32), Some(at_8)), "{wanted}");
        }
    }
}
