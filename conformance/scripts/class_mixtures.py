"""The tiny models of DeepSeek, MiniCPM3, GLM 4 and gpt-oss."""
from class_parts import GLM, YARN, decoder, experts, long, mla, model, predicting

model("gpt-oss-real", "GptOss", "gptoss-real", decoder(hidden_size=32, head_dim=16, intermediate_size=32, num_local_experts=4,
                                                      num_experts_per_tok=2, sliding_window=64))
model("deepseek-v3-real", "DeepseekV3", "deepseek_v3-real", mla(hidden_size=16, num_hidden_layers=2, n_shared_experts=1, n_group=2,
                                                               topk_group=1))
model("deepseek-v2", "DeepseekV2", "qwen2", mla(num_hidden_layers=3, q_lora_rank=None, n_shared_experts=2, n_group=1, topk_group=1),
      quantized=None)  # llama.cpp takes none without that rank but DeepSeek V2 Lite, by its 27 blocks
model("deepseek-v2-q-lora", "DeepseekV2", "qwen2", mla(num_hidden_layers=2, n_shared_experts=1, n_group=2, topk_group=1,
                                                      topk_method="group_limited_greedy", rope_parameters={
    **YARN, "mscale": 0.707, "mscale_all_dim": 0.707}), old=True)
model("deepseek-v3", "DeepseekV3", "qwen2", mla(num_hidden_layers=3, n_shared_experts=1, n_group=2, topk_group=1,
                                                routed_scaling_factor=2.5, rope_parameters={
    **YARN, "mscale": 1.0, "mscale_all_dim": 1.0}))
model("deepseek-v3-mtp", "DeepseekV3", "qwen2", mla(num_hidden_layers=2, n_shared_experts=1, n_group=2, topk_group=1),
      edit=lambda config: config.update(num_nextn_predict_layers=1),
      tensors=predicting("model.layers.1", "model.layers.2", ["model.layers.2.eh_proj", "model.layers.2.enorm", "model.layers.2.hnorm",
                                                              "model.layers.2.shared_head.norm"]))
model("minicpm3", "MiniCPM3", "sentencepiece", decoder(num_key_value_heads=4, q_lora_rank=24, kv_lora_rank=32, qk_nope_head_dim=16,
                                                       qk_rope_head_dim=8, v_head_dim=16, scale_emb=12, scale_depth=1.4,
                                                       dim_model_base=32))
model("gpt-oss", "GptOss", "llama3", decoder(head_dim=32, intermediate_size=64, num_local_experts=4, num_experts_per_tok=2,
                                             sliding_window=64))
model("glm4", "Glm4", "qwen2", decoder(head_dim=16, partial_rotary_factor=0.5, attention_bias=True), added=GLM)
model("glm4-moe-mtp", "Glm4Moe", "qwen2", decoder(num_hidden_layers=2, head_dim=16, n_routed_experts=4, num_experts_per_tok=2,
                                                  moe_intermediate_size=32, n_shared_experts=1, first_k_dense_replace=1),
      added=GLM, old=True, edit=lambda config: config.update(num_nextn_predict_layers=1),
      tensors=predicting("model.layers.1", "model.layers.2", ["model.layers.2.eh_proj", "model.layers.2.enorm", "model.layers.2.hnorm",
                                                              "model.layers.2.shared_head.norm"]))
model("glm4-moe", "Glm4Moe", "qwen2", decoder(num_hidden_layers=3, head_dim=16, n_routed_experts=4, num_experts_per_tok=2,
                                              moe_intermediate_size=32, n_shared_experts=1, first_k_dense_replace=1,
                                              use_qk_norm=True, attention_bias=True), added=GLM,
      edit=lambda config: config.update(num_nextn_predict_layers=0))


def mxfp4(tensors, _):
    """GPT-OSS's experts as published: transposed, in blocks of 32 with a scale each."""
    out = {}
    for name, (dtype, shape) in tensors.items():
        if name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            experts, columns, rows = shape
            out[f"{name}_blocks"] = ("U8", [experts, rows, columns // 32, 16])
            out[f"{name}_scales"] = ("U8", [experts, rows, columns // 32])
        else:
            out[name] = (dtype, shape)
    return out


model("gpt-oss-mxfp4", "GptOss", "llama3", decoder(head_dim=32, intermediate_size=64, num_local_experts=4, num_experts_per_tok=2,
                                                   sliding_window=64), tensors=mxfp4, plain="COPY", quantized="MXFP4_MOE",
      edit=lambda config: config.update(quantization_config={"modules_to_not_convert": ["lm_head"], "quant_method": "mxfp4"}))
model("glm4-old", "Glm4", "qwen2", decoder(head_dim=16, partial_rotary_factor=0.5), added=GLM, old=True)
model("minicpm3-long", "MiniCPM3", "sentencepiece", decoder(
    num_key_value_heads=4, q_lora_rank=24, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=16,
    rope_parameters=long(4, original_max_position_embeddings=128)), old=True)
model("deepseek-v3-old", "DeepseekV3", "qwen2", mla(num_hidden_layers=2, n_shared_experts=1, n_group=2, topk_group=1, rope_parameters={
    **YARN, "mscale": 1.0, "mscale_all_dim": 1.0, "beta_fast": 32, "beta_slow": 1}), old=True)
