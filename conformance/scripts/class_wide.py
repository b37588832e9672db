"""Tiny models once more, as wide as k-quants need."""
from class_parts import models

WIDTHS = {"hidden_size": 256, "n_embd": 256, "d_model": 256, "intermediate_size": 512, "moe_intermediate_size": 256,
          "shared_intermediate_size": 256, "shared_expert_intermediate_size": 256, "intermediate_size_mlp": 512, "kv_lora_rank": 256}


def wide(name, quantized, **more):
    """Adds a wider model of that name, to be quantized as this type."""
    def widen(settings):
        return {key: widen(value) if key == "text_config" else WIDTHS.get(key, value) for key, value in settings.items()}
    narrow = models()[name]
    models()[f"{name}-wide"] = {**narrow, "settings": {**widen(narrow["settings"]), **more}, "quantized": quantized, "wide": True}


for name, quantized in {
    "qwen2": "Q2_K", "qwen2-moe": "Q4_K_M", "qwen3-moe": "Q3_K_M", "qwen3-next": "Q4_K_M", "qwen3.5-text": "Q3_K_L", "gemma": "Q5_K_M",
    "gemma2": "Q3_K_S", "gemma3": "Q4_K_M", "phi-2": "Q4_K_S", "phi-3": "Q5_K_S", "phi-moe": "Q4_K_M", "deepseek-v2-q-lora": "Q2_K",
    "deepseek-v3": "Q4_K_M", "minicpm3": "Q3_K_M", "gpt-oss": "Q4_K_M", "glm4": "Q6_K", "glm4-moe": "Q5_K_M", "granite": "Q2_K",
    "granite-moe": "Q4_K_M", "granite-moe-shared": "Q3_K_M", "smollm3": "IQ4_XS", "olmo": "Q4_K_M", "olmo3": "IQ4_NL", "olmoe": "Q3_K_M",
    "cohere": "Q4_K_M", "cohere2": "Q5_K_M", "lfm2": "Q4_K_M", "llama4-text": "Q4_K_M", "gpt2": "Q4_K_M", "gpt-neox": "Q5_K_M",
    "falcon": "Q4_K_M", "falcon-new": "Q3_K_M", "bloom": "Q4_K_M", "mpt": "Q5_K_M", "stablelm": "Q3_K_M", "starcoder2": "Q4_K_M",
    "nemotron": "Q4_K_M", "exaone4": "Q3_K_M", "ernie4.5-moe": "Q4_K_M", "hunyuan-dense": "Q2_K", "apertus": "Q5_K_M", "mistral": "Q4_0",
    "mamba": "Q4_K_M",
}.items():
    wide(name, quantized)
wide("granite-hybrid", "Q4_K_M", mamba_n_heads=32)
wide("nemotron-h-moe", "Q4_K_M", moe_shared_expert_intermediate_size=256)
wide("mamba2", "Q4_K_M", num_heads=32)
