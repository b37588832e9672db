//! Any bytes as blocks, and any floats as weights: decoded and encoded alike on every instruction set, and what finite
//! weights become decodes to finite weights.

use kquant::{GgmlType, Isa, can_decode, can_encode, decode_rows_on, encode_rows_on, needs_importance};

/// Weights up to here have scales that an F16 holds, whatever the type.
const LARGEST: f32 = 32768.0;

/// A byte for the type, one that is odd for an importance, one for the blocks of a row; then blocks, which are taken for
/// weights, too, the first row of them for the importance.
pub fn body(input: &[u8]) -> bool {
    let Some((&[ty, with_importance, blocks], rest)) = input.split_first_chunk() else { return false };
    let ty = GgmlType::ALL[usize::from(ty) % GgmlType::ALL.len()];
    let row_len = ty.block_len() * (usize::from(blocks % 3) + 1);
    if can_decode(ty) {
        decode(ty, row_len, rest);
    }
    if can_encode(ty) {
        encode(ty, row_len, with_importance % 2 == 1, rest);
    }
    true
}

/// Has the tables made that encoders make when they are first used: they take seconds under a sanitizer.
pub fn prepare() {
    for ty in GgmlType::ALL.iter().copied().filter(|ty| can_encode(*ty)) {
        let row = vec![1.0; ty.block_len()];
        let mut block = vec![0; ty.block_bytes()];
        encode_rows_on(Isa::Scalar, ty, &row, row.len(), Some(&row), &mut block)
            .expect("a row of ones encodes");
    }
}

fn row_bytes(ty: GgmlType, row_len: usize) -> usize {
    ty.row_bytes(row_len as u64).expect("whole blocks") as usize
}

fn decode(ty: GgmlType, row_len: usize, bytes: &[u8]) {
    let row_bytes = row_bytes(ty, row_len);
    let blocks = &bytes[..bytes.len() / row_bytes * row_bytes];
    let len = blocks.len() / row_bytes * row_len;
    let decoded = |isa| {
        let mut weights = vec![0.0; len];
        decode_rows_on(isa, ty, blocks, row_len, &mut weights).expect("any bytes decode");
        weights.iter().map(|w: &f32| if w.is_nan() { u32::MAX } else { w.to_bits() }).collect::<Vec<_>>()
    };
    let expected = decoded(Isa::Scalar);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        assert_eq!(decoded(isa), expected, "{ty} on {isa:?}");
    }
}

fn encode(ty: GgmlType, row_len: usize, with_importance: bool, bytes: &[u8]) {
    let mut floats: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let with_importance = with_importance || needs_importance(ty);
    // The first row of numbers is the importance.
    let importance: Option<Vec<f32>> = (with_importance && floats.len() >= row_len)
        .then(|| floats.drain(..row_len).map(|v| if v.is_finite() { v.abs() } else { 1.0 }).collect());
    if with_importance && importance.is_none() {
        return;
    }
    floats.truncate(floats.len() / row_len * row_len);
    let encoded = |isa| {
        let mut blocks = vec![0; floats.len() / row_len * row_bytes(ty, row_len)];
        encode_rows_on(isa, ty, &floats, row_len, importance.as_deref(), &mut blocks)
            .expect("any floats encode");
        blocks
    };
    let expected = encoded(Isa::Scalar);
    if floats.iter().all(|v| v.is_finite()) {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            assert_eq!(encoded(isa), expected, "{ty} on {isa:?}");
        }
    }
    let mut weights = vec![0.0; floats.len()];
    decode_rows_on(Isa::best(), ty, &expected, row_len, &mut weights).expect("what was encoded decodes");
    let sane = |v: &f32| v.abs() <= LARGEST;
    if floats.iter().all(sane) && importance.is_none_or(|i| i.iter().all(sane)) {
        assert!(weights.iter().all(|w| w.is_finite()), "{ty}: {floats:?} became {weights:?}");
    }
}
