//! MPT: `MPTModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::llama::LLAMA;
use super::parameter::{Const, Kind, Parameter, constant, needed, size};
use super::text::NOT_TEXT;
use super::{Context, Family, Names, Presence, Row};
use crate::error::Error;
use crate::json::truthy;
use crate::sizes::Dim::{self, Blocks, Fixed, Heads, Hidden, Key, Product, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const MPT: Family = Family {
    // transformers' own class is spelt otherwise than the models'.
    classes: &["MPTForCausalLM", "MptForCausalLM"],
    architecture: "mpt",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[&[
        needed(".context_length", Kind::U32, &["max_seq_len"]),
        size(".embedding_length", Hidden),
        size(".block_count", Blocks),
        size(".feed_forward_length", FOUR),
        size(".attention.head_count", Heads),
        Parameter::Rule(key_heads),
        constant(".attention.layer_norm_epsilon", Const::F32(1e-5)),
        Parameter::Rule(attention),
    ]],
    names: Names { remove: &[], strip: &["transformer."], suffixes: &[] },
    skip: &[NOT_TEXT],
    rows: &[ROWS],
    generated: &[],
    headed: &[],
    ..LLAMA
};

const FOUR: Dim = Product(&[Fixed(4), Hidden]);
const WIDTH: Dim = Dim::Quotient(&Hidden, &Heads);
const QKV: Dim = Dim::Rule("d_model+2*kv_n_heads*d_model/n_heads", |config, _| {
    let given =
        config.get("attn_config").and_then(|a| a.get("kv_n_heads")).and_then(serde_json::Value::as_u64);
    let hidden = config.dim(Hidden)?;
    let heads = given.filter(|n| *n <= hidden).map_or_else(|| config.dim(Heads), Ok)?;
    Ok(hidden + 2 * heads * config.dim(WIDTH)?)
});

const BIAS: Presence = Presence::Optional;

const ROWS: &[Row] = &[
    Row::new("wte", "token_embd", &[Vocab, Hidden]),
    Row::new("wpe", "position_embd", &[Key(&["max_seq_len"]), Hidden]).optional(),
    Row::new("norm_f", "output_norm", &[Hidden]).bias(BIAS),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("blocks.{}.norm_1", "blk.{}.attn_norm", &[Hidden]).bias(BIAS),
    Row::new("blocks.{}.attn.Wqkv", "blk.{}.attn_qkv", &[QKV, Hidden]).bias(BIAS),
    Row::new("blocks.{}.attn.q_ln", "blk.{}.attn_q_norm", &[Hidden]).optional().bias(BIAS),
    Row::new("blocks.{}.attn.k_ln", "blk.{}.attn_k_norm", &[Hidden]).optional().bias(BIAS),
    Row::new("blocks.{}.attn.out_proj", "blk.{}.attn_output", &[Hidden, Hidden]).bias(BIAS),
    Row::new("blocks.{}.norm_2", "blk.{}.ffn_norm", &[Hidden]).bias(BIAS),
    Row::new("blocks.{}.ffn.up_proj", "blk.{}.ffn_up", &[FOUR, Hidden]).bias(BIAS),
    Row::new("blocks.{}.ffn.down_proj", "blk.{}.ffn_down", &[Hidden, FOUR]).bias(BIAS),
    Row::bare("blocks.{}.ffn.act.scales", "blk.{}.ffn_act.scales", &[FOUR]).optional(),
];

fn key_heads(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let attention = context.config.get("attn_config");
    if let Some(heads) = attention.and_then(|a| a.get("kv_n_heads")).filter(|h| truthy(h)) {
        let heads = context.value(Kind::U32, "attn_config.kv_n_heads", heads)?;
        pairs.insert(context.key(".attention.head_count_kv"), heads);
    }
    Ok(())
}

fn attention(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let attention = context.config.get("attn_config");
    let get = |key: &str| attention.and_then(|a| a.get(key)).filter(|v| !v.is_null());
    if let Some(clip) = get("clip_qkv") {
        let clip = context.config.f32("attn_config.clip_qkv", clip)?;
        pairs.insert(context.key(".attention.clamp_kqv"), clip);
    }
    let bias = match get("alibi").is_some_and(truthy) {
        true => {
            get("alibi_bias_max").map_or(Ok(8.0), |b| context.config.f32("attn_config.alibi_bias_max", b))?
        }
        false => 0.0,
    };
    pairs.insert(context.key(".attention.max_alibi_bias"), bias);
    Ok(())
}
