//! The searches for the scales of one sub-block: what makes a k-quant better than plain rounding.
//!
//! A sub-block is a fixed-size array, and a search knows nothing of how its result is stored: the block types
//! pack it. All sums run over the weights in order, each rounded to binary32, for the result must be the one
//! that ggml's baseline x86-64 build finds. That order also makes the searches ready for lanes: many
//! sub-blocks can advance side by side, each in its own order.
//!
//! | here | in ggml | fits | for |
//! |---|---|---|---|
//! | [`qx`] | `make_qx_quants` | `x ≈ scale · level`, levels −n … n−1 | Q6_K; Q3_K, Q4_0, Q5_0 with importance |
//! | [`q3`] | `make_q3_quants` | the same, by coordinate descent | Q3_K |
//! | [`qkx2`] | `make_qkx2_quants` | `x ≈ scale · level − offset`, levels 0 … n | Q2_K, Q4_K, Q5_K |
//! | [`qkx3`] | `make_qkx3_quants` | the same | Q2_K, Q4_K, Q5_K, Q4_1, Q5_1 with importance |
//! | [`iq4`] | `quantize_row_iq4_nl_impl` | `x ≈ scale · level`, levels of a [`codebook`] | IQ4_NL, IQ4_XS |
//! | [`qp`] | `make_qp_quants` | `x ≈ scale · level`, `x` and levels ≥ 0 | the scales of Q2_K, Q4_K, Q5_K |
//! | [`split`], [`snap`] | `quantize_row_iq1_s_impl`, `quantize_row_iq1_m_impl` | the same, levels −1, 0, 1 moved | IQ1_S, IQ1_M |
//! | [`grid`] | `quantize_row_iq2_xxs_impl` … | `x ≈ scale · level`, the levels a point of a grid | IQ2, IQ3 |

pub(crate) mod affine;
pub(crate) mod codebook;
pub(crate) mod extremes;
pub(crate) mod grid;
pub(crate) mod grid_signs;
pub(crate) mod iq4;
pub(crate) mod lanes;
pub(crate) mod q3;
pub(crate) mod qkx2;
pub(crate) mod qkx3;
pub(crate) mod qp;
pub(crate) mod qx;
pub(crate) mod rounding;
pub(crate) mod snap;
pub(crate) mod split;
pub(crate) mod weights;

/// A group whose largest magnitude is below this counts as all zero (`GROUP_MAX_EPS` in ggml).
pub(crate) const ALL_ZERO: f32 = 1e-15;
