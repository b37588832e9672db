//! RoBERTa and XLM-RoBERTa: `RobertaModel` and `XLMRobertaModel` of convert_hf_to_gguf. BERT with other tokenizers, whose
//! first position has the number after the padding token's.

use gguf_format::Metadata;
use serde_json::Value;

use super::bert::{BERT, BOTH_WAYS, LAYERS, TYPED_WORDS, TYPES};
use super::parameter::Parameter;
use super::text::TEXT;
use super::{Context, Family, Names, Presence, Row, Start, Step, jina};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{self, Hidden, Labels, Positions};
use crate::tokenizer::TokenizerKind;

pub(super) const ROBERTA: Family = Family {
    classes: &["RobertaModel", "RobertaForSequenceClassification"],
    tokenizer: TokenizerKind::ByteLevel,
    parameters: &[TEXT, BOTH_WAYS, &[Parameter::Rule(places)]],
    closing: &[TYPES],
    names: Names { strip: &["roberta."], ..BERT.names },
    rows: &[TYPED_WORDS, PLACES, LAYERS, TWO_LAYER_HEAD],
    ..BERT
};

pub(super) const XLM_ROBERTA: Family = Family {
    classes: &["XLMRobertaModel", "XLMRobertaForSequenceClassification"],
    tokenizer: TokenizerKind::XlmRoberta,
    variant: Some(|config| jina::has_adaptations(config).then_some(&jina::JINA_BERT_V3)),
    // The types are among the tokenizer's pairs.
    closing: &[],
    ..ROBERTA
};

/// CamemBERT, which the converter takes for BERT: with WordPiece, and every position. It is RoBERTa with Unigram.
pub(super) const CAMEMBERT: Family = Family {
    classes: &["CamembertModel", "CamembertForSequenceClassification"],
    tokenizer: TokenizerKind::Camembert,
    variant: None,
    ..XLM_ROBERTA
};

/// Positions without those that no token of a text has.
const PLACES: &[Row] = &[Row::new("embeddings.position_embeddings", "position_embd", &[Positions, Hidden])
    .to(&[USED, Hidden])
    .parts(&[&[Step::Slice(0, Start::After(UNUSED), USED)]])];

const TWO_LAYER_HEAD: &[Row] = &[
    Row::new("classifier.dense", "cls", &[Hidden, Hidden]).optional().bias(Presence::Optional),
    Row::new("classifier.out_proj", "cls.output", &[Labels, Hidden]).optional().bias(Presence::Optional),
];

const UNUSED: Dim = Dim::Rule("pad_token_id + 1", unused);
const USED: Dim = Dim::Rule("max_position_embeddings - pad_token_id - 1", |config, _| {
    let (all, unused) = (config.dim(Positions)?, unused(config, 0)?);
    all.checked_sub(unused).filter(|used| *used > 0).ok_or_else(|| {
        crate::json::bad_key(
            config.path(),
            "max_position_embeddings",
            &all.into(),
            "more than pad_token_id + 1",
        )
    })
});

/// Positions before the first token's: transformers' configuration has 1 for the padding token where the file has nothing;
/// null is none.
fn unused(config: &Config, _: u64) -> Result<u64, Error> {
    match config.raw.get("pad_token_id") {
        Some(Value::Null) => Ok(0),
        None => Ok(2),
        Some(_) => Ok(config.size(&["pad_token_id"])?.unwrap_or_default() + 1),
    }
}

/// The context is as long as there are positions.
fn places(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    // A size is below 2^32.
    pairs.insert(context.key(".context_length"), context.config.dim(USED)? as u32);
    Ok(())
}
