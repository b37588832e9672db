//! Any bytes as an importance matrix: an error in one line, or means for tensors of any size.

use std::hint::black_box;

use quant_recipe::ImportanceMatrix;

use crate::check;

/// An importance matrix in either format.
pub fn body(input: &[u8]) -> bool {
    let matrix = match ImportanceMatrix::parse(input) {
        Ok(matrix) => matrix,
        Err(error) => {
            check::one_line(&error);
            return true;
        }
    };
    assert_eq!(matrix.names().len(), matrix.len());
    assert_eq!(matrix.names().next().is_none(), matrix.is_empty());
    for name in matrix.names() {
        for dims in [[1, 1, 1], [32, 2, 1], [256, 256, 8], [u64::MAX, 1, u64::MAX], [0, 0, 0]] {
            match matrix.for_tensor(name, &dims) {
                Ok(Some(values)) => assert!(values.iter().all(|v| v.is_finite() && *v >= 0.0), "{name}"),
                Ok(None) => {}
                Err(error) => check::one_line(&error),
            }
        }
    }
    black_box((matrix.datasets(), matrix.chunk_count(), matrix.metadata("/a/b/imatrix.gguf")));
    black_box(matrix.clone().including(&["attn", "blk.0"]).is_ok());
    black_box(matrix.excluding(&["ffn"]).is_ok());
    true
}
