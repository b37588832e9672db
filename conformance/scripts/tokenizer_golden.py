#!/usr/bin/env python3
"""tokenizer_golden.py LLAMA_CPP FOLDER... | --cases FOLDER: the metadata that llama.cpp's convert_hf_to_gguf writes for a tokenizer.

LLAMA_CPP is a source tree of llama.cpp. For each folder, which needs config.json and the tokenizer's files but no weights,
the converter's own set_vocab of the model's class runs, and its key-value pairs are printed as one line of JSON:

    {"folder": …, "pre_patched": …, "pairs": [[key, type, value], …]}   or   {"folder": …, "error": …}

Of a folder with tekken.json alone it needs mistral-common (1.13.1); without, --cases leaves such folders as they are.

Types are gguf's names: "bool", "u32", "f32", "str", "[u8]", "[i32]", "[f32]", "[str]".

--pre NAME answers the converter's question for the pre-tokenizer (get_vocab_base_pre), which it otherwise looks up by a
hash over a fixed text's ids: a vocabulary cut down to a few hundred tokens cannot have any known hash. "pre_patched" says
whether that was done. --pre-only prints what the converter's look-up says, without set_vocab.

--cases FOLDER makes the golden files of a folder of folders again: its cases.json has, by folder, the name for --pre or
null, or {"saved": NAME}: the converter gets the folder with its tokenizer as transformers saves it. Each folder's answer goes to its peer.json, arrays of more than 2000 elements as their length and SHA-256 (of each
string's or decimal number's UTF-8 and a zero byte, or of little-endian f32). Chat templates that llama.cpp itself has for
tekken.json are left out.
"""
import argparse
import hashlib
import importlib.util
import json
import logging
import os
import pathlib
import shutil
import struct
import sys
import tempfile


def scalar(value, kind):
    return {"BOOL": ("bool", value), "UINT32": ("u32", value), "INT32": ("i32", value), "FLOAT32": ("f32", value),
            "STRING": ("str", value)}[kind]


def pair(key, entry):
    if entry.type.name != "ARRAY":
        return [key, *scalar(entry.value, entry.type.name)]
    values = list(entry.value)
    if isinstance(entry.value, bytes):
        return [key, "[u8]", values]
    if isinstance(values[0], (bytes, bytearray)):
        values = [v.decode("utf-8") for v in values]
    if isinstance(values[0], str):
        return [key, "[str]", values]
    if isinstance(values[0], float):
        return [key, "[f32]", values]
    return [key, "[i32]", [int(v) for v in values]]


def digested(entry):
    key, kind, value = entry
    if not kind.startswith("[") or len(value) <= 2000:
        return entry
    if kind == "[f32]":
        data = struct.pack(f"<{len(value)}f", *value)
    else:
        data = b"".join(str(v).encode("utf-8") + b"\0" for v in value)
    return [key, kind, {"len": len(value), "sha256": hashlib.sha256(data).hexdigest()}]


def is_its_own(entry):
    """Whether it is a chat template of llama.cpp's own, which it has for tekken.json of later versions: its words are not ours to keep."""
    return entry[0] == "tokenizer.chat_template" and len(entry[2]) > 2000


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("llama_cpp", type=pathlib.Path)
    ap.add_argument("folders", type=pathlib.Path, nargs="*")
    ap.add_argument("--cases", type=pathlib.Path)
    ap.add_argument("--pre")
    ap.add_argument("--pre-only", action="store_true")
    args = ap.parse_args()
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_OFFLINE"] = "1"
    root = args.llama_cpp.resolve()
    sys.path[:0] = [str(root), str(root / "gguf-py")]
    import gguf
    from conversion import get_model_class
    from conversion.base import ModelBase, TextModel
    from transformers import AutoTokenizer
    logging.disable(logging.CRITICAL)
    table_look_up = TextModel.get_vocab_base_pre
    if args.cases:
        for name, pre in json.loads((args.cases / "cases.json").read_text("utf-8")).items():
            if (args.cases / name / "tekken.json").exists() and not importlib.util.find_spec("mistral_common"):
                print(f"{name}: left as it is, mistral-common is not installed")
                continue
            saved = isinstance(pre, dict)
            pre = pre["saved"] if saved else pre
            TextModel.get_vocab_base_pre = (lambda self, tokenizer, pre=pre: pre) if pre else table_look_up
            with tempfile.TemporaryDirectory() as scratch:
                source = args.cases / name
                if saved:
                    AutoTokenizer.from_pretrained(source).save_pretrained(scratch)
                    shutil.copy(source / "config.json", scratch)
                    source = pathlib.Path(scratch)
                found = [digested(p) for p in pairs(source, gguf, get_model_class, ModelBase) if not is_its_own(p)]
            lines = ",\n".join("  " + json.dumps(p, ensure_ascii=False) for p in found)
            text = f'{{"pre_patched": {json.dumps(bool(pre))}, "pairs": [\n{lines}\n]}}\n'
            (args.cases / name / "peer.json").write_text(text, "utf-8")
        return
    if args.pre:
        TextModel.get_vocab_base_pre = lambda self, tokenizer: args.pre
    for folder in args.folders:
        out = {"folder": folder.name}
        try:
            if args.pre_only:
                out["pre"] = TextModel.get_vocab_base_pre(None, AutoTokenizer.from_pretrained(folder))
            else:
                out["pre_patched"] = bool(args.pre)
                out["pairs"] = pairs(folder, gguf, get_model_class, ModelBase)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
            out["error"] = f"{type(e).__name__}: {e}"
        print(json.dumps(out, ensure_ascii=False), flush=True)


def pairs(folder, gguf, get_model_class, ModelBase):
    hparams = ModelBase.load_hparams(folder, False)
    cls = get_model_class(hparams["architectures"][0])
    # What set_vocab uses, without the constructor, which reads the tensors.
    model = object.__new__(cls)
    model.dir_model = folder
    model.hparams = hparams
    model.is_mistral_format = False
    model.origin_hf_arch = hparams["architectures"][0]
    if cls.__name__ == "NomicBertModel":
        model._tokenizer_is_xlmroberta, model.model_arch = True, gguf.MODEL_ARCH.NOMIC_BERT_MOE
    model.gguf_writer = gguf.GGUFWriter(path=None, arch="tokenizer")
    model.set_vocab()
    table = model.gguf_writer.kv_data[0]
    # The model's own key, under the name of an architecture that is given here.
    left_out = ["tokenizer.vocab_size"]
    # Of other models the number of token types is no part of the tokenizer.
    if table["tokenizer.ggml.model"].value != "t5":
        left_out.append("tokenizer.ggml.token_type_count")
    return [pair(k, v) for k, v in table.items() if k.startswith("tokenizer.") and k not in left_out]


if __name__ == "__main__":
    main()
