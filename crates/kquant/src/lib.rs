//! Encode and decode the block types of ggml, byte for byte as ggml does.
#![forbid(unsafe_code)]
