#!/usr/bin/env python3
"""lora_models.py MODELS OUT [CASE …]
lora_models.py --golden MODELS OUT

Writes tiny models with adapters, and what peft makes of them: OUT/<case>/base, the adapters OUT/<case>/0, 1 …, peft's own
merge OUT/<case>/merged, and OUT/<case>/scales, a line for each adapter. MODELS is conformance/fixture-models/models, whose
tokenizers the folders get.

The second form makes the folders of crates/hf-checkpoint/tests/golden/lora: the cases GOLDEN of even smaller models, without
tokenizers and whatever else the tests do not read.

Needs torch, transformers and peft (conformance/scripts/setup.sh). Deterministic.
"""
import copy
import json
import os
import pathlib
import shutil
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import safetensors.torch
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

warnings.filterwarnings("ignore")
SMALL = "--golden" in sys.argv
MODELS, OUT, *ONLY = [a for a in sys.argv[1:] if a != "--golden"]
GOLDEN = ["patterns-rslora", "ends-dora", "tied-head", "three", "gpt2-dora", "mixtral", "gpt-oss", "tokens", "bias",
          "gpt-oss-mxfp4", "mixtral-one-by-one", "qwen3moe-patterns", "qwen3moe-experts-dora"]
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
LINEAR = ATTENTION + ["gate_proj", "up_proj", "down_proj"]
DECODER = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
               head_dim=8, vocab_size=456, max_position_embeddings=64, bos_token_id=448, eos_token_id=449, pad_token_id=None)
if SMALL:
    DECODER |= dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
                    head_dim=4)
LLAMA3, QWEN = "Tiny-Llama-3.2-1M-Instruct", "qwen2.5-mini-chat"


def llama(**more):
    return LLAMA3, transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**DECODER, **more}))


def qwen2(**more):
    return QWEN, transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**{**DECODER, **vocab(QWEN), **more}))


def qwen3(**more):
    return QWEN, transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**{**DECODER, **vocab(QWEN), **more}))


def mistral():
    return LLAMA3, transformers.MistralForCausalLM(transformers.MistralConfig(**DECODER, sliding_window=None))


def mixtral():
    config = transformers.MixtralConfig(**DECODER, num_local_experts=4, num_experts_per_tok=2)
    return LLAMA3, transformers.MixtralForCausalLM(config)


def qwen3_moe():
    config = transformers.Qwen3MoeConfig(**{**DECODER, **vocab(QWEN)}, moe_intermediate_size=24, num_experts=4,
                                         num_experts_per_tok=2)
    return QWEN, transformers.Qwen3MoeForCausalLM(config)


def gpt_oss():
    config = transformers.GptOssConfig(**DECODER, num_local_experts=4, num_experts_per_tok=2, sliding_window=16)
    return LLAMA3, transformers.GptOssForCausalLM(config)


def deepseek():
    config = transformers.DeepseekV3Config(**{**DECODER, **vocab(QWEN), "num_key_value_heads": 4}, moe_intermediate_size=24, n_routed_experts=4,
                                           num_experts_per_tok=2, n_group=1, topk_group=1, n_shared_experts=1,
                                           first_k_dense_replace=1, q_lora_rank=8, kv_lora_rank=8, qk_rope_head_dim=4,
                                           qk_nope_head_dim=8, v_head_dim=8)
    return QWEN, transformers.DeepseekV3ForCausalLM(config)


def gpt_oss_wide():
    """As wide as MXFP4's blocks need it."""
    size = dict(hidden_size=32, intermediate_size=64)
    config = transformers.GptOssConfig(**{**DECODER, **size}, num_local_experts=4, num_experts_per_tok=2, sliding_window=16)
    return LLAMA3, transformers.GptOssForCausalLM(config)


def gpt2():
    config = transformers.GPT2Config(n_embd=DECODER["hidden_size"], n_layer=DECODER["num_hidden_layers"], n_head=2,
                                     n_positions=64, vocab_size=456, n_inner=None, bos_token_id=448, eos_token_id=449)
    return LLAMA3, transformers.GPT2LMHeadModel(config)


def vocab(tokenizer):
    size = json.loads((pathlib.Path(MODELS) / tokenizer / "config.json").read_text())["vocab_size"]
    return dict(vocab_size=size, bos_token_id=None, eos_token_id=size - 1)


def lora(targets, r=4, alpha=6, **more):
    return dict(r=r, lora_alpha=alpha, target_modules=targets, init_lora_weights=False, **more)


def one_by_one(targets, **more):
    """An adapter as transformers 4 has it, where each expert is a module."""
    return lora(targets, **more) | {"one by one": True}


EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
# name: the base, its adapters, and their scales where they are not 1
CASES = {
    "linear": (llama, [lora(LINEAR)]),
    "qwen2": (qwen2, [lora(LINEAR)]),
    "qwen3": (qwen3, [lora(ATTENTION)]),
    "mistral": (mistral, [lora(LINEAR)]),
    "scale": (llama, [lora(LINEAR)], [0.5]),
    "rslora": (llama, [lora(LINEAR, r=8, alpha=5, use_rslora=True)]),
    "patterns": (llama, [lora(LINEAR, rank_pattern={"q_proj": 2, r"layers\.1\.mlp\.(gate|up)_proj": 3},
                              alpha_pattern={"^model.layers.0.self_attn.k_proj": 11, "down_proj": 1, "o": 99})]),
    "patterns-rslora": (llama, [lora(LINEAR, use_rslora=True, rank_pattern={"v_proj|o_proj": 9},
                                     alpha_pattern={"v_proj": 2})]),
    "dora": (llama, [lora(LINEAR, use_dora=True)]),
    "ends": (llama, [lora(["q_proj", "embed_tokens", "lm_head"])]),
    "ends-dora": (llama, [lora(["q_proj", "embed_tokens", "lm_head"], use_dora=True, use_rslora=True)]),
    "tied": (lambda: llama(tie_word_embeddings=True), [lora(["embed_tokens", "v_proj"])]),
    "tied-head": (lambda: llama(tie_word_embeddings=True), [lora(["q_proj"], modules_to_save=["lm_head"])]),
    "tied-embeddings": (lambda: llama(tie_word_embeddings=True), [lora(["q_proj"], modules_to_save=["embed_tokens"])]),
    "saved": (llama, [lora(["q_proj"], modules_to_save=["lm_head", "embed_tokens", "input_layernorm"])]),
    "tokens": (llama, [lora(["q_proj"], trainable_token_indices={"embed_tokens": [3, 450, 7]})]),
    "bias": (qwen2, [lora(["q_proj", "v_proj"], lora_bias=True)]),
    "bias-all": (qwen2, [lora(["q_proj", "o_proj"], bias="all")]),
    "gpt2": (gpt2, [lora(["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True)]),
    "gpt2-dora": (gpt2, [lora(["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True, use_dora=True)]),
    "two": (llama, [lora(LINEAR), lora(["v_proj", "o_proj", "up_proj"], r=3, use_rslora=True)], [1, -0.75]),
    "two-dora": (llama, [lora(LINEAR, use_dora=True), lora(["v_proj", "o_proj", "lm_head"], r=3, use_dora=True)], [1.5, 1]),
    "three": (llama, [lora(["q_proj"]), lora(ATTENTION, use_dora=True), lora(["q_proj", "k_proj"])], [1, 2, 0.25]),
    "mixtral": (mixtral, [lora(["q_proj", "w1", "w2", "w3"])]),
    "qwen3moe": (qwen3_moe, [lora(["q_proj"], target_parameters=EXPERTS)]),
    "qwen3moe-down": (qwen3_moe, [lora(["gate"], target_parameters=EXPERTS[1:], rank_pattern={"down_proj": 3})]),
    "gpt-oss": (gpt_oss, [lora(["q_proj"], target_parameters=EXPERTS)]),
    "gpt-oss-mxfp4": (gpt_oss_wide, [lora(["q_proj"], target_parameters=EXPERTS)], [1], None, "mxfp4"),
    "mixtral-fused": (mixtral, [lora(["q_proj"], target_parameters=EXPERTS)], [1], None, "fused"),
    "mixtral-one-by-one": (mixtral, [one_by_one(["q_proj", "w1", "w2", "w3"])], [0.5], None, "fused"),
    "qwen3moe-one-by-one": (qwen3_moe, [one_by_one(["gate_proj", "up_proj", "down_proj"], use_rslora=True)], [1], None, "fused"),
    "qwen3moe-patterns": (qwen3_moe, [one_by_one(["gate_proj", "down_proj"], rank_pattern={r"experts\.[02]\..*": 3},
                                                 alpha_pattern={"down_proj": 5})], [1], None, "fused"),
    "qwen3moe-experts-dora": (qwen3_moe, [one_by_one(["gate_proj", "up_proj", "down_proj"], use_dora=True),
                                          one_by_one(["up_proj", "down_proj"])], [1, 2], None, "fused"),
    "deepseek-one-by-one": (deepseek, [one_by_one(["gate_proj", "up_proj", "down_proj"])], [1], None, "fused"),
    "deepseek-experts": (deepseek, [lora(["kv_b_proj"], target_parameters=EXPERTS)]),
    "bf16-adapter": (llama, [lora(LINEAR, use_dora=True)], [1], torch.bfloat16),
    "f16-adapter": (llama, [lora(LINEAR)], [1], torch.float16),
}


# Adapters of transformers 4's experts that peft can load beside transformers 5's, scales and all.
CONVERTED = ["mixtral-one-by-one"]


def perturb(model, seed):
    """Moves all that an adapter has and a base has not, so that nothing is as it was initialised."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        # Also the copies of whole modules, and biases that are trained.
        if p.requires_grad or "lora_" in name:
            noise = torch.randn(p.shape, generator=generator) * 0.1
            p.data = (p.data * (1 + noise) if "magnitude" in name else p.data * 0.3 + noise).contiguous()


def experts(model):
    """The modules that transformers 4 has for the experts of a model of transformers 5, with the weights they have of it."""
    for path, module in model.named_modules():
        if path.endswith(".experts"):
            mixtral = "Mixtral" in type(model).__name__
            path = path.replace(".mlp.", ".block_sparse_moe.") if mixtral else path
            names = ["w1", "w3", "w2"] if mixtral else ["gate_proj", "up_proj", "down_proj"]
            for number, (both, down) in enumerate(zip(module.gate_up_proj.data, module.down_proj.data)):
                for name, weight in zip(names, [*both.chunk(2), down]):
                    yield f"{path}.{number}.{name}", weight


def apart(model):
    """A tree of linear layers as transformers 4 has them, the experts too, of the weights of this model."""
    linear = [(path, m.weight.data) for path, m in model.named_modules() if isinstance(m, torch.nn.Linear)]
    tree = torch.nn.Module()
    for path, weight in [*linear, *experts(model)]:
        layer = torch.nn.Linear(*reversed(weight.shape), bias=False)
        layer.weight.data = weight.clone()
        *parents, last = path.split(".")
        place = tree
        for parent in parents:
            if not hasattr(place, parent):
                place.add_module(parent, torch.nn.Module())
            place = getattr(place, parent)
        place.add_module(last, layer)
    return tree


def together(model, tree):
    """The model with the weights of the tree."""
    linear = [(path, m.weight.data) for path, m in model.named_modules() if isinstance(m, torch.nn.Linear)]
    for path, weight in [*linear, *experts(model)]:
        weight.copy_(tree.get_submodule(path).weight.data)
    return model


def pack_experts(model, base):
    """Rounds a model's experts to MXFP4, and gives its folder their blocks instead of them, as gpt-oss is published."""
    generator = torch.Generator().manual_seed(7)
    tensors = safetensors.torch.load_file(base / "model.safetensors")
    for path, module in model.named_modules():
        if path.endswith(".experts"):
            for name in ["gate_up_proj", "down_proj"]:
                count, cols, rows = getattr(module, name).shape
                blocks = torch.randint(0, 256, (count, rows, cols // 32, 16), generator=generator, dtype=torch.uint8)
                scales = torch.randint(120, 126, (count, rows, cols // 32), generator=generator, dtype=torch.uint8)
                getattr(module, name).data = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)
                del tensors[f"{path}.{name}"]
                tensors |= {f"{path}.{name}_blocks": blocks, f"{path}.{name}_scales": scales}
    safetensors.torch.save_file(tensors, base / "model.safetensors", {"format": "pt"})
    config = json.loads((base / "config.json").read_text()) | {"quantization_config": {"quant_method": "mxfp4"}}
    (base / "config.json").write_text(json.dumps(config, indent=2))


def write(name, out, base, adapters, scales=None, dtype=None, form=None):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(sum(map(ord, name)))
    tokenizer, model = base()
    model.save_pretrained(folder / "base", save_original_format=form != "fused")
    if form == "mxfp4":
        pack_experts(model, folder / "base")
    kind = type(model)
    for file in [] if SMALL else ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        if (pathlib.Path(MODELS) / tokenizer / file).exists():
            for place in ["base", "merged"]:
                (folder / place).mkdir(exist_ok=True)
                shutil.copy(pathlib.Path(MODELS) / tokenizer / file, folder / place)
    one_by_one = any([config.pop("one by one", False) for config in adapters])
    original = model

    def fresh():
        if form is None:
            return kind.from_pretrained(folder / "base", dtype=torch.float32)
        return apart(original) if one_by_one else copy.deepcopy(original)

    scales = scales or [1] * len(adapters)
    for number, config in enumerate(adapters):
        trained = get_peft_model(fresh(), LoraConfig(**config))
        perturb(trained, number + 1)
        trained = trained.to(dtype) if dtype else trained
        trained.save_pretrained(folder / str(number))
    merged = merge(fresh(), folder, scales)
    # peft's own way from transformers 4 to 5.
    converted = merge(copy.deepcopy(original), folder, scales).state_dict() if name in CONVERTED else {}
    model = together(original, merged) if one_by_one else merged
    model.save_pretrained(folder / "merged")
    if converted:
        for key, value in model.state_dict().items():
            assert (converted[key] - value).abs().max() <= 2e-6 * value.abs().max(), key
    (folder / "scales").write_text("".join(f"{s}\n" for s in scales))
    if SMALL:
        prune(folder, tokenizer)


def merge(model, folder, scales):
    """peft's merge of the adapters in this folder."""
    names = [str(n) for n in range(len(scales))]
    merged = PeftModel.from_pretrained(model, folder / "0", adapter_name="0")
    for other in names[1:]:
        merged.load_adapter(folder / other, adapter_name=other)
    for module in merged.modules():
        for adapter, scale in zip(names, scales):
            if hasattr(module, "set_scale") and adapter in module.scaling:
                module.set_scale(adapter, scale)
    return merged.merge_and_unload(adapter_names=names)


def prune(folder, tokenizer):
    """Leaves what the tests read, without a path of this machine."""
    for file in folder.glob("*/*"):
        if file.name not in ["config.json", "model.safetensors", "adapter_config.json", "adapter_model.safetensors"]:
            file.unlink()
    for file in folder.glob("*/adapter_config.json"):
        config = json.loads(file.read_text()) | {"base_model_name_or_path": "base"}
        # Sets, whose order changes from run to run.
        config |= {key: sorted(config[key]) for key in ["target_modules", "target_parameters"] if config[key]}
        file.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    (folder / "tokenizer").write_text(tokenizer + "\n")


def main():
    for name, case in CASES.items():
        if name in (ONLY or (GOLDEN if SMALL else CASES)):
            write(name, pathlib.Path(OUT), *case)
            print(name, flush=True)


if __name__ == "__main__":
    main()
