"""What the tables of tiny models are made of: tokenizers, settings that many classes have, changes of what transformers saves.

A model is a class of transformers, a configuration class, settings, and a tokenizer. Sizes are as small as a class takes;
a few models are wide enough for k-quants. Optional:

dtype      BF16 (as it is if nothing is said), F16 or F32
padding    rows of the embeddings that have no token
added      tokens that the tokenizer gets in addition
pre        the converter's name of the pre-tokenizer, where it is not the tokenizer's own
old        the configuration in the shape that transformers 4 wrote
wide       wide enough for k-quants, and too large for the golden files
generation generation_config.json, where it is not what transformers wrote
edit       what is changed in config.json after transformers wrote it
tensors    what is changed in the tensors: of names, with dtypes and shapes, and the configuration, to the same
plain      the type that we are told for the converter's file, where it is not dtype
quantized  the quantized type that is compared, Q4_K_M if nothing is said, None if llama.cpp does not take the model
"""

# Hand-made tokenizers of hf-checkpoint's own tests, seen from the folder of the small ones.
HAND_MADE = "../../../crates/hf-checkpoint/tests/golden/tokenizer/"
# ids: first, last and padding token
TOKENIZERS = {
    "llama3": {"small": "Tiny-Llama-3.2-1M-Instruct", "pre": "llama-bpe", "ids": (448, 454, 450)},
    "smollm": {"small": "tiny-llama-untied-v2", "pre": "smollm", "ids": (1, 2, 2)},
    "sentencepiece": {"small": "spm-llama", "ids": (1, 2, None)},
    "mistral": {"small": "Tiny-Mistral-7B-Instruct-v0.3", "ids": (1, 2, None)},
    "qwen2": {"small": "qwen2.5-mini-chat", "pre": "qwen2", "ids": (432, 434, 432)},
    "qwen3": {"small": "Qwen3-0.001B-Thinking-2507", "pre": "qwen2", "ids": (436, 438, 436)},
    "words": {"small": HAND_MADE + "words", "pre": "jina-v1-en", "ids": (0, 2, 1)},
    "roberta": {"small": HAND_MADE + "roberta", "pre": "roberta-bpe", "ids": (0, 2, 1)},
    "bert": {"small": "all-tiny-L2-v2", "pre": "jina-v2-en", "ids": (None, None, 0)},
    "t5": {"small": HAND_MADE + "t5-spm", "ids": (None, 1, 0)},
    "xlm-roberta": {"small": HAND_MADE + "xlmr-spm", "ids": (0, 2, 1)},
    "gemma4": {"small": HAND_MADE + "gemma4", "ids": (2, 1, 0)},
    "xlm-roberta-json": {"small": HAND_MADE + "xlmr-json", "ids": (0, 2, 1)},
    "llama2-real": {"npm": "llama2", "ids": (1, 2, None)},
    "llama3-real": {"npm": "llama3", "ids": (128000, 128009, None)},
    "llama3_1-real": {"npm": "llama3_1", "ids": (128000, 128009, None)},
    "qwen3-real": {"npm": "qwen3", "ids": (151643, 151645, 151643)},
    "gemma3-real": {"npm": "gemma3", "ids": (2, 106, 0)},
    "deepseek_v3-real": {"npm": "deepseek_v3", "ids": (0, 1, 1)},
    "gpt2-real": {"npm": "gpt2", "ids": (50256, 50256, None)},
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


def predicting(last, first, norms):
    """Adds what checkpoints have to predict a further token, which transformers drops: a copy of block `last` under `first`, and
    the parts around it by their names there."""
    def add(tensors, config):
        hidden = (config.get("text_config") or config)["hidden_size"]
        copy = {name.replace(last, first): tensor for name, tensor in tensors.items() if name.startswith(last)}
        shapes = {"fc": [hidden, 2 * hidden], "eh_proj": [hidden, 2 * hidden]}
        parts = {f"{norm}.weight": ("BF16", shapes.get(norm.rpartition(".")[2], [hidden])) for norm in norms}
        return {**tensors, **copy, **parts}
    return add


VISION = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "depth": 1,
          "num_heads": 2, "image_size": 28, "patch_size": 14}
GLM = ["[gMASK]", "<|user|>", "<|observation|>", "<|assistant|>"]
MROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
LLAMA3_ROPE = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 256}
YARN = {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0, "original_max_position_embeddings": 128}


def encoder(**more):
    return {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
            "max_position_embeddings": 48, **more}

def renamed(*pairs, more=()):
    """Changes names of tensors, and adds some."""
    def rename(tensors, _):
        out = {}
        for name, tensor in tensors.items():
            for old, new in pairs:
                name = name.replace(old, new)
            out[name] = tensor
        return {**out, **dict(more)}
    return rename


def long(factors, **more):
    return {"rope_type": "longrope", "rope_theta": 10000.0, "long_factor": [1.0 + i / 4 for i in range(factors)],
            "short_factor": [1.0 + i / 16 for i in range(factors)], **more}


def kinds(letters):
    """Layers that see a window (s) and layers that see all (f)."""
    return [{"s": "sliding_attention", "f": "full_attention"}[letter] for letter in letters]


def mla(**more):
    return decoder(num_key_value_heads=4, **{"q_lora_rank": 24, **more}, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=8,
                   v_head_dim=16, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, first_k_dense_replace=1)
