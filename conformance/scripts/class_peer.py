"""What llama.cpp computes otherwise than transformers, done to transformers' models.

Each difference is llama.cpp's, for good or ill; with it out of the way, all else has to agree closely. `alter` makes them.
"""


def looked_up(x):
    """GELU from a table of F16, by an argument in F16, and in the form with tanh whichever the model has (ggml-cpu's
    ggml_vec_gelu_f32 and ggml_vec_geglu_f32; llm_graph_context::build_ffn knows no other form)."""
    import torch
    found = torch.nn.functional.gelu(x.half().float(), approximate="tanh").half().float()
    return torch.where(x <= -10, 0.0, torch.where(x >= 10, x, found))


def gelu(model):
    modules = [module for module in model.modules() if "gelu" in type(module).__name__.lower()]
    for module in modules:
        module.register_forward_hook(lambda _, given, __: looked_up(given[0]))
    return bool(modules)


def sample_deviation(model):
    """Gemma 3n's cutoff of activations comes from the deviation of a sample: n - 1 numbers (llama_model_gemma3n::graph::
    gaussian_topk), which is another one while layers are narrow."""
    import statistics
    modules = [module for module in model.modules() if hasattr(module, "_gaussian_topk")]
    for module in modules:
        cut = statistics.NormalDist().inv_cdf(module.activation_sparsity) if module.activation_sparsity else 0.0
        module._gaussian_topk = lambda x, cut=cut: (x - x.mean(-1, keepdim=True) - x.std(-1, keepdim=True) * cut).relu()
    return bool(modules)


def phi_moe(model):
    """llama_model_phi3's graph, which Phi-MoE shares: norms take no mean away (LLM_NORM_RMS), and the two experts weigh what a
    softmax says of them, together 1 (build_moe_ffn). By transformers' sparse mixer each weighs what it does among those
    nearly as good."""
    import torch
    modules = [module for module in model.modules() if type(module).__name__ == "PhimoeTopKRouter"]
    for module in modules:
        def forward(x, module=module):
            logits = torch.nn.functional.linear(x, module.weight)
            weights, chosen = logits.softmax(-1).topk(module.top_k)
            return logits, weights / weights.sum(-1, keepdim=True), chosen
        module.forward = forward
    for norm in (module for module in model.modules() if modules and isinstance(module, torch.nn.LayerNorm)):
        norm.forward = lambda x, norm=norm: x * (x.pow(2).mean(-1, keepdim=True) + norm.eps).rsqrt() * norm.weight + norm.bias
    return bool(modules)


def unscaled_head(model):
    """T5's hidden states go to the head as they are (llama_model_t5's graph), while a head that is tied to the embeddings gets
    them by 1 / sqrt(d_model), which changes no order. (UMT5's never is tied; transformers 5 takes it for so.)"""
    scaled = {"t5": "scale_decoder_outputs", "umt5": "tie_word_embeddings"}.get(model.config.model_type)
    if not scaled or not getattr(model.config, scaled) or not hasattr(model, "lm_head"):
        return False
    setattr(model.config, scaled, False)
    return True


def no_bias_of_experts(model):
    """What a mixture of Nomic's adds last is not in the file (the converter drops it, llama_model_bert has no room for it)."""
    names = [name for name in getattr(model, "weights", {}) if name.endswith(".experts.bias")]
    for name in names:
        model.weights[name].zero_()
    return bool(names)


def alter(model):
    """Does all of it that concerns the model; whether anything did."""
    return any([change(model) for change in (
        gelu, sample_deviation, phi_moe, unscaled_head, no_bias_of_experts)])
