//! The target `kernels`: see its file in `src/targets`.
#![cfg_attr(fuzzing, no_main)]

entrenar_fuzz::target!(
    entrenar_fuzz::targets::kernels::body,
    prepared by entrenar_fuzz::targets::kernels::prepare()
);
