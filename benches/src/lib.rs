//! `kquant` beside ggml and beside a plain copy, in one process: see the README.
#![forbid(unsafe_code)]

pub mod bars;
pub mod headers;
pub mod measure;
pub mod memory;
pub mod threads;

#[path = "../../crates/kquant/tests/common/mod.rs"]
#[expect(dead_code, reason = "shared with kquant's own tests")]
mod common;

use common::distributions::{DISTRIBUTIONS, IMPORTANCES, Random};
use gguf_format::GgmlType;
use peer::ggml;

/// Something to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Weights to blocks.
    Encode {
        /// To blocks of this type.
        ty: GgmlType,
        /// Whether importance is given.
        importance: bool,
    },
    /// Blocks to weights.
    Decode {
        /// Blocks of this type.
        ty: GgmlType,
    },
}

impl Work {
    /// The type.
    #[must_use]
    pub fn ty(self) -> GgmlType {
        match self {
            Self::Encode { ty, .. } | Self::Decode { ty } => ty,
        }
    }

    /// Everything that `kquant` does and ggml does too.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let types = || GgmlType::ALL.iter().copied();
        let encoding =
            types().filter(|&ty| kquant::can_encode(ty) && ggml::can_quantize(ty)).flat_map(|ty| {
                let without = !kquant::needs_importance(ty);
                let with = kquant::needs_importance(ty) || kquant::uses_importance(ty);
                [(without, false), (with, true)]
                    .into_iter()
                    .filter_map(move |(there, importance)| there.then_some(Self::Encode { ty, importance }))
            });
        let decoding = types().filter(|&ty| kquant::can_decode(ty) && ggml::can_dequantize(ty));
        encoding.chain(decoding.map(|ty| Self::Decode { ty })).collect()
    }
}

impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encode { ty, importance: false } => write!(f, "encode {ty}"),
            Self::Encode { ty, importance: true } => write!(f, "encode {ty} importance"),
            Self::Decode { ty } => write!(f, "decode {ty}"),
        }
    }
}

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
    /// The first distribution and the first kind of importance of the tests; 128 rows of weights that differ, and these
    /// again and again.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        let row_len = 2048;
        let mut random = Random::new(1);
        let mut weights = vec![0.0; rows.min(128) * row_len];
        let mut importance = vec![0.0; row_len];
        DISTRIBUTIONS[0].1(&mut random, &mut weights);
        IMPORTANCES[0].1(&mut random, &mut importance);
        while weights.len() < rows * row_len {
            let more = weights.len().min(rows * row_len - weights.len());
            weights.extend_from_within(..more);
        }
        Self { weights, row_len, importance }
    }
}
