//! Export a Hugging Face folder to one quantized GGUF file: library and command.
#![forbid(unsafe_code)]
