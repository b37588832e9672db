//! Benchmarks of `kquant` beside ggml, in one run: see `benches/kernels.rs` and the README.

#[path = "../../crates/kquant/tests/common/mod.rs"]
#[expect(dead_code, reason = "shared with kquant's own tests")]
mod common;

use gguf_format::GgmlType;

/// The types that are timed: every one that `kquant` encodes.
pub const TYPES: [GgmlType; 13] = common::TYPES;
use common::distributions::{DISTRIBUTIONS, IMPORTANCES, Random};

/// Weights and importance to encode: rows of 2048, normal.
#[derive(Clone, Debug)]
pub struct Input {
    /// Rows, one after the other.
    pub weights: Vec<f32>,
    /// Weights in a row.
    pub row_len: usize,
    /// One value a column.
    pub importance: Vec<f32>,
}

impl Input {
    /// The first distribution and the first kind of importance of the tests.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        let row_len = 2048;
        let mut random = Random::new(1);
        let (mut weights, mut importance) = (vec![0.0; rows * row_len], vec![0.0; row_len]);
        DISTRIBUTIONS[0].1(&mut random, &mut weights);
        IMPORTANCES[0].1(&mut random, &mut importance);
        Self { weights, row_len, importance }
    }
}
