//! How much of a file's claims a reader goes along with.

/// The longest key in bytes (GGUF specification: "at most 2^16-1 bytes").
pub(crate) const MAX_KEY_BYTES: usize = u16::MAX as usize;

/// How deep arrays may nest unless told otherwise.
pub(crate) const DEFAULT_ARRAY_DEPTH: u8 = 4;

/// What a reader spends on a file before it gives up.
///
/// Nothing is ever allocated that the file's own bytes do not pay for; these bounds are for files that are
/// huge themselves. The defaults are several times what any published model needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest header (everything before the tensors' data) in bytes: 256 MiB by default. The header of a
    /// vocabulary of 256 thousand tokens has about 15 MB.
    pub header_bytes: u64,
    /// The most metadata pairs: 65 536 by default.
    pub pairs: u32,
    /// The most tensors: 1 048 576 by default.
    pub tensors: u32,
    /// How deep arrays may nest: 4 by default. llama.cpp reads no nested arrays at all.
    pub array_depth: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { header_bytes: 1 << 28, pairs: 1 << 16, tensors: 1 << 20, array_depth: DEFAULT_ARRAY_DEPTH }
    }
}
