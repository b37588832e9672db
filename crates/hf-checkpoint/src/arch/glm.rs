//! GLM 4 and its mixtures: `Glm4Model`, `Glm4MoeModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::deepseek::DEEPSEEK2;
use super::experts::EXPERTS;
use super::llama::{ENDS, LLAMA};
use super::parameter::{Const, Kind, Parameter, constant, value};
use super::rules::{part_of, part_of_head, rotary_part};
use super::table::and_also;
use super::text::TEXT;
use super::{Context, Family, Presence, Row, Start, Step};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{
    self, Blocks, ExpertForward, Experts, FeedForward, Fixed, HeadWidth, Hidden, KeyOr, KeyRows, Product,
    QueryRows, Sum, Vocab,
};
use crate::tokenizer::TokenizerKind;

pub(super) const GLM4: Family = Family {
    // The second's language model.
    classes: &["Glm4ForCausalLM", "Glm4vForConditionalGeneration"],
    architecture: "glm4",
    variant: Some(|config| config.rope.contains_key("mrope_section").then_some(&GLM4_SECTIONS)),
    tokenizer: TokenizerKind::ByteLevel,
    fixed_tokens: &[
        ("eos", "<|endoftext|>"),
        ("eot", "<|user|>"),
        ("unk", "<|endoftext|>"),
        ("bos", "<|endoftext|>"),
    ],
    parameters: &[TEXT, &[Parameter::Rule(part_of_head)]],
    rows: &[ENDS, GLM4_ROWS, ATTENTION],
    generated: &[],
    headed: &["Glm4ForCausalLM"],
    ..LLAMA
};

/// The language model of GLM 4's models that see: llama.cpp rotates sections of a head by halves, these are stored by pairs.
static GLM4_SECTIONS: Family = Family { variant: None, rows: &[ENDS, GLM4_ROWS, TURNED_ATTENTION], ..GLM4 };

/// The language model of GLM-OCR, with blocks that predict further tokens.
pub(super) const GLM_OCR: Family = Family {
    classes: &["GlmOcrForConditionalGeneration"],
    variant: Some(|config| config.rope.contains_key("mrope_section").then_some(&GLM_OCR_SECTIONS)),
    blocks: Sum(&[Blocks, NEXT_BLOCKS]),
    counts: &[(STORED, "layers.")],
    parameters: &[TEXT, &[Parameter::Rule(part_of_head), Parameter::Rule(predicting)]],
    rows: &[ENDS, GLM4_ROWS, ATTENTION, NEXT],
    headed: &["GlmOcrForConditionalGeneration"],
    ..GLM4
};

static GLM_OCR_SECTIONS: Family =
    Family { variant: None, rows: &[ENDS, GLM4_ROWS, TURNED_ATTENTION, NEXT], ..GLM_OCR };

/// Rows of a head that are rotated.
const ROTATED: Dim = Dim::Rule("head_dim*partial_rotary_factor", |config, _| {
    Ok(u64::from(part_of(rotary_part(config, 0.5)?, config.dim(HeadWidth)?)))
});
const NOT_ROTATED: Dim = Dim::Rule("head_dim*(1-partial_rotary_factor)", |config, _| {
    Ok(config.dim(HeadWidth)?.saturating_sub(config.dim(ROTATED)?))
});

/// Of the rows of a head that are rotated first the even, then the odd ones; then the others.
const HALVES: &[&[Step]] = &[
    &[Step::Slice(0, Start::First, ROTATED), Step::Every(0, 0, 2)],
    &[Step::Slice(0, Start::First, ROTATED), Step::Every(0, 1, 2)],
    &[Step::Slice(0, Start::After(ROTATED), NOT_ROTATED)],
];

const TURNED_ATTENTION: &[Row] = &[
    ATTENTION[0].parts_of_each(Dim::Heads, HALVES),
    ATTENTION[1].parts_of_each(Dim::KeyHeads, HALVES),
    ATTENTION[2],
    ATTENTION[3],
];

const BIASED: Presence = Presence::If("attention_bias");

/// The output has no bias.
const ATTENTION: &[Row] = &[
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden]).bias(BIASED),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden]).bias(BIASED),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden]).bias(BIASED),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows]),
];

const GLM4_ROWS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.post_self_attn_layernorm", "blk.{}.post_attention_norm", &[Hidden]),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("layers.{}.post_mlp_layernorm", "blk.{}.post_ffw_norm", &[Hidden]),
    Row::new("layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up", &[Product(&[Fixed(2), FeedForward]), Hidden]),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]),
];

/// GLM 4.5 to 4.7: dense blocks first, then experts, then blocks that predict further tokens.
pub(super) const GLM4_MOE: Family = Family {
    classes: &["Glm4MoeForCausalLM", "Glm4vMoeForConditionalGeneration"],
    architecture: "glm4moe",
    variant: None,
    fixed_tokens: &[
        ("bos", "[gMASK]"),
        ("eot", "<|user|>"),
        ("unk", "<|endoftext|>"),
        ("eom", "<|observation|>"),
    ],
    blocks: Sum(&[Blocks, NEXT_BLOCKS]),
    counts: &[(STORED, "layers.")],
    parameters: &[TEXT, MOE_PARAMETERS],
    rows: &[ENDS, NORMS, ATTENTION, HEAD_NORMS, DENSE, MIXED, NEXT],
    headed: &["Glm4MoeForCausalLM"],
    ..GLM4
};

/// GLM 4.7 Flash: DeepSeek's attention and experts, GLM's tokens, and blocks that predict further ones.
pub(super) const GLM4_MOE_LITE: Family = Family {
    classes: &["Glm4MoeLiteForCausalLM"],
    fixed_tokens: GLM4_MOE.fixed_tokens,
    blocks: Sum(&[Blocks, NEXT_BLOCKS]),
    counts: &[(STORED, "layers.")],
    parameters: &and_also::<_, 3>(DEEPSEEK2.parameters, &[Parameter::Rule(predicting_some)]),
    rows: &and_also::<_, 8>(DEEPSEEK2.rows, NEXT),
    headed: &["Glm4MoeLiteForCausalLM"],
    ..DEEPSEEK2
};

/// How many there are, if any.
fn predicting_some(
    context: &Context<'_>,
    pairs: &mut Metadata,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let some = context.config.size(&["num_nextn_predict_layers"])?.is_some_and(|n| n > 0);
    if some { predicting(context, pairs, notes) } else { Ok(()) }
}

const MOE_PARAMETERS: &[Parameter] = &[
    Parameter::Rule(part_of_head),
    value(".expert_count", Kind::U32, &["n_routed_experts"]),
    value(".expert_feed_forward_length", Kind::U32, &["moe_intermediate_size"]),
    value(".expert_shared_count", Kind::U32, &["n_shared_experts"]),
    value(".leading_dense_block_count", Kind::U32, &["first_k_dense_replace"]),
    // Sigmoid.
    constant(".expert_gating_func", Const::U32(2)),
    value(".expert_weights_scale", Kind::F32, &["routed_scaling_factor"]),
    value(".expert_weights_norm", Kind::Bool, &["norm_topk_prob"]),
    Parameter::Rule(predicting),
];

/// How many blocks the checkpoint has.
const STORED: &str = "stored blocks";

/// Blocks that predict further tokens: what the config says, but no more than there are. transformers' config has one even
/// where it saved none.
const NEXT_BLOCKS: Dim = Dim::Rule("num_nextn_predict_layers", |config, _| {
    let stored = config.size(&[STORED])?.unwrap_or(0).saturating_sub(config.dim(Blocks)?);
    Ok(config.size(&["num_nextn_predict_layers"])?.unwrap_or(0).min(stored))
});

fn predicting(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    if context.config.get("num_nextn_predict_layers").is_some() {
        pairs.insert(context.key(".nextn_predict_layers"), context.config.dim(NEXT_BLOCKS)? as u32);
    }
    Ok(())
}

/// The first blocks have one feed-forward part, the others experts.
fn dense(config: &Config, block: u64) -> bool {
    block < config.size(&["first_k_dense_replace"]).ok().flatten().unwrap_or(0)
}

fn mixed(config: &Config, block: u64) -> bool {
    !dense(config, block)
}

fn next(config: &Config, block: u64) -> bool {
    config.dim(Blocks).is_ok_and(|blocks| block >= blocks)
}

const DENSE_PART: Presence = Presence::Where(dense);
const MIXED_PART: Presence = Presence::Where(mixed);

const NORMS: &[Row] = &[
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    Row::new("layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", &[Hidden]),
];

const HEAD_NORMS: &[Row] = &[
    Row::new("layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", &[HeadWidth])
        .weight(Presence::If("use_qk_norm")),
    Row::new("layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", &[HeadWidth])
        .weight(Presence::If("use_qk_norm")),
];

const DENSE: &[Row] = &[
    Row::new("layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", &[FeedForward, Hidden]).weight(DENSE_PART),
    Row::new("layers.{}.mlp.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden]).weight(DENSE_PART),
    Row::new("layers.{}.mlp.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward]).weight(DENSE_PART),
];

const SHARED: Dim = Product(&[KeyOr(&["n_shared_experts"], &Fixed(1)), ExpertForward]);

const MIXED: &[Row] = &[
    EXPERTS[0].weight(MIXED_PART),
    EXPERTS[1].weight(MIXED_PART),
    EXPERTS[2].weight(MIXED_PART),
    EXPERTS[3].weight(MIXED_PART),
    Row::bare("layers.{}.mlp.gate.e_score_correction_bias", "blk.{}.exp_probs_b.bias", &[Experts])
        .weight(MIXED_PART),
    Row::new("layers.{}.mlp.shared_experts.gate_proj", "blk.{}.ffn_gate_shexp", &[SHARED, Hidden])
        .weight(MIXED_PART),
    Row::new("layers.{}.mlp.shared_experts.up_proj", "blk.{}.ffn_up_shexp", &[SHARED, Hidden])
        .weight(MIXED_PART),
    Row::new("layers.{}.mlp.shared_experts.down_proj", "blk.{}.ffn_down_shexp", &[Hidden, SHARED])
        .weight(MIXED_PART),
];

/// What blocks have that predict further tokens.
const NEXT: &[Row] = &[
    Row::new("layers.{}.eh_proj", "blk.{}.nextn.eh_proj", &[Hidden, Product(&[Fixed(2), Hidden])])
        .weight(Presence::Where(next)),
    Row::new("layers.{}.embed_tokens", "blk.{}.nextn.embed_tokens", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.enorm", "blk.{}.nextn.enorm", &[Hidden]).weight(Presence::Where(next)),
    Row::new("layers.{}.hnorm", "blk.{}.nextn.hnorm", &[Hidden]).weight(Presence::Where(next)),
    Row::new("layers.{}.shared_head.head", "blk.{}.nextn.shared_head_head", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.shared_head.norm", "blk.{}.nextn.shared_head_norm", &[Hidden]).optional(),
];
