#!/usr/bin/env python3
"""class_logits.py OUT [--only NAME,…] [--npm FOLDER]: what transformers computes with the models of class_models.py.

Makes each folder as class_models.py does, loads it in float32 with eager attention, and runs a prompt of fixed token ids
through it: OUT/NAME.outputs holds the logits of every position (of models without a head, the last hidden state), as
little-endian floats; OUT/outputs.json says of all models which ids, how many numbers a position, what they are, and what is
on their way that loses accuracy.

Needs: transformers, torch, safetensors, sentencepiece
"""
import argparse
import json
import os
import pathlib
import sys

import class_models
import class_table

SHORT_ROPE = {"original_max_position_embeddings": 512, "max_position_embeddings": 2048}
WHOLE_BOUNDS = {"rope_parameters": {
    "rope_type": "yarn", "rope_theta": 150000.0, "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": True,
    "original_max_position_embeddings": 4096}}
# Settings that llama.cpp takes for granted in a class: it has no key for them, or none that the converter writes.
GRANTED = {
    # The converter interleaves whole heads, as if all of them were rotated.
    "bamba": {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}},
    # The scale of queries is 1 / sqrt(head_dim); of Gemma 3 every sixth layer is global.
    "gemma2": {"query_pre_attn_scalar": 32},
    "gemma3": {"query_pre_attn_scalar": 32, "num_hidden_layers": 6, "sliding_window_pattern": 6},
    "gemma3-real": {"query_pre_attn_scalar": 16, "num_hidden_layers": 6},
    "gemma3-old": {"query_pre_attn_scalar": 32, "num_hidden_layers": 6},
    "gemma3-vl": {"text_config": {"query_pre_attn_scalar": 32, "num_hidden_layers": 6}},
    # No epsilon is read.
    "qwen2-vl": {"text_config": {"rms_norm_eps": 0.0}},
    "qwen2.5-vl": {"text_config": {"rms_norm_eps": 0.0}},
    # The weights of the chosen experts add up to 1.
    "qwen3-moe": {"norm_topk_prob": True},
    "qwen3-vl-moe": {"text_config": {"rope_parameters": {"mrope_section": [6, 5, 5]}, "norm_topk_prob": True}},
    # The sections of positions fill the head, the first is the largest.
    "qwen3-vl": {"text_config": {"rope_parameters": {"mrope_section": [6, 5, 5]}}},
    # The feed-forward network is four times as wide as the model.
    "phi-2": {"intermediate_size": 256},
    # No sliding window.
    "phi-3": {"sliding_window": 512},
    "starcoder2": {"sliding_window": 512},
    "exaone4": {"sliding_window": None, "layer_types": ["full_attention"] * 4},
    # The short factors hold up to the original context, the long ones in any larger context, whatever is in it.
    "phi-3-longrope": SHORT_ROPE,
    "phi-3-long": SHORT_ROPE,
    "phi-3-su": SHORT_ROPE,
    "phi-4-mini": SHORT_ROPE,
    # The same, and the factors leave attention as it is, as where the original context is the whole.
    "minicpm3-long": {"dim_model_base": 256, "rope_parameters": {"original_max_position_embeddings": 512}},
    # The model without a low rank of queries has 27 layers; experts are chosen without groups.
    "deepseek-v2": {"num_hidden_layers": 27},
    # Scores are softmax if nothing is said; published configurations say it, transformers 5 has no setting for it.
    "deepseek-v3": {"scoring_func": "sigmoid"},
    "deepseek-v3-mtp": {"scoring_func": "sigmoid"},
    "deepseek-v3-real": {"scoring_func": "sigmoid"},
    # One epsilon for all norms.
    "falcon-mamba": {"mixer_rms_eps": 1e-5},
    # The gate comes before the norm; what goes into attention is not multiplied; projections have no bias.
    "falcon-h1": {"mamba_norm_before_gate": False, "attention_in_multiplier": 1.0},
    "falcon-h1-plain": {"projectors_bias": False, "attention_bias": False},
    "arcee-yarn": {"attention_bias": False, "mlp_bias": False},
    "deepseek-v2-q-lora": {"n_group": 1, "topk_group": 1, "topk_method": "greedy"},
    # The head is scaled for a base width of 256.
    "minicpm3": {"dim_model_base": 256},
    # Yarn's bounds are whole numbers.
    "gpt-oss": WHOLE_BOUNDS,
    "gpt-oss-real": WHOLE_BOUNDS,
    "gpt-oss-mxfp4": WHOLE_BOUNDS,
    # Without experts, both widths are one; with mixers, there are no positions.
    "granite-hybrid-dense": {"intermediate_size": 48, "position_embedding_type": "nope"},
    "granite-4": {"intermediate_size": 48},
    # Every fourth layer has no positions.
    "smollm3": {"no_rope_layer_interval": 4},
    # As many keys as queries.
    "olmoe": {"num_key_value_heads": 4},
    # Only models of 64 layers and more have norms of queries and keys.
    "cohere-qk-norm": {"num_hidden_layers": 64},
    # Chunks of 8192; the fourth layer sees all.
    "llama4": {"text_config": {"attention_chunk_size": 8192, "num_hidden_layers": 4}},
    "llama4-text": {"attention_chunk_size": 8192, "num_hidden_layers": 4},
    # An output head of its own.
    "stablelm-2": {"tie_word_embeddings": False},
    # The shared experts are as wide as the dense network divided by the number of key heads.
    "ernie4.5-moe": {"intermediate_size": 64},
    # What a configuration in older form says twice.
    "gpt-neox-old": {"rotary_pct": 1.0},
}
# The same in config.json.
EDITED = {
    # The converter interleaves whole heads.
    "bamba": lambda config: config.update(attn_rotary_emb=16),
    # Yarn's factor of attention follows from the factor of positions.
    "olmo3-old-yarn": lambda config: config["rope_scaling"].update(attention_factor=1.2079441541679836),
}
# Configurations that transformers itself does not take: rope type mrope, and those of classes
# that it has not, or as published.
UNREAD = ["qwen3-vl-old", "nomic", "nomic-moe", "jina-v2", "jina-v2-code", "jina-v2-words", "jina-v3", "neobert",
          "qwen2.5-omni", "qwen3-omni", "dots-ocr", "kormo", "phi-4-vision", "smolvlm"]
# Models that cannot agree, and why.
UNLIKE = {
    "phi-moe": "transformers weighs the two experts by a sparse mixer, llama.cpp by a softmax",
    "phi-moe-long": "transformers weighs the two experts by a sparse mixer, llama.cpp by a softmax",
    "nemotron-h": "the converter takes what transformers 5 writes for a model with experts, so llama.cpp finds no dense layer",
    "nemotron-h-old": "the converter takes what transformers 5 writes for a model with experts, so llama.cpp finds no dense layer",
    "ernie4.5-bias": "llama.cpp has no biases in the feed-forward network of Ernie 4.5",
    "modern-bert-masked": "llama.cpp has no biases in ModernBERT",
    "bert-classifier": "llama.cpp takes the layer of a classifier whose classes have no names for the one before it",
}
# Longer than the sliding windows of the models that have one.
LENGTH = 96


def special(config):
    """The ids that mean something: padding moves positions in some models, images need pixels."""
    found = set()
    for part in (config, getattr(config, "text_config", None) or config):
        for key, value in part.to_dict().items():
            if key.endswith(("_token_id", "_token_index")):
                found.update(v for v in (value if isinstance(value, list) else [value]) if isinstance(v, int))
    return found


def merged(settings, more):
    """Settings with others over them."""
    both = dict(settings)
    for key, value in more.items():
        nested = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = merged(both[key], value) if nested else value
    return both


def prompt(config):
    text = getattr(config, "text_config", None) or config
    length = min(LENGTH, getattr(text, "max_position_embeddings", None) or LENGTH)
    if "roberta" in config.model_type:  # The first token's position is after the padding token's.
        length = min(LENGTH, config.max_position_embeddings - config.pad_token_id - 1)
    usable = [i for i in range(text.vocab_size) if i not in special(config)]
    return [usable[(7919 * i * i + 104729 * i + 11) % len(usable)] for i in range(length)]


def sums(model):
    """What makes a model's numbers depend on how they are added up: a GELU of any kind, a delta rule, nothing."""
    text = getattr(model.config, "text_config", None) or model.config
    said = [str(value) for key, value in text.to_dict().items() if "act" in key]
    modules = [type(module).__name__ for name, module in model.named_modules() if "vis" not in name]
    if any("gelu" in name.lower() for name in said + modules):
        return "gelu"
    return "delta" if any("DeltaNet" in name for name in modules) else "plain"


def outputs(folder, name):
    import torch
    import transformers
    kind = getattr(transformers, class_table.models()[name]["model"])
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    if kind.__name__.endswith(("ForMaskedLM", "ForSequenceClassification")):
        model = model.base_model  # llama.cpp gives the embeddings of each token, whatever head there is.
    ids = prompt(model.config)
    batch = {"input_ids": torch.tensor([ids])}
    if model.config.is_encoder_decoder:
        batch["decoder_input_ids"] = batch["input_ids"]
    else:
        batch["use_cache"] = False
    with torch.no_grad():
        try:
            said = model(**batch)
        except TypeError:  # Encoders know of no cache.
            batch.pop("use_cache")
            said = model(**batch)
    kind = "logits" if "logits" in said and said["logits"].ndim == 3 else "embeddings"
    numbers = said["logits" if kind == "logits" else "last_hidden_state"][0]
    about = {"name": name, "kind": kind, "ids": ids, "width": numbers.shape[1], "sums": sums(model),
             "unlike": UNLIKE.get(name)}
    return about, numbers.float().numpy()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--npm", type=pathlib.Path)
    arguments = parser.parse_args()
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    only = [n for n in arguments.only.split(",") if n] or list(class_table.models())
    made = []
    for name in only:
        if name in UNREAD:
            continue
        model = dict(class_table.models()[name])
        if name in EDITED:
            edit = model.get("edit", lambda config: None)
            model["edit"] = lambda config, name=name, edit=edit: (edit(config), EDITED[name](config))
        model["settings"] = merged(model["settings"], GRANTED.get(name, GRANTED.get(name.removesuffix("-old"), {})))
        try:
            class_models.make(name, model, arguments.out / name, arguments.npm)
            about, numbers = outputs(arguments.out / name, name)
        except Exception as error:
            made.append({"name": name, "error": f"{type(error).__name__}: {error}"})
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        (arguments.out / f"{name}.outputs").write_bytes(numbers.astype("<f4").tobytes())
        made.append(about)
    (arguments.out / "outputs.json").write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main()
