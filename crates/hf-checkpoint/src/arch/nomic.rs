//! Nomic's embedding models: `NomicBertModel` of convert_hf_to_gguf. BERT with rotated positions and gated layers, or with
//! experts in some blocks.
//!
//! Their configs have GPT-2's names, which transformers knew nothing of until version 5 took them in under others. The
//! converter is made for the version before (4.57.6 in its requirements) and reads the file as it is; through today's it
//! would write transformers' defaults in place of the file's `rotary_emb_base` and `layer_norm_epsilon`. So there
//! are no defaults for `nomic_bert` here.

use gguf_format::Metadata;
use serde_json::{Value, json};

use super::bert::{BERT, BIAS, BOTH_WAYS, TRAINED, TYPED_WORDS, TYPES};
use super::parameter::{Kind, Parameter, needed};
use super::text::{NOT_TEXT, TEXT};
use super::{Context, Family, Presence, Row, Skip, Source, Step};
use crate::config::Config;
use crate::error::Error;
use crate::json::bad_key;
use crate::sizes::Dim::{self, Experts, FeedForward, Fixed, Hidden, Product};
use crate::tokenizer::TokenizerKind;

pub(super) const NOMIC_BERT: Family = Family {
    classes: &["NomicBertModel"],
    architecture: "nomic-bert",
    variant: Some(|config| config.flag(EVERY).then_some(&NOMIC_BERT_MOE)),
    opening: &[Parameter::Rule(usual)],
    parameters: &[TEXT, BOTH_WAYS, &[Parameter::Rule(length), TYPES]],
    rows: &[WORDS, ATTENTION, GATED],
    ..BERT
};

static NOMIC_BERT_MOE: Family = Family {
    architecture: "nomic-bert-moe",
    tokenizer: TokenizerKind::XlmRobertaMasked,
    variant: None,
    // The types of tokens are among the tokenizer's pairs.
    parameters: &[
        TEXT,
        BOTH_WAYS,
        &[
            Parameter::Rule(length),
            needed(".moe_every_n_layers", Kind::U32, &[EVERY]),
            needed(".expert_used_count", Kind::U32, &["moe_top_k"]),
        ],
    ],
    // The experts' bias is added to none of them but to their sum, and llama.cpp does without.
    skip: &[&[Skip::Contains("mlp.experts.bias")], TRAINED, NOT_TEXT],
    rows: &[WORDS, ATTENTION, DENSE, MIXED],
    ..NOMIC_BERT
};

const EVERY: &str = "moe_every_n_layers";

/// Whether a block has experts; the first has none.
fn mixed(config: &Config, block: u64) -> bool {
    let every = config.size(&[EVERY]).ok().flatten();
    every.and_then(|every| block.checked_rem(every)) == Some(1)
}

fn dense(config: &Config, block: u64) -> bool {
    !mixed(config, block)
}

const WORDS: &[Row] =
    &[TYPED_WORDS[0], TYPED_WORDS[1], Row::new("emb_ln", "token_embd_norm", &[Hidden]).bias(BIAS)];

const ATTENTION: &[Row] = &[
    Row::new("encoder.layers.{}.attn.Wqkv", "blk.{}.attn_qkv", &[Product(&[Fixed(3), Hidden]), Hidden])
        .bias(Presence::If("qkv_proj_bias")),
    Row::new("encoder.layers.{}.attn.out_proj", "blk.{}.attn_output", &[Hidden, Hidden])
        .bias(Presence::If("qkv_proj_bias")),
    Row::new("encoder.layers.{}.norm1", "blk.{}.attn_output_norm", &[Hidden]).bias(BIAS),
    Row::new("encoder.layers.{}.norm2", "blk.{}.layer_output_norm", &[Hidden]).bias(BIAS),
];

const GATED: &[Row] = &[
    Row::new("encoder.layers.{}.mlp.fc11", "blk.{}.ffn_up", &[FeedForward, Hidden]),
    Row::new("encoder.layers.{}.mlp.fc12", "blk.{}.ffn_gate", &[FeedForward, Hidden]),
    Row::new("encoder.layers.{}.mlp.fc2", "blk.{}.ffn_down", &[Hidden, FeedForward]),
];

const DENSE: &[Row] = &[
    Row::new("encoder.layers.{}.mlp.fc1", "blk.{}.ffn_up", &[FeedForward, Hidden])
        .weight(Presence::Where(dense))
        .bias(Presence::Where(dense)),
    Row::new("encoder.layers.{}.mlp.fc2", "blk.{}.ffn_down", &[Hidden, FeedForward])
        .weight(Presence::Where(dense))
        .bias(Presence::Where(dense)),
];

/// All experts one below the other.
const STACKED: &[Dim] = &[Product(&[Experts, FeedForward]), Hidden];
const TURNED: &[&[Step]] = &[&[Step::Split(0, &[Experts]), Step::Swap(1, 2)]];

const MIXED: &[Row] = &[
    Row::new("encoder.layers.{}.mlp.router.layer", "blk.{}.ffn_gate_inp", &[Experts, Hidden])
        .weight(Presence::Where(mixed)),
    Row::of("blk.{}.ffn_up_exps.weight", Source::bare("encoder.layers.{}.mlp.experts.mlp.w1", STACKED))
        .to(&[Experts, FeedForward, Hidden])
        .weight(Presence::Where(mixed)),
    Row::of("blk.{}.ffn_down_exps.weight", Source::bare("encoder.layers.{}.mlp.experts.mlp.w2", STACKED))
        .parts(TURNED)
        .to(&[Experts, Hidden, FeedForward])
        .weight(Presence::Where(mixed)),
];

/// Refuses models that llama.cpp would compute otherwise than they are meant.
fn usual(context: &Context<'_>, _: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let mixed = config.flag(EVERY);
    for (key, expected) in [
        ("activation_function", json!(if mixed { "gelu" } else { "swiglu" })),
        ("causal", json!(false)),
        ("qkv_proj_bias", json!(mixed)),
        ("mlp_fc1_bias", json!(mixed)),
        ("mlp_fc2_bias", json!(mixed)),
        ("prenorm", json!(false)),
        ("rotary_emb_fraction", json!(1.0)),
        ("rotary_emb_interleaved", json!(false)),
        ("rotary_emb_scale_base", Value::Null),
    ] {
        let found = config.get(key).unwrap_or(&Value::Null);
        let equal = found.as_f64().is_some_and(|n| expected.as_f64() == Some(n));
        if *found != expected && !equal {
            return Err(bad_key(
                config.path(),
                key,
                found,
                &format!("{expected}, which llama.cpp takes for granted"),
            ));
        }
    }
    Ok(())
}

/// The context is as long as the texts the model was trained on, which its config does not say of either kind.
fn length(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let config = context.config;
    let trained = config.size(&["max_trained_positions"])?.unwrap_or(2048);
    let trained: u32 = match (config.needed_size(&["n_positions"])?, trained) {
        (8192, 2048) => 2048,
        (2048, 2048) => 512,
        (positions, _) => {
            let expected = "8192 or 2048, with a max_trained_positions of 2048";
            return Err(bad_key(config.path(), "n_positions", &positions.into(), expected));
        }
    };
    if config.get("max_position_embeddings").or(config.get("n_ctx")).is_none() {
        pairs.insert(context.key(".context_length"), trained);
    }
    Ok(())
}
