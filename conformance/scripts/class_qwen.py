"""The tiny models of Qwen."""
from class_parts import MROPE, VISION, YARN, decoder, experts, model, predicting, renamed

def published_experts(tensors, _):
    """Fused experts column by column, as Qwen3-VL's were published and as the converter takes them."""
    return {name: (dtype, [shape[0], shape[2], shape[1]] if ".experts." in name else shape)
            for name, (dtype, shape) in tensors.items()}


QWEN_MTP = ["mtp.fc", "mtp.norm", "mtp.pre_fc_norm_embedding", "mtp.pre_fc_norm_hidden"]
LINEAR = {"linear_key_head_dim": 16, "linear_value_head_dim": 16, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
          "linear_conv_kernel_dim": 4}

model("qwen2", "Qwen2", "qwen2", decoder(tie_word_embeddings=True), padding=13)
model("qwen2-old-yarn", "Qwen2", "qwen2", decoder(rope_parameters=YARN), old=True)
model("qwen2-moe", "Qwen2Moe", "qwen2", experts(shared_expert_intermediate_size=128, decoder_sparse_step=1))
model("qwen3", "Qwen3", "qwen3", decoder(head_dim=32, hidden_size=256, intermediate_size=512), dtype="F32")
model("qwen3-real", "Qwen3", "qwen3-real", decoder(head_dim=16, hidden_size=16, intermediate_size=32,
                                                  tie_word_embeddings=True))
model("qwen3-moe", "Qwen3Moe", "qwen3", experts(head_dim=32))
model("qwen2.5-vl", "Qwen2_5_VL", "qwen2", {"text_config": decoder(rope_parameters=MROPE), "vision_config": {
    **VISION, "out_hidden_size": 64, "fullatt_block_indexes": [0]}}, of="ForConditionalGeneration")
model("qwen3-vl", "Qwen3VL", "qwen3", {"text_config": decoder(head_dim=32, rope_parameters=MROPE), "vision_config": {
    **VISION, "out_hidden_size": 64, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]}},
      of="ForConditionalGeneration")
model("qwen3-vl-moe", "Qwen3VLMoe", "qwen3", {"text_config": {**experts(head_dim=32, rope_parameters=MROPE), "moe_intermediate_size": 48},
                                             "vision_config": {**VISION, "out_hidden_size": 64, "num_position_embeddings": 16,
                                                               "deepstack_visual_indexes": [0]}},
      of="ForConditionalGeneration", tensors=published_experts)
model("qwen3-next", "Qwen3Next", "qwen3", experts(head_dim=32, num_hidden_layers=4, shared_expert_intermediate_size=32, **LINEAR),
      tensors=predicting("model.layers.3", "mtp.layers.0", QWEN_MTP))
model("qwen3.5", "Qwen3_5", "qwen3", {"text_config": decoder(head_dim=32, num_hidden_layers=4, **LINEAR), "vision_config": {
    **VISION, "out_hidden_size": 64, "num_position_embeddings": 16}}, of="ForConditionalGeneration",
      tensors=predicting("model.language_model.layers.3", "mtp.layers.0", QWEN_MTP))
model("qwen3.5-text", "Qwen3_5", "qwen3", decoder(head_dim=32, num_hidden_layers=4, tie_word_embeddings=True, **LINEAR),
      config="Qwen3_5TextConfig", tensors=predicting("model.layers.3", "mtp.layers.0", QWEN_MTP))
model("qwen3.5-moe", "Qwen3_5Moe", "qwen3", {"text_config": experts(head_dim=32, num_hidden_layers=4,
                                                                   shared_expert_intermediate_size=32, **LINEAR),
                                             "vision_config": {**VISION, "out_hidden_size": 64, "num_position_embeddings": 16}},
      of="ForConditionalGeneration", tensors=predicting("model.language_model.layers.3", "mtp.layers.0", QWEN_MTP))
model("qwen2-audio", "Qwen2Audio", "qwen2", {"text_config": {"model_type": "qwen2", **decoder()}, "audio_config": {
    "d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 48, "num_mel_bins": 8,
    "max_source_positions": 16}}, of="ForConditionalGeneration")


def flat(config):
    """Settings of the language model beside all others, as Qwen's first models that see had them."""
    config.update(config.pop("text_config") | {"model_type": config["model_type"]})
    old_mrope(config)


def old_mrope(config):
    for part in (config, config.get("text_config", {})):
        rope = part.pop("rope_parameters", None)
        if rope:
            part["rope_theta"] = rope["rope_theta"]
            part["rope_scaling"] = {"type": "mrope", "mrope_section": rope["mrope_section"]}


model("qwen2-vl-old", "Qwen2VL", "qwen2", {"text_config": decoder(rope_parameters=MROPE), "vision_config": VISION},
      of="ForConditionalGeneration", edit=flat, tensors=renamed(("model.language_model.", "model."), ("model.visual.", "visual.")))
model("qwen2.5-vl-old", "Qwen2_5_VL", "qwen2", {"text_config": decoder(rope_parameters=MROPE), "vision_config": {
    **VISION, "out_hidden_size": 64, "fullatt_block_indexes": [0]}}, of="ForConditionalGeneration", edit=flat,
      tensors=renamed(("model.language_model.", "model."), ("model.visual.", "visual.")))
model("qwen3-vl-old", "Qwen3VL", "qwen3", {"text_config": decoder(head_dim=32, rope_parameters=MROPE), "vision_config": {
    **VISION, "out_hidden_size": 64, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]}},
      of="ForConditionalGeneration", edit=old_mrope)
model("qwen3-next-old", "Qwen3Next", "qwen3", experts(head_dim=32, num_hidden_layers=4, shared_expert_intermediate_size=32, **LINEAR),
      old=True, edit=lambda config: (config.pop("layer_types"), config.update(full_attention_interval=4)),
      tensors=predicting("model.layers.3", "mtp.layers.0", QWEN_MTP))
