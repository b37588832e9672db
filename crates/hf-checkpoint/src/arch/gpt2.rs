//! GPT-2: `GPT2Model` of convert_hf_to_gguf. Its layers are stored the other way round.

use super::llama::LLAMA;
use super::parameter::{Kind, needed, size};
use super::text::NOT_TEXT;
use super::{Family, Names, Presence, Row, Skip, Step};
use crate::sizes::Dim::{self, Blocks, Fixed, Heads, Hidden, KeyOr, Product, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const GPT2: Family = Family {
    classes: &["GPT2LMHeadModel"],
    architecture: "gpt2",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[&[
        size(".block_count", Blocks),
        needed(".context_length", Kind::U32, &["n_ctx", "n_positions"]),
        size(".embedding_length", Hidden),
        size(".feed_forward_length", FOUR),
        size(".attention.head_count", Heads),
        needed(".attention.layer_norm_epsilon", Kind::F32, &["layer_norm_epsilon"]),
    ]],
    names: Names { remove: &[], strip: &["transformer."], suffixes: &[] },
    skip: &[&[Skip::Ends(".attn.bias"), Skip::Ends(".attn.masked_bias")], NOT_TEXT],
    rows: &[ROWS],
    generated: &[],
    headed: &[],
    ..LLAMA
};

const FOUR: Dim = Product(&[Fixed(4), Hidden]);
const INNER: Dim = KeyOr(&["n_inner"], &FOUR);
const THREE: Dim = Product(&[Fixed(3), Hidden]);
const POSITIONS: Dim = Dim::Key(&["n_positions", "n_ctx"]);
const TURNED: &[&[Step]] = &[&[Step::Swap(0, 1)]];
const BIAS: Presence = Presence::Needed;

const ROWS: &[Row] = &[
    Row::new("wte", "token_embd", &[Vocab, Hidden]),
    Row::new("wpe", "position_embd", &[POSITIONS, Hidden]),
    Row::new("ln_f", "output_norm", &[Hidden]).bias(BIAS),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("h.{}.ln_1", "blk.{}.attn_norm", &[Hidden]).bias(BIAS),
    Row::new("h.{}.attn.c_attn", "blk.{}.attn_qkv", &[Hidden, THREE]).parts(TURNED).to(&[THREE, Hidden]),
    Row::bare("h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias", &[THREE]),
    Row::new("h.{}.attn.c_proj", "blk.{}.attn_output", &[Hidden, Hidden]).parts(TURNED),
    Row::bare("h.{}.attn.c_proj.bias", "blk.{}.attn_output.bias", &[Hidden]),
    Row::new("h.{}.ln_2", "blk.{}.ffn_norm", &[Hidden]).bias(BIAS),
    Row::new("h.{}.mlp.c_fc", "blk.{}.ffn_up", &[Hidden, INNER]).parts(TURNED).to(&[INNER, Hidden]),
    Row::bare("h.{}.mlp.c_fc.bias", "blk.{}.ffn_up.bias", &[INNER]),
    Row::new("h.{}.mlp.c_proj", "blk.{}.ffn_down", &[INNER, Hidden]).parts(TURNED).to(&[Hidden, INNER]),
    Row::bare("h.{}.mlp.c_proj.bias", "blk.{}.ffn_down.bias", &[Hidden]),
];
