//! Mixtures of experts: a router, and a gated feed-forward part for each expert.

use super::table::{Row, Source, Start, Step};
use crate::sizes::Dim::{self, ExpertForward, Experts, Fixed, Hidden};

/// Twice the width of an expert: gate and up in one.
pub(super) const BOTH: Dim = Dim::Product(&[Fixed(2), ExpertForward]);

/// The first half of the rows of each expert.
pub(super) const GATE_HALF: &[&[Step]] = &[&[Step::Slice(1, Start::First, ExpertForward)]];
/// The second half.
pub(super) const UP_HALF: &[&[Step]] = &[&[Step::Slice(1, Start::After(ExpertForward), ExpertForward)]];

/// The router and the experts of `mlp`: each by itself, or all in one as transformers 5 has them.
pub(super) const EXPERTS: &[Row] = &[
    Row::new("layers.{}.mlp.gate", "blk.{}.ffn_gate_inp", &[Experts, Hidden]),
    Row::new("layers.{}.mlp.experts.{e}.gate_proj", "blk.{}.ffn_gate_exps", &[ExpertForward, Hidden])
        .to(&[Experts, ExpertForward, Hidden])
        .or(&[Source::bare("layers.{}.mlp.experts.gate_up_proj", &[Experts, BOTH, Hidden]).parts(GATE_HALF)]),
    Row::new("layers.{}.mlp.experts.{e}.up_proj", "blk.{}.ffn_up_exps", &[ExpertForward, Hidden])
        .to(&[Experts, ExpertForward, Hidden])
        .or(&[Source::bare("layers.{}.mlp.experts.gate_up_proj", &[Experts, BOTH, Hidden]).parts(UP_HALF)]),
    Row::new("layers.{}.mlp.experts.{e}.down_proj", "blk.{}.ffn_down_exps", &[Hidden, ExpertForward])
        .to(&[Experts, Hidden, ExpertForward])
        .or(&[Source::bare("layers.{}.mlp.experts.down_proj", &[Experts, Hidden, ExpertForward])]),
];

/// The same as Mixtral names them.
pub(super) const SPARSE_EXPERTS: &[Row] = &[
    Row::new("layers.{}.block_sparse_moe.gate", "blk.{}.ffn_gate_inp", &[Experts, Hidden])
        .or(&[Source::new("layers.{}.mlp.gate", &[Experts, Hidden])]),
    Row::new("layers.{}.block_sparse_moe.experts.{e}.w1", "blk.{}.ffn_gate_exps", &[ExpertForward, Hidden])
        .to(&[Experts, ExpertForward, Hidden])
        .or(&[Source::bare("layers.{}.mlp.experts.gate_up_proj", &[Experts, BOTH, Hidden]).parts(GATE_HALF)]),
    Row::new("layers.{}.block_sparse_moe.experts.{e}.w3", "blk.{}.ffn_up_exps", &[ExpertForward, Hidden])
        .to(&[Experts, ExpertForward, Hidden])
        .or(&[Source::bare("layers.{}.mlp.experts.gate_up_proj", &[Experts, BOTH, Hidden]).parts(UP_HALF)]),
    Row::new("layers.{}.block_sparse_moe.experts.{e}.w2", "blk.{}.ffn_down_exps", &[Hidden, ExpertForward])
        .to(&[Experts, Hidden, ExpertForward])
        .or(&[Source::bare("layers.{}.mlp.experts.down_proj", &[Experts, Hidden, ExpertForward])]),
];
