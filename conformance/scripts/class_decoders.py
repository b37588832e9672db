"""The tiny decoders that class_table.py has no line for."""
from class_table import decoder, experts, model, renamed

model("bamba", "Bamba", "smollm", decoder(num_hidden_layers=3, attn_layer_indices=[1], mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16,
                                          mamba_n_groups=1))
model("lfm2-moe", "Lfm2Moe", "llama3", experts(num_hidden_layers=3, num_dense_layers=1, layer_types=["conv", "full_attention", "conv"],
                                               conv_L_cache=3))
# transformers has no such class: Qwen2 without biases, its norms under other names.
model("kormo", "Llama", "qwen2", decoder(), old=True, edit=lambda config: config.update(
    architectures=["KORMoForCausalLM"], model_type="kormo"), tensors=renamed(
        (".input_layernorm", ".pre_attention_layernorm"), (".post_attention_layernorm", ".pre_mlp_layernorm")))
model("iquest-coder", "Llama", "sentencepiece", decoder(), old=True, edit=lambda config: config.update(
    architectures=["IQuestCoderForCausalLM"], model_type="iquestcoder"))
