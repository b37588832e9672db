"""The tiny models that class_models.py makes: a line or a few for each class.

A model is a class of transformers, a configuration class, settings, and a tokenizer. Sizes are as small as a class takes;
a few models are wide enough for k-quants. Optional:

dtype      BF16 (as it is if nothing is said), F16 or F32
padding    rows of the embeddings that have no token
added      tokens that the tokenizer gets in addition
pre        the converter's name of the pre-tokenizer, where it is not the tokenizer's own
old        the configuration in the shape that transformers 4 wrote
wide       wide enough for k-quants, and too large for the golden files
generation generation_config.json, where it is not what transformers wrote
edit       what is changed in config.json after transformers wrote it
tensors    what is changed in the tensors: of names, with dtypes and shapes, and the configuration, to the same
plain      the type that we are told for the converter's file, where it is not dtype
quantized  the quantized type that is compared, Q4_K_M if nothing is said, None if llama.cpp does not take the model
"""

# Hand-made tokenizers of hf-checkpoint's own tests, seen from the folder of the small ones.
HAND_MADE = "../../../crates/hf-checkpoint/tests/golden/tokenizer/"

# ids: first, last and padding token
TOKENIZERS = {
    "llama3": {"small": "Tiny-Llama-3.2-1M-Instruct", "pre": "llama-bpe", "ids": (448, 454, 450)},
    "smollm": {"small": "tiny-llama-untied-v2", "pre": "smollm", "ids": (1, 2, 2)},
    "sentencepiece": {"small": "spm-llama", "ids": (1, 2, None)},
    "mistral": {"small": "Tiny-Mistral-7B-Instruct-v0.3", "ids": (1, 2, None)},
    "qwen2": {"small": "qwen2.5-mini-chat", "pre": "qwen2", "ids": (432, 434, 432)},
    "qwen3": {"small": "Qwen3-0.001B-Thinking-2507", "pre": "qwen2", "ids": (436, 438, 436)},
    "words": {"small": HAND_MADE + "words", "pre": "jina-v1-en", "ids": (0, 2, 1)},
    "roberta": {"small": HAND_MADE + "roberta", "pre": "roberta-bpe", "ids": (0, 2, 1)},
    "bert": {"small": "all-tiny-L2-v2", "pre": "jina-v2-en", "ids": (None, None, 0)},
    "t5": {"small": HAND_MADE + "t5-spm", "ids": (None, 1, 0)},
    "xlm-roberta": {"small": HAND_MADE + "xlmr-spm", "ids": (0, 2, 1)},
    "gemma4": {"small": HAND_MADE + "gemma4", "ids": (2, 1, 0)},
    "xlm-roberta-json": {"small": HAND_MADE + "xlmr-json", "ids": (0, 2, 1)},
    "llama2-real": {"npm": "llama2", "ids": (1, 2, None)},
    "llama3-real": {"npm": "llama3", "ids": (128000, 128009, None)},
    "llama3_1-real": {"npm": "llama3_1", "ids": (128000, 128009, None)},
    "qwen3-real": {"npm": "qwen3", "ids": (151643, 151645, 151643)},
    "gemma3-real": {"npm": "gemma3", "ids": (2, 106, 0)},
    "deepseek_v3-real": {"npm": "deepseek_v3", "ids": (0, 1, 1)},
    "gpt2-real": {"npm": "gpt2", "ids": (50256, 50256, None)},
    "gptoss-real": {"npm": "gptoss", "ids": (199998, 200002, 199999)},
}

_MODELS = {}


def models():
    """All of them by name."""
    return _MODELS


def model(name, kind, tokenizer, settings, *, of="ForCausalLM", config=None, **more):
    """Adds a model of transformers' class `kind` + `of`."""
    assert name not in _MODELS, name
    _MODELS[name] = {"model": kind + of, "config": config or kind + "Config", "tokenizer": tokenizer, "settings": settings,
                     **more}


def decoder(**more):
    """The settings that most decoders have."""
    return {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "max_position_embeddings": 512, **more}


def experts(**more):
    return decoder(num_experts=4, num_local_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, **more)


def mla(**more):
    return decoder(num_key_value_heads=4, **{"q_lora_rank": 24, **more}, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=8,
                   v_head_dim=16, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, first_k_dense_replace=1)


def published_experts(tensors, _):
    """Fused experts column by column, as Qwen3-VL's were published and as the converter takes them."""
    return {name: (dtype, [shape[0], shape[2], shape[1]] if ".experts." in name else shape)
            for name, (dtype, shape) in tensors.items()}


def published_layers(config):
    """Kinds of layers under the names that Granite 4 was published with. transformers calls them otherwise by now, and the
    converter, which knows the first names only, must not go through it: so the type of model is taken away."""
    names = {"linear_attention": "mamba", "full_attention": "attention"}
    config["layer_types"] = [names[kind] for kind in config["layer_types"]]
    del config["model_type"]


def predicting(last, first, norms):
    """Adds what checkpoints have to predict a further token, which transformers drops: a copy of block `last` under `first`, and
    the parts around it by their names there."""
    def add(tensors, config):
        hidden = (config.get("text_config") or config)["hidden_size"]
        copy = {name.replace(last, first): tensor for name, tensor in tensors.items() if name.startswith(last)}
        shapes = {"fc": [hidden, 2 * hidden], "eh_proj": [hidden, 2 * hidden]}
        parts = {f"{norm}.weight": ("BF16", shapes.get(norm.rpartition(".")[2], [hidden])) for norm in norms}
        return {**tensors, **copy, **parts}
    return add


QWEN_MTP = ["mtp.fc", "mtp.norm", "mtp.pre_fc_norm_embedding", "mtp.pre_fc_norm_hidden"]
VISION = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "depth": 1,
          "num_heads": 2, "image_size": 28, "patch_size": 14}
LINEAR = {"linear_key_head_dim": 16, "linear_value_head_dim": 16, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
          "linear_conv_kernel_dim": 4}
GLM = ["[gMASK]", "<|user|>", "<|observation|>", "<|assistant|>"]
MROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
LLAMA3_ROPE = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 256}
YARN = {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0, "original_max_position_embeddings": 128}

# Llama, Mistral

model("llama", "Llama", "llama3", decoder(hidden_size=256, intermediate_size=512, rope_parameters=LLAMA3_ROPE,
                                          tie_word_embeddings=True), padding=8)
model("llama-old", "Llama", "sentencepiece", decoder(attention_bias=True, mlp_bias=True, rope_parameters={
    "rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}), old=True, dtype="F16")
model("llama-real-2", "Llama", "llama2-real", decoder(hidden_size=16, intermediate_size=32), dtype="F32")
model("llama-real-3", "Llama", "llama3-real", decoder(hidden_size=16, intermediate_size=32))
model("llama-real-3.1", "Llama", "llama3_1-real", decoder(hidden_size=16, intermediate_size=32,
                                                         rope_parameters=LLAMA3_ROPE))
model("mistral", "Mistral", "mistral", decoder(head_dim=32, sliding_window=128))
model("mistral3", "Mistral3", "mistral", {"text_config": {"model_type": "mistral", **decoder(head_dim=32)},
                                          "vision_config": {"model_type": "pixtral", **VISION, "head_dim": 16}},
      of="ForConditionalGeneration")
model("gpt-oss-real", "GptOss", "gptoss-real", decoder(hidden_size=32, head_dim=16, intermediate_size=32, num_local_experts=4,
                                                      num_experts_per_tok=2, sliding_window=64))
model("deepseek-v3-real", "DeepseekV3", "deepseek_v3-real", mla(hidden_size=16, num_hidden_layers=2, n_shared_experts=1, n_group=2,
                                                               topk_group=1))
model("gemma3-real", "Gemma3", "gemma3-real", decoder(hidden_size=16, head_dim=16, sliding_window=64), config="Gemma3TextConfig",
      padding=63)
model("ministral3", "Ministral3", "mistral", decoder(head_dim=32, tie_word_embeddings=True))
model("mixtral", "Mixtral", "mistral", decoder(num_local_experts=4, num_experts_per_tok=2, hidden_size=256,
                                               intermediate_size=256))

# Qwen

model("qwen2", "Qwen2", "qwen2", decoder(tie_word_embeddings=True), padding=13)
model("qwen2-old-yarn", "Qwen2", "qwen2", decoder(rope_parameters=YARN), old=True)
model("qwen2-moe", "Qwen2Moe", "qwen2", experts(shared_expert_intermediate_size=128, decoder_sparse_step=1))
model("qwen3", "Qwen3", "qwen3", decoder(head_dim=32, hidden_size=256, intermediate_size=512), dtype="F32")
model("qwen3-real", "Qwen3", "qwen3-real", decoder(head_dim=16, hidden_size=16, intermediate_size=32,
                                                  tie_word_embeddings=True))
model("qwen3-moe", "Qwen3Moe", "qwen3", experts(head_dim=32))

model("qwen2.5-vl", "Qwen2_5_VL", "qwen2", {"text_config": decoder(rope_parameters=MROPE), "vision_config": {
    **VISION, "out_hidden_size": 64, "fullatt_block_indexes": [0]}}, of="ForConditionalGeneration")
model("qwen3-vl", "Qwen3VL", "qwen3", {"text_config": decoder(head_dim=32, rope_parameters=MROPE), "vision_config": {
    **VISION, "out_hidden_size": 64, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]}},
      of="ForConditionalGeneration")
model("qwen3-vl-moe", "Qwen3VLMoe", "qwen3", {"text_config": {**experts(head_dim=32, rope_parameters=MROPE), "moe_intermediate_size": 48},
                                             "vision_config": {**VISION, "out_hidden_size": 64, "num_position_embeddings": 16,
                                                               "deepstack_visual_indexes": [0]}},
      of="ForConditionalGeneration", tensors=published_experts)
model("qwen3-next", "Qwen3Next", "qwen3", experts(head_dim=32, num_hidden_layers=4, shared_expert_intermediate_size=32, **LINEAR),
      tensors=predicting("model.layers.3", "mtp.layers.0", QWEN_MTP))
model("qwen3.5", "Qwen3_5", "qwen3", {"text_config": decoder(head_dim=32, num_hidden_layers=4, **LINEAR), "vision_config": {
    **VISION, "out_hidden_size": 64, "num_position_embeddings": 16}}, of="ForConditionalGeneration",
      tensors=predicting("model.language_model.layers.3", "mtp.layers.0", QWEN_MTP))
model("qwen3.5-text", "Qwen3_5", "qwen3", decoder(head_dim=32, num_hidden_layers=4, tie_word_embeddings=True, **LINEAR),
      config="Qwen3_5TextConfig", tensors=predicting("model.layers.3", "mtp.layers.0", QWEN_MTP))
model("qwen3.5-moe", "Qwen3_5Moe", "qwen3", {"text_config": experts(head_dim=32, num_hidden_layers=4,
                                                                   shared_expert_intermediate_size=32, **LINEAR),
                                             "vision_config": {**VISION, "out_hidden_size": 64, "num_position_embeddings": 16}},
      of="ForConditionalGeneration", tensors=predicting("model.language_model.layers.3", "mtp.layers.0", QWEN_MTP))

# Gemma

model("gemma", "Gemma", "sentencepiece", decoder(head_dim=32))
model("gemma2", "Gemma2", "sentencepiece", decoder(head_dim=32, query_pre_attn_scalar=144, sliding_window=64))
model("gemma3", "Gemma3", "sentencepiece", decoder(head_dim=32, num_hidden_layers=3, sliding_window=64, sliding_window_pattern=3),
      config="Gemma3TextConfig")
model("gemma3-old", "Gemma3", "sentencepiece", decoder(head_dim=32, num_hidden_layers=2, sliding_window=64, rope_parameters={
    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}), config="Gemma3TextConfig", old=True)
model("gemma3-vl", "Gemma3", "sentencepiece", {
    "text_config": decoder(head_dim=32, sliding_window=64), "vision_config": VISION, "mm_tokens_per_image": 4},
      of="ForConditionalGeneration")

# Phi

model("phi-2", "Phi", "smollm", decoder(num_key_value_heads=4, partial_rotary_factor=0.5))
model("phi-3", "Phi3", "sentencepiece", decoder(sliding_window=64))
model("phi-3-longrope", "Phi3", "smollm", decoder(original_max_position_embeddings=128, rope_parameters={
    "rope_type": "longrope", "rope_theta": 10000.0, "long_factor": [1.0 + i / 4 for i in range(8)],
    "short_factor": [1.0 + i / 16 for i in range(8)]}))
model("phi-moe", "Phimoe", "sentencepiece", decoder(num_local_experts=4, num_experts_per_tok=2, attention_bias=True,
                                                    lm_head_bias=True),
      edit=lambda config: config.update(architectures=["PhiMoEForCausalLM"], original_max_position_embeddings=512))

# DeepSeek

model("deepseek-v2", "DeepseekV2", "qwen2", mla(num_hidden_layers=3, q_lora_rank=None, n_shared_experts=2, n_group=1, topk_group=1),
      quantized=None)  # llama.cpp takes none without that rank but DeepSeek V2 Lite, by its 27 blocks
model("deepseek-v2-q-lora", "DeepseekV2", "qwen2", mla(num_hidden_layers=2, n_shared_experts=1, n_group=2, topk_group=1,
                                                      topk_method="group_limited_greedy", rope_parameters={
    **YARN, "mscale": 0.707, "mscale_all_dim": 0.707}), old=True)
model("deepseek-v3", "DeepseekV3", "qwen2", mla(num_hidden_layers=3, n_shared_experts=1, n_group=2, topk_group=1,
                                                routed_scaling_factor=2.5, rope_parameters={
    **YARN, "mscale": 1.0, "mscale_all_dim": 1.0}))
model("deepseek-v3-mtp", "DeepseekV3", "qwen2", mla(num_hidden_layers=2, n_shared_experts=1, n_group=2, topk_group=1),
      edit=lambda config: config.update(num_nextn_predict_layers=1),
      tensors=predicting("model.layers.1", "model.layers.2", ["model.layers.2.eh_proj", "model.layers.2.enorm", "model.layers.2.hnorm",
                                                              "model.layers.2.shared_head.norm"]))
model("minicpm3", "MiniCPM3", "sentencepiece", decoder(num_key_value_heads=4, q_lora_rank=24, kv_lora_rank=32, qk_nope_head_dim=16,
                                                       qk_rope_head_dim=8, v_head_dim=16, scale_emb=12, scale_depth=1.4,
                                                       dim_model_base=32))

# Others of the forty

model("gpt-oss", "GptOss", "llama3", decoder(head_dim=32, intermediate_size=64, num_local_experts=4, num_experts_per_tok=2,
                                             sliding_window=64))
model("glm4", "Glm4", "qwen2", decoder(head_dim=16, partial_rotary_factor=0.5, attention_bias=True), added=GLM)
model("glm4-moe-mtp", "Glm4Moe", "qwen2", decoder(num_hidden_layers=2, head_dim=16, n_routed_experts=4, num_experts_per_tok=2,
                                                  moe_intermediate_size=32, n_shared_experts=1, first_k_dense_replace=1),
      added=GLM, old=True, edit=lambda config: config.update(num_nextn_predict_layers=1),
      tensors=predicting("model.layers.1", "model.layers.2", ["model.layers.2.eh_proj", "model.layers.2.enorm", "model.layers.2.hnorm",
                                                              "model.layers.2.shared_head.norm"]))
model("glm4-moe", "Glm4Moe", "qwen2", decoder(num_hidden_layers=3, head_dim=16, n_routed_experts=4, num_experts_per_tok=2,
                                              moe_intermediate_size=32, n_shared_experts=1, first_k_dense_replace=1,
                                              use_qk_norm=True, attention_bias=True), added=GLM,
      edit=lambda config: config.update(num_nextn_predict_layers=0))
model("granite", "Granite", "smollm", decoder(embedding_multiplier=12.0, logits_scaling=8.0, residual_multiplier=0.22,
                                              attention_multiplier=0.015625, tie_word_embeddings=True))
model("granite-moe", "GraniteMoe", "smollm", decoder(num_local_experts=4, num_experts_per_tok=2, embedding_multiplier=12.0))
model("granite-moe-shared", "GraniteMoeShared", "smollm", decoder(num_local_experts=4, num_experts_per_tok=2,
                                                                  shared_intermediate_size=48))
model("granite-hybrid", "GraniteMoeHybrid", "smollm", decoder(
    num_hidden_layers=3, num_local_experts=4, num_experts_per_tok=2, shared_intermediate_size=48, layer_types=[
        "mamba", "attention", "mamba"], mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_n_groups=1,
    position_embedding_type="nope"), edit=published_layers)
model("granite-hybrid-dense", "GraniteMoeHybrid", "smollm", decoder(
    num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=48, layer_types=["mamba", "attention"],
    mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, position_embedding_type="rope"), edit=published_layers)
model("granite-4", "GraniteMoeHybrid", "smollm", decoder(
    num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=48, layer_types=["attention", "attention"],
    position_embedding_type="rope"), edit=published_layers)
model("smollm3", "SmolLM3", "llama3", decoder(num_hidden_layers=4, no_rope_layer_interval=2, tie_word_embeddings=True))
model("olmo", "Olmo", "smollm", decoder(clip_qkv=8.0))
model("olmo2", "Olmo2", "llama3", decoder())
model("olmo3", "Olmo3", "llama3", decoder(num_hidden_layers=4, sliding_window=64))
model("olmoe", "Olmoe", "smollm", decoder(num_experts=4, num_experts_per_tok=2))
model("cohere", "Cohere", "llama3", decoder(logit_scale=0.0625, use_qk_norm=False))
model("cohere-qk-norm", "Cohere", "llama3", decoder(logit_scale=0.0625, use_qk_norm=True))
model("cohere2", "Cohere2", "llama3", decoder(num_hidden_layers=4, sliding_window=64, head_dim=16),
      edit=lambda config: config.update(rotary_pct=1.0))
model("lfm2", "Lfm2", "llama3", decoder(num_hidden_layers=3, layer_types=["conv", "full_attention", "conv"],
                                        block_auto_adjust_ff_dim=False, conv_L_cache=3))
model("falcon-h1", "FalconH1", "llama3", decoder(
    mamba_d_ssm=128, mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_n_groups=2, lm_head_multiplier=0.5,
    embedding_multiplier=2.0, mlp_multipliers=[0.75, 1.5], key_multiplier=0.25, attention_out_multiplier=0.9375,
    attention_in_multiplier=1.25, ssm_multipliers=[0.5, 0.625, 0.75, 0.875, 1.125], ssm_in_multiplier=1.5,
    ssm_out_multiplier=0.25, mamba_rms_norm=True), edit=lambda config: config.update(head_dim=16),
      dtype="F32")
model("nemotron-h", "NemotronH", "llama3", decoder(
    head_dim=16, layers_block_type=["mamba", "attention", "mlp", "mamba"], num_hidden_layers=4, mamba_num_heads=8, mamba_head_dim=16,
    ssm_state_size=16, n_groups=2))
model("nemotron-h-moe", "NemotronH", "llama3", decoder(
    head_dim=16, layers_block_type=["mamba", "attention", "moe", "mamba"], num_hidden_layers=4, mamba_num_heads=8, mamba_head_dim=16,
    ssm_state_size=16, n_groups=2, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
    moe_shared_expert_intermediate_size=48))
model("llama4", "Llama4", "llama3", {"text_config": decoder(
    num_hidden_layers=4, head_dim=16, intermediate_size_mlp=128, num_local_experts=4, num_experts_per_tok=1,
    interleave_moe_layer_step=2, attention_chunk_size=64), "vision_config": {**VISION, "vision_output_dim": 32,
                                                                            "projector_input_dim": 32,
                                                                            "projector_output_dim": 32}},
      of="ForConditionalGeneration")
model("llama4-text", "Llama4", "llama3", decoder(
    head_dim=16, intermediate_size_mlp=128, num_local_experts=4, num_experts_per_tok=1, rope_parameters=LLAMA3_ROPE),
      config="Llama4TextConfig")
model("bert", "Bert", "bert", {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
                               "max_position_embeddings": 48}, of="Model", dtype="F32", quantized="Q8_0")

# Encoders, and T5


def encoder(**more):
    return {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
            "max_position_embeddings": 48, **more}


def t5(**more):
    return {"d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0, **more}


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
model("t5", "T5", "t5", t5(n_positions=128), of="ForConditionalGeneration", padding=5, dtype="F32")
model("t5-gated", "T5", "t5", t5(num_decoder_layers=1, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
      of="ForConditionalGeneration", padding=5)
model("t5-encoder", "T5", "t5", t5(), of="EncoderModel", padding=5)
model("umt5", "UMT5", "t5", t5(), of="ForConditionalGeneration", padding=5)
model("gemma3-embedding", "Gemma3", "sentencepiece", decoder(head_dim=32, sliding_window=64, use_bidirectional_attention=True),
      of="TextModel", config="Gemma3TextConfig")

def kinds(letters):
    """Layers that see a window (s) and layers that see all (f)."""
    return [{"s": "sliding_attention", "f": "full_attention"}[letter] for letter in letters]


model("gemma3n", "Gemma3n", "sentencepiece", decoder(
    head_dim=32, num_hidden_layers=5, hidden_size_per_layer_input=32, vocab_size_per_layer_input=40, laurel_rank=8,
    num_kv_shared_layers=2, layer_types=kinds("sfssf"), sliding_window=64, activation_sparsity_pattern=[0.95, 0.95, 0.0, 0.5, 0.0]),
      config="Gemma3nTextConfig", padding=5)
model("gemma4", "Gemma4", "gemma4", decoder(
    num_hidden_layers=5, head_dim=16, global_head_dim=32, num_kv_shared_layers=2, layer_types=kinds("sfssf"), hidden_size_per_layer_input=32,
    use_double_wide_mlp=True, sliding_window=64, vocab_size_per_layer_input=24), config="Gemma4TextConfig")
model("gemma4-moe", "Gemma4", "gemma4", decoder(
    num_hidden_layers=6, head_dim=16, global_head_dim=32, num_kv_shared_layers=0, hidden_size_per_layer_input=0,
    num_global_key_value_heads=1, attention_k_eq_v=True, enable_moe_block=True, num_experts=4, top_k_experts=2,
    moe_intermediate_size=32, sliding_window=64), config="Gemma4TextConfig")

# Further ones

model("gpt2", "GPT2", "smollm", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}, of="LMHeadModel",
      edit=lambda config: config.update(n_ctx=128))
model("gpt2-real", "GPT2", "gpt2-real", {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}, of="LMHeadModel",
      edit=lambda config: config.update(n_ctx=64))
model("gpt-neox", "GPTNeoX", "smollm", decoder(num_key_value_heads=4, rotary_pct=0.25),
      edit=lambda config: (config.pop("model_type"), config.update(rotary_pct=0.25, rotary_emb_base=20000)))
model("falcon", "Falcon", "smollm", {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "alibi": False,
                                     "multi_query": True, "parallel_attn": True, "bias": False},
      edit=lambda config: config.update(num_kv_heads=1))
model("falcon-new", "Falcon", "smollm", {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "alibi": False,
                                         "new_decoder_architecture": True, "num_kv_heads": 2, "bias": False})
model("bloom", "Bloom", "smollm", {"hidden_size": 64, "n_layer": 2, "n_head": 4})
model("mpt", "Mpt", "smollm", {"d_model": 64, "n_layers": 2, "n_heads": 4, "max_seq_len": 128, "expansion_ratio": 4},
      edit=lambda config: config.update(architectures=["MPTForCausalLM"]))
model("stablelm", "StableLm", "smollm", decoder(use_qkv_bias=True, num_key_value_heads=4, partial_rotary_factor=0.25))
model("stablelm-2", "StableLm", "smollm", decoder(use_parallel_residual=True, tie_word_embeddings=True))
model("starcoder2", "Starcoder2", "smollm", decoder(use_bias=True, sliding_window=64))
model("nemotron", "Nemotron", "sentencepiece", decoder(head_dim=16, partial_rotary_factor=0.5))
model("exaone4", "Exaone4", "llama3", decoder(num_hidden_layers=4, sliding_window=64, sliding_window_pattern=4,
                                              rope_parameters=LLAMA3_ROPE))
model("ernie4.5", "Ernie4_5", "sentencepiece", decoder(head_dim=16, use_bias=False, tie_word_embeddings=True))
model("ernie4.5-moe", "Ernie4_5_Moe", "sentencepiece", decoder(num_hidden_layers=3, moe_num_experts=4, moe_k=2,
                                                               moe_intermediate_size=32, moe_num_shared_experts=1,
                                                               moe_layer_start_index=1, moe_layer_end_index=2))
model("hunyuan-dense", "HunYuanDenseV1", "llama3", decoder(head_dim=16))
model("seed-oss", "SeedOss", "llama3", decoder(head_dim=16, attention_bias=True))
model("apertus", "Apertus", "llama3", decoder(rope_parameters=LLAMA3_ROPE))
model("arcee", "Arcee", "llama3", decoder())
model("mamba", "Mamba", "smollm", {"hidden_size": 64, "state_size": 8, "num_hidden_layers": 2, "conv_kernel": 4})
model("falcon-mamba", "FalconMamba", "smollm", {"hidden_size": 64, "state_size": 8, "num_hidden_layers": 2, "conv_kernel": 4})
model("llava", "Llava", "sentencepiece", {"text_config": {"model_type": "llama", **decoder()}, "vision_config": {
    "model_type": "clip_vision_model", **VISION}}, of="ForConditionalGeneration")
model("voxtral", "Voxtral", "sentencepiece", {"text_config": {"model_type": "llama", **decoder(head_dim=32)}, "audio_config": {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "num_mel_bins": 8,
    "max_source_positions": 16}}, of="ForConditionalGeneration")
model("qwen2-audio", "Qwen2Audio", "qwen2", {"text_config": {"model_type": "qwen2", **decoder()}, "audio_config": {
    "d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 48, "num_mel_bins": 8,
    "max_source_positions": 16}}, of="ForConditionalGeneration")
model("mamba2", "Mamba2", "smollm", {"hidden_size": 64, "state_size": 16, "num_hidden_layers": 2, "num_heads": 8, "head_dim": 16,
                                     "n_groups": 2})

# As others wrote them: older configurations, names of tensors as published


def flat(config):
    """Settings of the language model beside all others, as Qwen's first models that see had them."""
    config.update(config.pop("text_config") | {"model_type": config["model_type"]})
    old_mrope(config)


def old_mrope(config):
    for part in (config, config.get("text_config", {})):
        rope = part.pop("rope_parameters", None)
        if rope:
            part["rope_theta"] = rope["rope_theta"]
            part["rope_scaling"] = {"type": "mrope", "mrope_section": rope["mrope_section"]}


def sparse(config):
    """The little that Gemma 3's configuration says of the language model; the rest is transformers'."""
    text = config["text_config"]
    config["text_config"] = {key: text[key] for key in ("hidden_size", "intermediate_size", "model_type", "num_hidden_layers",
                                                        "sliding_window", "vocab_size")}
    config["text_config"]["rope_scaling"] = {"factor": 8.0, "rope_type": "linear"}


def renamed(*pairs, more=()):
    """Changes names of tensors, and adds some."""
    def rename(tensors, _):
        out = {}
        for name, tensor in tensors.items():
            for old, new in pairs:
                name = name.replace(old, new)
            out[name] = tensor
        return {**out, **dict(more)}
    return rename


def mxfp4(tensors, _):
    """GPT-OSS's experts as published: transposed, in blocks of 32 with a scale each."""
    out = {}
    for name, (dtype, shape) in tensors.items():
        if name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            experts, columns, rows = shape
            out[f"{name}_blocks"] = ("U8", [experts, rows, columns // 32, 16])
            out[f"{name}_scales"] = ("U8", [experts, rows, columns // 32])
        else:
            out[name] = (dtype, shape)
    return out


def long(factors, **more):
    return {"rope_type": "longrope", "rope_theta": 10000.0, "long_factor": [1.0 + i / 4 for i in range(factors)],
            "short_factor": [1.0 + i / 16 for i in range(factors)], **more}


model("qwen2-vl-old", "Qwen2VL", "qwen2", {"text_config": decoder(rope_parameters=MROPE), "vision_config": VISION},
      of="ForConditionalGeneration", edit=flat, tensors=renamed(("model.language_model.", "model."), ("model.visual.", "visual.")))
model("qwen2.5-vl-old", "Qwen2_5_VL", "qwen2", {"text_config": decoder(rope_parameters=MROPE), "vision_config": {
    **VISION, "out_hidden_size": 64, "fullatt_block_indexes": [0]}}, of="ForConditionalGeneration", edit=flat,
      tensors=renamed(("model.language_model.", "model."), ("model.visual.", "visual.")))
model("qwen3-vl-old", "Qwen3VL", "qwen3", {"text_config": decoder(head_dim=32, rope_parameters=MROPE), "vision_config": {
    **VISION, "out_hidden_size": 64, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]}},
      of="ForConditionalGeneration", edit=old_mrope)
model("qwen3-next-old", "Qwen3Next", "qwen3", experts(head_dim=32, num_hidden_layers=4, shared_expert_intermediate_size=32, **LINEAR),
      old=True, edit=lambda config: (config.pop("layer_types"), config.update(full_attention_interval=4)),
      tensors=predicting("model.layers.3", "mtp.layers.0", QWEN_MTP))
model("gemma3-vl-sparse", "Gemma3", "sentencepiece", {
    "text_config": decoder(num_attention_heads=8, num_key_value_heads=4, head_dim=256, sliding_window=64), "vision_config": VISION,
    "mm_tokens_per_image": 4}, of="ForConditionalGeneration", edit=sparse)
model("ministral3-vl", "Mistral3", "mistral", {
    "text_config": {"model_type": "ministral3", **decoder(head_dim=32, rope_parameters={
        **YARN, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1})},
    "vision_config": {"model_type": "pixtral", **VISION, "head_dim": 16}}, of="ForConditionalGeneration")
model("mixtral-old", "Mixtral", "sentencepiece", decoder(num_local_experts=4, num_experts_per_tok=2, sliding_window=None), old=True)
model("gemma2-old", "Gemma2", "sentencepiece", decoder(head_dim=32), old=True)
model("phi-2-old", "Phi", "smollm", decoder(num_key_value_heads=4, partial_rotary_factor=0.4), old=True)
model("phi-3-old", "Phi3", "sentencepiece", decoder(sliding_window=None), old=True)
model("phi-3-long-old", "Phi3", "sentencepiece", decoder(
    original_max_position_embeddings=128, rope_parameters=long(8)), old=True)
model("phi-3-su-old", "Phi3", "sentencepiece", decoder(
    original_max_position_embeddings=128, rope_parameters=long(8)), old=True, edit=lambda config: config["rope_scaling"].update(
        type="su", rope_type="su"))
model("phi-4-mini", "Phi3", "smollm", decoder(original_max_position_embeddings=128, tie_word_embeddings=True, head_dim=16,
                                              rope_parameters=long(6, partial_rotary_factor=0.75)))
model("phi-4-mini-old", "Phi3", "smollm", decoder(original_max_position_embeddings=128, tie_word_embeddings=True, head_dim=16,
                                                  rope_parameters=long(6, partial_rotary_factor=0.75)), old=True)
model("phi-moe-long", "Phimoe", "sentencepiece", decoder(
    num_local_experts=4, num_experts_per_tok=2, rope_parameters=long(8, short_mscale=1.25, long_mscale=1.5,
                                                                     original_max_position_embeddings=128)),
      edit=lambda config: config.update(architectures=["PhiMoEForCausalLM"], original_max_position_embeddings=128), old=True)
model("gpt-oss-mxfp4", "GptOss", "llama3", decoder(head_dim=32, intermediate_size=64, num_local_experts=4, num_experts_per_tok=2,
                                                   sliding_window=64), tensors=mxfp4, plain="COPY", quantized="MXFP4_MOE",
      edit=lambda config: config.update(quantization_config={"modules_to_not_convert": ["lm_head"], "quant_method": "mxfp4"}))
model("olmo3-old-yarn", "Olmo3", "llama3", decoder(num_hidden_layers=4, sliding_window=64), old=True,
      edit=lambda config: (config.pop("rope_local_base_freq"), config.update(rope_theta=500000, rope_scaling={
          "attention_factor": 1.25, "beta_fast": 32, "beta_slow": 1, "factor": 8.0, "original_max_position_embeddings": 128,
          "rope_type": "yarn"})))
model("lfm2-adjusted", "Lfm2", "llama3", decoder(num_hidden_layers=3, full_attn_idxs=[1], intermediate_size=144,
                                                 block_multiple_of=16, conv_L_cache=3), old=True)
model("falcon-h1-plain", "FalconH1", "llama3", decoder(
    mamba_d_ssm=128, mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_rms_norm=False, tie_word_embeddings=True,
    attention_bias=True, mlp_bias=True, projectors_bias=True), edit=lambda config: config.update(head_dim=16), dtype="F32")
model("nemotron-h-old", "NemotronH", "llama3", decoder(
    head_dim=16, layers_block_type=["mamba", "attention", "mlp", "mamba"], num_hidden_layers=4, mamba_num_heads=8, mamba_head_dim=16,
    ssm_state_size=16, n_groups=2), edit=lambda config: (config.pop("layers_block_type"), config.update(
        hybrid_override_pattern="M*-M")))
model("granite-old", "Granite", "smollm", decoder(embedding_multiplier=12, logits_scaling=8.0, residual_multiplier=0.22,
                                                  attention_bias=True, mlp_bias=True), old=True)
model("smollm3-old", "SmolLM3", "llama3", decoder(num_hidden_layers=4, no_rope_layer_interval=4), old=True)
model("cohere-old", "Cohere", "llama3", decoder(logit_scale=0.0625, tie_word_embeddings=True), old=True)
model("glm4-old", "Glm4", "qwen2", decoder(head_dim=16, partial_rotary_factor=0.5), added=GLM, old=True)
model("exaone4-old", "Exaone4", "llama3", decoder(num_hidden_layers=4, sliding_window=64, sliding_window_pattern=4,
                                                  rope_parameters=LLAMA3_ROPE), old=True)
model("exaone4-global", "Exaone4", "llama3", decoder(sliding_window=None, sliding_window_pattern=None, tie_word_embeddings=True,
                                                     layer_types=["full_attention"] * 2))
model("bloom-old", "Bloom", "smollm", {"hidden_size": 64, "n_layer": 2, "n_head": 4}, tensors=renamed(("transformer.", "")))
model("gpt2-old", "GPT2", "smollm", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}, of="LMHeadModel",
      edit=lambda config: config.update(n_ctx=128), dtype="F32", tensors=renamed(("transformer.", "")))
model("gpt-neox-old", "GPTNeoX", "smollm", decoder(num_key_value_heads=4, use_parallel_residual=False), dtype="F16",
      edit=lambda config: (config.pop("model_type"), config.update(rotary_pct=1.0, rotary_emb_base=10000)),
      tensors=renamed(more=[(f"gpt_neox.layers.{i}.attention.{name}", tensor) for i in range(2) for name, tensor in (
          ("bias", ("U8", [1, 1, 128, 128])), ("masked_bias", ("F16", [])), ("rotary_emb.inv_freq", ("F16", [2])))]))
model("stablelm-old", "StableLm", "smollm", decoder(use_qkv_bias=True, partial_rotary_factor=0.25), old=True)
model("starcoder2-tied", "Starcoder2", "smollm", decoder(use_bias=True, tie_word_embeddings=True), old=True)
model("nemotron-old", "Nemotron", "sentencepiece", decoder(head_dim=16, partial_rotary_factor=0.5), old=True)
model("minicpm3-long", "MiniCPM3", "sentencepiece", decoder(
    num_key_value_heads=4, q_lora_rank=24, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=16,
    rope_parameters=long(4, original_max_position_embeddings=128)), old=True)
model("hunyuan-alpha", "HunYuanDenseV1", "llama3", {**decoder(head_dim=16, tie_word_embeddings=True), "max_position_embeddings": 32768, "rope_parameters": {
    "rope_type": "dynamic", "rope_theta": 10000.0, "alpha": 1000.0, "factor": 1.0, "beta_fast": 32, "beta_slow": 1, "mscale": 1.0,
    "mscale_all_dim": 1.0}})
model("seed-oss-old", "SeedOss", "llama3", decoder(head_dim=16, attention_bias=True, attention_out_bias=False), old=True)
model("deepseek-v3-old", "DeepseekV3", "qwen2", mla(num_hidden_layers=2, n_shared_experts=1, n_group=2, topk_group=1, rope_parameters={
    **YARN, "mscale": 1.0, "mscale_all_dim": 1.0, "beta_fast": 32, "beta_slow": 1}), old=True)
model("llama4-old", "Llama4", "llama3", {"text_config": decoder(
    num_hidden_layers=2, head_dim=16, intermediate_size_mlp=128, num_local_experts=4, num_experts_per_tok=1,
    rope_parameters=LLAMA3_ROPE), "vision_config": {**VISION, "vision_output_dim": 32, "projector_input_dim": 32,
                                                   "projector_output_dim": 32}}, of="ForConditionalGeneration", old=True)
model("mamba-untied", "Mamba", "smollm", {"hidden_size": 64, "state_size": 8, "num_hidden_layers": 2, "tie_word_embeddings": False,
                                         "time_step_rank": 6}, dtype="F32")
model("apertus-old", "Apertus", "llama3", decoder(rope_parameters=LLAMA3_ROPE), old=True)
model("ernie4.5-bias", "Ernie4_5", "sentencepiece", decoder(use_bias=True), old=True)
model("arcee-yarn", "Arcee", "llama3", decoder(rope_parameters=YARN, attention_bias=True, mlp_bias=True), old=True)

# As published only: transformers writes neither these configurations nor these names of tensors


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

# The same models, as wide as k-quants need

WIDTHS = {"hidden_size": 256, "n_embd": 256, "d_model": 256, "intermediate_size": 512, "moe_intermediate_size": 256,
          "shared_intermediate_size": 256, "shared_expert_intermediate_size": 256, "intermediate_size_mlp": 512, "kv_lora_rank": 256}


def wide(name, quantized, **more):
    """Adds a wider model of that name, to be quantized as this type."""
    def widen(settings):
        return {key: widen(value) if key == "text_config" else WIDTHS.get(key, value) for key, value in settings.items()}
    narrow = _MODELS[name]
    _MODELS[f"{name}-wide"] = {**narrow, "settings": {**widen(narrow["settings"]), **more}, "quantized": quantized, "wide": True}


for name, quantized in {
    "qwen2": "Q2_K", "qwen2-moe": "Q4_K_M", "qwen3-moe": "Q3_K_M", "qwen3-next": "Q4_K_M", "qwen3.5-text": "Q3_K_L", "gemma": "Q5_K_M",
    "gemma2": "Q3_K_S", "gemma3": "Q4_K_M", "phi-2": "Q4_K_S", "phi-3": "Q5_K_S", "phi-moe": "Q4_K_M", "deepseek-v2-q-lora": "Q2_K",
    "deepseek-v3": "Q4_K_M", "minicpm3": "Q3_K_M", "gpt-oss": "Q4_K_M", "glm4": "Q6_K", "glm4-moe": "Q5_K_M", "granite": "Q2_K",
    "granite-moe": "Q4_K_M", "granite-moe-shared": "Q3_K_M", "smollm3": "IQ4_XS", "olmo": "Q4_K_M", "olmo3": "IQ4_NL", "olmoe": "Q3_K_M",
    "cohere": "Q4_K_M", "cohere2": "Q5_K_M", "lfm2": "Q4_K_M", "llama4-text": "Q4_K_M", "gpt2": "Q4_K_M", "gpt-neox": "Q5_K_M",
    "falcon": "Q4_K_M", "falcon-new": "Q3_K_M", "bloom": "Q4_K_M", "mpt": "Q5_K_M", "stablelm": "Q3_K_M", "starcoder2": "Q4_K_M",
    "nemotron": "Q4_K_M", "exaone4": "Q3_K_M", "ernie4.5-moe": "Q4_K_M", "hunyuan-dense": "Q2_K", "apertus": "Q5_K_M", "mistral": "Q4_0",
    "mamba": "Q4_K_M",
}.items():
    wide(name, quantized)
wide("granite-hybrid", "Q4_K_M", mamba_n_heads=32)
wide("nemotron-h-moe", "Q4_K_M", moe_shared_expert_intermediate_size=256)
wide("mamba2", "Q4_K_M", num_heads=32)

import class_decoders  # noqa: E402, F401
import class_encoders  # noqa: E402, F401
import class_senses  # noqa: E402, F401
