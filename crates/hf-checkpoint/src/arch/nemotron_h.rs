//! Nemotron-H and Nemotron 3: `NemotronHModel` of convert_hf_to_gguf. A block is a state-space mixer, attention, a feed-forward
//! part or a mixture of experts, as a pattern says.

use gguf_format::{Metadata, Value};

use super::mamba::{GROUPS, MIXER_KERNEL, MIXER_STATE, mixer, padded};
use super::parameter::{Kind, Parameter, needed, size, value};
use super::table::{INTERLEAVE_KEYS, INTERLEAVE_QUERIES};
use super::text::{NOT_TEXT, TEXT};
use super::{Change, Context, Family, Names, Presence, Row, Skip, Step, llama::LLAMA};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{
    self, Experts, FeedForward, Hidden, Key, KeyHeads, KeyOr, KeyRows, Product, QueryRows, Vocab,
};
use crate::tokenizer::TokenizerKind;

pub(super) const NEMOTRON_H: Family = Family {
    classes: &["NemotronHForCausalLM"],
    architecture: "nemotron_h",
    tokenizer: TokenizerKind::ByteLevel,
    tokens: padded!(8),
    // Not by the settings of experts, which transformers fills in where there are none.
    variant: Some(|config| {
        let mut parts = (0..).map_while(|block| part(config, block));
        parts.any(|part| part == Part::Mixture).then_some(&NEMOTRON_H_MOE)
    }),
    blocks: BLOCKS,
    parameters: &[TEXT, MIXED],
    names: Names { remove: &[], strip: &["backbone.", "model."], suffixes: &[] },
    skip: &[&[Skip::Starts("mtp.")], NOT_TEXT],
    rows: &[EDGES, MIXER, ATTENTION, FORWARD],
    generated: &[],
    headed: &["NemotronHForCausalLM"],
    ..LLAMA
};

static NEMOTRON_H_MOE: Family = Family {
    architecture: "nemotron_h_moe",
    variant: None,
    parameters: &[TEXT, MIXED, MIXTURE],
    rows: &[EDGES, MIXER, ATTENTION, FORWARD, EXPERTS],
    ..NEMOTRON_H
};

/// The pattern knows better than the number.
const BLOCKS: Dim = Dim::Rule("num_hidden_layers", |config, _| {
    let length = |pattern: &serde_json::Value| match pattern {
        serde_json::Value::String(letters) => letters.len(),
        other => other.as_array().map_or(0, Vec::len),
    };
    match config.get("layers_block_type").or(config.get("hybrid_override_pattern")).map(length) {
        Some(blocks) if blocks > 0 => Ok(blocks as u64),
        _ => config.dim(Dim::Blocks),
    }
});

const HEADS: Dim = Key(&["mamba_num_heads"]);
const INNER: Dim = Product(&[HEADS, KeyOr(&["mamba_head_dim"], &Hidden)]);

#[derive(PartialEq)]
enum Part {
    Mixer,
    Attention,
    Forward,
    Mixture,
}

/// What a block is.
fn part(config: &Config, block: u64) -> Option<Part> {
    let pattern = config.get("hybrid_override_pattern").or_else(|| config.get("layers_block_type"))?;
    let kind = match pattern {
        serde_json::Value::String(letters) => {
            let letter = *letters.as_bytes().get(block as usize)?;
            return Some(match letter {
                b'M' => Part::Mixer,
                b'*' => Part::Attention,
                b'E' => Part::Mixture,
                _ => Part::Forward,
            });
        }
        list => list.get(block as usize)?.as_str()?,
    };
    Some(match kind {
        "mamba" | "linear_attention" => Part::Mixer,
        "attention" | "full_attention" => Part::Attention,
        "moe" => Part::Mixture,
        _ => Part::Forward,
    })
}

fn mixes(config: &Config, block: u64) -> bool {
    part(config, block) == Some(Part::Mixer)
}

fn attends(config: &Config, block: u64) -> bool {
    part(config, block) == Some(Part::Attention)
}

fn forwards(config: &Config, block: u64) -> bool {
    part(config, block) == Some(Part::Forward)
}

fn has_experts(config: &Config, block: u64) -> bool {
    part(config, block) == Some(Part::Mixture)
}

const MIXED: &[Parameter] = &[
    size(".vocab_size", Vocab),
    // head_dim has no say here, as in Granite.
    size(".rope.dimension_count", Dim::Quotient(&Hidden, &Dim::Heads)),
    size(".ssm.conv_kernel", MIXER_KERNEL),
    size(".ssm.state_size", MIXER_STATE),
    size(".ssm.group_count", GROUPS),
    size(".ssm.inner_size", INNER),
    size(".ssm.time_step_rank", HEADS),
    Parameter::Rule(lengths),
    Parameter::Rule(key_lengths),
];

const MIXTURE: &[Parameter] = &[
    needed(".expert_used_count", Kind::U32, &["num_experts_per_tok"]),
    needed(".expert_feed_forward_length", Kind::U32, &["moe_intermediate_size"]),
    needed(".expert_shared_feed_forward_length", Kind::U32, &["moe_shared_expert_intermediate_size"]),
    needed(".expert_count", Kind::U32, &["n_routed_experts"]),
    needed(".expert_shared_count", Kind::U32, &["n_shared_experts"]),
    needed(".expert_weights_norm", Kind::Bool, &["norm_topk_prob"]),
    needed(".expert_weights_scale", Kind::F32, &["routed_scaling_factor"]),
    needed(".expert_group_count", Kind::U32, &["n_group"]),
    value(".moe_latent_size", Kind::U32, &["moe_latent_size"]),
];

/// Lengths that differ from block to block.
fn lengths(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let blocks = config.dim(BLOCKS)?;
    let of = |is: fn(&Config, u64) -> bool, length: u64| -> Vec<i32> {
        (0..blocks).map(|b| if is(config, b) { length as i32 } else { 0 }).collect()
    };
    let heads = of(attends, config.dim(KeyHeads)?);
    let mixture = (0..blocks).any(|block| has_experts(config, block));
    if !mixture {
        for key in [".expert_count", ".expert_used_count", ".expert_group_count", ".expert_group_used_count"]
        {
            pairs.remove(&context.key(key));
        }
    }
    let (is, width): (fn(&Config, u64) -> bool, _) =
        if mixture { (has_experts, Key(&["moe_intermediate_size"])) } else { (forwards, FeedForward) };
    // In place of what the text model wrote.
    pairs.insert(context.key(".feed_forward_length"), Value::from(of(is, config.dim(width)?)));
    pairs.insert(context.key(".attention.head_count_kv"), heads);
    pairs.insert(context.key(".rope.scaling.finetuned"), false);
    pairs.insert(context.key(".context_length"), 1u32 << 20);
    Ok(())
}

fn key_lengths(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    // The converter writes them late.
    for key in [".attention.key_length", ".attention.value_length"] {
        pairs.remove(&context.key(key));
        pairs.insert(context.key(key), context.config.dim(Key(&["head_dim", "attention_head_dim"]))? as u32);
    }
    Ok(())
}

const EDGES: &[Row] = &[
    Row::new("embeddings", "token_embd", &[Vocab, Hidden]),
    Row::new("norm_f", "output_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.norm", "blk.{}.attn_norm", &[Hidden]),
];

const MIXER: &[Row] =
    mixer!("mixer", INNER, GROUPS, MIXER_STATE, HEADS, MIXER_KERNEL, Presence::Where(mixes));

const ATTENDS: Presence = Presence::Where(attends);

/// Interleaved as Llama's are, though no position is rotated here: both sides alike, so that it makes no difference.
const ATTENTION: &[Row] = &[
    Row::new("layers.{}.mixer.q_proj", "blk.{}.attn_q", &[QueryRows, Hidden])
        .parts(INTERLEAVE_QUERIES)
        .weight(ATTENDS)
        .bias(Presence::Optional),
    Row::new("layers.{}.mixer.k_proj", "blk.{}.attn_k", &[KeyRows, Hidden])
        .parts(INTERLEAVE_KEYS)
        .weight(ATTENDS)
        .bias(Presence::Optional),
    Row::new("layers.{}.mixer.v_proj", "blk.{}.attn_v", &[KeyRows, Hidden])
        .weight(ATTENDS)
        .bias(Presence::Optional),
    Row::new("layers.{}.mixer.o_proj", "blk.{}.attn_output", &[Hidden, QueryRows])
        .weight(ATTENDS)
        .bias(Presence::Optional),
];

const FORWARD: &[Row] = &[
    Row::new("layers.{}.mixer.up_proj", "blk.{}.ffn_up", &[FeedForward, Hidden])
        .weight(Presence::Where(forwards))
        .bias(Presence::Optional),
    Row::new("layers.{}.mixer.down_proj", "blk.{}.ffn_down", &[Hidden, FeedForward])
        .weight(Presence::Where(forwards))
        .bias(Presence::Optional),
];

const MIXTURE_PART: Presence = Presence::Where(has_experts);
const EXPERT: Dim = Key(&["moe_intermediate_size"]);
const SHARED: Dim = Key(&["moe_shared_expert_intermediate_size"]);
/// What experts see: the block's input, or a narrower one made of it.
const LATENT: Dim = KeyOr(&["moe_latent_size"], &Hidden);

const EXPERTS: &[Row] = &[
    Row::new("layers.{}.mixer.gate", "blk.{}.ffn_gate_inp", &[Experts, Hidden]).weight(MIXTURE_PART),
    Row::bare("layers.{}.mixer.gate.e_score_correction_bias", "blk.{}.exp_probs_b.bias", &[Experts])
        .weight(MIXTURE_PART),
    Row::new("layers.{}.mixer.experts.{e}.up_proj", "blk.{}.ffn_up_exps", &[EXPERT, LATENT])
        .weight(MIXTURE_PART),
    Row::new("layers.{}.mixer.experts.{e}.down_proj", "blk.{}.ffn_down_exps", &[LATENT, EXPERT])
        .weight(MIXTURE_PART),
    Row::new("layers.{}.mixer.shared_experts.up_proj", "blk.{}.ffn_up_shexp", &[SHARED, Hidden])
        .weight(MIXTURE_PART),
    Row::new("layers.{}.mixer.shared_experts.down_proj", "blk.{}.ffn_down_shexp", &[Hidden, SHARED])
        .weight(MIXTURE_PART),
    Row::new("layers.{}.mixer.fc1_latent_proj", "blk.{}.ffn_latent_down", &[LATENT, Hidden]).optional(),
    Row::new("layers.{}.mixer.fc2_latent_proj", "blk.{}.ffn_latent_up", &[Hidden, LATENT]).optional(),
];
