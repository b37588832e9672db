//! What many targets hold results to.

use std::fmt::Display;

use hf_checkpoint::{Checkpoint, Error};

/// An error is a line of text that a terminal takes no orders from.
pub(crate) fn one_line(error: &impl Display) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains(|c: char| c.is_control()), "{text:?}");
}

/// Every tensor reads to its end, and its last two thirds alike in a piece of their own.
pub(crate) fn reads_the_same_in_pieces(checkpoint: &Checkpoint) {
    for (number, tensor) in checkpoint.tensors().iter().enumerate() {
        let (n, size, block) =
            (tensor.elements(), tensor.element.block_bytes(), tensor.element.block_len() as u64);
        let bytes = |elements: u64| (elements / block) as usize * size;
        let mut whole = vec![0; bytes(n)];
        match checkpoint.read_rows(number, 0..tensor.rows(), &mut whole) {
            Ok(()) => {}
            // What only the values tell: numbers without a counterpart in F32, places in packed tensors that are not there.
            Err(error @ (Error::Lossy { .. } | Error::PackedValue { .. })) => {
                one_line(&error);
                continue;
            }
            Err(error) => unreachable!("a tensor that was checked is not read: {error}"),
        }
        let third = n / 3 / block * block;
        let mut piece = vec![0; bytes(n - third)];
        checkpoint.read_elements(number, third..n, &mut piece).expect("a piece reads as the whole");
        assert_eq!(piece, whole.get(bytes(third)..).unwrap_or_default());
    }
}
