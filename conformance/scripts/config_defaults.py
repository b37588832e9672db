#!/usr/bin/env python3
"""config_defaults.py OUT.json

What transformers' configuration classes fill in where config.json has nothing, by model type: the table that hf-checkpoint
reads (src/defaults.json). Sizes that shape tensors are left out on purpose: a config without them is broken, and
a default would only hide it. Models within models (`…_text`) have them: their published configs rely on it.

A value is the default itself where there is no key, or what it is made of where there is none or null: "=heads", "=head_dim"
(hidden_size / num_attention_heads), "=layers" or "=N*hidden". {"absent": A, "null": B} where a null gets something else. Under
"": "rope" (default rope parameters, none where all are filled in), "theta" and "partial" (what is added to given ones), "layer_types" (a model that has
them: every how many layers attend to everything, or null), "whole_heads" (the class refuses heads that do not divide).
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import CONFIG_MAPPING, PretrainedConfig  # noqa: E402

TYPES = """llama mistral mixtral mistral3 ministral3 mistral4 llama4_text qwen2 qwen2_moe qwen2_5_vl_text qwen3 qwen3_moe qwen3_next
qwen3_vl_text qwen3_vl_moe_text qwen3_5_text qwen3_5_moe_text gemma gemma2 gemma3_text gemma3n_text gemma4_text phi phi3 phimoe
deepseek_v2 deepseek_v3 gpt_oss glm glm4 glm4_moe granite granitemoe granitemoeshared granitemoehybrid smollm3 olmo olmo2
olmo3 olmoe cohere cohere2 lfm2 falcon_h1 nemotron nemotron_h bert xlm-roberta roberta modernbert gpt2 gpt_neox falcon bloom
mpt stablelm starcoder2 exaone4 ernie4_5 ernie4_5_moe hunyuan_v1_dense seed_oss apertus arcee minicpm3 t5 mt5 umt5
distilbert eurobert glm4v_text glm4v_moe_text glm_ocr_text qwen2_5_omni_text qwen3_omni_moe_text bamba lfm2_moe
glm4_moe_lite gemma4_unified_text camembert""".split()
SIZES = """hidden_size num_hidden_layers num_attention_heads intermediate_size vocab_size n_embd n_layer n_head d_model n_layers
n_heads num_layers num_heads d_ff architectures model_type torch_dtype dtype rope_parameters rope_scaling layer_types
dim hidden_dim _name_or_path transformers_version initializer_range use_cache attention_dropout hidden_dropout attention_probs_dropout_prob
hidden_dropout_prob resid_pdrop embd_pdrop attn_pdrop router_aux_loss_coef output_router_logits
bos_token_id eos_token_id pad_token_id sep_token_id decoder_start_token_id tie_word_embeddings""".split()


HIDDEN = 16 * 24
LAYERS = 17


def made(cls, **given):
    return cls(**given).to_dict()


def attribute(cls, name):
    return getattr(cls, "attribute_map", {}).get(name, name)


def of(model_type):
    cls = CONFIG_MAPPING[model_type]
    common = set(PretrainedConfig().to_dict()) - {"is_causal"}
    default = made(cls)
    hidden, heads = attribute(cls, "hidden_size"), attribute(cls, "num_attention_heads")
    other, layers = {}, {}
    if hidden in default and heads in default:
        try:
            layers = {"num_layers": LAYERS} if "num_decoder_layers" in default else {}
            other = made(cls, **{hidden: HIDDEN, heads: 24, **layers})
        except Exception:
            other = {}
    values = {}
    for key, value in sorted(default.items()):
        if key in SIZES or key in common or isinstance(value, (list, dict)):
            continue
        derived = value
        if other and other.get(key) != value:
            now = other.get(key)
            if now == 24:
                derived = "=heads"
            elif layers and now == LAYERS:
                derived = "=layers"
            elif now == HIDDEN // 24:
                derived = "=head_dim"
            elif isinstance(now, int) and now % (HIDDEN) == 0:
                derived = f"={now // (HIDDEN)}*hidden"
            else:
                continue
        try:
            null = made(cls, **{hidden: HIDDEN, heads: 24, **layers, key: None}).get(key) if other else None
        except Exception:
            null = None
        null = {24: "=heads", HIDDEN // 24: "=head_dim"}.get(null, null) if key.endswith(("heads", "dim")) else null
        null = "=layers" if layers and null == LAYERS else null
        made_of = isinstance(derived, str) and derived.startswith("=")
        if null == derived and made_of or null is None and not made_of:
            if derived is not None:
                values[key] = derived
        else:
            values[key] = {"absent": derived, "null": null}
    if model_type.endswith("_text"):
        # Gemma 3's published configs say little of the language model within.
        own = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")
        values.update({key: default[key] for key in own if isinstance(default.get(key), int)})
    special = {}
    if "rope_parameters" in default:
        special["rope"] = default["rope_parameters"]
        # A class that takes rope_theta beside no parameters has none of its own: all of them are filled in.
        plain = set(special["rope"]) <= {"rope_theta", "rope_type", "partial_rotary_factor"}
        try:
            if plain and made(cls, rope_theta=12345.0)["rope_parameters"].get("rope_theta") == 12345.0:
                special["rope"] = {}
        except Exception:
            pass
        try:
            rope = made(cls, rope_parameters={"rope_type": "default"})["rope_parameters"]
            if "rope_theta" in rope:
                special["theta"] = rope["rope_theta"]
            if rope.get("partial_rotary_factor") is not None:
                special["partial"] = rope["partial_rotary_factor"]
        except Exception:
            pass
    if "layer_types" in default:
        kinds = default["layer_types"] or []
        full = [i for i, k in enumerate(kinds) if k == "full_attention"]
        every = full[0] + 1 if full else None
        regular = every and all((k == "full_attention") == ((i + 1) % every == 0) for i, k in enumerate(kinds))
        sliding = any(k == "sliding_attention" for k in kinds)
        special["layer_types"] = every if regular and (sliding or every == 1) else None
    try:
        made(cls, **{hidden: 65, heads: 4})
    except Exception:
        special["whole_heads"] = True
    if special:
        values[""] = special
    return values


def main():
    table = {}
    for model_type in TYPES:
        if model_type not in CONFIG_MAPPING:
            print("transformers has no", model_type, file=sys.stderr)
            continue
        table[model_type] = of(model_type)
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in sorted(table.items()))
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
