//! Which block type each tensor of a model gets: file types, mixes, shape fallbacks.
#![forbid(unsafe_code)]
