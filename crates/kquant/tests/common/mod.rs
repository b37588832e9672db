//! Shared by the tests, the live comparison with ggml and the maker of the golden files.

pub(crate) mod distributions;

use distributions::{DISTRIBUTIONS, IMPORTANCES, Random};
use gguf_format::GgmlType;

/// Every type that has an encoder.
pub(crate) const TYPES: [GgmlType; 28] = [
    GgmlType::F32,
    GgmlType::F16,
    GgmlType::BF16,
    GgmlType::Q8_0,
    GgmlType::Q4_0,
    GgmlType::Q4_1,
    GgmlType::Q5_0,
    GgmlType::Q5_1,
    GgmlType::Q2_K,
    GgmlType::Q3_K,
    GgmlType::Q4_K,
    GgmlType::Q5_K,
    GgmlType::Q6_K,
    GgmlType::IQ1_S,
    GgmlType::IQ1_M,
    GgmlType::IQ2_XXS,
    GgmlType::IQ2_XS,
    GgmlType::IQ2_S,
    GgmlType::IQ3_XXS,
    GgmlType::IQ3_S,
    GgmlType::IQ4_NL,
    GgmlType::IQ4_XS,
    GgmlType::TQ1_0,
    GgmlType::TQ2_0,
    GgmlType::MXFP4,
    GgmlType::NVFP4,
    GgmlType::Q1_0,
    GgmlType::Q2_0,
];

/// The types that can be decoded alone.
pub(crate) const DECODE_ONLY: [GgmlType; 2] = [GgmlType::Q8_1, GgmlType::Q8_K];

/// Bytes of the golden file of a type that can be decoded alone: blocks of random bytes, `count` of them.
pub(crate) fn random_blocks(ty: GgmlType, count: usize) -> Vec<u8> {
    let mut random = Random::new(u64::from(ty.id()) << 32 | count as u64);
    (0..count * ty.block_bytes()).map(|_| random.bits() as u8).collect()
}

/// How many blocks each line of such a file is about.
pub(crate) const RANDOM_BLOCKS: [usize; 4] = [1, 40, 400, 1000];

/// A few rows of one type, and perhaps importance.
pub(crate) struct Case {
    /// What it is, in one line: names one case among those of its type.
    pub(crate) name: String,
    /// The type to encode to.
    pub(crate) ty: GgmlType,
    /// Rows, one after the other.
    pub(crate) src: Vec<f32>,
    /// Weights in a row.
    pub(crate) row_len: usize,
    /// One value a column.
    pub(crate) importance: Option<Vec<f32>>,
}

impl Case {
    /// Rows of 1 to 40 blocks, from a distribution and a kind of importance by their place in the tables.
    pub(crate) fn new(
        ty: GgmlType,
        distribution: usize,
        importance: Option<usize>,
        random: &mut Random,
    ) -> Self {
        let blocks = 1 + random.below(40) as usize;
        // Plain numbers come in groups as well, lest there be almost none.
        let row_len = blocks * ty.block_len().max(16);
        let rows = 1 + random.below(4) as usize;
        let (name, fill) = DISTRIBUTIONS[distribution];
        let mut src = vec![0.0; rows * row_len];
        fill(random, &mut src);
        let kind = importance.map_or("none", |kind| IMPORTANCES[kind].0);
        let name = format!("{name} importance:{kind} {rows}x{row_len}");
        let importance = importance.map(|kind| {
            let mut importance = vec![0.0; row_len];
            IMPORTANCES[kind].1(random, &mut importance);
            importance
        });
        Self { name, ty, src, row_len, importance }
    }

    /// The cases of the golden files, a type's: each distribution without importance and with each kind.
    pub(crate) fn golden(ty: GgmlType) -> impl Iterator<Item = Self> {
        let all =
            (0..DISTRIBUTIONS.len()).flat_map(move |row| importance_kinds(ty).map(move |kind| (row, kind)));
        all.map(move |(row, kind)| {
            let place = kind.map_or(0, |kind| kind + 1) as u64;
            let seed = u64::from(ty.id()) << 32 | (row as u64) << 16 | place;
            let mut case = Self::new(ty, row, kind, &mut Random::new(seed));
            if is_slow(ty) {
                case.src.truncate(case.row_len);
            }
            case
        })
    }
}

/// Whether a type is encoded so slowly that one row a case must do in ordinary tests.
fn is_slow(ty: GgmlType) -> bool {
    ty.name().starts_with("IQ1") || ty.name().starts_with("IQ2") || ty.name().starts_with("IQ3")
}

/// None, unless the type cannot do without, and every kind of importance by its place in the table.
pub(crate) fn importance_kinds(ty: GgmlType) -> impl Iterator<Item = Option<usize>> {
    let none = (!kquant::needs_importance(ty)).then_some(None);
    none.into_iter().chain((0..IMPORTANCES.len()).map(Some))
}

/// Whether two decoded weights are the same float. Any two NaN are: their sign and payload are left open.
pub(crate) fn same_float(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// Decoded weights as bytes for hashing, every NaN the same.
pub(crate) fn float_bytes(values: &[f32]) -> Vec<u8> {
    let canonical = |x: f32| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() };
    values.iter().flat_map(|&x| canonical(x).to_le_bytes()).collect()
}
