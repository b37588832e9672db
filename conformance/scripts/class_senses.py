"""The tiny models that see and hear and whose language models are converted."""
from class_parts import GLM, MROPE, VISION, decoder, experts, kinds, model

SEEN = {**VISION, "out_hidden_size": 64}
HEARD = {"d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 48, "num_mel_bins": 8, "output_dim": 64,
         "n_window": 10}


def sections(partial):
    """Positions in three sections of what is rotated of a head of 16."""
    halves = int(8 * partial)
    return {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": partial,
            "mrope_section": [halves - 2 * (halves // 3), halves // 3, halves // 3]}


def predicting(tensors, config):
    """Adds what GLM-OCR's checkpoints have to predict a further token, which transformers drops."""
    first, hidden = "model.language_model.layers.2.", config["text_config"]["hidden_size"]
    config["text_config"]["num_nextn_predict_layers"] = 1
    copy = {name.replace(first.replace("2", "1"), first): tensor for name, tensor in tensors.items() if ".layers.1." in name}
    parts = {"enorm": [hidden], "hnorm": [hidden], "shared_head.norm": [hidden], "eh_proj": [hidden, 2 * hidden]}
    return {**tensors, **copy, **{f"{first}{name}.weight": ("BF16", shape) for name, shape in parts.items()}}


model("glm4v", "Glm4v", "qwen2", {"text_config": decoder(rope_parameters=sections(0.5)), "vision_config": SEEN},
      of="ForConditionalGeneration", added=GLM)
model("glm4v-moe", "Glm4vMoe", "qwen2", {"text_config": decoder(
    num_hidden_layers=3, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, n_shared_experts=1,
    first_k_dense_replace=1, rope_parameters=sections(0.5)), "vision_config": SEEN}, of="ForConditionalGeneration", added=GLM)
model("glm-ocr", "GlmOcr", "qwen2", {"text_config": decoder(head_dim=16, rope_parameters=sections(1.0)), "vision_config": SEEN},
      of="ForConditionalGeneration", added=GLM, tensors=predicting)


def thinker(of, kind):
    """The thinking part as it stands within the whole: class and type of model of that."""
    def edit(config):
        inner = dict(config)
        config.clear()
        config.update(architectures=[of], model_type=kind, thinker_config=inner)
    return {"of": "ThinkerForConditionalGeneration", "edit": edit,
            "tensors": lambda tensors, _: {f"thinker.{name}": tensor for name, tensor in tensors.items()}}


model("qwen2.5-omni", "Qwen2_5Omni", "qwen2", {
    "text_config": decoder(rope_parameters=MROPE), "vision_config": SEEN, "audio_config": HEARD}, config="Qwen2_5OmniThinkerConfig",
      **thinker("Qwen2_5OmniModel", "qwen2_5_omni"))
model("qwen3-omni", "Qwen3OmniMoe", "qwen2", {
    "text_config": experts(head_dim=32, rope_parameters=MROPE), "vision_config": {
        **SEEN, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]}, "audio_config": HEARD},
      config="Qwen3OmniMoeThinkerConfig", **thinker("Qwen3OmniMoeForConditionalGeneration", "qwen3_omni_moe"))
model("audio-flamingo-3", "AudioFlamingo3", "qwen2", {"text_config": {"model_type": "qwen2", **decoder()}, "audio_config": {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "num_mel_bins": 8,
    "max_source_positions": 16}}, of="ForConditionalGeneration")
# transformers has no such class: its language model is Qwen2's.
model("dots-ocr", "Qwen2", "qwen2", decoder(), old=True, edit=lambda config: config.update(
    architectures=["DotsOCRForCausalLM"], model_type="dots_ocr", vision_config={"embed_dim": 32, "num_hidden_layers": 1}),
      tensors=lambda tensors, _: {**tensors, "vision_tower.blocks.0.norm1.weight": ("BF16", [32])})
def smolvlm(config):
    """SmolVLM 2's was published without a number of heads."""
    config["text_config"]["architectures"] = ["VLlama3ForCausalLM"]
    del config["text_config"]["num_attention_heads"]


model("smolvlm", "SmolVLM", "smollm", {"text_config": {"model_type": "llama", **decoder(num_attention_heads=32)}, "vision_config": {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}},
      of="ForConditionalGeneration", edit=smolvlm)
# As Phi 4 with eyes is published: Phi 3 with other parts beside it.
model("phi-4-vision", "Phi3", "smollm", decoder(original_max_position_embeddings=512), old=True, edit=lambda config: config.update(
    architectures=["Phi4ForCausalLMV"], model_type="phi4-siglip", vision_config={}),
      tensors=lambda tensors, _: {**tensors, "model.vision_tower.vision_tower.vision_model.post_layernorm.weight": ("BF16", [32]),
                                  "model.mm_projector.0.weight": ("BF16", [64, 32])})
model("gemma4-unified", "Gemma4Unified", "gemma4", {"text_config": decoder(
    num_hidden_layers=5, head_dim=16, global_head_dim=32, layer_types=kinds("sfssf"), sliding_window=64), "vision_config": {
        "mm_embed_dim": 32, "patch_size": 4}, "audio_config": {"audio_embed_dim": 32}}, of="ForConditionalGeneration",
      generation={"suppress_tokens": [5, 7]}, edit=lambda config: config["text_config"].update(moe_intermediate_size=None))
