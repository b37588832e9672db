"""The tiny models of T5 and its kin."""
from class_parts import model, renamed


def t5(**more):
    return {"d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0, **more}


model("t5", "T5", "t5", t5(n_positions=128), of="ForConditionalGeneration", padding=5, dtype="F32")
model("t5-gated", "T5", "t5", t5(num_decoder_layers=1, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
      of="ForConditionalGeneration", padding=5)
model("t5-encoder", "T5", "t5", t5(), of="EncoderModel", padding=5)
model("umt5", "UMT5", "t5", t5(), of="ForConditionalGeneration", padding=5)


def first_t5(config):
    """The configuration of T5's first checkpoints: neither the decoder's length nor the feed-forward part nor the head is said."""
    for key in ("num_decoder_layers", "feed_forward_proj", "dense_act_fn", "is_gated_act", "tie_word_embeddings", "dtype",
                "scale_decoder_outputs", "relative_attention_max_distance", "classifier_dropout"):
        config.pop(key, None)
    config.update(architectures=["T5WithLMHeadModel"], n_positions=512, output_past=True)


# Heads wider in sum than the model, and a weight that nothing uses.
model("t5-published", "T5", "t5", t5(d_kv=32, d_ff=160, num_layers=3), of="ForConditionalGeneration", padding=5, dtype="F32",
      edit=first_t5, tensors=renamed(more=[
          ("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight", ("F32", [32, 4]))]))
