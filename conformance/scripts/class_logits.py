#!/usr/bin/env python3
"""class_logits.py OUT [--only NAME,…] [--npm FOLDER]: what transformers computes with the models of class_models.py.

Makes each folder as class_models.py does but in F32, loads it with eager attention, and runs a prompt of fixed token ids
through it: OUT/NAME.outputs holds the logits of every position (of models without a head, the last hidden state), as
little-endian floats; OUT/outputs.json says of all models which ids, how many numbers a position, what they are, and what is
on their way that loses accuracy. class_granted.py has the settings that llama.cpp takes for granted. Where it computes
something otherwise, transformers is made to do so too (class_peer.py), and outputs.json says how far that moves the outputs.

Needs: transformers, torch, safetensors, sentencepiece
"""
import argparse
import json
import os
import pathlib
import sys

import class_models
import class_peer
import class_table
import nomic_moe
from class_granted import EDITED, GRANTED

# Configurations as others wrote them, which transformers does not take: it is given what they were made from. Names of tensors
# that it does not know either are replaced on the way.
AS_MADE = {"qwen3-vl-old": {}, "nomic": {}, "gemma3n-full": {r"^model\.language_model\.": "model."}, "dots-ocr": {}, "phi-4-vision": {},
           "kormo": {"pre_attention_layernorm": "input_layernorm", "pre_mlp_layernorm": "post_attention_layernorm"},
           "qwen2.5-omni": {r"^thinker\.": ""}, "qwen3-omni": {r"^thinker\.": ""}, "smolvlm": {}}
# Configurations that others wrote, of which we take that of transformers, too, but the converter does not.
AS_SAVED = ["nemotron-h"]
# Models that transformers has no class for: llama.cpp has to load and run them.
UNREAD = ["jina-v2", "jina-v2-code", "jina-v2-words", "jina-v3", "neobert"]
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
    # Those that layers have no embeddings for stand for images and sounds.
    tokens = min(text.vocab_size, getattr(text, "vocab_size_per_layer_input", None) or text.vocab_size)
    usable = [i for i in range(tokens) if i not in special(config)]
    return [usable[(7919 * i * i + 104729 * i + 11) % len(usable)] for i in range(length)]


def sums(model):
    """What makes a model's numbers depend on how they are added up: a GELU of any kind, a delta rule, nothing."""
    text = getattr(model.config, "text_config", None) or model.config
    said = [str(value) for key, value in text.to_dict().items() if "act" in key]
    modules = [type(module).__name__ for name, module in model.named_modules() if "vis" not in name]
    if any("gelu" in name.lower() for name in said + modules):
        return "gelu"
    return "delta" if any("DeltaNet" in name for name in modules) else "plain"


def load(folder, name, settings):
    import torch
    import transformers
    if name == "nomic-moe":
        return nomic_moe.Model(folder)
    model = class_table.models()[name]
    options = {}
    if name in AS_MADE:
        options = {"config": getattr(transformers, model["config"])(**settings), "key_mapping": AS_MADE[name] or None}
    kind = getattr(transformers, model["model"])
    loaded = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **options).eval()
    if kind.__name__.endswith(("ForMaskedLM", "ForSequenceClassification")):
        return loaded.base_model  # llama.cpp gives the embeddings of each token, whatever head there is.
    return loaded


def run(model, ids):
    """What the outputs are, and they."""
    import torch
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
    return kind, said["logits" if kind == "logits" else "last_hidden_state"][0].float()


def outputs(folder, name, settings):
    model = load(folder, name, settings)
    ids = prompt(model.config)
    kind, numbers = run(model, ids)
    about = {"name": name, "kind": kind, "ids": ids, "width": numbers.shape[1], "sums": sums(model)}
    if class_peer.alter(model):
        _, altered = run(model, ids)
        about["moved"] = float((altered - numbers).abs().max() / altered.std()) or None
        numbers = altered
    return about, numbers.numpy()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--npm", type=pathlib.Path)
    arguments = parser.parse_args()
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    import transformers
    only = [n for n in arguments.only.split(",") if n] or list(class_table.models())
    made = []
    for name in only:
        # In F32: with BF16, which the quantizer leaves some tensors in, llama.cpp rounds what it multiplies them by.
        model = {**class_table.models()[name], "dtype": "F32"}
        if name in AS_SAVED:
            del model["edit"]
        if name in EDITED:
            edit = model.get("edit", lambda config: None)
            model["edit"] = lambda config, name=name, edit=edit: (edit(config), EDITED[name](config))
        model["settings"] = merged(model["settings"], GRANTED.get(name, GRANTED.get(name.removesuffix("-old"), {})))
        try:
            settings = class_models.make(name, model, arguments.out / name, arguments.npm)[2]
            if name in UNREAD:
                ids = prompt(getattr(transformers, model["config"])(**settings))
                made.append({"name": name, "kind": "embeddings", "ids": ids, "sums": "plain"})
                continue
            about, numbers = outputs(arguments.out / name, name, settings)
        except Exception as error:
            made.append({"name": name, "error": f"{type(error).__name__}: {error}"})
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        (arguments.out / f"{name}.outputs").write_bytes(numbers.astype("<f4").tobytes())
        made.append(about)
    (arguments.out / "outputs.json").write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main()
