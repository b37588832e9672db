//! Plan a GGUF file, stream tensors into it on many threads in bounded memory, commit it atomically.
#![forbid(unsafe_code)]
