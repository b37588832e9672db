//! The target `metadata_file`: see its file in `src/targets`.
#![cfg_attr(fuzzing, no_main)]

entrenar_fuzz::target!(entrenar_fuzz::targets::metadata_file::body);
