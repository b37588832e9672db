//! What all text models share: `TextModel` and `ModelBase` of convert_hf_to_gguf.

use gguf_format::Metadata;

use super::{Context, Kind, Parameter, Skip};
use crate::error::Error;
use crate::rope;
use crate::sizes::Dim;
use Kind::{F32, U32};
use Parameter::{Rule, Size, Value};

/// The parameters that `TextModel.set_gguf_parameters` writes, in its order, up to the file type.
pub(super) const TEXT: &[Parameter] = &[
    Size { key: ".block_count", dim: Dim::Blocks },
    Value {
        key: ".context_length",
        kind: U32,
        from: &[
            "max_position_embeddings",
            "n_ctx",
            "n_positions",
            "max_length",
            "max_sequence_length",
            "model_max_length",
        ],
    },
    Size { key: ".embedding_length", dim: Dim::Hidden },
    Size { key: ".feed_forward_length", dim: Dim::FeedForward },
    Size { key: ".attention.head_count", dim: Dim::Heads },
    Value { key: ".attention.head_count_kv", kind: U32, from: &["num_key_value_heads", "n_kv_heads"] },
    Rule(not_causal),
    Rule(|context, pairs, notes| rope::write(context.config, context.architecture, pairs, notes)),
    Value { key: ".attention.layer_norm_rms_epsilon", kind: F32, from: &["rms_norm_eps", "norm_eps"] },
    Value {
        key: ".attention.layer_norm_epsilon",
        kind: F32,
        from: &["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"],
    },
    Value {
        key: ".expert_count",
        kind: U32,
        from: &["num_local_experts", "num_experts", "n_routed_experts"],
    },
    Value {
        key: ".expert_used_count",
        kind: U32,
        from: &["num_experts_per_tok", "num_experts_per_token", "top_k_experts"],
    },
    Value { key: ".expert_group_count", kind: U32, from: &["n_group"] },
    Value { key: ".expert_group_used_count", kind: U32, from: &["topk_group"] },
    Value { key: ".attention.key_length", kind: U32, from: &["head_dim"] },
    Value { key: ".attention.value_length", kind: U32, from: &["head_dim"] },
];

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
