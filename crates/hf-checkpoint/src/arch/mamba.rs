//! State-space models and what is mixed with them: `MambaModel`, `Mamba2Model`, `FalconH1Model`, `GraniteHybridModel`,
//! `NemotronHModel` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::llama::LLAMA;
use super::parameter::{Const, Kind, Parameter, constant, needed, size};
use super::text::NOT_TEXT;
use super::{Change, Context, Family, Names, Row, Skip, Step};
use crate::error::Error;
use crate::sizes::Dim::{self, Blocks, Fixed, Hidden, Key, KeyOr, Product, Quotient, Sum, Vocab};
use crate::tokenizer::TokenizerKind;

/// The vocabulary, made up to a multiple of this.
macro_rules! padded {
    ($multiple:literal) => {
        Dim::Rule("vocab_size, padded", |config, _| {
            let multiple = config.size(&["pad_vocab_size_multiple"])?.filter(|n| *n > 0).unwrap_or($multiple);
            Ok(config.dim(Dim::Vocab)?.div_ceil(multiple).saturating_mul(multiple))
        })
    };
}
pub(super) use padded;

pub(super) const MAMBA: Family = Family {
    classes: &["MambaForCausalLM", "MambaLMHeadModel", "FalconMambaForCausalLM"],
    architecture: "mamba",
    tokenizer: TokenizerKind::BpeOrSentencePiece,
    tokens: padded!(8),
    parameters: &[
        UNUSED,
        &[
            size(".ssm.conv_kernel", KERNEL),
            size(".ssm.inner_size", INNER),
            size(".ssm.state_size", STATE),
            size(".ssm.time_step_rank", RANK),
            Parameter::Or {
                key: ".attention.layer_norm_rms_epsilon",
                from: &["layer_norm_epsilon", "rms_norm_eps"],
                or: Const::F32(1e-5),
            },
            Parameter::Rule(normed),
        ],
    ],
    names: Names { remove: &[], strip: &["backbone."], suffixes: &[] },
    skip: &[&[Skip::Tied("lm_head.weight")], NOT_TEXT],
    rows: &[ENDS, MAMBA_ROWS],
    generated: &[],
    headed: &[],
    ..LLAMA
};

/// Falcon's Mamba norms what the others take as it is.
fn normed(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    let falcon = context.config.get("model_type").is_some_and(|t| t == "falcon_mamba");
    pairs.insert(context.key(".ssm.dt_b_c_rms"), falcon);
    Ok(())
}

/// Lengths that have no meaning here, but that llama.cpp asks for.
const UNUSED: &[Parameter] = &[
    constant(".context_length", Const::U32(1 << 20)),
    size(".embedding_length", Hidden),
    constant(".feed_forward_length", Const::U32(0)),
    constant(".attention.head_count", Const::U32(0)),
    size(".block_count", Blocks),
];

const KERNEL: Dim = KeyOr(&["conv_kernel", "d_conv"], &Fixed(4));
const INNER: Dim = KeyOr(&["intermediate_size", "d_inner"], &Product(&[Fixed(2), Hidden]));
const STATE: Dim = KeyOr(&["state_size", "d_state"], &Fixed(16));
const RANK: Dim = Dim::Rule("time_step_rank", |config, _| {
    match config.get("time_step_rank").or(config.get("dt_rank")).and_then(serde_json::Value::as_u64) {
        Some(rank) if rank < 1 << 32 => Ok(rank),
        _ => Ok(config.dim(Hidden)?.div_ceil(16)),
    }
});

/// What is before and after the blocks.
const ENDS: &[Row] = &[
    Row::new("embeddings", "token_embd", &[Vocab, Hidden]),
    Row::new("norm_f", "output_norm", &[Hidden]),
    Row::new("lm_head", "output", &[Vocab, Hidden]).optional(),
    Row::new("layers.{}.norm", "blk.{}.attn_norm", &[Hidden]),
];

const NEGATIVE: &[&[Step]] = &[&[Step::Change(Change::NegExp)]];

const MAMBA_ROWS: &[Row] = &[
    Row::bare("layers.{}.mixer.A_log", "blk.{}.ssm_a", &[INNER, STATE]).parts(NEGATIVE),
    Row::bare("layers.{}.mixer.D", "blk.{}.ssm_d", &[INNER]),
    Row::new("layers.{}.mixer.conv1d", "blk.{}.ssm_conv1d", &[INNER, Fixed(1), KERNEL]).to(&[INNER, KERNEL]),
    Row::bare("layers.{}.mixer.conv1d.bias", "blk.{}.ssm_conv1d.bias", &[INNER]),
    Row::new("layers.{}.mixer.dt_proj", "blk.{}.ssm_dt", &[INNER, RANK]),
    Row::bare("layers.{}.mixer.dt_proj.bias", "blk.{}.ssm_dt.bias", &[INNER]),
    Row::new("layers.{}.mixer.in_proj", "blk.{}.ssm_in", &[Product(&[Fixed(2), INNER]), Hidden]),
    Row::new("layers.{}.mixer.x_proj", "blk.{}.ssm_x", &[Sum(&[RANK, STATE, STATE]), INNER]),
    Row::new("layers.{}.mixer.out_proj", "blk.{}.ssm_out", &[Hidden, INNER]),
];

pub(super) const MAMBA2: Family = Family {
    classes: &["Mamba2ForCausalLM"],
    architecture: "mamba2",
    tokenizer: TokenizerKind::SentencePieceOrBpe,
    tokens: padded!(16),
    parameters: &[
        UNUSED,
        &[
            size(".ssm.conv_kernel", KERNEL),
            size(".ssm.inner_size", INNER2),
            size(".ssm.state_size", STATE2),
            size(".ssm.time_step_rank", HEADS2),
            size(".ssm.group_count", GROUPS2),
            Parameter::Or {
                key: ".attention.layer_norm_rms_epsilon",
                from: &["layer_norm_epsilon", "rms_norm_eps"],
                or: Const::F32(1e-5),
            },
        ],
    ],
    names: Names { remove: &[], strip: &["backbone.", "model.backbone.", "model."], suffixes: &[] },
    rows: &[ENDS, MAMBA2_ROWS],
    ..MAMBA
};

const INNER2: Dim =
    KeyOr(&["intermediate_size", "d_inner"], &Product(&[KeyOr(&["expand"], &Fixed(2)), Hidden]));
const STATE2: Dim = KeyOr(&["state_size", "d_state"], &Fixed(128));
const HEADS2: Dim = Quotient(&INNER2, &KeyOr(&["head_dim"], &Fixed(64)));
const GROUPS2: Dim = KeyOr(&["n_groups"], &Fixed(1));

/// The rows of a second-generation mixer: where it is, its sizes, when a block has one.
macro_rules! mixer {
    ($at:literal, $inner:expr, $groups:expr, $state:expr, $heads:expr, $kernel:expr, $when:expr) => {
        &[
            Row::bare(concat!("layers.{}.", $at, ".A_log"), "blk.{}.ssm_a", &[$heads])
                .parts(&[&[Step::Change(Change::NegExp)]])
                .to(&[$heads, Dim::Fixed(1)])
                .weight($when),
            Row::bare(concat!("layers.{}.", $at, ".D"), "blk.{}.ssm_d", &[$heads])
                .to(&[$heads, Dim::Fixed(1)])
                .weight($when),
            Row::bare(concat!("layers.{}.", $at, ".dt_bias"), "blk.{}.ssm_dt.bias", &[$heads]).weight($when),
            Row::new(
                concat!("layers.{}.", $at, ".conv1d"),
                "blk.{}.ssm_conv1d",
                &[
                    Dim::Sum(&[$inner, Dim::Product(&[Dim::Fixed(2), $groups, $state])]),
                    Dim::Fixed(1),
                    $kernel,
                ],
            )
            .to(&[Dim::Sum(&[$inner, Dim::Product(&[Dim::Fixed(2), $groups, $state])]), $kernel])
            .weight($when),
            Row::bare(
                concat!("layers.{}.", $at, ".conv1d.bias"),
                "blk.{}.ssm_conv1d.bias",
                &[Dim::Sum(&[$inner, Dim::Product(&[Dim::Fixed(2), $groups, $state])])],
            )
            .weight($when),
            Row::new(concat!("layers.{}.", $at, ".norm"), "blk.{}.ssm_norm", &[$inner])
                .to(&[$groups, Dim::Quotient(&$inner, &$groups)])
                .weight($when),
            Row::new(concat!("layers.{}.", $at, ".out_proj"), "blk.{}.ssm_out", &[Dim::Hidden, $inner])
                .weight($when)
                .bias(Presence::Optional),
            Row::new(
                concat!("layers.{}.", $at, ".in_proj"),
                "blk.{}.ssm_in",
                &[
                    Dim::Sum(&[
                        Dim::Product(&[Dim::Fixed(2), $inner]),
                        Dim::Product(&[Dim::Fixed(2), $groups, $state]),
                        $heads,
                    ]),
                    Dim::Hidden,
                ],
            )
            .weight($when)
            .bias(Presence::Optional),
        ]
    };
}
pub(super) use mixer;

use super::Presence;

const MAMBA2_ROWS: &[Row] = mixer!("mixer", INNER2, GROUPS2, STATE2, HEADS2, KERNEL, Presence::Needed);

/// Settings under these names, with or without `mamba_` before them.
pub(super) const GROUPS: Dim = Key(&["n_groups", "mamba_n_groups"]);
pub(super) const MIXER_STATE: Dim = Key(&["state_size", "d_state", "ssm_state_size", "mamba_d_state"]);
pub(super) const MIXER_KERNEL: Dim = Key(&["conv_kernel", "d_conv", "mamba_d_conv"]);
pub(super) const MIXER_HEADS: Dim = Key(&["mamba_n_heads", "mamba_num_heads"]);

/// Falcon's: norms of what a block keeps of the past beside attention; what it multiplies by goes into the weights.
pub(super) const FALCON_H1: Family = Family {
    classes: &["FalconH1ForCausalLM"],
    architecture: "falcon-h1",
    tokenizer: TokenizerKind::ByteLevel,
    tokens: Vocab,
    parameters: &[&[
        needed(".context_length", Kind::U32, &["max_position_embeddings"]),
        size(".embedding_length", Hidden),
        size(".feed_forward_length", Dim::FeedForward),
        size(".attention.head_count", Dim::Heads),
        size(".block_count", Blocks),
        size(".ssm.conv_kernel", MIXER_KERNEL),
        size(".ssm.inner_size", H1_INNER),
        size(".ssm.state_size", MIXER_STATE),
        size(".ssm.time_step_rank", Quotient(&H1_INNER, &Key(&["mamba_d_head"]))),
        size(".ssm.group_count", GROUPS),
        Parameter::Or {
            key: ".attention.layer_norm_rms_epsilon",
            from: &["layer_norm_epsilon", "rms_norm_eps"],
            or: Const::F32(1e-5),
        },
        size(".vocab_size", Vocab),
        size(".attention.head_count_kv", Dim::KeyHeads),
        size(".attention.key_length", Dim::HeadWidth),
        size(".attention.value_length", Dim::HeadWidth),
        Parameter::Rule(super::phi::theta),
    ]],
    names: Names { remove: &[], strip: &["model."], suffixes: &[] },
    skip: &[NOT_TEXT],
    rows: &[H1_ROWS, H1_SCALED, H1_MIXER],
    ..MAMBA
};

const H1_INNER: Dim = Key(&["mamba_d_ssm"]);
const H1_GROUPED: Dim = Product(&[GROUPS, MIXER_STATE]);

const H1_ROWS: &[Row] = &[
    Row::new("final_layernorm", "output_norm", &[Hidden]),
    Row::new("layers.{}.input_layernorm", "blk.{}.attn_norm", &[Hidden]),
    // llama.cpp has this one without `.weight`.
    Row::bare("layers.{}.pre_ff_layernorm.weight", "blk.{}.ffn_norm", &[Hidden]),
    Row::new("layers.{}.feed_forward.up_proj", "blk.{}.ffn_up", &[Dim::FeedForward, Hidden])
        .bias(Presence::If("mlp_bias")),
];

const ATTENTION_BIAS: Presence = Presence::If("attention_bias");

const H1_SCALED: &[Row] = &[
    Row::new("embed_tokens", "token_embd", &[Vocab, Hidden])
        .parts(&[&[Step::Times("embedding_multiplier", None)]]),
    Row::new("lm_head", "output", &[Vocab, Hidden])
        .parts(&[&[Step::Times("lm_head_multiplier", None)]])
        .optional(),
    Row::new("layers.{}.feed_forward.gate_proj", "blk.{}.ffn_gate", &[Dim::FeedForward, Hidden])
        .parts(&[&[Step::Times("mlp_multipliers", Some(0))]])
        .bias(Presence::If("mlp_bias")),
    Row::new("layers.{}.feed_forward.down_proj", "blk.{}.ffn_down", &[Hidden, Dim::FeedForward])
        .parts(&[&[Step::Times("mlp_multipliers", Some(1))]])
        .bias(Presence::If("mlp_bias")),
    Row::new("layers.{}.self_attn.q_proj", "blk.{}.attn_q", &[Dim::QueryRows, Hidden])
        .parts(&[&[Step::Times("attention_in_multiplier", None)]])
        .bias(ATTENTION_BIAS),
    Row::new("layers.{}.self_attn.k_proj", "blk.{}.attn_k", &[Dim::KeyRows, Hidden])
        .parts(&[&[Step::Times("key_multiplier", None), Step::Times("attention_in_multiplier", None)]])
        .bias(ATTENTION_BIAS),
    Row::new("layers.{}.self_attn.v_proj", "blk.{}.attn_v", &[Dim::KeyRows, Hidden])
        .parts(&[&[Step::Times("attention_in_multiplier", None)]])
        .bias(ATTENTION_BIAS),
    Row::new("layers.{}.self_attn.o_proj", "blk.{}.attn_output", &[Hidden, Dim::QueryRows])
        .parts(&[&[Step::Times("attention_out_multiplier", None)]])
        .bias(ATTENTION_BIAS),
];

const H1_PLAIN: &[Row] =
    mixer!("mamba", H1_INNER, GROUPS, MIXER_STATE, MIXER_HEADS, MIXER_KERNEL, Presence::Needed);

const IN: Step = Step::Times("ssm_in_multiplier", None);

const H1_MIXER: &[Row] = &[
    H1_PLAIN[0],
    H1_PLAIN[1],
    H1_PLAIN[2],
    H1_PLAIN[3],
    H1_PLAIN[4].weight(Presence::If("mamba_conv_bias")),
    H1_PLAIN[5].weight(Presence::If("mamba_rms_norm")),
    H1_PLAIN[6].parts(&[&[Step::Times("ssm_out_multiplier", None)]]),
    H1_PLAIN[7].parts(&[
        &[Step::Slice(0, Start::First, H1_INNER), IN, Step::Times("ssm_multipliers", Some(0))],
        &[Step::Slice(0, Start::After(H1_INNER), H1_INNER), IN, Step::Times("ssm_multipliers", Some(1))],
        &[Step::Slice(0, Start::After(TWO_INNER), H1_GROUPED), IN, Step::Times("ssm_multipliers", Some(2))],
        &[
            Step::Slice(0, Start::After(Sum(&[TWO_INNER, H1_GROUPED])), H1_GROUPED),
            IN,
            Step::Times("ssm_multipliers", Some(3)),
        ],
        &[
            Step::Slice(0, Start::After(Sum(&[TWO_INNER, H1_GROUPED, H1_GROUPED])), MIXER_HEADS),
            IN,
            Step::Times("ssm_multipliers", Some(4)),
        ],
    ]),
];
const TWO_INNER: Dim = Product(&[Fixed(2), H1_INNER]);

use super::Start;
