//! Apertus: `ApertusModel` of convert_hf_to_gguf. The parameters of its activation, xIELU, are metadata.

use super::llama::{ENDS, HEAD_NORMS, LLAMA, PLAIN_ATTENTION, UNGATED};
use super::{Family, Row, Scalar};
use crate::sizes::Dim::Hidden;

pub(super) const APERTUS: Family = Family {
    classes: &["ApertusForCausalLM"],
    architecture: "apertus",
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, HEAD_NORMS, UNGATED],
    scalars: &[
        Scalar { source: "layers.{}.mlp.act_fn.alpha_n", key: "xielu.alpha_n" },
        Scalar { source: "layers.{}.mlp.act_fn.alpha_p", key: "xielu.alpha_p" },
        Scalar { source: "layers.{}.mlp.act_fn.beta", key: "xielu.beta" },
        Scalar { source: "layers.{}.mlp.act_fn.eps", key: "xielu.eps" },
    ],
    headed: &["ApertusForCausalLM"],
    ..LLAMA
};

const NORMS: &[Row] = &[
    Row::new("layers.{}.attention_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.feedforward_layernorm", "blk.{}.ffn_norm", &[Hidden]),
];
