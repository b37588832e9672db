#!/usr/bin/env python3
"""packed_fixtures.py LLAMA_CPP TOKENIZER OUT

Writes tiny llama folders whose weights are packed, each in one form, to OUT/<form> (config.json, model.safetensors),
and what convert_hf_to_gguf makes of each in F32 as OUT/<form>/golden.txt. TOKENIZER is the folder of a tokenizer of 456
tokens; its files are not copied to OUT.

Forms that the converter does not read (AWQ, one scale a channel with packed integers, act-order with
compressed-tensors, FP4 as plain values) are unpacked here by their definition, the plain folder then converted: golden
all the same. gpt-oss's MXFP4 blocks are repacked by the converter's own methods, their digests in blocks.txt.
"""
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile

import torch
from safetensors.torch import save_file

HIDDEN, INNER, VOCAB = 32, 64, 456
LINEAR = {"self_attn.q_proj": (32, 32), "self_attn.k_proj": (16, 32), "self_attn.v_proj": (16, 32),
          "self_attn.o_proj": (32, 32), "mlp.gate_proj": (64, 32), "mlp.up_proj": (64, 32), "mlp.down_proj": (32, 64)}
R = torch.Generator().manual_seed(5)


def ints(low, high, *shape, dtype=torch.int32):
    return torch.randint(low, high, shape, generator=R).to(dtype)


def words(*shape):
    return ints(-2**31, 2**31, *shape)


def scales(*shape, dtype=torch.float16):
    return (torch.rand(shape, generator=R) * 0.1 + 0.001).to(dtype)


def e4m3(*shape):
    codes = ints(0, 256, *shape, dtype=torch.uint8)
    codes[(codes & 127) == 127] = 0x3A
    return codes.view(torch.float8_e4m3fn)


def nibbles(t, n=8, bits=4):
    return torch.stack([(t >> (bits * i)) & (2**bits - 1) for i in range(n)], -1)


def fp8(block=None, scale=None, suffix="_scale_inv"):
    def make(name, rows, cols):
        shape = scale(rows, cols) if scale else (-(-rows // block[0]), -(-cols // block[1]))
        out = {f"{name}.weight": e4m3(rows, cols), f"{name}.weight{suffix}": scales(*shape, dtype=torch.float32)}
        out[f"{name}.input_scale" if suffix == "_scale" else f"{name}.activation_scale"] = torch.tensor(1.5)
        return out
    return make


def integers(name, rows, cols):
    return {f"{name}.weight": ints(-128, 128, rows, cols, dtype=torch.int8),
            f"{name}.weight_scale": scales(rows, 1, dtype=torch.bfloat16)}


def gptq(bits, group, order=False):
    def make(name, rows, cols):
        per, groups = 32 // bits, cols // group
        index = torch.arange(cols, dtype=torch.int32) // group
        if order:
            index = index[torch.randperm(cols, generator=R)]
        return {f"{name}.qweight": words(cols // per, rows), f"{name}.qzeros": words(groups, rows // per),
                f"{name}.scales": scales(groups, rows), f"{name}.g_idx": index}
    return make


def awq(name, rows, cols):
    group = 16
    w, z, s = words(cols, rows // 8), words(cols // group, rows // 8), scales(cols // group, rows)
    # The order in which autoawq packs eight outputs.
    place = [[0, 2, 4, 6, 1, 3, 5, 7].index(k) for k in range(8)]
    unpack = lambda t: nibbles(t)[..., place].reshape(t.shape[0], -1)
    group_of = torch.arange(cols) // group
    plain = ((unpack(w) - unpack(z)[group_of]).float() * s.float()[group_of]).T
    return {f"{name}.qweight": w, f"{name}.qzeros": z, f"{name}.scales": s}, {f"{name}.weight": plain}


def grouped(bits, group, symmetric=True):
    def make(name, rows, cols):
        per = 32 // bits
        out = {f"{name}.weight_packed": words(rows, cols // per),
               f"{name}.weight_scale": scales(rows, cols // group, dtype=torch.bfloat16),
               f"{name}.weight_shape": torch.tensor([rows, cols])}
        if not symmetric:
            out[f"{name}.weight_zero_point"] = words(rows // per, cols // group)
        return out
    return make


def grouped_plain(group, order):
    def make(name, rows, cols):
        size = group or cols
        w, s = words(rows, cols // 8), scales(rows, cols // size, dtype=torch.bfloat16)
        group_of = torch.arange(cols, dtype=torch.int32) // size
        out = {f"{name}.weight_packed": w, f"{name}.weight_scale": s, f"{name}.weight_shape": torch.tensor([rows, cols])}
        if order:
            group_of = group_of[torch.randperm(cols, generator=R)]
            out[f"{name}.weight_g_idx"] = group_of
        plain = (nibbles(w).reshape(rows, cols) - 8) * s.float()[:, group_of.long()]
        return out, {f"{name}.weight": plain}
    return make


LEVELS = torch.tensor([0, .5, 1, 1.5, 2, 3, 4, 6, 0, -.5, -1, -1.5, -2, -3, -4, -6])


def fp4_values(bytes_):
    return LEVELS[torch.stack([bytes_ & 15, bytes_ >> 4], -1).reshape(bytes_.shape[0], -1).long()]


def nvfp4(modelopt):
    def make(name, rows, cols):
        w, s = ints(0, 256, rows, cols // 2, dtype=torch.uint8), e4m3(rows, cols // 16).float().abs().to(torch.float8_e4m3fn)
        all_ = torch.rand(1, generator=R) * 100 + 1
        factor = all_ if modelopt else 1.0 / all_
        plain = fp4_values(w) * s.float().repeat_interleave(16, 1) * factor
        names = ("weight", "weight_scale_2", "input_scale") if modelopt else (
            "weight_packed", "weight_global_scale", "input_global_scale")
        return ({f"{name}.{names[0]}": w, f"{name}.weight_scale": s, f"{name}.{names[1]}": all_,
                 f"{name}.{names[2]}": torch.tensor([3.0])}, {f"{name}.weight": plain})
    return make


def mxfp4(name, rows, cols):
    w, s = ints(0, 256, rows, cols // 2, dtype=torch.uint8), ints(100, 140, rows, cols // 32, dtype=torch.uint8)
    plain = fp4_values(w) * torch.exp2(s.float() - 127).repeat_interleave(32, 1)
    return {f"{name}.weight_packed": w, f"{name}.weight_scale": s}, {f"{name}.weight": plain}


def bitnet(name, rows, cols):
    codes = ints(0, 3, 4, rows // 4, cols, dtype=torch.uint8)
    packed = codes[0] | codes[1] << 2 | codes[2] << 4 | codes[3] << 6
    return {f"{name}.weight": packed, f"{name}.weight_scale": scales(1, dtype=torch.bfloat16)}


def compressed(form, **weights):
    return {"quant_method": "compressed-tensors", "format": form,
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"symmetric": True, **weights}}}}


GPTQ = {"quant_method": "gptq"}
FORMS = {
    "fp8-block": ({"quant_method": "fp8", "weight_block_size": [24, 20]}, fp8((24, 20))),
    "fp8-tensor": ({"quant_method": "fp8"}, fp8(scale=lambda r, c: ())),
    "fp8-channel": (compressed("float-quantized", num_bits=8, type="float", strategy="channel"),
                    fp8(scale=lambda r, c: (r, 1), suffix="_scale")),
    "ct-fp8-block": (compressed("float-quantized", num_bits=8, type="float", strategy="block", block_structure=[16, 16]),
                     fp8((16, 16), suffix="_scale")),
    "modelopt-fp8": ({"quant_method": "modelopt", "quant_algo": "FP8"}, fp8(scale=lambda r, c: (r,), suffix="_scale")),
    "ct-int8": (compressed("int-quantized", num_bits=8, type="int", strategy="channel"), integers),
    "ct-pack4": (compressed("pack-quantized", num_bits=4, type="int", strategy="group", group_size=16), grouped(4, 16)),
    "ct-pack8-zero": (compressed("pack-quantized", num_bits=8, type="int", strategy="group", group_size=32, symmetric=False),
                      grouped(8, 32, False)),
    "ct-pack4-zero": (compressed("pack-quantized", num_bits=4, type="int", strategy="group", group_size=16, symmetric=False),
                      grouped(4, 16, False)),
    "ct-pack4-channel": (compressed("pack-quantized", num_bits=4, type="int", strategy="channel"), grouped_plain(0, False)),
    "ct-pack4-actorder": (compressed("pack-quantized", num_bits=4, type="int", strategy="group", group_size=16,
                                     actorder="group"), grouped_plain(16, True)),
    "gptq4-order": ({**GPTQ, "bits": 4, "group_size": 16, "desc_act": True}, gptq(4, 16, True)),
    "gptq8-v2": ({**GPTQ, "bits": 8, "group_size": 32, "checkpoint_format": "gptq_v2"}, gptq(8, 32)),
    "gptq2": ({**GPTQ, "bits": 2, "group_size": 16}, gptq(2, 16)),
    "awq": ({"quant_method": "awq", "bits": 4, "group_size": 16, "version": "gemm", "zero_point": True}, awq),
    "ct-nvfp4": (compressed("nvfp4-pack-quantized", num_bits=4, type="float"), nvfp4(False)),
    "modelopt-nvfp4": ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, nvfp4(True)),
    "ct-mxfp4": (compressed("mxfp4-pack-quantized", num_bits=4, type="float"), mxfp4),
    "bitnet": ({"quant_method": "bitnet"}, bitnet),
}


def folder(path, tokenizer, config, tensors):
    path.mkdir(parents=True)
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if tokenizer and (tokenizer / file).is_file():
            shutil.copy(tokenizer / file, path)
    (path / "config.json").write_text(json.dumps(config))
    save_file({k: v.contiguous() for k, v in tensors.items()}, path / "model.safetensors")


def converted(checkpoint_golden, folder_, file):
    """As checkpoint_golden's own, but not lazily: with torch 2.15 the lazy way fails on bitnet's shifts."""
    import convert_hf_to_gguf
    from conversion.base import TextModel
    TextModel.get_vocab_base_pre = lambda self, tokenizer: "llama-bpe"
    sys.argv = ["convert_hf_to_gguf.py", str(folder_), "--outfile", file, "--outtype", "f32", "--no-lazy"]
    convert_hf_to_gguf.main()
    return checkpoint_golden.listing(file)


def main():
    root, tokenizer, out = (pathlib.Path(a).resolve() for a in sys.argv[1:])
    sys.path[:0] = [str(pathlib.Path(__file__).parent), str(root), str(root / "gguf-py")]
    os.environ["HF_HUB_OFFLINE"] = "1"
    import checkpoint_golden
    for form, (quantization, make) in FORMS.items():
        config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
                  "intermediate_size": INNER, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
                  "vocab_size": VOCAB, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "bos_token_id": 448,
                  "eos_token_id": 449, "tie_word_embeddings": True}
        common = {"model.embed_tokens.weight": ints(-8, 8, VOCAB, HIDDEN, dtype=torch.float16)}
        for norm in ("layers.0.input_layernorm", "layers.0.post_attention_layernorm", "norm"):
            common[f"model.{norm}.weight"] = scales(HIDDEN)
        packed, plain = {}, {}
        for name, (rows, cols) in LINEAR.items():
            made = make(f"model.layers.0.{name}", rows, cols)
            if isinstance(made, tuple):
                plain.update(made[1])
                made = made[0]
            packed.update(made)
        shutil.rmtree(out / form, ignore_errors=True)
        folder(out / form, None, {**config, "quantization_config": quantization}, {**common, **packed})
        with tempfile.TemporaryDirectory() as tmp:
            live = pathlib.Path(tmp) / form
            if plain:
                folder(live, tokenizer, config, {**common, **plain})
            else:
                # The converter knows scales of activations with some methods only.
                known = quantization["quant_method"] != "compressed-tensors"
                taken = {k: v for k, v in packed.items() if known or not k.endswith(".input_scale")}
                folder(live, tokenizer, {**config, "quantization_config": quantization}, {**common, **taken})
            lines = converted(checkpoint_golden, live, f"{tmp}/x.gguf").splitlines(keepends=True)
        # The embeddings are F16, which we keep.
        kept = [line for line in lines if not line.startswith("token_embd.weight ")]
        (out / form / "golden.txt").write_text("".join(kept))
        print(form, len(kept), (out / form / "model.safetensors").stat().st_size)

    from conversion.gpt_oss import GptOssModel
    stem = "model.layers.0.mlp.experts."
    tensors, lines = {}, []
    written = lambda name, data, raw_dtype: lines.append(f"{name} {hashlib.sha256(data.tobytes()).hexdigest()}\n")
    model = GptOssModel.__new__(GptOssModel)
    model.gguf_writer = type("Writer", (), {"add_tensor": staticmethod(written)})()
    for name, rows, cols in (("gate_up_proj", 12, 96), ("down_proj", 5, 64)):
        b = tensors[f"{stem}{name}_blocks"] = ints(0, 256, 3, rows, cols // 32, 16, dtype=torch.uint8)
        s = tensors[f"{stem}{name}_scales"] = ints(0, 256, 3, rows, cols // 32, dtype=torch.uint8)
        for part, first in (("gate_proj", 0), ("up_proj", 1)) if name != "down_proj" else (("down_proj", 0),):
            step = 1 if name == "down_proj" else 2
            model.repack_mxfp4(f"{stem}{part}.weight", b[:, first::step].contiguous(), s[:, first::step].contiguous())
    path = out / "gpt-oss-blocks"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    save_file(tensors, path / "model.safetensors")
    (path / "blocks.txt").write_text("".join(sorted(lines)))


if __name__ == "__main__":
    main()
