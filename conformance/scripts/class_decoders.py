"""The tiny decoders of families of a model or a few."""
from class_parts import GLM, LLAMA3_ROPE, decoder, experts, long, mla, model, predicting, renamed

model("phi-3", "Phi3", "sentencepiece", decoder(sliding_window=64))
model("phi-3-longrope", "Phi3", "smollm", decoder(original_max_position_embeddings=128, rope_parameters={
    "rope_type": "longrope", "rope_theta": 10000.0, "long_factor": [1.0 + i / 4 for i in range(8)],
    "short_factor": [1.0 + i / 16 for i in range(8)]}))
model("phi-moe", "Phimoe", "sentencepiece", decoder(num_local_experts=4, num_experts_per_tok=2, attention_bias=True,
                                                    lm_head_bias=True),
      edit=lambda config: config.update(architectures=["PhiMoEForCausalLM"], original_max_position_embeddings=512))
model("granite", "Granite", "smollm", decoder(embedding_multiplier=12.0, logits_scaling=8.0, residual_multiplier=0.22,
                                              attention_multiplier=0.015625, tie_word_embeddings=True))
model("granite-moe", "GraniteMoe", "smollm", decoder(num_local_experts=4, num_experts_per_tok=2, embedding_multiplier=12.0))
model("granite-moe-shared", "GraniteMoeShared", "smollm", decoder(num_local_experts=4, num_experts_per_tok=2,
                                                                  shared_intermediate_size=48))
model("olmo", "Olmo", "smollm", decoder(clip_qkv=8.0))
model("olmo2", "Olmo2", "llama3", decoder())
model("olmo3", "Olmo3", "llama3", decoder(num_hidden_layers=4, sliding_window=64))
model("olmoe", "Olmoe", "smollm", decoder(num_experts=4, num_experts_per_tok=2))
model("cohere", "Cohere", "llama3", decoder(logit_scale=0.0625, use_qk_norm=False))
model("cohere-qk-norm", "Cohere", "llama3", decoder(logit_scale=0.0625, use_qk_norm=True))
model("cohere2", "Cohere2", "llama3", decoder(num_hidden_layers=4, sliding_window=64, head_dim=16),
      edit=lambda config: config.update(rotary_pct=1.0))
model("nemotron", "Nemotron", "sentencepiece", decoder(head_dim=16, partial_rotary_factor=0.5))
model("exaone4", "Exaone4", "llama3", decoder(num_hidden_layers=4, sliding_window=64, sliding_window_pattern=4,
                                              rope_parameters=LLAMA3_ROPE))
model("ernie4.5", "Ernie4_5", "sentencepiece", decoder(head_dim=16, use_bias=False, tie_word_embeddings=True))
model("ernie4.5-moe", "Ernie4_5_Moe", "sentencepiece", decoder(num_hidden_layers=3, moe_num_experts=4, moe_k=2,
                                                               moe_intermediate_size=32, moe_num_shared_experts=1,
                                                               moe_layer_start_index=1, moe_layer_end_index=2))
model("hunyuan-dense", "HunYuanDenseV1", "llama3", decoder(head_dim=16))
model("seed-oss", "SeedOss", "llama3", decoder(head_dim=16, attention_bias=True))
model("apertus", "Apertus", "llama3", decoder(rope_parameters=LLAMA3_ROPE))
model("phi-3-old", "Phi3", "sentencepiece", decoder(sliding_window=None), old=True)
model("phi-3-long-old", "Phi3", "sentencepiece", decoder(
    original_max_position_embeddings=128, rope_parameters=long(8)), old=True)
model("phi-3-su-old", "Phi3", "sentencepiece", decoder(
    original_max_position_embeddings=128, rope_parameters=long(8)), old=True, edit=lambda config: config["rope_scaling"].update(
        type="su", rope_type="su"))
model("phi-4-mini", "Phi3", "smollm", decoder(original_max_position_embeddings=128, tie_word_embeddings=True, head_dim=16,
                                              rope_parameters=long(6, partial_rotary_factor=0.75)))
model("phi-4-mini-old", "Phi3", "smollm", decoder(original_max_position_embeddings=128, tie_word_embeddings=True, head_dim=16,
                                                  rope_parameters=long(6, partial_rotary_factor=0.75)), old=True)
model("phi-moe-long", "Phimoe", "sentencepiece", decoder(
    num_local_experts=4, num_experts_per_tok=2, rope_parameters=long(8, short_mscale=1.25, long_mscale=1.5,
                                                                     original_max_position_embeddings=128)),
      edit=lambda config: config.update(architectures=["PhiMoEForCausalLM"], original_max_position_embeddings=128), old=True)
model("olmo3-old-yarn", "Olmo3", "llama3", decoder(num_hidden_layers=4, sliding_window=64), old=True,
      edit=lambda config: (config.pop("rope_local_base_freq"), config.update(rope_theta=500000, rope_scaling={
          "attention_factor": 1.25, "beta_fast": 32, "beta_slow": 1, "factor": 8.0, "original_max_position_embeddings": 128,
          "rope_type": "yarn"})))
model("granite-old", "Granite", "smollm", decoder(embedding_multiplier=12, logits_scaling=8.0, residual_multiplier=0.22,
                                                  attention_bias=True, mlp_bias=True), old=True)
model("cohere-old", "Cohere", "llama3", decoder(logit_scale=0.0625, tie_word_embeddings=True), old=True)
model("exaone4-old", "Exaone4", "llama3", decoder(num_hidden_layers=4, sliding_window=64, sliding_window_pattern=4,
                                                  rope_parameters=LLAMA3_ROPE), old=True)
model("exaone4-global", "Exaone4", "llama3", decoder(sliding_window=None, sliding_window_pattern=None, tie_word_embeddings=True,
                                                     layer_types=["full_attention"] * 2))
model("nemotron-old", "Nemotron", "sentencepiece", decoder(head_dim=16, partial_rotary_factor=0.5), old=True)
model("hunyuan-alpha", "HunYuanDenseV1", "llama3", {**decoder(head_dim=16, tie_word_embeddings=True), "max_position_embeddings": 32768, "rope_parameters": {
    "rope_type": "dynamic", "rope_theta": 10000.0, "alpha": 1000.0, "factor": 1.0, "beta_fast": 32, "beta_slow": 1, "mscale": 1.0,
    "mscale_all_dim": 1.0}})
model("seed-oss-old", "SeedOss", "llama3", decoder(head_dim=16, attention_bias=True, attention_out_bias=False), old=True)
model("apertus-old", "Apertus", "llama3", decoder(rope_parameters=LLAMA3_ROPE), old=True)
model("ernie4.5-bias", "Ernie4_5", "sentencepiece", decoder(use_bias=True), old=True)
model("bamba", "Bamba", "smollm", decoder(num_hidden_layers=3, attn_layer_indices=[1], mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16,
                                          mamba_n_groups=1), edit=lambda config: config.update(attn_rotary_emb=8))
model("lfm2-moe", "Lfm2Moe", "llama3", experts(num_hidden_layers=3, num_dense_layers=1, layer_types=["conv", "full_attention", "conv"],
                                               conv_L_cache=3))
# transformers has no such class: Qwen2 without biases, its norms under other names.
model("kormo", "Llama", "qwen2", decoder(), old=True, edit=lambda config: config.update(
    architectures=["KORMoForCausalLM"], model_type="kormo"), tensors=renamed(
        (".input_layernorm", ".pre_attention_layernorm"), (".post_attention_layernorm", ".pre_mlp_layernorm")))
model("iquest-coder", "Llama", "sentencepiece", decoder(), old=True, edit=lambda config: config.update(
    architectures=["IQuestCoderForCausalLM"], model_type="iquestcoder"))
# As published: how many blocks are dense is a number.
model("glm4-moe-lite", "Glm4MoeLite", "qwen2", mla(num_hidden_layers=3, n_shared_experts=1, n_group=1, topk_group=1), added=GLM,
      edit=lambda config: config.update(first_k_dense_replace=1, num_nextn_predict_layers=0))
model("glm4-moe-lite-mtp", "Glm4MoeLite", "qwen2", mla(num_hidden_layers=2, n_shared_experts=1, n_group=1, topk_group=1), added=GLM,
      edit=lambda config: config.update(first_k_dense_replace=1, num_nextn_predict_layers=1),
      tensors=predicting("model.layers.1", "model.layers.2", ["model.layers.2.eh_proj", "model.layers.2.enorm", "model.layers.2.hnorm",
                                                              "model.layers.2.shared_head.norm"]))
