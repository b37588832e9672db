//! EXAONE 4: `Exaone4Model` of convert_hf_to_gguf.

use gguf_format::Metadata;
use serde_json::Value;

use super::llama::{ENDS, HEAD_NORMS, LLAMA, PLAIN_ATTENTION, PLAIN_FORWARD};
use super::olmo::AFTER_NORMS;
use super::parameter::{Kind, Parameter, size};
use super::rules::sliding;
use super::text::TEXT;
use super::{Context, Family};
use crate::error::Error;
use crate::rope;
use crate::sizes::Dim::{Blocks, Vocab};
use crate::tokenizer::TokenizerKind;

pub(super) const EXAONE4: Family = Family {
    classes: &["Exaone4ForCausalLM"],
    architecture: "exaone4",
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[TEXT, &[size(".vocab_size", Vocab), Parameter::Rule(windows)]],
    rows: &[ENDS, AFTER_NORMS, PLAIN_ATTENTION, HEAD_NORMS, PLAIN_FORWARD],
    generated: &[|config| rope::llama3_with(config, 16.0)],
    headed: &["Exaone4ForCausalLM"],
    ..LLAMA
};

fn windows(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let Some(window) = config.get("sliding_window") else { return Ok(()) };
    pairs.insert(
        context.key(".attention.sliding_window"),
        context.value(Kind::U32, "sliding_window", window)?,
    );
    let blocks = config.dim(Blocks)?;
    let pattern = match (sliding(config)?, config.get("sliding_window_pattern")) {
        (Some(pattern), _) => Some(pattern),
        // `LLLG`: local, local, local, global.
        (None, Some(Value::String(kinds))) if !kinds.is_empty() => {
            Some(kinds.bytes().cycle().map(|k| k == b'L').take(blocks as usize).collect())
        }
        (None, Some(Value::Number(every))) => {
            every.as_u64().filter(|n| *n > 0).map(|every| (1..=blocks).map(|i| i % every != 0).collect())
        }
        _ => None,
    };
    if let Some(pattern) = pattern {
        pairs.insert(context.key(".attention.sliding_window_pattern"), pattern);
    }
    Ok(())
}
