"""The tiny models with layers of state-space mixers or convolutions: Mamba, Falcon H1, Nemotron-H, Granite 4, LFM 2."""
from class_parts import decoder, model

def published_layers(config):
    """Kinds of layers under the names that Granite 4 was published with. transformers calls them otherwise by now, and the
    converter, which knows the first names only, must not go through it: so the type of model is taken away."""
    names = {"linear_attention": "mamba", "full_attention": "attention"}
    config["layer_types"] = [names[kind] for kind in config["layer_types"]]
    del config["model_type"]


def published_pattern(config):
    """Nemotron-H's configuration as published. By what transformers saves, the settings of experts among it, the converter takes a
    model without experts for one with, and finds no block that is a feed-forward network; so the type of model is taken away."""
    letters = {"linear_attention": "M", "full_attention": "*", "mlp": "-"}
    config["hybrid_override_pattern"] = "".join(letters[kind] for kind in config.pop("layers_block_type"))
    config["num_hidden_layers"] = len(config["hybrid_override_pattern"])
    for key in [key for key in config if "expert" in key or key.startswith(("moe_", "mtp_"))]:
        del config[key]
    for key in ("model_type", "n_group", "topk_group", "norm_topk_prob", "routed_scaling_factor", "num_nextn_predict_layers"):
        del config[key]


model("granite-hybrid", "GraniteMoeHybrid", "smollm", decoder(
    num_hidden_layers=3, num_local_experts=4, num_experts_per_tok=2, shared_intermediate_size=48, layer_types=[
        "mamba", "attention", "mamba"], mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_n_groups=1,
    position_embedding_type="nope"), edit=published_layers)
model("granite-hybrid-dense", "GraniteMoeHybrid", "smollm", decoder(
    num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=48, layer_types=["mamba", "attention"],
    mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, position_embedding_type="rope"), edit=published_layers)
model("granite-4", "GraniteMoeHybrid", "smollm", decoder(
    num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=48, layer_types=["attention", "attention"],
    position_embedding_type="rope"), edit=published_layers)
model("lfm2", "Lfm2", "llama3", decoder(num_hidden_layers=3, layer_types=["conv", "full_attention", "conv"],
                                        block_auto_adjust_ff_dim=False, conv_L_cache=3))
model("falcon-h1", "FalconH1", "llama3", decoder(
    mamba_d_ssm=128, mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_n_groups=2, lm_head_multiplier=0.5,
    embedding_multiplier=2.0, mlp_multipliers=[0.75, 1.5], key_multiplier=0.25, attention_out_multiplier=0.9375,
    attention_in_multiplier=1.25, ssm_multipliers=[0.5, 0.625, 0.75, 0.875, 1.125], ssm_in_multiplier=1.5,
    ssm_out_multiplier=0.25, mamba_rms_norm=True), edit=lambda config: config.update(head_dim=16),
      dtype="F32")
model("nemotron-h", "NemotronH", "llama3", decoder(
    head_dim=16, layers_block_type=["mamba", "attention", "mlp", "mamba"], num_hidden_layers=4, mamba_num_heads=8, mamba_head_dim=16,
    ssm_state_size=16, n_groups=2), edit=published_pattern)
model("nemotron-h-moe", "NemotronH", "llama3", decoder(
    head_dim=16, layers_block_type=["mamba", "attention", "moe", "mamba"], num_hidden_layers=4, mamba_num_heads=8, mamba_head_dim=16,
    ssm_state_size=16, n_groups=2, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
    moe_shared_expert_intermediate_size=48))
model("mamba", "Mamba", "smollm", {"hidden_size": 64, "state_size": 8, "num_hidden_layers": 2, "conv_kernel": 4})
model("falcon-mamba", "FalconMamba", "smollm", {"hidden_size": 64, "state_size": 8, "num_hidden_layers": 2, "conv_kernel": 4})
model("mamba2", "Mamba2", "smollm", {"hidden_size": 64, "state_size": 16, "num_hidden_layers": 2, "num_heads": 8, "head_dim": 16,
                                     "n_groups": 2})
model("lfm2-adjusted", "Lfm2", "llama3", decoder(num_hidden_layers=3, full_attn_idxs=[1], intermediate_size=144,
                                                 block_multiple_of=16, conv_L_cache=3), old=True)
model("falcon-h1-plain", "FalconH1", "llama3", decoder(
    mamba_d_ssm=128, mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_rms_norm=False, tie_word_embeddings=True,
    attention_bias=True, mlp_bias=True, projectors_bias=True), edit=lambda config: config.update(head_dim=16), dtype="F32")
model("mamba-untied", "Mamba", "smollm", {"hidden_size": 64, "state_size": 8, "num_hidden_layers": 2, "tie_word_embeddings": False,
                                         "time_step_rank": 6}, dtype="F32")
