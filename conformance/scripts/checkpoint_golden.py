#!/usr/bin/env python3
"""checkpoint_golden.py LLAMA_CPP list FILE.gguf
   checkpoint_golden.py LLAMA_CPP convert FOLDER OUTTYPE [PRE]
   checkpoint_golden.py LLAMA_CPP golden FOLDERS GOLDEN [DIGITS]
   checkpoint_golden.py LLAMA_CPP names GOLDEN

What llama.cpp's convert_hf_to_gguf makes of a Hugging Face folder, as lines of text: metadata in order (without file
type and quantization version), then tensors by name with the sha256 of their bytes. The tests of hf-checkpoint compare
their own listing with it.

LLAMA_CPP is a source tree of llama.cpp. `golden` converts every folder in FOLDERS that has a file `outtype` (which the
tests' example `write_folders` makes) and writes GOLDEN/<folder>.txt, with so many DIGITS of each tensor's sha256 if not with
all; a folder that the converter fails on is told and left out. PRE, or the folder's file `pre`, answers the
converter's question for the tokenizer's family, which it otherwise looks up by a hash that no cut-down vocabulary has.

`names` writes GOLDEN/model_ids.txt: what gguf-py reads off names of models. Each line is a name, the model's number of
weights, then full name, organization, basename, finetune, version, size label and title, separated by tabs; `-` is None.
"""
import hashlib
import json
import os
import pathlib
import struct
import sys
import tempfile
import traceback

SHORT = 200
LEFT_OUT = ("GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.file_type", "general.quantization_version")


def escape(s):
    """As Rust's {:?} writes a string, for the characters that the folders of the tests have."""
    out = []
    for c in s:
        if c in '"\\':
            out.append("\\" + c)
        elif c in "\n\r\t":
            out.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[c])
        else:
            out.append(c)
    return '"' + "".join(out) + '"'


def text(s):
    b = s.encode()
    return escape(s) if len(b) <= SHORT else f"{len(b)} bytes sha256 {hashlib.sha256(b).hexdigest()}"


def bits(v):
    return "%08x" % struct.unpack("<I", struct.pack("<f", v))


def value(field, T):
    kind = field.types[0]
    v = field.contents()
    if kind == T.ARRAY:
        of = field.types[-1]
        if of == T.STRING:
            items, data = [text(s) for s in v], b"".join(struct.pack("<Q", len(s.encode())) + s.encode() for s in v)
            name = "str"
        elif of == T.INT32:
            items, data, name = [str(i) for i in v], b"".join(struct.pack("<i", i) for i in v), "i32"
        elif of == T.BOOL:
            items, data, name = ["true" if i else "false" for i in v], bytes(v), "bool"
        elif of == T.UINT8:
            items, data, name = [str(i) for i in v], bytes(v), "u8"
        elif of == T.UINT32:
            items, data, name = [str(i) for i in v], b"".join(struct.pack("<I", i) for i in v), "u32"
        elif of == T.FLOAT32:
            items, data, name = [bits(i) for i in v], b"".join(struct.pack("<f", i) for i in v), "f32"
        else:
            raise SystemExit(f"array of {of}")
        joined = ", ".join(items)
        if len(joined.encode()) <= SHORT:
            return f"arr[{name}] [{joined}]"
        return f"arr[{name}] {len(items)} items sha256 {hashlib.sha256(data).hexdigest()}"
    if kind == T.STRING:
        return "str " + text(v)
    if kind == T.FLOAT32:
        return "f32 " + bits(v)
    if kind == T.BOOL:
        return "bool " + ("true" if v else "false")
    return {T.UINT32: "u32", T.INT32: "i32"}[kind] + f" {v}"


def listing(path, digits=64):
    import gguf
    r = gguf.GGUFReader(path)
    lines = [f"{k} {value(f, gguf.GGUFValueType)}\n" for k, f in r.fields.items() if k not in LEFT_OUT]
    lines += sorted(f"{t.name} {t.tensor_type.name} {'x'.join(str(d) for d in t.shape)} "
                    f"{hashlib.sha256(t.data.tobytes()).hexdigest()[:digits]}\n" for t in r.tensors)
    return "".join(lines)


def convert(folder, outtype, pre, out):
    import convert_hf_to_gguf
    from conversion.base import TextModel
    look_up = TextModel.get_vocab_base_pre
    if pre:
        TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
    sys.argv = ["convert_hf_to_gguf.py", str(folder), "--outfile", out, "--outtype", outtype]
    try:
        convert_hf_to_gguf.main()
    finally:
        TextModel.get_vocab_base_pre = look_up


def converted(folder, outtype, pre, digits=64):
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "x.gguf")
        convert(folder, outtype, pre, out)
        return listing(out, digits)


# Names as people give them, and names that try the rules.
NAMES = """Llama-3.2-1B-Instruct meta-llama/Llama-2-7b-hf Mistral-7B-Instruct-v0.3 Mixtral-8x7B-v0.1 Qwen2.5-0.5B
Qwen/Qwen3-30B-A3B-Thinking-2507 SmolLM2-135M-Instruct TinyLlama-1.1B-Chat-v1.0 all-MiniLM-L6-v2 bge-small-en-v1.5
gemma-3n-E4B-it Phi-3-mini-4k-instruct Phi-3.5-MoE-instruct bloom-7b1 bloom-7b1-mt gpt2-xl gpt2 t5-small t5-v1_1-xxl
deepseek-coder-6.7b-base DeepSeek-R1-Distill-Qwen-1.5B Meta-Llama-3.1-405B-Instruct-FP8 model-q4_k model-Q4_K_M
Foo-iq2_xs Foo-f16 Foo-bf16 Foo-fp32 Foo-b16 granite-3.0-1b-a400m-base c4ai-command-r-plus-08-2024 Yi-34B-200K
Nous-Hermes-2-Mixtral-8x7B-DPO WizardLM-13B-V1.2 stablelm-2-zephyr-1_6b falcon-11B-vlm MiniCPM-2B-128k v2 1.0 7B 7b-chat
chat-7B lora-thing some-lora some-Vision a--b- -a-b- -- - x X-L xl-model model-xl model-mini-7B model-mini-large
my.model-v1.2.3-iter5 iter5 model-iter5-7B LLaMA_2-7_5b-x 3x22B-model model-3x22B model-A14B a-1T a-100k a-100K b-32k-7B
./local ../up org/sub/name org/ /name some-org/7B a/b-c UPPER-lower-MiXed snowflake-arctic-embed-m-v1.5 opt-125m
pythia-1.4b-deduped-v0 internlm2_5-7b-chat-1m OLMo-7B-0724-Instruct-hf h2o-danube3-500m-chat x-0.0M-y x-7B-7B-7b
finetune_of-base-7B-v2-v3.1-final Modell-größe-7B don't-do-7b été-1B 模型-7B-聊天 w-7B.5 w-7.5.5B w-7._5B""".split()
NAMES += ["A model's name in words", " 7B chat"]
WEIGHTS = (0, 2_000, 134_515_008, 1_300_000_000, 7_000_000_000, 46_000_000_000)


def names():
    from gguf import Metadata
    out = []
    for name in NAMES:
        for weights in WEIGHTS:
            parts = Metadata.get_model_id_components(name, weights)
            fields = [name, str(weights), *("-" if p is None else p for p in parts), Metadata.id_to_title(parts[0])]
            out.append("\t".join(fields) + "\n")
    return "".join(out)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.path[:0] = [str(root), str(root / "gguf-py")]
    command, arguments = sys.argv[2], sys.argv[3:]
    if command == "list":
        sys.stdout.write(listing(arguments[0]))
    elif command == "convert":
        sys.stdout.write(converted(arguments[0], arguments[1], arguments[2] if len(arguments) > 2 else None))
    elif command == "names":
        (pathlib.Path(arguments[0]) / "model_ids.txt").write_text(names(), encoding="utf-8")
    elif command == "golden":
        folders, golden = (pathlib.Path(a) for a in arguments[:2])
        digits, failed = int(arguments[2]) if len(arguments) > 2 else 64, []
        golden.mkdir(parents=True, exist_ok=True)
        for mark in sorted(folders.glob("*/outtype")):
            folder = mark.parent
            pre = folder / "pre"
            pre = pre.read_text().strip() if pre.is_file() else None
            try:
                lines = converted(folder, mark.read_text().strip(), pre, digits)
            except (Exception, SystemExit):
                traceback.print_exc()
                failed.append(folder.name)
                continue
            (golden / f"{folder.name.strip(chr(45)).replace(chr(32), chr(95))}.txt").write_text(lines, encoding="utf-8")
            print(folder.name, len(lines.splitlines()), "lines")
        if failed:
            raise SystemExit(f"the converter failed on {', '.join(failed)}")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
