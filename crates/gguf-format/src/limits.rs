//! How much of a file's claims a reader goes along with.

/// The longest key in bytes (GGUF specification: "at most 2^16-1 bytes").
pub(crate) const MAX_KEY_BYTES: usize = u16::MAX as usize;

/// How deep arrays may nest unless told otherwise.
pub(crate) const DEFAULT_ARRAY_DEPTH: u8 = 4;
