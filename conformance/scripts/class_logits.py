#!/usr/bin/env python3
"""class_logits.py OUT [--only NAME,…] [--npm FOLDER]: what transformers computes with the models of class_models.py.

Makes each folder as class_models.py does, loads it in float32 with eager attention, and runs a prompt of fixed token ids
through it: OUT/NAME.outputs holds the logits of every position (of models without a head, the last hidden state), as
little-endian floats; OUT/outputs.json says of all models which ids, how many numbers a position, what they are, and
whether there is a GELU on their way.

Needs: transformers, torch, safetensors, sentencepiece
"""
import argparse
import json
import os
import pathlib
import sys

import class_models
import class_table

# Settings that llama.cpp takes for granted in a class, whatever the configuration says: it has no key for them.
GRANTED = {
    "gemma2": {"query_pre_attn_scalar": 32},  # 1 / sqrt(head_dim)
    "qwen3-moe": {"norm_topk_prob": True},
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


def prompt(config):
    text = getattr(config, "text_config", None) or config
    usable = [i for i in range(text.vocab_size) if i not in special(config)]
    return [usable[(7919 * i * i + 104729 * i + 11) % len(usable)] for i in range(LENGTH)]


def gelu(config):
    """Whether the model has a GELU, of any kind."""
    return any("gelu" in str(value) for key, value in config.to_dict().items() if "act" in key)


def outputs(folder, name):
    import torch
    import transformers
    kind = getattr(transformers, class_table.models()[name]["model"])
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
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
    text = getattr(model.config, "text_config", None) or model.config
    about = {"name": name, "kind": kind, "ids": ids, "width": numbers.shape[1], "gelu": gelu(text)}
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
        model = dict(class_table.models()[name])
        model["settings"] = {**model["settings"], **GRANTED.get(name, {})}
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
