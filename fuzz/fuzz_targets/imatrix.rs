//! Any bytes as an importance matrix: an error in one line, or means for tensors of any size.
#![no_main]

use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use quant_recipe::ImportanceMatrix;

fuzz_target!(|bytes: &[u8]| {
    let matrix = match ImportanceMatrix::parse(bytes) {
        Ok(matrix) => matrix,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text:?}");
            return;
        }
    };
    assert_eq!(matrix.names().len(), matrix.len());
    for name in matrix.names() {
        for dims in [[1, 1, 1], [32, 2, 1], [256, 256, 8]] {
            if let Ok(Some(values)) = matrix.for_tensor(name, &dims) {
                assert!(values.iter().all(|v| v.is_finite() && *v >= 0.0), "{name}");
            }
        }
    }
    black_box((matrix.datasets(), matrix.chunk_count(), matrix.metadata("/a/b/imatrix.gguf")));
    black_box(matrix.clone().including(&["attn", "blk.0"]).is_ok());
    black_box(matrix.excluding(&["ffn"]).is_ok());
});
