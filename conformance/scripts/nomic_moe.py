"""Nomic's encoder with experts in every other block, as its publisher's code computes it (modeling_hf_nomic_bert.py of
nomic-ai/nomic-bert-2048); transformers has none."""
import json
import types

import torch
from safetensors.torch import load_file
from torch.nn.functional import gelu, layer_norm, linear


class Model:
    """Reads a folder; calling it gives the last hidden state."""

    def __init__(self, folder):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.weights = load_file(folder / "model.safetensors")
        self.heads, self.blocks, self.chosen = config["n_head"], config["n_layer"], config["moe_top_k"]
        self.experts, self.base, self.epsilon = config["num_experts"], config["rotary_emb_base"], config["layer_norm_epsilon"]
        described = {key: value for key, value in config.items() if key.endswith("_token_id")}
        self.config = types.SimpleNamespace(
            vocab_size=config["vocab_size"], max_position_embeddings=48, model_type="nomic", is_encoder_decoder=False,
            to_dict=lambda: {**described, "activation_function": "gelu"})
        self.gelu = Gelu()

    def modules(self):
        return [self.gelu]

    def named_modules(self):
        return [("gelu", self.gelu)]

    def __call__(self, input_ids, use_cache=False):
        w, ids = self.weights, input_ids[0]
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][0]
        x = self.norm(x, "emb_ln")
        for i in range(self.blocks):
            block = f"encoder.layers.{i}"
            x = self.norm(x + self.attention(x, f"{block}.attn"), f"{block}.norm1")
            mixed = f"{block}.mlp.router.layer.weight" in w
            x = self.norm(x + (self.mixture if mixed else self.feed)(x, f"{block}.mlp"), f"{block}.norm2")
        return {"last_hidden_state": x[None]}

    def norm(self, x, name):
        return layer_norm(x, x.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], self.epsilon)

    def linear(self, x, name):
        return linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def feed(self, x, name):
        return self.linear(self.gelu(self.linear(x, f"{name}.fc1")), f"{name}.fc2")

    def mixture(self, x, name):
        weights, chosen = linear(x, self.weights[f"{name}.router.layer.weight"]).softmax(-1).topk(self.chosen)
        ups, downs = (self.weights[f"{name}.experts.mlp.w{n}"].chunk(self.experts) for n in (1, 2))
        out = torch.zeros_like(x)
        for row, (ws, es) in enumerate(zip(weights, chosen.tolist())):
            for weight, expert in zip(ws, es):
                out[row] += weight * (self.gelu(x[row] @ ups[expert].T) @ downs[expert])
        return out + self.weights[f"{name}.experts.bias"]

    def attention(self, x, name):
        qkv = self.linear(x, f"{name}.Wqkv").view(len(x), 3, self.heads, -1).permute(1, 2, 0, 3)
        q, k, v = self.turn(qkv[0]), self.turn(qkv[1]), qkv[2]
        seen = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(-1) @ v
        return self.linear(seen.transpose(0, 1).reshape(x.shape), f"{name}.out_proj")

    def turn(self, x):
        half = x.shape[-1] // 2
        angles = torch.arange(x.shape[1])[:, None] * self.base ** (-torch.arange(half) / half)
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


class Gelu(torch.nn.Module):
    def forward(self, x):
        return gelu(x)
