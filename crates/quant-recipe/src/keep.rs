//! Tensors that are never quantized.
//!
//! Source of the facts: `tensor_allows_quantization` in llama.cpp's `llama-quant.cpp`, as pinned by
//! `llama-cpp-sys-2` 0.1.161.

use crate::assignment::{Kept, TensorDesc};

/// How a row of the table matches a name.
#[derive(Clone, Copy)]
enum Match {
    /// The whole name.
    Is(&'static str),
    /// Anywhere in the name.
    Has(&'static str),
}
use Match::{Has, Is};

/// What is small or sensitive: name, and what it is.
const NEVER: &[(Match, &str)] = &[
    (Has("_norm.weight"), "a norm"),
    (Has("ffn_gate_inp.weight"), "an expert router"),
    (Has("ffn_gate_tid2eid.weight"), "an expert routing table"),
    (Has("altup"), "small (AltUp)"),
    (Has("laurel"), "small (LAuReL)"),
    (Has("per_layer_model_proj"), "a per-layer projection"),
    (Is("position_embd.weight"), "a position embedding"),
    (Is("token_types.weight"), "a token type embedding"),
    (Has("ssm_conv1d"), "a convolution"),
    (Has("shortconv.conv.weight"), "a convolution"),
    (Has("indexer.k_proj.weight"), "an indexer projection"),
    (Has("indexer.q_proj.weight"), "an indexer projection"),
    (Has("time_mix_first.weight"), "a small RWKV weight"),
    (Has("time_mix_w0.weight"), "a small RWKV weight"),
    (Has("time_mix_w1.weight"), "a small RWKV weight"),
    (Has("time_mix_w2.weight"), "a small RWKV weight"),
    (Has("time_mix_v0.weight"), "a small RWKV weight"),
    (Has("time_mix_v1.weight"), "a small RWKV weight"),
    (Has("time_mix_v2.weight"), "a small RWKV weight"),
    (Has("time_mix_a0.weight"), "a small RWKV weight"),
    (Has("time_mix_a1.weight"), "a small RWKV weight"),
    (Has("time_mix_a2.weight"), "a small RWKV weight"),
    (Has("time_mix_g1.weight"), "a small RWKV weight"),
    (Has("time_mix_g2.weight"), "a small RWKV weight"),
    (Has("time_mix_decay_w1.weight"), "a small RWKV weight"),
    (Has("time_mix_decay_w2.weight"), "a small RWKV weight"),
    (Has("time_mix_lerp_fused.weight"), "a small RWKV weight"),
    (Has("attn_rel_b.weight"), "a relative position bias"),
    (Has(".position_embd"), "a position embedding"),
    (Has("sam.pos_embd"), "a position embedding"),
    (Has("sam.neck."), "part of an image encoder"),
    (Has("sam.net_"), "part of an image encoder"),
    (Has(".rel_pos"), "a relative position"),
    (Has(".patch_embd"), "a patch embedding"),
    (Has(".patch_merger"), "a patch merger"),
    (Has("a.rvq.codebook"), "an audio codebook"),
    (Has("mm.a.code_embd"), "an audio codebook"),
];

/// The same for one architecture only.
const NEVER_IN: &[(&str, &[&str], &str)] = &[(
    "glm5-next",
    &[
        "hc_",
        "indexer.attn_q_b",
        "indexer.attn_k",
        "indexer.proj",
        "indexer_compressor_gate",
        "indexer_compressor_ape",
        "ssm_f_a.weight",
        "ssm_f_b.weight",
        "ssm_g_a.weight",
        "ssm_g_b.weight",
        "ssm_beta.weight",
        "attn_kv_a_mqa.weight",
        "attn_k_b.weight",
        "attn_v_b.weight",
    ],
    "kept in this architecture",
)];

impl Match {
    fn matches(self, name: &str) -> bool {
        match self {
            Is(whole) => name == whole,
            Has(part) => name.contains(part),
        }
    }
}

/// Why a tensor keeps its element type; `None` if it is to be quantized.
pub(crate) fn kept(architecture: &str, tensor: &TensorDesc<'_>) -> Option<Kept> {
    if dimensions(tensor.dims) < 2 {
        return Some(Kept::Vector);
    }
    if !ends_with_weight(tensor.name) {
        return Some(Kept::NotWeight);
    }
    let anywhere = NEVER.iter().find(|(pattern, _)| pattern.matches(tensor.name)).map(|&(_, what)| what);
    let here = || {
        NEVER_IN
            .iter()
            .find(|(arch, parts, _)| {
                *arch == architecture && parts.iter().any(|part| tensor.name.contains(part))
            })
            .map(|&(_, _, what)| what)
    };
    anywhere.or_else(here).map(Kept::Named)
}

/// The number of dimensions as ggml counts them: up to the last that is greater than 1, at least one.
fn dimensions(dims: &[u64]) -> usize {
    dims.iter().rposition(|&len| len > 1).map_or(1, |last| last + 1)
}

/// Whether a name ends with `weight`, as llama.cpp asks it: "the last `weight` is six bytes before the end".
/// For a name of five bytes that is also true when there is none, because "not found" and "one before the
/// start" are the same number; such a name can come only from an unmapped checkpoint.
fn ends_with_weight(name: &str) -> bool {
    name.ends_with("weight") || (name.len() == 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gguf_format::GgmlType;

    fn of(name: &str, dims: &[u64]) -> Option<Kept> {
        kept("llama", &TensorDesc { name, dims, element: GgmlType::F32 })
    }

    #[test]
    fn dimensions_of_one_at_the_end_do_not_count() {
        for (dims, count) in [
            (&[][..], 1),
            (&[1], 1),
            (&[8], 1),
            (&[8, 1, 1], 1),
            (&[8, 2], 2),
            (&[1, 2], 2),
            (&[1, 1, 2, 1], 3),
        ] {
            assert_eq!(dimensions(dims), count, "{dims:?}");
        }
    }

    #[test]
    fn vectors_and_what_is_no_weight_are_kept() {
        assert_eq!(of("blk.0.attn_q.weight", &[256, 256]), None);
        assert_eq!(of("blk.0.attn_q.weight", &[256, 1]), Some(Kept::Vector));
        assert_eq!(of("blk.0.attn_q.bias", &[256, 2]), Some(Kept::NotWeight));
        assert_eq!(of("weights", &[256, 2]), Some(Kept::NotWeight));
        assert_eq!(of("weight", &[256, 2]), None);
        assert_eq!(of("embed", &[256, 2]), None, "five bytes");
        assert_eq!(of("ff_up", &[256, 2]), None, "five bytes");
        assert_eq!(of("x", &[256, 2]), Some(Kept::NotWeight));
    }

    #[test]
    fn names_of_the_tables_are_kept() {
        assert_eq!(of("blk.0.attn_q_norm.weight", &[256, 2]), Some(Kept::Named("a norm")));
        assert_eq!(of("blk.0.ffn_gate_inp.weight", &[256, 8]), Some(Kept::Named("an expert router")));
        assert_eq!(of("position_embd.weight", &[256, 8]), Some(Kept::Named("a position embedding")));
        assert_eq!(of("my_position_embd.weight", &[256, 8]), None);
        assert_eq!(of("blk.0.ssm_beta.weight", &[256, 8]), None);
        let beta = TensorDesc { name: "blk.0.ssm_beta.weight", dims: &[256, 8], element: GgmlType::F32 };
        assert_eq!(kept("glm5-next", &beta), Some(Kept::Named("kept in this architecture")));
    }
}
