//! Hugging Face checkpoints: shards, configuration, tokenizer; which source bytes make which GGUF tensor.
#![forbid(unsafe_code)]
