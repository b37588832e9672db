"""The tiny models of Gemma."""
from class_parts import VISION, decoder, kinds, model, renamed

model("gemma3-real", "Gemma3", "gemma3-real", decoder(hidden_size=16, head_dim=16, sliding_window=64), config="Gemma3TextConfig",
      padding=63)
model("gemma", "Gemma", "sentencepiece", decoder(head_dim=32))
model("gemma2", "Gemma2", "sentencepiece", decoder(head_dim=32, query_pre_attn_scalar=144, sliding_window=64))
model("gemma3", "Gemma3", "sentencepiece", decoder(head_dim=32, num_hidden_layers=3, sliding_window=64, sliding_window_pattern=3),
      config="Gemma3TextConfig")
model("gemma3-old", "Gemma3", "sentencepiece", decoder(head_dim=32, num_hidden_layers=2, sliding_window=64, rope_parameters={
    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}), config="Gemma3TextConfig", old=True)
model("gemma3-vl", "Gemma3", "sentencepiece", {
    "text_config": decoder(head_dim=32, sliding_window=64), "vision_config": VISION, "mm_tokens_per_image": 4},
      of="ForConditionalGeneration")
model("gemma3-embedding", "Gemma3", "sentencepiece", decoder(head_dim=32, sliding_window=64, use_bidirectional_attention=True),
      of="TextModel", config="Gemma3TextConfig")

model("gemma3n", "Gemma3n", "sentencepiece", decoder(
    head_dim=32, num_hidden_layers=5, hidden_size_per_layer_input=32, vocab_size_per_layer_input=40, laurel_rank=8,
    num_kv_shared_layers=2, layer_types=kinds("sfssf"), sliding_window=64, activation_sparsity_pattern=[0.95, 0.95, 0.0, 0.5, 0.0]),
      config="Gemma3nTextConfig", padding=5)
model("gemma4", "Gemma4", "gemma4", decoder(
    num_hidden_layers=5, head_dim=16, global_head_dim=32, num_kv_shared_layers=2, layer_types=kinds("sfssf"), hidden_size_per_layer_input=32,
    use_double_wide_mlp=True, sliding_window=64, vocab_size_per_layer_input=24), config="Gemma4TextConfig")
model("gemma4-moe", "Gemma4", "gemma4", decoder(
    num_hidden_layers=6, head_dim=16, global_head_dim=32, num_kv_shared_layers=0, hidden_size_per_layer_input=0,
    num_global_key_value_heads=1, attention_k_eq_v=True, enable_moe_block=True, num_experts=4, top_k_experts=2,
    moe_intermediate_size=32, sliding_window=64), config="Gemma4TextConfig")


def sparse(config):
    """The little that Gemma 3's configuration says of the language model; the rest is transformers'."""
    text = config["text_config"]
    config["text_config"] = {key: text[key] for key in ("hidden_size", "intermediate_size", "model_type", "num_hidden_layers",
                                                        "sliding_window", "vocab_size")}
    config["text_config"]["rope_scaling"] = {"factor": 8.0, "rope_type": "linear"}


model("gemma3-vl-sparse", "Gemma3", "sentencepiece", {
    "text_config": decoder(num_attention_heads=8, num_key_value_heads=4, head_dim=256, sliding_window=64), "vision_config": VISION,
    "mm_tokens_per_image": 4}, of="ForConditionalGeneration", edit=sparse)
model("gemma2-old", "Gemma2", "sentencepiece", decoder(head_dim=32), old=True)

# As they are published, with eyes and ears

HEARD = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "output_proj_dims": 64, "subsampling_conv_channels": [8, 4]}
SEEN = {**VISION, "num_key_value_heads": 2, "head_dim": 16, "position_embedding_size": 16}


def global_heads(config):
    """What was published says of global layers' heads in two settings what transformers 5 by now says layer by layer."""
    text = config["text_config"]
    wide = next(iter(text.pop("per_layer_config").values()))
    text.update(global_head_dim=wide["head_dim"], num_global_key_value_heads=wide.get("num_key_value_heads"))


model("gemma4-full", "Gemma4", "gemma4", {"text_config": decoder(
    num_hidden_layers=5, head_dim=16, global_head_dim=32, num_kv_shared_layers=2, layer_types=kinds("ssfsf"),
    hidden_size_per_layer_input=32, use_double_wide_mlp=True, sliding_window=64, vocab_size_per_layer_input=271,
    final_logit_softcapping=30.0), "vision_config": SEEN, "audio_config": HEARD}, of="ForConditionalGeneration", edit=global_heads)
model("gemma4-moe-full", "Gemma4", "gemma4", {"text_config": decoder(
    num_hidden_layers=2, head_dim=16, global_head_dim=32, num_kv_shared_layers=0, layer_types=kinds("sf"),
    hidden_size_per_layer_input=0, num_global_key_value_heads=1, attention_k_eq_v=True, enable_moe_block=True, num_experts=4,
    top_k_experts=2, moe_intermediate_size=32, sliding_window=64, final_logit_softcapping=30.0), "vision_config": SEEN},
      of="ForConditionalGeneration", edit=global_heads)


def whole(config):
    """Gemma 3n's configuration with the language model as a part, beside what sees and hears."""
    text = dict(config)
    config.clear()
    config.update(architectures=["Gemma3nForConditionalGeneration"], model_type="gemma3n", text_config=text,
                  vision_config={"model_type": "gemma3n_vision", "hidden_size": 32}, audio_config={"model_type": "gemma3n_audio", "hidden_size": 32})


def whole_tensors(tensors, config):
    """Its tensors: those of the last layers' keys and values, too, which nothing uses and transformers by now drops, but which
    llama.cpp asks for; and some of what sees and hears."""
    rename = renamed(("model.", "model.language_model."), more=[
        ("model.vision_tower.timm_model.conv_stem.conv.weight", ("BF16", [32, 3, 3, 3])),
        ("model.audio_tower.conformer.0.norm.weight", ("BF16", [32])),
        ("model.embed_vision.embedding.weight", ("BF16", [5, 32])), ("model.embed_audio.embedding.weight", ("BF16", [5, 32]))])
    first = "model.layers.0.self_attn."
    unused = {name.replace(".0.", f".{layer}."): tensor for name, tensor in tensors.items() for layer in range(config["num_hidden_layers"])
              if name in (f"{first}k_proj.weight", f"{first}v_proj.weight", f"{first}k_norm.weight")}
    return rename({**tensors, **unused}, config)


# What sees is not transformers' own, so the whole is put together here.
model("gemma3n-full", "Gemma3n", "sentencepiece", decoder(
    head_dim=32, num_hidden_layers=5, hidden_size_per_layer_input=256, vocab_size_per_layer_input=483, laurel_rank=64,
    num_kv_shared_layers=2, layer_types=kinds("ssfsf"), sliding_window=64, activation_sparsity_pattern=[0.95, 0.95, 0.0, 0.0, 0.0]),
      config="Gemma3nTextConfig", padding=5, edit=whole, tensors=whole_tensors)
