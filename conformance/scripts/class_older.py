"""The tiny models of GPT-2, GPT-NeoX, Falcon, Bloom, MPT, StableLM, Starcoder 2 and Phi 2."""
from class_parts import decoder, model, renamed

model("phi-2", "Phi", "smollm", decoder(num_key_value_heads=4, partial_rotary_factor=0.5))
model("gpt2", "GPT2", "smollm", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}, of="LMHeadModel",
      edit=lambda config: config.update(n_ctx=128))
model("gpt2-real", "GPT2", "gpt2-real", {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}, of="LMHeadModel",
      edit=lambda config: config.update(n_ctx=64))
model("gpt-neox", "GPTNeoX", "smollm", decoder(num_key_value_heads=4, rotary_pct=0.25),
      edit=lambda config: (config.pop("model_type"), config.update(rotary_pct=0.25, rotary_emb_base=20000)))
model("falcon", "Falcon", "smollm", {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "alibi": False,
                                     "multi_query": True, "parallel_attn": True, "bias": False},
      edit=lambda config: config.update(num_kv_heads=1))
model("falcon-new", "Falcon", "smollm", {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "alibi": False,
                                         "new_decoder_architecture": True, "num_kv_heads": 2, "bias": False})
model("bloom", "Bloom", "smollm", {"hidden_size": 64, "n_layer": 2, "n_head": 4})
model("mpt", "Mpt", "smollm", {"d_model": 64, "n_layers": 2, "n_heads": 4, "max_seq_len": 128, "expansion_ratio": 4},
      edit=lambda config: config.update(architectures=["MPTForCausalLM"]))
model("stablelm", "StableLm", "smollm", decoder(use_qkv_bias=True, num_key_value_heads=4, partial_rotary_factor=0.25))
model("stablelm-2", "StableLm", "smollm", decoder(use_parallel_residual=True, tie_word_embeddings=True))
model("starcoder2", "Starcoder2", "smollm", decoder(use_bias=True, sliding_window=64))
model("phi-2-old", "Phi", "smollm", decoder(num_key_value_heads=4, partial_rotary_factor=0.4), old=True)
model("bloom-old", "Bloom", "smollm", {"hidden_size": 64, "n_layer": 2, "n_head": 4}, tensors=renamed(("transformer.", "")))
model("gpt2-old", "GPT2", "smollm", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}, of="LMHeadModel",
      edit=lambda config: config.update(n_ctx=128), dtype="F32", tensors=renamed(("transformer.", "")))
model("gpt-neox-old", "GPTNeoX", "smollm", decoder(num_key_value_heads=4, use_parallel_residual=False), dtype="F16",
      edit=lambda config: (config.pop("model_type"), config.update(rotary_pct=1.0, rotary_emb_base=10000)),
      tensors=renamed(more=[(f"gpt_neox.layers.{i}.attention.{name}", tensor) for i in range(2) for name, tensor in (
          ("bias", ("U8", [1, 1, 128, 128])), ("masked_bias", ("F16", [])), ("rotary_emb.inv_freq", ("F16", [2])))]))
model("stablelm-old", "StableLm", "smollm", decoder(use_qkv_bias=True, partial_rotary_factor=0.25), old=True)
model("starcoder2-tied", "Starcoder2", "smollm", decoder(use_bias=True, tie_word_embeddings=True), old=True)
