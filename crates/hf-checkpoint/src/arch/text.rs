//! What all text models share: `TextModel` and `ModelBase` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::parameter::{Kind::F32, Kind::U32, Kind::U32OrList, Parameter, needed, size, value};
use super::{Context, Skip};
use crate::config::Config;
use crate::error::Error;
use crate::json::bad_key;
use crate::rope;
use crate::sizes::Dim;
use Parameter::Rule;

/// The parameters that `TextModel.set_gguf_parameters` writes, in its order, up to the file type.
pub(super) const TEXT: &[Parameter] = &[
    size(".block_count", Dim::Blocks),
    value(
        ".context_length",
        U32,
        &[
            "max_position_embeddings",
            "n_ctx",
            "n_positions",
            "max_length",
            "max_sequence_length",
            "model_max_length",
        ],
    ),
    value(".embedding_length", U32, &["hidden_size", "n_embd", "dim"]),
    value(
        ".feed_forward_length",
        U32OrList,
        &[
            "prefix_dense_intermediate_size",
            "dense_intermediate_size",
            "intermediate_size",
            "n_inner",
            "hidden_dim",
        ],
    ),
    // No model runs without it, and the shapes of not every one tell that it is missing.
    needed(".attention.head_count", U32, &["num_attention_heads", "n_head", "n_heads"]),
    value(".attention.head_count_kv", U32, &["num_key_value_heads", "n_kv_heads"]),
    Rule(not_causal),
    Rule(|context, pairs, notes| rope::write(context.config, context.architecture, pairs, notes)),
    value(".attention.layer_norm_rms_epsilon", F32, &["rms_norm_eps", "norm_eps"]),
    value(".attention.layer_norm_epsilon", F32, &["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"]),
    value(".expert_count", U32, &["num_local_experts", "num_experts", "n_routed_experts"]),
    value(".expert_used_count", U32, &["num_experts_per_tok", "num_experts_per_token", "top_k_experts"]),
    value(".expert_group_count", U32, &["n_group"]),
    value(".expert_group_used_count", U32, &["topk_group"]),
    Rule(gating),
    value(".attention.key_length", U32, &["head_dim"]),
    value(".attention.value_length", U32, &["head_dim"]),
];

/// How the experts' scores are made of the router's numbers (llama.cpp's `llama_expert_gating_func_type`).
///
/// transformers 5 does not save DeepSeek V3's setting, and GLM 4.7 Flash never had one. Without it the converter writes no key.
fn gating(context: &Context<'_>, pairs: &mut Metadata, notes: &mut Vec<String>) -> Result<(), Error> {
    const KEYS: &[&str] = &[
        "score_function",
        "scoring_func",
        "score_func",
        "moe_router_activation",
        "moe_router_activation_func",
        "expert_selection_fn",
    ];
    if let Some((key, value)) = context.config.find(KEYS) {
        let number: u32 = match value.as_str() {
            Some("softmax") => 1,
            Some("sigmoid") => 2,
            Some("sqrtsoftplus") => 4,
            _ => {
                let expected = "softmax, sigmoid or sqrtsoftplus";
                return Err(bad_key(context.config.path(), key, value, expected));
            }
        };
        pairs.insert(context.key(".expert_gating_func"), number);
    } else if let Some(model) = sigmoid_unsaid(context.config)? {
        let key = context.key(".expert_gating_func");
        notes.push(format!(
            "config.json does not say scoring_func: llama.cpp will take softmax, {model} has sigmoid; add \
             \"scoring_func\": \"sigmoid\" there, or set {key}=int:2"
        ));
    }
    Ok(())
}

/// A model whose scores are sigmoids although its config does not say so, and of which llama.cpp takes softmax without the key.
///
/// It knows GLM 4.7 Flash by its layers and its vocabulary alone (`deepseek2.cpp`).
fn sigmoid_unsaid(config: &Config) -> Result<Option<&'static str>, Error> {
    Ok(match config.get("model_type").and_then(serde_json::Value::as_str) {
        Some("deepseek_v3") => Some("DeepSeek V3"),
        Some("glm4_moe_lite") => {
            let sizes = (config.size(&["num_hidden_layers"])?, config.size(&["vocab_size"])?);
            (sizes != (Some(47), Some(154_880))).then_some("GLM 4.7 Flash")
        }
        _ => None,
    })
}

/// A model whose config says that it looks both ways.
fn not_causal(context: &Context<'_>, pairs: &mut Metadata, _: &mut Vec<String>) -> Result<(), Error> {
    if context.config.get("is_causal").and_then(serde_json::Value::as_bool) == Some(false) {
        pairs.insert(format!("{}.attention.causal", context.architecture), false);
    }
    Ok(())
}

/// Tensors that no text model's GGUF file has: buffers, and the parts of a model that see and hear.
pub(super) const NOT_TEXT: &[Skip] = &[
    Skip::Ends(".attention.masked_bias"),
    Skip::Ends(".attention.bias"),
    Skip::Ends(".rotary_emb.inv_freq"),
    Skip::Starts("mlp"),
    Skip::Starts("vit."),
    Skip::Starts("vpm."),
    Skip::Starts("siglip2."),
    Skip::Starts("conformer."),
    Skip::Starts("merger."),
    Skip::Starts("resampler."),
    Skip::Starts("sound_encoder."),
    Skip::Starts("sound_projection."),
    Skip::Starts("speech_embeddings."),
    Skip::Contains("visual."),
    Skip::Contains("vision."),
    Skip::Contains("vision_"),
    Skip::Contains("audio."),
    Skip::Contains("audio_"),
    Skip::Contains("talker."),
    Skip::Contains("token2wav."),
    Skip::Contains("code2wav."),
    Skip::Contains("projector."),
    Skip::Contains("pre_mm_projector_norm"),
    Skip::Contains("image_newline"),
    Skip::Contains("view_seperator"),
    Skip::Contains("patch_embed"),
    Skip::Contains("patch_merger."),
    Skip::Contains("patch_merge_mlp."),
    Skip::Contains("model.connector."),
];
