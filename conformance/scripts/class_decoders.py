"""The tiny decoders that class_table.py has no line for."""
from class_table import GLM, decoder, experts, mla, model, predicting, renamed

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
