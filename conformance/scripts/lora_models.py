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
import json
import os
import pathlib
import shutil
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model

warnings.filterwarnings("ignore")
SMALL = "--golden" in sys.argv
MODELS, OUT, *ONLY = [a for a in sys.argv[1:] if a != "--golden"]
GOLDEN = ["patterns-rslora", "ends-dora", "tied-head", "three", "gpt2-dora", "mixtral", "gpt-oss", "tokens", "bias"]
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


def gpt2():
    config = transformers.GPT2Config(n_embd=DECODER["hidden_size"], n_layer=DECODER["num_hidden_layers"], n_head=2,
                                     n_positions=64, vocab_size=456, n_inner=None, bos_token_id=448, eos_token_id=449)
    return LLAMA3, transformers.GPT2LMHeadModel(config)


def vocab(tokenizer):
    size = json.loads((pathlib.Path(MODELS) / tokenizer / "config.json").read_text())["vocab_size"]
    return dict(vocab_size=size, bos_token_id=None, eos_token_id=size - 1)


def lora(targets, r=4, alpha=6, **more):
    return dict(r=r, lora_alpha=alpha, target_modules=targets, init_lora_weights=False, **more)


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
    "bf16-adapter": (llama, [lora(LINEAR, use_dora=True)], [1], torch.bfloat16),
    "f16-adapter": (llama, [lora(LINEAR)], [1], torch.float16),
}


def perturb(model, seed):
    """Moves all that an adapter has and a base has not, so that nothing is as it was initialised."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        # Also the copies of whole modules, and biases that are trained.
        if p.requires_grad or "lora_" in name:
            noise = torch.randn(p.shape, generator=generator) * 0.1
            p.data = (p.data * (1 + noise) if "magnitude" in name else p.data * 0.3 + noise).contiguous()


def write(name, out, base, adapters, scales=None, dtype=None):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(sum(map(ord, name)))
    tokenizer, model = base()
    model.save_pretrained(folder / "base")
    kind = type(model)
    for file in [] if SMALL else ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        if (pathlib.Path(MODELS) / tokenizer / file).exists():
            for place in ["base", "merged"]:
                (folder / place).mkdir(exist_ok=True)
                shutil.copy(pathlib.Path(MODELS) / tokenizer / file, folder / place)
    scales = scales or [1] * len(adapters)
    for number, (config, scale) in enumerate(zip(adapters, scales)):
        model = kind.from_pretrained(folder / "base", dtype=torch.float32)
        trained = get_peft_model(model, LoraConfig(**config))
        perturb(trained, number + 1)
        trained = trained.to(dtype) if dtype else trained
        trained.save_pretrained(folder / str(number))
    model = kind.from_pretrained(folder / "base", dtype=torch.float32)
    names = [str(n) for n in range(len(adapters))]
    merged = PeftModel.from_pretrained(model, folder / "0", adapter_name="0")
    for other in names[1:]:
        merged.load_adapter(folder / other, adapter_name=other)
    for module in merged.modules():
        for adapter, scale in zip(names, scales):
            if hasattr(module, "set_scale") and adapter in module.scaling:
                module.set_scale(adapter, scale)
    merged.merge_and_unload(adapter_names=names).save_pretrained(folder / "merged")
    (folder / "scales").write_text("".join(f"{s}\n" for s in scales))
    if SMALL:
        prune(folder, tokenizer)


def prune(folder, tokenizer):
    """Leaves what the tests read, without a path of this machine."""
    for file in folder.glob("*/*"):
        if file.name not in ["config.json", "model.safetensors", "adapter_config.json", "adapter_model.safetensors"]:
            file.unlink()
    for file in folder.glob("*/adapter_config.json"):
        config = json.loads(file.read_text()) | {"base_model_name_or_path": "base"}
        file.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    (folder / "tokenizer").write_text(tokenizer + "\n")


def main():
    for name, case in CASES.items():
        if name in (ONLY or (GOLDEN if SMALL else CASES)):
            write(name, pathlib.Path(OUT), *case)
            print(name, flush=True)


if __name__ == "__main__":
    main()
