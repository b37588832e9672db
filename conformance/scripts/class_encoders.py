"""The tiny models that encode texts and that class_table.py has no line for: DistilBERT, EuroBERT, NeoBERT, Jina's, Llama.

transformers has no classes for NeoBERT and Jina's: their tensors and configurations are written as published.
"""
from class_table import CLASSES, LLAMA3_ROPE, decoder, encoder, model, without


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
