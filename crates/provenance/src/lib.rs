//! Where a model came from: general metadata, experiments, research artifacts, licences, as GGUF pairs.
#![forbid(unsafe_code)]
