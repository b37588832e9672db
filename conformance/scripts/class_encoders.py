"""The tiny models that encode texts.

transformers has no classes for NeoBERT and Jina's: their tensors and configurations are written as published.
"""
from class_parts import LLAMA3_ROPE, decoder, encoder, model

model("bert", "Bert", "bert", {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
                               "max_position_embeddings": 48}, of="Model", dtype="F32", quantized="Q8_0")


def without(*names):
    """Leaves out tensors that the converter does not take."""
    return lambda tensors, _: {name: tensor for name, tensor in tensors.items() if name not in names}


def published_eps(config):
    """ModernBERT's configuration as published has a key that transformers by now does not write; llama.cpp asks for it."""
    config["layer_norm_eps"] = config["norm_eps"]


CLASSES = {"id2label": {0: "no", 1: "yes", 2: "maybe"}, "label2id": {"no": 0, "yes": 1, "maybe": 2}}

model("bert-classifier", "Bert", "bert", encoder(), of="ForSequenceClassification", config="BertConfig", dtype="F32", quantized="Q8_0")
model("roberta", "Roberta", "smollm", encoder(), of="Model", dtype="F32", quantized="Q8_0")
model("roberta-classifier", "Roberta", "smollm", encoder(type_vocab_size=1, **CLASSES), of="ForSequenceClassification",
      quantized="Q8_0")
model("xlm-roberta", "XLMRoberta", "xlm-roberta", encoder(), of="Model", padding=3, quantized="Q8_0")
model("xlm-roberta-ranker", "XLMRoberta", "xlm-roberta", encoder(type_vocab_size=1, num_labels=1),
      of="ForSequenceClassification", padding=3, dtype="F32", quantized="Q8_0")
# As transformers saves it the converter writes no layer_norm_epsilon, without which llama.cpp takes no such model.
model("modern-bert", "ModernBert", "smollm", encoder(num_hidden_layers=4, global_attn_every_n_layers=3, local_attention=16),
      of="Model", quantized="Q8_0", edit=published_eps)
model("modern-bert-masked", "ModernBert", "smollm", encoder(num_hidden_layers=4, norm_bias=True, attention_bias=True,
                                                            mlp_bias=True, hidden_activation="silu"), of="ForMaskedLM",
      quantized="Q8_0", old=True, tensors=without("decoder.bias"), edit=published_eps)
model("modern-bert-classifier", "ModernBert", "smollm", encoder(num_hidden_layers=4, **CLASSES),
      of="ForSequenceClassification", dtype="F32", quantized="Q8_0", edit=published_eps)


def nomic(config):
    """The configuration of Nomic's models, whose settings have GPT-2's names. transformers 5 has them under others and would fill
    these in, so the type of model is taken away: the converter then reads the file, as with the version it is made for."""
    mixed = "moe_every_n_layers" in config
    names = {"n_embd": "hidden_size", "n_head": "num_attention_heads", "n_inner": "intermediate_size", "n_layer": "num_hidden_layers"}
    config.update({new: config.pop(old) for new, old in names.items()})
    config.update({
        "activation_function": "gelu" if mixed else "swiglu", "causal": False, "layer_norm_epsilon": 1e-5 if mixed else 1e-12,
        "max_trained_positions": 2048, "mlp_fc1_bias": mixed, "mlp_fc2_bias": mixed, "n_positions": 2048 if mixed else 8192,
        "prenorm": False, "qkv_proj_bias": mixed, "rotary_emb_base": 10000 if mixed else 1000, "rotary_emb_fraction": 1.0,
        "rotary_emb_interleaved": False, "rotary_emb_scale_base": None})
    for key in ("head_dim", "hidden_act", "layer_norm_eps", "max_position_embeddings", "model_type", "rope_parameters"):
        config.pop(key, None)


def nomic_tensors(_, config):
    """The tensors of those models, one block of two with experts where there are any."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    mixed, experts = "moe_every_n_layers" in config, config.get("num_experts", 0)
    out = {"embeddings.word_embeddings.weight": [config["vocab_size"], hidden],
           "embeddings.token_type_embeddings.weight": [config["type_vocab_size"], hidden],
           "emb_ln.weight": [hidden], "emb_ln.bias": [hidden]}
    for i in range(config["num_hidden_layers"]):
        block = {"attn.Wqkv": [3 * hidden, hidden], "attn.out_proj": [hidden, hidden], "norm1": [hidden], "norm2": [hidden]}
        if mixed and i % config["moe_every_n_layers"] == 1:
            block["mlp.router.layer"] = [experts, hidden]
            out |= {f"encoder.layers.{i}.mlp.experts.mlp.w{n}": [experts * inner, hidden] for n in (1, 2)}
            out[f"encoder.layers.{i}.mlp.experts.bias"] = [hidden]
        else:
            ups = ["fc1"] if mixed else ["fc11", "fc12"]
            block |= {f"mlp.{up}": [inner, hidden] for up in ups} | {"mlp.fc2": [hidden, inner]}
        for name, shape in block.items():
            out[f"encoder.layers.{i}.{name}.weight"] = shape
            if "norm" in name or mixed and name != "mlp.router.layer":
                out[f"encoder.layers.{i}.{name}.bias"] = shape[:1]
    return {name: ("F32", shape) for name, shape in out.items()}


model("nomic", "NomicBert", "bert", encoder(), of="Model", padding=6, edit=nomic, tensors=nomic_tensors, dtype="F32",
      quantized="Q8_0")
model("nomic-moe", "NomicBert", "xlm-roberta-json", encoder(num_hidden_layers=4, type_vocab_size=1, moe_every_n_layers=2, moe_top_k=2,
                                                            num_experts=4), of="Model", padding=5, edit=nomic, tensors=nomic_tensors,
      dtype="F32", quantized="Q8_0")
model("xlm-roberta-json", "XLMRoberta", "xlm-roberta-json", encoder(type_vocab_size=1, pad_token_id=1), of="Model", padding=2,
      quantized="Q8_0")


def distil(**more):
    return {"dim": 64, "hidden_dim": 96, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 48, **more}


model("distilbert", "DistilBert", "bert", distil(), of="Model", dtype="F32", quantized="Q8_0")
model("distilbert-masked", "DistilBert", "bert", distil(), of="ForMaskedLM", quantized="Q8_0")
model("distilbert-classifier", "DistilBert", "bert", distil(**CLASSES), of="ForSequenceClassification", quantized="Q8_0")

# The converter refuses the pooling of EuroBERT's classifiers, which its other models' configurations have, too.
model("eurobert", "EuroBert", "llama3", decoder(classifier_pooling="mean"), of="Model", quantized="Q8_0")
# The type is llama_bidirec as published, with which transformers 5.23 reads no config that has Llama 3's positions.
model("llama-embed", "Llama", "llama3", decoder(rope_parameters=LLAMA3_ROPE), of="Model", old=True, edit=lambda config: config.update(
    architectures=["LlamaBidirectionalModel"], pooling="avg"))


def published(**settings):
    """A configuration with these settings; without the type of model, which transformers would read it by."""
    def edit(config):
        for key in ("model_type", "position_embedding_type", "type_vocab_size", "layer_norm_eps", "max_position_embeddings"):
            config.pop(key, None)
        config.update(settings)
    return edit


def jina(names, **more):
    """Jina's second embeddings, under the names of these parts of a layer."""
    def tensors(_, config):
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        out = {"embeddings.word_embeddings.weight": [config["vocab_size"], hidden],
               "embeddings.token_type_embeddings.weight": [2, hidden], "pooler.dense.weight": [hidden, hidden],
               "pooler.dense.bias": [hidden]}
        norms = ["embeddings.LayerNorm"]
        for i in range(config["num_hidden_layers"]):
            layer = f"encoder.layer.{i}."
            for part in ("self.query", "self.key", "self.value", "output.dense"):
                out |= {f"{layer}attention.{part}.weight": [hidden, hidden], f"{layer}attention.{part}.bias": [hidden]}
            out |= {f"{layer}mlp.{names[0]}.weight": [2 * inner, hidden], f"{layer}mlp.{names[1]}.weight": [hidden, inner],
                    f"{layer}mlp.{names[1]}.bias": [hidden]}
            norms += [layer + norm for norm in ("attention.output.LayerNorm", *names[2:])]
        out |= {f"{norm}.{part}": [hidden] for norm in norms for part in ("weight", "bias")}
        return {name: ("F32", shape) for name, shape in out.items()}
    return {"of": "Model", "tensors": tensors, "dtype": "F32", "quantized": "Q8_0", "edit": published(
        architectures=["JinaBertModel"], max_position_embeddings=512, type_vocab_size=2, layer_norm_eps=1e-12,
        position_embedding_type="alibi", feed_forward_type="geglu", **more)}


model("jina-v2", "Bert", "bert", encoder(), **jina(["gated_layers", "wo", "mlp.layernorm"]))
model("jina-v2-code", "Bert", "roberta", encoder(), **jina([
    "up_gated_layer", "down_layer", "layer_norm_1", "layer_norm_2", "attention.self.layer_norm_q", "attention.self.layer_norm_k"]))
model("jina-v2-words", "Bert", "words", encoder(), **jina(["gated_layers", "wo", "mlp.layernorm"]))


def neo_tensors(_, config):
    """NeoBERT's; its gate is the third third of the feed-forward part."""
    hidden, inner = config["hidden_size"], 2 * config["intermediate_size"] // 3
    out = {"model.encoder.weight": [config["vocab_size"], hidden], "model.layer_norm.weight": [hidden],
           "decoder.weight": [config["vocab_size"], hidden], "decoder.bias": [config["vocab_size"]]}
    for i in range(config["num_hidden_layers"]):
        layer = f"model.transformer_encoder.{i}."
        out |= {f"{layer}qkv.weight": [3 * hidden, hidden], f"{layer}wo.weight": [hidden, hidden],
                f"{layer}ffn.w12.weight": [2 * inner, hidden], f"{layer}ffn.w3.weight": [hidden, inner],
                f"{layer}attention_norm.weight": [hidden], f"{layer}ffn_norm.weight": [hidden]}
    return {name: ("F32", shape) for name, shape in out.items()}


model("neobert", "Bert", "bert", encoder(), of="Model", tensors=neo_tensors, dtype="F32", quantized="Q8_0", edit=published(
    architectures=["NeoBERTLMHead"], max_length=128, norm_eps=1e-5, embedding_init_range=0.02, decoder_init_range=0.02))


def jina_v3_tensors(_, config):
    """Jina's third embeddings: each matrix with the factors of its adaptations."""
    hidden, inner, rank, tasks = config["hidden_size"], config["intermediate_size"], config["lora_rank"], len(config["lora_adaptations"])
    matrices = {"roberta.embeddings.word_embeddings": [config["vocab_size"], hidden],
                "roberta.embeddings.token_type_embeddings": [config["type_vocab_size"], hidden],
                "roberta.pooler.dense": [hidden, hidden]}
    vectors = {"roberta.emb_ln.weight": hidden, "roberta.emb_ln.bias": hidden, "roberta.pooler.dense.bias": hidden}
    for i in range(config["num_hidden_layers"]):
        layer = f"roberta.encoder.layers.{i}."
        shapes = {"mixer.Wqkv": [3 * hidden, hidden], "mixer.out_proj": [hidden, hidden], "mlp.fc1": [inner, hidden],
                  "mlp.fc2": [hidden, inner]}
        matrices |= {layer + name: shape for name, shape in shapes.items()}
        vectors |= {f"{layer}{name}.bias": shape[0] for name, shape in shapes.items()}
        vectors |= {f"{layer}{norm}.{part}": hidden for norm in ("norm1", "norm2") for part in ("weight", "bias")}
    out = {name: [size] for name, size in vectors.items()}
    for name, shape in matrices.items():
        out[f"{name}.parametrizations.weight.original"] = shape
        turned = shape[::-1] if "embeddings" in name else shape
        out[f"{name}.parametrizations.weight.0.lora_A"] = [tasks, rank, turned[1]]
        out[f"{name}.parametrizations.weight.0.lora_B"] = [tasks, turned[0], rank]
    return {name: ("BF16", shape) for name, shape in out.items()}


model("jina-v3", "XLMRoberta", "xlm-roberta-json", encoder(
    type_vocab_size=1, pad_token_id=1, lora_adaptations=["retrieval.query", "text-matching"], lora_rank=4, lora_alpha=1,
    rotary_emb_base=20000.0), of="Model", padding=2, tensors=jina_v3_tensors, quantized="Q8_0")
