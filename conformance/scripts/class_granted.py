"""What llama.cpp takes for granted of a class: it has no key for it, or none that the converter writes.

The models of class_table.py that class_logits.py computes get these settings in addition.
"""

SHORT_ROPE = {"original_max_position_embeddings": 512, "max_position_embeddings": 2048}
SHORT_GEMMA = {"num_hidden_layers": 4, "layer_types": ["sliding_attention", "full_attention"] * 2, "head_dim": 8, "global_head_dim": 16}
FIRST_LAYERS = {"num_kv_shared_layers": 0, "activation_sparsity_pattern": [0.95] * 5,
                "layer_types": ["sliding_attention"] * 4 + ["full_attention"]}
WHOLE_BOUNDS = {"rope_parameters": {
    "rope_type": "yarn", "rope_theta": 150000.0, "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": True,
    "original_max_position_embeddings": 4096}}
GRANTED = {
    # The converter interleaves whole heads, as if all of them were rotated.
    "bamba": {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}},
    # The scale of queries is 1 / sqrt(head_dim); of Gemma 3 every sixth layer is global.
    "gemma2": {"query_pre_attn_scalar": 32},
    "gemma3": {"query_pre_attn_scalar": 32, "num_hidden_layers": 6, "sliding_window_pattern": 6},
    "gemma3-real": {"query_pre_attn_scalar": 16, "num_hidden_layers": 6},
    "gemma3-old": {"query_pre_attn_scalar": 32, "num_hidden_layers": 6},
    # The same, and an attention mask of the other kind must be in use as well.
    "gemma3-embedding": {"query_pre_attn_scalar": 32, "num_hidden_layers": 6},
    # Widths of 256 a layer and of 64 in between; every fifth layer is global; the first ten have sparse activations, the first
    # twenty keys and values of their own.
    "gemma3n": {"hidden_size_per_layer_input": 256, "laurel_rank": 64, **FIRST_LAYERS},
    "gemma3n-full": FIRST_LAYERS,
    # Layers have embeddings for every token; logits are capped; the last layer with keys and values is global, the one before it
    # is not. With fewer layers and narrow heads fewer choices hang on the last bit: attention is not scaled.
    "gemma4": {"vocab_size_per_layer_input": 271, "final_logit_softcapping": 30.0, **SHORT_GEMMA},
    "gemma4-full": {"text_config": SHORT_GEMMA},
    "gemma4-unified": {"text_config": {"final_logit_softcapping": 30.0, **SHORT_GEMMA}},
    "gemma4-moe": {"final_logit_softcapping": 30.0, "num_hidden_layers": 2},
    "gemma3-vl": {"text_config": {"query_pre_attn_scalar": 32, "num_hidden_layers": 6}},
    # No epsilon is read.
    "qwen2-vl": {"text_config": {"rms_norm_eps": 0.0}},
    "qwen2.5-vl": {"text_config": {"rms_norm_eps": 0.0}},
    # The weights of the chosen experts add up to 1.
    "qwen3-moe": {"norm_topk_prob": True},
    "qwen3-vl-moe": {"text_config": {"rope_parameters": {"mrope_section": [6, 5, 5]}, "norm_topk_prob": True}},
    "qwen3-omni": {"text_config": {"rope_parameters": {"mrope_section": [6, 5, 5]}, "norm_topk_prob": True}},
    # The sections of positions fill the head, the first is the largest.
    "qwen3-vl": {"text_config": {"rope_parameters": {"mrope_section": [6, 5, 5]}}},
    # The feed-forward network is four times as wide as the model.
    "phi-2": {"intermediate_size": 256},
    # No sliding window.
    "phi-3": {"sliding_window": 512},
    "starcoder2": {"sliding_window": 512},
    "exaone4": {"sliding_window": None, "layer_types": ["full_attention"] * 4},
    # The short factors hold up to the original context, the long ones in any larger context, whatever is in it.
    "phi-3-longrope": SHORT_ROPE,
    "phi-3-long": SHORT_ROPE,
    "phi-3-su": SHORT_ROPE,
    "phi-4-mini": SHORT_ROPE,
    # The same, and the factors leave attention as it is, as where the original context is the whole.
    "minicpm3-long": {"dim_model_base": 256, "rope_parameters": {"original_max_position_embeddings": 512}},
    # The same, and attention and the head have biases.
    "phi-moe-long": {"attention_bias": True, "lm_head_bias": True, "rope_parameters": {
        "original_max_position_embeddings": 512, "short_mscale": 1.0, "long_mscale": 1.0}},
    # The model without a low rank of queries has 27 layers; experts are chosen without groups.
    "deepseek-v2": {"num_hidden_layers": 27},
    # Scores are softmax if nothing is said; published configurations say it, transformers 5 has no setting for it.
    "deepseek-v3": {"scoring_func": "sigmoid"},
    "deepseek-v3-mtp": {"scoring_func": "sigmoid"},
    "deepseek-v3-real": {"scoring_func": "sigmoid"},
    "glm4-moe-lite": {"scoring_func": "sigmoid"},
    "glm4-moe-lite-mtp": {"scoring_func": "sigmoid"},
    # One epsilon for all norms.
    "falcon-mamba": {"mixer_rms_eps": 1e-5},
    # The gate comes before the norm; what goes into attention is not multiplied; projections have no bias.
    "falcon-h1": {"mamba_norm_before_gate": False, "attention_in_multiplier": 1.0},
    "falcon-h1-plain": {"projectors_bias": False, "attention_bias": False},
    "arcee-yarn": {"attention_bias": False, "mlp_bias": False},
    "deepseek-v2-q-lora": {"n_group": 1, "topk_group": 1, "topk_method": "greedy"},
    # The head is scaled for a base width of 256.
    "minicpm3": {"dim_model_base": 256},
    # Yarn's bounds are whole numbers.
    "gpt-oss": WHOLE_BOUNDS,
    "gpt-oss-real": WHOLE_BOUNDS,
    "gpt-oss-mxfp4": WHOLE_BOUNDS,
    # Without experts, both widths are one; with mixers, there are no positions.
    "granite-hybrid-dense": {"intermediate_size": 48, "position_embedding_type": "nope"},
    "granite-4": {"intermediate_size": 48},
    # Every fourth layer has no positions.
    "smollm3": {"no_rope_layer_interval": 4},
    # As many keys as queries.
    "olmoe": {"num_key_value_heads": 4},
    # Only models of 64 layers and more have norms of queries and keys.
    "cohere-qk-norm": {"num_hidden_layers": 64},
    # Chunks of 8192; the fourth layer sees all.
    "llama4": {"text_config": {"attention_chunk_size": 8192, "num_hidden_layers": 4}},
    "llama4-text": {"attention_chunk_size": 8192, "num_hidden_layers": 4},
    # An output head of its own.
    "stablelm-2": {"tie_word_embeddings": False},
    # The shared experts are as wide as the dense network divided by the number of key heads.
    "ernie4.5-moe": {"intermediate_size": 64},
    # The feed-forward network has no biases, which one setting gives to all.
    "ernie4.5-bias": {"use_bias": False},
    # No biases, and GELU.
    "modern-bert-masked": {"norm_bias": False, "attention_bias": False, "mlp_bias": False, "hidden_activation": "gelu"},
    # Without names for the classes, their layer is taken for the one before it.
    "bert-classifier": {"id2label": {0: "no", 1: "yes", 2: "maybe"}, "label2id": {"no": 0, "yes": 1, "maybe": 2}},
    # What a configuration in older form says twice.
    "gpt-neox-old": {"rotary_pct": 1.0},
}
# The same in config.json.
EDITED = {
    # The converter interleaves whole heads.
    "bamba": lambda config: config.update(attn_rotary_emb=16),
    "phi-moe-long": lambda config: config.update(original_max_position_embeddings=512),
    # Yarn's factor of attention follows from the factor of positions.
    "olmo3-old-yarn": lambda config: config["rope_scaling"].update(attention_factor=1.2079441541679836),
}
