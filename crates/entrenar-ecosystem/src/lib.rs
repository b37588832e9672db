//! Export fine-tuned models to quantized GGUF files with their provenance inside.
#![forbid(unsafe_code)]
