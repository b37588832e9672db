#!/usr/bin/env python3
"""recipe_golden.py: asks llama.cpp which type it gives each tensor of tiny models, for every file type and many options.

Every model is a GGUF file with real metadata and tensors of real names and tiny shapes. The peer (the dry run of
llama_model_quantize in the crate llama-cpp-sys-2, through conformance/peer/examples/types.rs) tells the types; for some
models it really quantizes as well (conformance/peer/examples/quantize.rs), and the types in the file must be the same.
Writes crates/quant-recipe/tests/golden/llama_quantize.json; how it is laid out stands in tests/golden.rs.

Needs: pip install gguf==0.19.0 numpy; and what the crate llama-cpp-sys-2 needs (cmake, clang). With --check, compares with
the committed file in place of writing it.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "crates/quant-recipe/tests/golden/llama_quantize.json"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PEER = TARGET / "release/examples/types"
QUANTIZE = TARGET / "release/examples/quantize"
FILE_TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11, "Q3_K_M": 12,
    "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ2_XXS": 19, "IQ2_XS": 20,
    "Q2_K_S": 21, "IQ3_XS": 22, "IQ3_XXS": 23, "IQ1_S": 24, "IQ4_NL": 25, "IQ3_S": 26, "IQ3_M": 27, "IQ2_S": 28,
    "IQ2_M": 29, "IQ4_XS": 30, "IQ1_M": 31, "BF16": 32, "TQ1_0": 36, "TQ2_0": 37, "MXFP4_MOE": 38, "Q1_0": 40, "Q2_0": 41}
# A letter for each tensor type in the golden file; ! is a refusal.
TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ1_S",
         "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4", "Q1_0",
         "Q2_0", "NVFP4"]
LETTER = {name: letter for name, letter in zip(TYPES, "ABCDEFGHIJKLMNOPQRSTUVWXYZab")}
REFUSED = "!"
WIDE = [256, 2]  # ne order: rows of 256 weights, two of them


class Model:
    """Metadata (key without the architecture → value) and tensors (name, ne, element type)."""

    def __init__(self, name, arch, layers, heads=8, kv=None, **keys):
        self.name, self.arch = name, arch
        self.keys = {"context_length": 128, "embedding_length": 256, "block_count": layers,
                     "attention.head_count": heads, "attention.layer_norm_rms_epsilon": 1e-5,
                     "attention.layer_norm_epsilon": 1e-5}
        if kv is not None:
            self.keys["attention.head_count_kv"] = kv
        self.keys |= {key.replace("__", "."): value for key, value in keys.items()}
        self.tensors = []

    def add(self, name, ne=WIDE, element="F32"):
        self.tensors.append((name, list(ne), element))
        return self

    def layers(self, parts, numbers=None, ne=WIDE, element="F32"):
        for i in numbers if numbers is not None else range(self.keys["block_count"]):
            for part in parts:
                vector = part.endswith("bias") or "norm." in part
                self.add(f"blk.{i}.{part}", [ne[0]] if vector else ne, "F32" if vector else element)
        return self

    def ends(self, tied, ne=WIDE, element="F32"):
        self.add("token_embd.weight", ne, element).add("output_norm.weight", ne[:1])
        return self if tied else self.add("output.weight", ne, element)


ATTENTION = ["attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_output.weight"]
FFN = ["ffn_gate.weight", "ffn_up.weight", "ffn_down.weight"]
NORMS = ["attn_norm.weight", "ffn_norm.weight"]
# What a mix looks at in a model of 80 layers; the rest would only make the golden file long.
SENSITIVE = ["attn_v.weight", "attn_output.weight", "ffn_down.weight"]
EXPERTS = ["ffn_gate_exps.weight", "ffn_up_exps.weight", "ffn_down_exps.weight"]


BAILINGMOE3 = {
    "attention__key_length_mla": 64, "attention__value_length_mla": 64, "attention__kv_lora_rank": 256,
    "ssm__conv_kernel": 4, "kda__head_dim": 64, "kda__gate_lower_bound": -5.0, "expert_feed_forward_length": 256,
    "expert_shared_count": 1, "leading_dense_block_count": 0, "expert_gating_func": 2, "expert_count": 8,
    "expert_used_count": 2}


def models():
    yield Model("llama-1-query-per-key-tied", "llama", 10, 8, 8).ends(True).layers(NORMS + ATTENTION + FFN)
    yield Model("llama-4-queries-per-key", "llama", 22, 8, 2).ends(False).layers(ATTENTION + FFN)
    yield Model("llama-8-queries-per-key-f16", "llama", 33, 64, 8).ends(False, element="F16").layers(
        SENSITIVE + ["ffn_gate.weight"], element="F16")
    yield Model("llama-no-key-heads", "llama", 4, 8, 0).ends(False).layers(SENSITIVE)
    for layers in (1, 2, 3, 5, 7, 8, 9, 15, 16, 17):
        yield Model(f"llama-{layers}-layers", "llama", layers, 8, 4).ends(layers % 2 == 0).layers(SENSITIVE)
    yield Model("llama-70b", "llama", 80, 64, 8).ends(False).layers(SENSITIVE)
    yield Model("llama-65b", "llama", 80, 64, 64).ends(False).layers(SENSITIVE)
    yield Model("qwen2-72b", "qwen2", 80, 64, 8).ends(False).layers(SENSITIVE + ["attn_v.bias"])
    yield Model("qwen2-nextn-81", "qwen2", 81, 8, 8, nextn_predict_layers=1).ends(False).layers(
        ["attn_v.weight", "ffn_down.weight"])
    yield Model("qwen2-tied-biases", "qwen2", 24, 14, 2).ends(True).layers(
        NORMS + SENSITIVE + ["attn_q.weight", "attn_q.bias", "attn_k.bias", "attn_v.bias"])
    yield Model("llama-embed-80", "llama-embed", 80, 64, 8).ends(True).layers(["attn_v.weight"])
    yield Model("olmo-80", "olmo", 80, 8, 8).ends(False).layers(["attn_v.weight"])
    yield Model("jais2-68", "jais2", 68, 8, 8).ends(False).layers(["attn_v.weight"])
    yield Model("deci-80-lists", "deci", 80, [8, 4] * 40, [2, 0] * 40).ends(False).layers(["attn_v.weight"])
    yield Model("deci-lists-first-none", "deci", 6, [0, 8] * 3, [0, 2] * 3).ends(False).layers(SENSITIVE)

    eight = {"expert_count": 8, "expert_used_count": 2}
    yield Model("mixtral", "llama", 32, 32, 8, **eight).ends(False).layers(
        ["ffn_gate_inp.weight"] + ATTENTION).layers(EXPERTS, ne=[256, 2, 8])
    split = Model("mixtral-80-split-experts", "llama", 80, 32, 8, **eight).ends(True).layers(["attn_v.weight"], [0, 79])
    for expert in range(8):
        split.layers([f"{part}.{expert}.weight" for part in ("ffn_down", "ffn_up", "ffn_gate")], [0, 9, 10, 11, 79])
    yield split
    four = {"expert_count": 4, "expert_used_count": 1}
    yield Model("moe-4-experts-shared", "qwen2moe", 8, 8, 2, **four, expert_feed_forward_length=256,
                expert_shared_feed_forward_length=256).ends(False).layers(
        ["ffn_gate_inp.weight", "ffn_gate_inp_shexp.weight", "ffn_down_shexp.weight", "ffn_up_shexp.weight"]
        + ATTENTION).layers(EXPERTS, ne=[256, 2, 4])
    yield Model("moe-16-experts", "qwen2moe", 16, 8, 4, expert_count=16, expert_used_count=2, expert_feed_forward_length=256,
                expert_shared_feed_forward_length=256).ends(True).layers(ATTENTION).layers(EXPERTS, ne=[256, 2, 2])
    yield Model("bailingmoe3", "bailingmoe3", 2, 8, 8, **BAILINGMOE3).ends(False).layers(
        ["attn_q_a.weight", "attn_output.weight", "ffn_down_shexp.weight"]).layers(
        ["attn_k_b.weight", "attn_v_b.weight"] + EXPERTS, ne=[256, 2, 2])
    yield Model("one-expert", "llama", 4, 8, 2, expert_count=1, expert_used_count=1).ends(False).layers(SENSITIVE)
    yield Model("deepseek2-mla", "deepseek2", 9, 16, 1, expert_count=64, expert_used_count=6,
                leading_dense_block_count=1, expert_feed_forward_length=256, expert_shared_count=2,
                attention__q_lora_rank=256, attention__kv_lora_rank=256, attention__key_length_mla=64,
                attention__value_length_mla=64).ends(False).layers(
        ["attn_q_a.weight", "attn_q_b.weight", "attn_kv_a_mqa.weight", "attn_kv_b.weight", "attn_output.weight",
         "attn_kv_a_norm.weight"]).layers(["attn_k_b.weight", "attn_v_b.weight"], ne=[128, 2, 2]).layers(
        FFN, [0]).layers(["ffn_gate_inp.weight", "ffn_down_shexp.weight"], range(1, 9)).layers(
        EXPERTS, range(1, 9), ne=[256, 2, 3])
    yield Model("glm5-next", "glm5-next", 4, 8, 1, expert_count=16, expert_used_count=2,
                attention__q_lora_rank=256, attention__kv_lora_rank=256, attention__key_length_mla=64,
                attention__value_length_mla=64, ssm__conv_kernel=4, kda__head_dim=64, expert_feed_forward_length=256,
                expert_shared_count=1, attention__indexer__head_count=4, attention__indexer__key_length=64,
                attention__indexer__top_k=64, attention__indexer__kpool=4, hyper_connection__count=4,
                hyper_connection__sinkhorn_iterations=4, hyper_connection__epsilon=1e-5).ends(False).layers(
        ["attn_q_a.weight", "attn_q_b.weight", "attn_output.weight", "nextn.eh_proj.weight", "hc_attn.weight",
         "indexer.attn_q_b.weight", "indexer.attn_k.weight", "indexer.proj.weight", "indexer_compressor_gate.weight",
         "indexer_compressor_ape.weight", "ssm_f_a.weight", "ssm_f_b.weight", "ssm_g_a.weight", "ssm_g_b.weight",
         "ssm_beta.weight", "attn_kv_a_mqa.weight", "attn_k_b.weight", "attn_v_b.weight"]).layers(
        ["attn_q_a.weight"], [9], ne=[96, 2]).layers(["attn_q_b.weight"], [9], ne=[72, 2]).layers(
        EXPERTS, ne=[256, 2, 2])

    falcon = ["attn_qkv.weight", "attn_output.weight", "ffn_up.weight", "ffn_down.weight"]
    yield Model("falcon-7b", "falcon", 32, 71, 1).ends(False).layers(falcon)
    yield Model("falcon-tied-11", "falcon", 11, 8, 8).ends(True).layers(falcon)
    yield Model("falcon-8-experts", "falcon", 16, 8, 8, **eight).ends(True).layers(falcon)
    yield Model("phi2", "phi2", 24, 8, 8).ends(False).layers(falcon + ["attn_qkv.bias", "ffn_up.bias"])
    yield Model("gpt2-tied", "gpt2", 12, 8).ends(True).add("position_embd.weight").layers(falcon)
    yield Model("bert", "bert", 6, 12).ends(True).add("token_types.weight").add("position_embd.weight").add(
        "token_embd_norm.weight", [256]).layers(
        ATTENTION + ["ffn_up.weight", "ffn_down.weight", "attn_output_norm.weight", "layer_output_norm.weight",
                     "attn_q.bias", "ffn_up.bias"])
    yield Model("bert-rows-of-384", "bert", 6, 12).ends(True, ne=[384, 2]).layers(
        ATTENTION + ["ffn_up.weight"], ne=[384, 2]).layers(["ffn_down.weight"], ne=[1536, 2])

    for row, down in ((160, 96), (72, 80), (2080, 33), (1, 31), (384, 128), (192, 64)):
        yield Model(f"llama-rows-of-{row}-and-{down}", "llama", 9, 8, 2).ends(row == 160, ne=[row, 2]).layers(
            ATTENTION + ["ffn_up.weight"], ne=[row, 2]).layers(["ffn_down.weight"], ne=[down, 3])
    yield Model("llama-output-fits-32-only", "llama", 2, 8, 2).add("token_embd.weight", [288, 2]).add(
        "output.weight", [288, 2]).layers(SENSITIVE)
    yield Model("falcon-rows-of-96", "falcon", 9, 8, 2).ends(True, ne=[96, 2]).layers(falcon, ne=[96, 2])
    yield Model("mixtral-rows-of-96", "llama", 4, 8, 2, **eight).ends(False, ne=[96, 2]).layers(
        ATTENTION, ne=[96, 2]).layers(EXPERTS, ne=[96, 2, 2])

    yield Model("per-layer-embeddings", "llama", 2, 8, 8).ends(True).add("per_layer_token_embd.weight").add(
        "per_layer_model_proj.weight")
    yield Model("per-layer-embeddings-untied", "llama", 2, 8, 8).ends(False).add("per_layer_token_embd.weight")

    # Tensors in no useful order, with every element type, every name that is kept, and names that only look so.
    odd = Model("odd-names", "llama", 12, 8, 2)
    for i in (11, 2, 10, 0, 3, 1):
        odd.layers(reversed(SENSITIVE + ["attn_qkv.weight", "attn_kv_b.weight"]), [i], element="BF16")
    for name in """blk.0.ffn_norm.weight blk.0.ffn_gate_inp.weight blk.0.ffn_gate_tid2eid.weight altup_proj.weight
            blk.0.laurel_l.weight position_embd.weight my.position_embd.weight my_position_embd.weight
            token_types.weight my_token_types.weight blk.0.ssm_conv1d.weight blk.0.shortconv.conv.weight
            blk.0.shortconv.in_proj.weight blk.0.indexer.k_proj.weight blk.0.indexer.q_proj.weight
            blk.0.time_mix_first.weight blk.0.time_mix_w0.weight blk.0.time_mix_w1.weight blk.0.time_mix_w2.weight
            blk.0.time_mix_v0.weight blk.0.time_mix_v1.weight blk.0.time_mix_v2.weight blk.0.time_mix_a0.weight
            blk.0.time_mix_a1.weight blk.0.time_mix_a2.weight blk.0.time_mix_g1.weight blk.0.time_mix_g2.weight
            blk.0.time_mix_decay_w1.weight blk.0.time_mix_decay_w2.weight blk.0.time_mix_lerp_fused.weight
            blk.0.time_mix_key.weight blk.0.attn_rel_b.weight sam.pos_embd.weight sam.neck.0.weight sam.net_2.weight
            v.blk.0.rel_pos_h.weight v.blk.0.attn.rel_pos_w.weight v.patch_embd.weight v.patch_merger.weight
            a.rvq.codebook.weight mm.a.code_embd.weight blk.0.ssm_beta.weight blk.0.attn_v_b.weight
            blk.0.attn_q.bias blk.0.attn_q.weights weight x five5 embed ff_up ffn_up ffn_down attn_v.weights
            v.blk.3.attn_v.weight v.blk.3.ffn_down.weight enc.blk.1.ffn_up.weight blk.5.ffn_downs.weight
            blk.6.cross_attn_k.weight cls.weight cls.output.weight output.weight.weight
            blk.x.attn_v.weight blk.7 blk.-3.attn_v.weight blk.+4.attn_v.weight blk.007.ffn_down.weight""".split():
        odd.add(name, element=["F32", "F16", "BF16"][len(name) % 3])
    odd.add("blk.4.attn_v.weight", [256]).add("blk.5.attn_v.weight", [256, 1, 2]).add("blk.6.attn_v.weight", [256, 1])
    odd.add("blk.8.attn_k.weight", [1, 256]).add("blk.8.attn_q.weight", [256, 1, 1]).add(
        "v.patch_embd.conv.weight", [4, 4, 2, 2])
    yield odd.ends(False, element="BF16")


def write(model, path):
    writer = GGUFWriter(path, model.arch)
    for key, value in model.keys.items():
        key = f"{model.arch}.{key}"
        if isinstance(value, list):
            writer.add_array(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        else:
            writer.add_uint32(key, value)
    random = numpy.random.default_rng(1)
    for name, ne, element in model.tensors:
        weights = random.standard_normal(ne[::-1], dtype=numpy.float32)
        if element == "F16":
            weights = weights.astype(numpy.float16)
        if element == "BF16":
            weights = (weights.view(numpy.uint32) >> 16).astype(numpy.uint16)
            writer.add_tensor(name, weights, raw_dtype=GGMLQuantizationType.BF16)
        else:
            writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# Options beside the file type: words that the peer's example takes, with names of types; and to which models and file
# types they are given.
OPTIONS = [
    ["pure"], ["leave-output"], ["pure", "leave-output", "importance"], ["output=F16"], ["output=Q8_0", "pure"],
    ["embedding=Q4_0"], ["embedding=BF16", "output=Q4_K"], ["output=Q6_K", "embedding=F16", "pure"],
    ["tensor=attn_v=Q8_0"], ["tensor=attn_(v|k)=Q8_0", "tensor=attn_=Q5_K", "tensor=ffn_down=IQ4_XS"],
    [r"tensor=blk\.[0-3]\.ffn_down=F16", "tensor=^token_embd=Q3_K"], [r"tensor=\.weight$=Q6_K", "importance"],
    ["tensor=ffn_(up|gate|down)_exps=MXFP4", "importance"], ["tensor=output=Q5_0", "output=Q8_0", "embedding=F16"],
    ["tensor=per_layer=Q4_1", "embedding=Q8_0"], ["tensor=embd=IQ3_S", "pure"], ["tensor=ffn_down=Q1_0"],
    ["tensor=attn_v=NVFP4"]]
OPTIONS_FOR = ["llama-9-layers", "llama-1-query-per-key-tied", "mixtral-rows-of-96", "moe-4-experts-shared", "qwen2-tied-biases", "falcon-rows-of-96",
               "bert-rows-of-384", "per-layer-embeddings", "per-layer-embeddings-untied", "odd-names", "llama-rows-of-192-and-64"]
OPTIONS_WITH = ["F16", "Q4_0", "Q3_K_L", "Q4_K_M", "IQ2_XS", "IQ3_M", "MXFP4_MOE"]
# Model, layers taken out.
PRUNED = [("llama-4-queries-per-key", [0, 3, 21]), ("mixtral", [1, 2, 30]), ("qwen2-tied-biases", [23]), ("llama-9-layers", [4])]
# Really quantized: a model of each kind, and file types that need no importance.
REALLY = ["llama-1-query-per-key-tied", "moe-4-experts-shared", "bert-rows-of-384"]
REALLY_WITH = ["Q4_0", "Q3_K_L", "Q4_K_S", "Q5_K_M", "IQ3_S", "IQ4_NL", "MXFP4_MOE", "TQ2_0", "Q1_0"]


class Peer:
    """The peer, which answers a line with a line."""

    def __init__(self):
        self.process = subprocess.Popen([PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, source, file_type, options=()):
        """A letter for each tensor by its name in the output; None if the peer refuses."""
        words = [str(source), str(FILE_TYPES[file_type])]
        for option in options:
            head, equals, ty = option.rpartition("=")
            words.append(f"{head}={GGMLQuantizationType[ty].value}" if equals and not head.startswith("prune") and ty in
                         GGMLQuantizationType.__members__ else option)
        print("\t".join(words), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().rstrip("\n").split("\t")
        if answer[0] == "refused":
            return None
        # A tensor type without a letter is one that no model was to get.
        return {name: LETTER.get(ty.upper()) or f"<{ty}>" for name, ty in zip(answer[::2], answer[1::2], strict=True)}


def really(model, source, folder, peer):
    """The dry run says what the real run does."""
    outputs = {name: folder / f"{name}.gguf" for name in REALLY_WITH}
    command = [QUANTIZE, source]
    for name, path in outputs.items():
        command += [str(FILE_TYPES[name]), path]
    subprocess.run(command, check=True)
    for name, path in outputs.items():
        told = {tensor.name: LETTER[tensor.tensor_type.name] for tensor in GGUFReader(path).tensors}
        assert told == peer.ask(source, name), f"{model.name} {name}: the dry run says something else"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    arguments = parser.parse_args()
    build = ["cargo", "build", "--release", "--quiet", "-p", "peer", "--examples"]
    subprocess.run(build, check=True, cwd=ROOT)
    version = subprocess.run([PEER], check=True, capture_output=True, text=True, input="").stdout.strip()
    peer = Peer()
    rows = {}
    lines, with_options, pruned = [], [], []
    for model in models():
        print(model.name, file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            source = folder / "source.gguf"
            write(model, source)
            names = [name for name, _, _ in model.tensors]
            columns = []
            for importance in ([], ["importance"]):
                for file_type in FILE_TYPES:
                    types = peer.ask(source, file_type, importance)
                    columns.append([REFUSED] * len(names) if types is None else [types[name] for name in names])
            row_of = [rows.setdefault("".join(row), len(rows)) for row in zip(*columns)]
            if model.name in REALLY:
                really(model, source, folder, peer)
            for options in OPTIONS if model.name in OPTIONS_FOR else []:
                answers = {}
                for file_type in OPTIONS_WITH:
                    types = peer.ask(source, file_type, options)
                    answers[file_type] = types and "".join(types[name] for name in names)
                with_options.append(json.dumps({"model": model.name, "options": options, "types": answers}))
            for _, layers in [pair for pair in PRUNED if pair[0] == model.name]:
                for file_type in ("Q4_K_M", "IQ3_XS"):
                    types = peer.ask(source, file_type, ["prune=" + ",".join(map(str, layers))])
                    pruned.append(json.dumps({"model": model.name, "layers": layers, "file_type": file_type,
                                              "names": " ".join(types), "types": "".join(types.values())}))
        keys = {"general.architecture": model.arch} | {
            f"{model.arch}.{key}": value for key, value in model.keys.items() if not isinstance(value, float)}
        tensors = ",\n".join(json.dumps([name, "x".join(map(str, ne)), element, row])
                             for (name, ne, element), row in zip(model.tensors, row_of))
        lines.append(f'{{"name": {json.dumps(model.name)},\n"metadata": {json.dumps(keys)},\n"tensors": [\n{tensors}]}}')
    text = "\n".join([
        "{", f'"peer": {json.dumps(version + ", dry run of llama_model_quantize")},',
        f'"letters": {json.dumps({letter: name for name, letter in LETTER.items()})},',
        f'"file_types": {json.dumps(list(FILE_TYPES))},',
        '"rows": [', ",\n".join(map(json.dumps, rows)), "],",
        '"models": [', ",\n".join(lines), "],",
        '"with_options": [', ",\n".join(with_options), "],",
        '"pruned": [', ",\n".join(pruned), "]", "}"]) + "\n"
    json.loads(text)
    if "<" in "".join(rows):
        sys.exit("a tensor type without a letter")
    if not arguments.check:
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    elif text != GOLDEN.read_text(encoding="utf-8"):
        sys.exit(f"{GOLDEN}: the peer says something else")


if __name__ == "__main__":
    main()
