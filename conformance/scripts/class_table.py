"""The tiny models that class_models.py makes: a line or a few for each class.

A model is a class of transformers, a configuration class, settings, and a tokenizer. Sizes are as small as a class takes;
a few models are wide enough for k-quants. Optional:

dtype      BF16 (as it is if nothing is said), F16 or F32
padding    rows of the embeddings that have no token
added      tokens that the tokenizer gets in addition
pre        the converter's name of the pre-tokenizer, where it is not the tokenizer's own
old        the configuration in the shape that transformers 4 wrote
edit       what is changed in config.json after transformers wrote it
tensors    what is changed in the tensors: of names, with dtypes and shapes, and the configuration, to the same
quantized  the quantized type that is compared, Q4_K_M if nothing is said
"""

# ids: first, last and padding token
TOKENIZERS = {
    "llama3": {"small": "Tiny-Llama-3.2-1M-Instruct", "pre": "llama-bpe", "ids": (448, 454, 450)},
    "smollm": {"small": "tiny-llama-untied-v2", "pre": "smollm", "ids": (1, 2, 2)},
    "sentencepiece": {"small": "spm-llama", "ids": (1, 2, None)},
    "mistral": {"small": "Tiny-Mistral-7B-Instruct-v0.3", "ids": (1, 2, None)},
    "qwen2": {"small": "qwen2.5-mini-chat", "pre": "qwen2", "ids": (432, 434, 432)},
    "qwen3": {"small": "Qwen3-0.001B-Thinking-2507", "pre": "qwen2", "ids": (436, 438, 436)},
    "bert": {"small": "all-tiny-L2-v2", "pre": "jina-v2-en", "ids": (None, None, 0)},
    "llama2-real": {"npm": "llama2", "ids": (1, 2, None)},
    "llama3-real": {"npm": "llama3", "ids": (128000, 128009, None)},
    "llama3_1-real": {"npm": "llama3_1", "ids": (128000, 128009, None)},
    "qwen3-real": {"npm": "qwen3", "ids": (151643, 151645, 151643)},
    "gemma3-real": {"npm": "gemma3", "ids": (2, 106, 0)},
    "deepseek_v3-real": {"npm": "deepseek_v3", "ids": (0, 1, 1)},
    "gptoss-real": {"npm": "gptoss", "ids": (199998, 200002, 199999)},
}

_MODELS = {}


def models():
    """All of them by name."""
    return _MODELS


def model(name, kind, tokenizer, settings, *, of="ForCausalLM", config=None, **more):
    """Adds a model of transformers' class `kind` + `of`."""
    assert name not in _MODELS, name
    _MODELS[name] = {"model": kind + of, "config": config or kind + "Config", "tokenizer": tokenizer, "settings": settings,
                     **more}


def decoder(**more):
    """The settings that most decoders have."""
    return {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "max_position_embeddings": 512, **more}


def experts(**more):
    return decoder(num_experts=4, num_local_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, **more)


VISION = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "depth": 1,
          "num_heads": 2, "image_size": 28, "patch_size": 14}
LLAMA3_ROPE = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 256}
YARN = {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0, "original_max_position_embeddings": 128}

# Llama, Mistral

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

# Qwen

model("qwen2", "Qwen2", "qwen2", decoder(tie_word_embeddings=True), padding=13)
model("qwen2-old-yarn", "Qwen2", "qwen2", decoder(rope_parameters=YARN), old=True)
model("qwen2-moe", "Qwen2Moe", "qwen2", experts(shared_expert_intermediate_size=128, decoder_sparse_step=1))
model("qwen3", "Qwen3", "qwen3", decoder(head_dim=32, hidden_size=256, intermediate_size=512), dtype="F32")
model("qwen3-real", "Qwen3", "qwen3-real", decoder(head_dim=16, hidden_size=16, intermediate_size=32,
                                                  tie_word_embeddings=True))
model("qwen3-moe", "Qwen3Moe", "qwen3", experts(head_dim=32))

# Gemma

model("gemma", "Gemma", "sentencepiece", decoder(head_dim=32))
model("gemma2", "Gemma2", "sentencepiece", decoder(head_dim=32, query_pre_attn_scalar=144, sliding_window=64))

# Others

model("gpt2", "GPT2", "smollm", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}, of="LMHeadModel")
model("granite", "Granite", "smollm", decoder(embedding_multiplier=12.0, logits_scaling=8.0, residual_multiplier=0.22,
                                              attention_multiplier=0.015625, tie_word_embeddings=True))
model("olmo2", "Olmo2", "llama3", decoder())
