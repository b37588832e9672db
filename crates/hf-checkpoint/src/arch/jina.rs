//! Jina's embeddings: `JinaBertV2Model` of convert_hf_to_gguf, and the third of them, which is `XLMRobertaModel` there. BERT
//! without positions' embeddings: distances bias attention (2), or positions are rotated (3).

use gguf_format::Metadata;
use serde_json::Value;

use super::bert::{BERT, BIAS, BOTH_WAYS, LAYERS, TYPED_WORDS, TYPES};
use super::parameter::{Const, Parameter, constant};
use super::roberta::ROBERTA;
use super::text::TEXT;
use super::{Context, Family, Names, Presence, Row, Skip, Source};
use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim::{self, FeedForward, Fixed, Hidden, Product};
use crate::tokenizer::TokenizerKind;

/// Jina's second embeddings in English (and, with other names of tensors and another tokenizer, of code and other languages).
pub(super) const JINA_BERT_V2: Family = Family {
    classes: &["JinaBertModel", "JinaBertForMaskedLM"],
    architecture: "jina-bert-v2",
    variant: Some(|config| with_bpe(config).then_some(&JINA_BERT_V2_BPE)),
    parameters: &[TEXT, BOTH_WAYS, &[TYPES]],
    rows: &[TYPED_WORDS, ATTENTION, NORMS, FORWARD],
    ..BERT
};

static JINA_BERT_V2_BPE: Family = Family {
    tokenizer: TokenizerKind::ByteLevelOrWords,
    variant: None,
    parameters: &[TEXT, BOTH_WAYS],
    closing: &[constant("tokenizer.ggml.token_type_count", Const::U32(2))],
    ..JINA_BERT_V2
};

/// Whether the folder says that its tokenizer is RoBERTa's.
fn with_bpe(config: &Config) -> bool {
    let tokenizer = config.beside("tokenizer_config.json").ok().flatten();
    tokenizer.is_some_and(|t| t.get("tokenizer_class").and_then(Value::as_str) == Some("RobertaTokenizer"))
}

/// The first five of BERT's rows of a layer, with norms of all heads' queries and keys where a model has them.
const ATTENTION: &[Row] = &[
    LAYERS[0],
    LAYERS[1],
    LAYERS[2],
    LAYERS[3],
    LAYERS[4],
    Row::new("encoder.layer.{}.attention.self.layer_norm_q", "blk.{}.attn_q_norm", &[Hidden])
        .optional()
        .bias(Presence::Optional),
    Row::new("encoder.layer.{}.attention.self.layer_norm_k", "blk.{}.attn_k_norm", &[Hidden])
        .optional()
        .bias(Presence::Optional),
];

const NORMS: &[Row] = &[
    Row::new("encoder.layer.{}.layer_norm_1", "blk.{}.attn_norm_2", &[Hidden])
        .optional()
        .bias(Presence::Optional),
    Row::of("blk.{}.layer_output_norm", Source::new("encoder.layer.{}.mlp.layernorm", &[Hidden]))
        .or(&[Source::new("encoder.layer.{}.layer_norm_2", &[Hidden])])
        .bias(BIAS),
];

const BOTH: Dim = Product(&[Fixed(2), FeedForward]);

/// The gate is the second half of the first matrix.
const FORWARD: &[Row] = &[
    Row::of("blk.{}.ffn_up", Source::new("encoder.layer.{}.mlp.gated_layers", &[BOTH, Hidden]))
        .or(&[Source::new("encoder.layer.{}.mlp.up_gated_layer", &[BOTH, Hidden])])
        .bias(Presence::Optional),
    Row::of("blk.{}.ffn_down", Source::new("encoder.layer.{}.mlp.wo", &[Hidden, FeedForward]))
        .or(&[Source::new("encoder.layer.{}.mlp.down_layer", &[Hidden, FeedForward])])
        .bias(BIAS),
];

/// Jina's third embeddings, as the config of an XLM-RoBERTa says that has adaptations for tasks.
pub(super) static JINA_BERT_V3: Family = Family {
    architecture: "jina-bert-v3",
    tokenizer: TokenizerKind::XlmRoberta,
    variant: None,
    opening: &[Parameter::Rule(adapted)],
    closing: &[],
    names: Names {
        remove: &["language_model.", "parametrizations."],
        strip: &["roberta."],
        suffixes: &[(".original", "")],
    },
    skip: &[
        &[
            // The factors for each task.
            Skip::Ends(".0.lora_A"),
            Skip::Ends(".0.lora_B"),
        ],
        ROBERTA.skip[0],
        ROBERTA.skip[1],
    ],
    rows: &[V3_ROWS],
    ..ROBERTA
};

pub(super) fn has_adaptations(config: &Config) -> bool {
    config.flag("lora_adaptations")
}

/// Says that the adaptations are left out: the converter writes each to a file of its own.
fn adapted(context: &Context<'_>, _: &mut Metadata, notes: &mut Vec<String>) -> Result<(), Error> {
    let tasks = context.config.get("lora_adaptations").and_then(Value::as_array);
    let tasks: Vec<&str> = tasks.into_iter().flatten().filter_map(Value::as_str).take(20).collect();
    notes.push(format!("the adaptations for tasks are left out: {}", tasks.join(", ")));
    Ok(())
}

const THREE: Dim = Product(&[Fixed(3), Hidden]);

const V3_ROWS: &[Row] = &[
    TYPED_WORDS[0],
    TYPED_WORDS[1],
    Row::new("emb_ln", "token_embd_norm", &[Hidden]).bias(BIAS),
    Row::new("encoder.layers.{}.mixer.Wqkv", "blk.{}.attn_qkv", &[THREE, Hidden]).bias(BIAS),
    Row::new("encoder.layers.{}.mixer.out_proj", "blk.{}.attn_output", &[Hidden, Hidden]).bias(BIAS),
    Row::new("encoder.layers.{}.norm1", "blk.{}.attn_output_norm", &[Hidden]).bias(BIAS),
    Row::new("encoder.layers.{}.mlp.fc1", "blk.{}.ffn_up", &[FeedForward, Hidden]).bias(BIAS),
    Row::new("encoder.layers.{}.mlp.fc2", "blk.{}.ffn_down", &[Hidden, FeedForward]).bias(BIAS),
    Row::new("encoder.layers.{}.norm2", "blk.{}.layer_output_norm", &[Hidden]).bias(BIAS),
];
