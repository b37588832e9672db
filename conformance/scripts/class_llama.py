"""The tiny models of Llama, Mistral and their kin."""
from class_parts import LLAMA3_ROPE, VISION, YARN, decoder, model

model("llama", "Llama", "llama3", decoder(hidden_size=256, intermediate_size=512, rope_parameters=LLAMA3_ROPE,
                                          tie_word_embeddings=True), padding=8)
model("llama-old", "Llama", "sentencepiece", decoder(attention_bias=True, mlp_bias=True, rope_parameters={
    "rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}), old=True, dtype="F16")
model("llama-real-2", "Llama", "llama2-real", decoder(hidden_size=16, intermediate_size=32), dtype="F32")
model("llama-real-3", "Llama", "llama3-real", decoder(hidden_size=16, intermediate_size=32))
model("llama-real-3.1", "Llama", "llama3_1-real", decoder(hidden_size=16, intermediate_size=32,
                                                         rope_parameters=LLAMA3_ROPE))
model("mistral", "Mistral", "mistral", decoder(head_dim=32, sliding_window=128))
model("mistral3", "Mistral3", "mistral", {"text_config": {"model_type": "mistral", **decoder(head_dim=32)},
                                          "vision_config": {"model_type": "pixtral", **VISION, "head_dim": 16}},
      of="ForConditionalGeneration")
model("ministral3", "Ministral3", "mistral", decoder(head_dim=32, tie_word_embeddings=True))
model("mixtral", "Mixtral", "mistral", decoder(num_local_experts=4, num_experts_per_tok=2, hidden_size=256,
                                               intermediate_size=256))
model("smollm3", "SmolLM3", "llama3", decoder(num_hidden_layers=4, no_rope_layer_interval=2, tie_word_embeddings=True))
model("llama4", "Llama4", "llama3", {"text_config": decoder(
    num_hidden_layers=4, head_dim=16, intermediate_size_mlp=128, num_local_experts=4, num_experts_per_tok=1,
    interleave_moe_layer_step=2, attention_chunk_size=64), "vision_config": {**VISION, "vision_output_dim": 32,
                                                                            "projector_input_dim": 32,
                                                                            "projector_output_dim": 32}},
      of="ForConditionalGeneration")
model("llama4-text", "Llama4", "llama3", decoder(
    head_dim=16, intermediate_size_mlp=128, num_local_experts=4, num_experts_per_tok=1, rope_parameters=LLAMA3_ROPE),
      config="Llama4TextConfig")
model("arcee", "Arcee", "llama3", decoder())
model("llava", "Llava", "sentencepiece", {"text_config": {"model_type": "llama", **decoder()}, "vision_config": {
    "model_type": "clip_vision_model", **VISION}}, of="ForConditionalGeneration")
model("voxtral", "Voxtral", "sentencepiece", {"text_config": {"model_type": "llama", **decoder(head_dim=32)}, "audio_config": {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "num_mel_bins": 8,
    "max_source_positions": 16}}, of="ForConditionalGeneration")
model("ministral3-vl", "Mistral3", "mistral", {
    "text_config": {"model_type": "ministral3", **decoder(head_dim=32, rope_parameters={
        **YARN, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1})},
    "vision_config": {"model_type": "pixtral", **VISION, "head_dim": 16}}, of="ForConditionalGeneration")
model("mixtral-old", "Mixtral", "sentencepiece", decoder(num_local_experts=4, num_experts_per_tok=2, sliding_window=None), old=True)
model("smollm3-old", "SmolLM3", "llama3", decoder(num_hidden_layers=4, no_rope_layer_interval=4), old=True)
model("llama4-old", "Llama4", "llama3", {"text_config": decoder(
    num_hidden_layers=2, head_dim=16, intermediate_size_mlp=128, num_local_experts=4, num_experts_per_tok=1,
    rope_parameters=LLAMA3_ROPE), "vision_config": {**VISION, "vision_output_dim": 32, "projector_input_dim": 32,
                                                   "projector_output_dim": 32}}, of="ForConditionalGeneration", old=True)
model("arcee-yarn", "Arcee", "llama3", decoder(rope_parameters=YARN, attention_bias=True, mlp_bias=True), old=True)
