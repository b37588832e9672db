//! The target `gguf_reader`: see its file in `src/targets`.
#![cfg_attr(fuzzing, no_main)]

entrenar_fuzz::target!(entrenar_fuzz::targets::gguf_reader::body);
