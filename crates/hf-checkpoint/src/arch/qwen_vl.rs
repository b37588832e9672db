//! The language models of Qwen's models that see: `Qwen2VLModel`, `Qwen3VLTextModel`, `Qwen3VLMoeTextModel` of
//! convert_hf_to_gguf.

use gguf_format::Metadata;
use serde_json::Value;

use super::experts::{BOTH, EXPERTS as ALONE, GATE_HALF, UP_HALF};
use super::llama::{DECODER_NAMES, ENDS, HEAD_NORMS, NORMS, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::parameter::Parameter;
use super::qwen::{BIASED_ATTENTION, EXPERT_SIZES, QWEN2, QWEN3_MOE};
use super::table::Source;
use super::text::TEXT;
use super::{Context, Family, Names, Row, Start, Step, pooling};
use crate::error::Error;
use crate::sizes::Dim::{ExpertForward, Experts, Hidden};
use crate::tokenizer::TokenizerKind;

pub(super) const QWEN2_VL: Family = Family {
    classes: &[
        "Qwen2VLForConditionalGeneration",
        "Qwen2_5_VLForConditionalGeneration",
        "Qwen2VLModel",
        // What it thinks with, of the parts that hear, see and talk.
        "Qwen2_5OmniModel",
    ],
    architecture: "qwen2vl",
    parameters: &[TEXT],
    names: NAMES,
    rows: &[ENDS, NORMS, BIASED_ATTENTION, PLAIN_FORWARD],
    headed: &["Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration"],
    ..QWEN2
};

pub(super) const QWEN3_VL: Family = Family {
    classes: &["Qwen3VLForConditionalGeneration"],
    architecture: "qwen3vl",
    parameters: &[TEXT, &[Parameter::Rule(pooling::write), Parameter::Rule(deep_stack)]],
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, HEAD_NORMS, PLAIN_FORWARD],
    headed: &["Qwen3VLForConditionalGeneration"],
    ..QWEN2_VL
};

pub(super) const QWEN3_VL_MOE: Family = Family {
    classes: &["Qwen3VLMoeForConditionalGeneration"],
    architecture: "qwen3vlmoe",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[TEXT, EXPERT_SIZES, &[Parameter::Rule(deep_stack)]],
    names: NAMES,
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, HEAD_NORMS, EXPERTS],
    headed: &["Qwen3VLMoeForConditionalGeneration"],
    ..QWEN3_MOE
};

/// What Qwen3-Omni thinks with.
pub(super) const QWEN3_OMNI: Family = Family {
    classes: &["Qwen3OmniMoeForConditionalGeneration"],
    closing: &[Parameter::Rule(turn_ends)],
    rows: &[ENDS, NORMS, PLAIN_ATTENTION, HEAD_NORMS, ALONE],
    headed: &["Qwen3OmniMoeForConditionalGeneration"],
    ..QWEN3_VL_MOE
};

/// Where a turn ends, a text begins and ends.
fn turn_ends(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let tokenizer = context.config.beside("tokenizer_config.json")?;
    let added = tokenizer.as_ref().and_then(|t| t.get("added_tokens_decoder")?.as_object());
    let is_end = |token: &Value| token.get("content").is_some_and(|text| text == "<|im_end|>");
    let end = added.into_iter().flatten().find(|(_, token)| is_end(token));
    if let Some(id) = end.and_then(|(id, _)| id.parse::<u32>().ok()) {
        pairs.insert("tokenizer.ggml.bos_token_id", id);
        pairs.insert("tokenizer.ggml.eos_token_id", id);
    }
    Ok(())
}

const NAMES: Names = Names { remove: &["thinker.", "language_model.", "text_model."], ..DECODER_NAMES };

/// How many layers get what is seen.
fn deep_stack(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let vision = context.config.raw.get("vision_config");
    let layers = vision.and_then(|v| v.get("deepstack_visual_indexes")).and_then(Value::as_array);
    pairs.insert(context.key(".n_deepstack_layers"), layers.map_or(0, Vec::len) as u32);
    Ok(())
}

const GATE: &[&[Step]] = &[&[Step::Swap(1, 2), Step::Slice(1, Start::First, ExpertForward)]];
const UP: &[&[Step]] = &[&[Step::Swap(1, 2), Step::Slice(1, Start::After(ExpertForward), ExpertForward)]];
const TURNED: &[&[Step]] = &[&[Step::Swap(1, 2)]];

/// Experts stored column by column, as they were published, or row by row, as transformers 5 saves them.
const EXPERTS: &[Row] = &[
    Row::new("layers.{}.mlp.gate", "blk.{}.ffn_gate_inp", &[Experts, Hidden]),
    Row::of("blk.{}.ffn_gate_exps.weight", Source::bare(GATE_UP, &[Experts, Hidden, BOTH]).parts(GATE))
        .or(&[Source::bare(GATE_UP, &[Experts, BOTH, Hidden]).parts(GATE_HALF)])
        .to(&[Experts, ExpertForward, Hidden]),
    Row::of("blk.{}.ffn_up_exps.weight", Source::bare(GATE_UP, &[Experts, Hidden, BOTH]).parts(UP))
        .or(&[Source::bare(GATE_UP, &[Experts, BOTH, Hidden]).parts(UP_HALF)])
        .to(&[Experts, ExpertForward, Hidden]),
    Row::of(
        "blk.{}.ffn_down_exps.weight",
        Source::bare(DOWN, &[Experts, ExpertForward, Hidden]).parts(TURNED),
    )
    .or(&[Source::bare(DOWN, &[Experts, Hidden, ExpertForward])])
    .to(&[Experts, Hidden, ExpertForward]),
];

const GATE_UP: &str = "layers.{}.mlp.experts.gate_up_proj";
const DOWN: &str = "layers.{}.mlp.experts.down_proj";
