//! The architectures: keys and tensors. Widths are such that every file type and every fallback has something to do.

use fixture_models::Dtype::{Bf16, F16, F32};

use super::Key::{Flag, Float, Number};
use super::{Architecture, Key, Line};

pub(super) const HIDDEN: u64 = 256;
pub(super) const CONTEXT: u64 = 128;
pub(super) const VOCABULARY: u64 = 320;
/// Width of a feed-forward layer, and of keys where several query heads share one.
const FFN: u64 = 512;
const KEYS: u64 = 128;
const EXPERT: u64 = 256;

const EPS: (&str, Key) = ("attention.layer_norm_epsilon", Float(1e-5));
const RMS: (&str, Key) = ("attention.layer_norm_rms_epsilon", Float(1e-5));
const FFN_LENGTH: (&str, Key) = ("feed_forward_length", Number(FFN as u32));
const EXPERT_LENGTH: (&str, Key) = ("expert_feed_forward_length", Number(EXPERT as u32));
const HEADS: (&str, Key) = ("attention.head_count", Number(8));
const KV_4: (&str, Key) = ("attention.head_count_kv", Number(4));
const ROTATED: (&str, Key) = ("rope.dimension_count", Number(32));

const EMBEDDING: Line = ("token_embd.weight", &[HIDDEN, VOCABULARY]);
const OUTPUT: Line = ("output.weight", &[HIDDEN, VOCABULARY]);
const OUTPUT_NORM: Line = ("output_norm.weight", &[HIDDEN]);
const OUTPUT_NORM_BIAS: Line = ("output_norm.bias", &[HIDDEN]);
const ATTN_NORM: Line = ("blk.{}.attn_norm.weight", &[HIDDEN]);
const ATTN_NORM_BIAS: Line = ("blk.{}.attn_norm.bias", &[HIDDEN]);
const Q: Line = ("blk.{}.attn_q.weight", &[HIDDEN, HIDDEN]);
const K: Line = ("blk.{}.attn_k.weight", &[HIDDEN, KEYS]);
const V: Line = ("blk.{}.attn_v.weight", &[HIDDEN, KEYS]);
const K_WIDE: Line = ("blk.{}.attn_k.weight", &[HIDDEN, HIDDEN]);
const V_WIDE: Line = ("blk.{}.attn_v.weight", &[HIDDEN, HIDDEN]);
const O: Line = ("blk.{}.attn_output.weight", &[HIDDEN, HIDDEN]);
const O_BIAS: Line = ("blk.{}.attn_output.bias", &[HIDDEN]);
const FFN_NORM: Line = ("blk.{}.ffn_norm.weight", &[HIDDEN]);
const FFN_NORM_BIAS: Line = ("blk.{}.ffn_norm.bias", &[HIDDEN]);
const GATE: Line = ("blk.{}.ffn_gate.weight", &[HIDDEN, FFN]);
const UP: Line = ("blk.{}.ffn_up.weight", &[HIDDEN, FFN]);
const UP_BIAS: Line = ("blk.{}.ffn_up.bias", &[FFN]);
const DOWN: Line = ("blk.{}.ffn_down.weight", &[FFN, HIDDEN]);
const DOWN_BIAS: Line = ("blk.{}.ffn_down.bias", &[HIDDEN]);

const TIED: &[Line] = &[EMBEDDING, OUTPUT_NORM];
const UNTIED: &[Line] = &[EMBEDDING, OUTPUT_NORM, OUTPUT];

const GEMMA2: &[Line] = &[
    ATTN_NORM,
    Q,
    K,
    V,
    O,
    ("blk.{}.post_attention_norm.weight", &[HIDDEN]),
    FFN_NORM,
    GATE,
    UP,
    DOWN,
    ("blk.{}.post_ffw_norm.weight", &[HIDDEN]),
];

const PHI3: &[Line] = &[
    ATTN_NORM,
    ("blk.{}.attn_qkv.weight", &[HIDDEN, HIDDEN + 2 * KEYS]),
    O,
    FFN_NORM,
    DOWN,
    ("blk.{}.ffn_up.weight", &[HIDDEN, 2 * FFN]),
];

const FALCON: &[Line] = &[
    ATTN_NORM,
    ATTN_NORM_BIAS,
    ("blk.{}.attn_norm_2.weight", &[HIDDEN]),
    ("blk.{}.attn_norm_2.bias", &[HIDDEN]),
    ("blk.{}.attn_qkv.weight", &[HIDDEN, HIDDEN + 2 * KEYS]),
    O,
    DOWN,
    UP,
];

const GPT2: &[Line] = &[
    ATTN_NORM,
    ATTN_NORM_BIAS,
    ("blk.{}.attn_qkv.weight", &[HIDDEN, 3 * HIDDEN]),
    ("blk.{}.attn_qkv.bias", &[3 * HIDDEN]),
    O,
    O_BIAS,
    FFN_NORM,
    FFN_NORM_BIAS,
    DOWN,
    DOWN_BIAS,
    UP,
    UP_BIAS,
];

const STARCODER2: &[Line] = &[
    ATTN_NORM,
    ATTN_NORM_BIAS,
    Q,
    ("blk.{}.attn_q.bias", &[HIDDEN]),
    K,
    ("blk.{}.attn_k.bias", &[KEYS]),
    V,
    ("blk.{}.attn_v.bias", &[KEYS]),
    O,
    O_BIAS,
    FFN_NORM,
    FFN_NORM_BIAS,
    DOWN,
    DOWN_BIAS,
    UP,
    UP_BIAS,
];

const OLMO2: &[Line] = &[
    Q,
    K_WIDE,
    V_WIDE,
    O,
    ("blk.{}.attn_q_norm.weight", &[HIDDEN]),
    ("blk.{}.attn_k_norm.weight", &[HIDDEN]),
    ("blk.{}.post_attention_norm.weight", &[HIDDEN]),
    GATE,
    UP,
    DOWN,
    ("blk.{}.post_ffw_norm.weight", &[HIDDEN]),
];

/// Multi-head latent attention: 8 heads of 64 + 32 for keys and 64 for values, out of 192 and 256.
const LATENT: [Line; 9] = [
    ATTN_NORM,
    ("blk.{}.attn_q_a_norm.weight", &[192]),
    ("blk.{}.attn_kv_a_norm.weight", &[256]),
    ("blk.{}.attn_q_a.weight", &[HIDDEN, 192]),
    ("blk.{}.attn_q_b.weight", &[192, 8 * 96]),
    ("blk.{}.attn_kv_a_mqa.weight", &[HIDDEN, 256 + 32]),
    ("blk.{}.attn_k_b.weight", &[64, 256, 8]),
    ("blk.{}.attn_v_b.weight", &[256, 64, 8]),
    ("blk.{}.attn_output.weight", &[8 * 64, HIDDEN]),
];

const DEEPSEEK_DENSE: &[Line] = &[
    LATENT[0], LATENT[1], LATENT[2], LATENT[3], LATENT[4], LATENT[5], LATENT[6], LATENT[7], LATENT[8],
    FFN_NORM, GATE, DOWN, UP,
];

const DEEPSEEK_EXPERTS: &[Line] = &[
    LATENT[0],
    LATENT[1],
    LATENT[2],
    LATENT[3],
    LATENT[4],
    LATENT[5],
    LATENT[6],
    LATENT[7],
    LATENT[8],
    FFN_NORM,
    ("blk.{}.ffn_gate_inp.weight", &[HIDDEN, 8]),
    ("blk.{}.exp_probs_b.bias", &[8]),
    ("blk.{}.ffn_gate_exps.weight", &[HIDDEN, EXPERT, 8]),
    ("blk.{}.ffn_down_exps.weight", &[EXPERT, HIDDEN, 8]),
    ("blk.{}.ffn_up_exps.weight", &[HIDDEN, EXPERT, 8]),
    ("blk.{}.ffn_gate_shexp.weight", &[HIDDEN, EXPERT]),
    ("blk.{}.ffn_down_shexp.weight", &[EXPERT, HIDDEN]),
    ("blk.{}.ffn_up_shexp.weight", &[HIDDEN, EXPERT]),
];

/// Twice the width inside, states of 16, time steps of rank 16.
const MAMBA: &[Line] = &[
    ATTN_NORM,
    ("blk.{}.ssm_in.weight", &[HIDDEN, 4 * HIDDEN]),
    ("blk.{}.ssm_conv1d.weight", &[4, 2 * HIDDEN]),
    ("blk.{}.ssm_conv1d.bias", &[2 * HIDDEN]),
    ("blk.{}.ssm_x.weight", &[2 * HIDDEN, 16 + 2 * 16]),
    ("blk.{}.ssm_dt.weight", &[16, 2 * HIDDEN]),
    ("blk.{}.ssm_dt.bias", &[2 * HIDDEN]),
    ("blk.{}.ssm_a", &[16, 2 * HIDDEN]),
    ("blk.{}.ssm_d", &[2 * HIDDEN]),
    ("blk.{}.ssm_out.weight", &[2 * HIDDEN, HIDDEN]),
];

const QWEN3MOE: &[Line] = &[
    ATTN_NORM,
    Q,
    K,
    V,
    O,
    ("blk.{}.attn_k_norm.weight", &[32]),
    ("blk.{}.attn_q_norm.weight", &[32]),
    FFN_NORM,
    ("blk.{}.ffn_gate_inp.weight", &[HIDDEN, 16]),
    ("blk.{}.ffn_gate_exps.weight", &[HIDDEN, EXPERT, 16]),
    ("blk.{}.ffn_down_exps.weight", &[EXPERT, HIDDEN, 16]),
    ("blk.{}.ffn_up_exps.weight", &[HIDDEN, EXPERT, 16]),
];

const GPT_OSS: &[Line] = &[
    ATTN_NORM,
    ("blk.{}.post_attention_norm.weight", &[HIDDEN]),
    Q,
    ("blk.{}.attn_q.bias", &[HIDDEN]),
    K,
    ("blk.{}.attn_k.bias", &[KEYS]),
    V,
    ("blk.{}.attn_v.bias", &[KEYS]),
    O,
    O_BIAS,
    ("blk.{}.attn_sinks.weight", &[8]),
    ("blk.{}.ffn_gate_inp.weight", &[HIDDEN, 4]),
    ("blk.{}.ffn_gate_inp.bias", &[4]),
    ("blk.{}.ffn_gate_exps.weight", &[HIDDEN, EXPERT, 4]),
    ("blk.{}.ffn_gate_exps.bias", &[EXPERT, 4]),
    ("blk.{}.ffn_down_exps.weight", &[EXPERT, HIDDEN, 4]),
    ("blk.{}.ffn_down_exps.bias", &[HIDDEN, 4]),
    ("blk.{}.ffn_up_exps.weight", &[HIDDEN, EXPERT, 4]),
    ("blk.{}.ffn_up_exps.bias", &[EXPERT, 4]),
];

const STABLELM: &[Line] = &[ATTN_NORM, ATTN_NORM_BIAS, Q, K, V, O, FFN_NORM, FFN_NORM_BIAS, GATE, DOWN, UP];

const COMMAND_R: &[Line] = &[ATTN_NORM, Q, K_WIDE, V_WIDE, O, GATE, DOWN, UP];

const MIXTRAL: &[Line] = &[
    ATTN_NORM,
    Q,
    K,
    V,
    O,
    FFN_NORM,
    ("blk.{}.ffn_gate_inp.weight", &[HIDDEN, 8]),
    ("blk.{}.ffn_gate_exps.weight", &[HIDDEN, FFN, 8]),
    ("blk.{}.ffn_down_exps.weight", &[FFN, HIDDEN, 8]),
    ("blk.{}.ffn_up_exps.weight", &[HIDDEN, FFN, 8]),
];

/// All of them.
pub(crate) const ALL: &[Architecture] = &[
    Architecture {
        name: "gemma2",
        id: "gemma2",
        keys: &[RMS, FFN_LENGTH, HEADS, KV_4, ("attention.sliding_window", Number(64))],
        once: TIED,
        blocks: &[GEMMA2; 3],
        dtype: Bf16,
    },
    Architecture {
        // Not "phi3": by a name with that in it llama.cpp looks for tokens of Phi's own.
        name: "phi-mini",
        id: "phi3",
        keys: &[RMS, FFN_LENGTH, HEADS, KV_4, ROTATED],
        once: UNTIED,
        blocks: &[PHI3; 3],
        dtype: Bf16,
    },
    Architecture {
        name: "falcon",
        id: "falcon",
        keys: &[EPS, FFN_LENGTH, HEADS, KV_4],
        once: &[EMBEDDING, OUTPUT_NORM, OUTPUT_NORM_BIAS, OUTPUT],
        blocks: &[FALCON; 3],
        dtype: F16,
    },
    Architecture {
        name: "gpt2",
        id: "gpt2",
        keys: &[EPS, FFN_LENGTH, HEADS],
        once: &[
            EMBEDDING,
            ("position_embd.weight", &[HIDDEN, CONTEXT]),
            OUTPUT_NORM,
            OUTPUT_NORM_BIAS,
            OUTPUT,
        ],
        blocks: &[GPT2; 3],
        dtype: F32,
    },
    Architecture {
        name: "starcoder2",
        id: "starcoder2",
        keys: &[EPS, FFN_LENGTH, HEADS, KV_4],
        once: &[EMBEDDING, OUTPUT_NORM, OUTPUT_NORM_BIAS],
        blocks: &[STARCODER2; 3],
        dtype: Bf16,
    },
    Architecture {
        name: "olmo2",
        id: "olmo2",
        keys: &[RMS, FFN_LENGTH, HEADS],
        once: UNTIED,
        blocks: &[OLMO2; 3],
        dtype: F16,
    },
    Architecture {
        name: "deepseek2",
        id: "deepseek2",
        keys: &[
            RMS,
            FFN_LENGTH,
            HEADS,
            ("attention.head_count_kv", Number(1)),
            ("attention.q_lora_rank", Number(192)),
            ("attention.kv_lora_rank", Number(256)),
            ("attention.key_length", Number(256 + 32)),
            ("attention.value_length", Number(256)),
            ("attention.key_length_mla", Number(96)),
            ("attention.value_length_mla", Number(64)),
            ROTATED,
            ("leading_dense_block_count", Number(1)),
            EXPERT_LENGTH,
            ("expert_count", Number(8)),
            ("expert_used_count", Number(2)),
            ("expert_shared_count", Number(1)),
            ("expert_weights_scale", Float(1.5)),
            ("expert_weights_norm", Flag(true)),
            ("expert_gating_func", Number(2)),
        ],
        once: UNTIED,
        blocks: &[DEEPSEEK_DENSE, DEEPSEEK_EXPERTS, DEEPSEEK_EXPERTS],
        dtype: Bf16,
    },
    Architecture {
        name: "mamba",
        id: "mamba",
        keys: &[
            RMS,
            ("feed_forward_length", Number(0)),
            ("attention.head_count", Number(0)),
            ("ssm.conv_kernel", Number(4)),
            ("ssm.inner_size", Number(512)),
            ("ssm.state_size", Number(16)),
            ("ssm.time_step_rank", Number(16)),
        ],
        once: TIED,
        blocks: &[MAMBA; 3],
        dtype: F32,
    },
    Architecture {
        name: "qwen3moe",
        id: "qwen3moe",
        keys: &[
            RMS,
            FFN_LENGTH,
            HEADS,
            KV_4,
            EXPERT_LENGTH,
            ("expert_count", Number(16)),
            ("expert_used_count", Number(4)),
        ],
        once: UNTIED,
        blocks: &[QWEN3MOE; 2],
        dtype: Bf16,
    },
    Architecture {
        name: "gpt-oss",
        id: "gpt-oss",
        keys: &[
            RMS,
            FFN_LENGTH,
            HEADS,
            KV_4,
            EXPERT_LENGTH,
            ("attention.sliding_window", Number(64)),
            ("attention.key_length", Number(32)),
            ("attention.value_length", Number(32)),
            ("expert_count", Number(4)),
            ("expert_used_count", Number(2)),
        ],
        once: UNTIED,
        blocks: &[GPT_OSS; 2],
        dtype: Bf16,
    },
    Architecture {
        name: "stablelm",
        id: "stablelm",
        keys: &[EPS, FFN_LENGTH, HEADS, KV_4, ROTATED],
        once: &[EMBEDDING, OUTPUT_NORM, OUTPUT_NORM_BIAS, OUTPUT],
        blocks: &[STABLELM; 3],
        dtype: F16,
    },
    Architecture {
        name: "command-r",
        id: "command-r",
        keys: &[EPS, FFN_LENGTH, HEADS, ("logit_scale", Float(0.0625))],
        once: TIED,
        blocks: &[COMMAND_R; 3],
        dtype: F16,
    },
    Architecture {
        name: "mixtral",
        id: "llama",
        keys: &[
            RMS,
            FFN_LENGTH,
            HEADS,
            KV_4,
            ROTATED,
            ("expert_count", Number(8)),
            ("expert_used_count", Number(2)),
        ],
        once: UNTIED,
        blocks: &[MIXTRAL; 3],
        dtype: F32,
    },
];
