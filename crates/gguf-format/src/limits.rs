//! How much of a file's claims a reader goes along with.

/// The longest key in bytes (GGUF specification: "at most 2^16-1 bytes").
pub(crate) const MAX_KEY_BYTES: usize = u16::MAX as usize;

/// How deep arrays may nest unless told otherwise.
pub(crate) const DEFAULT_ARRAY_DEPTH: u8 = 4;

/// What a reader spends on a file before it gives up.
///
/// Nothing is ever allocated that the file's own bytes do not pay for: memory is at most some five times the header.
/// These bounds are for files that are huge themselves. The defaults are several times what any published model needs;
/// who reads strangers' files in a small place sets smaller ones:
///
/// ```
/// use gguf_format::{Gguf, Layout, Limits, Metadata};
///
/// let metadata: Metadata = [("general.architecture", "llama"), ("general.name", "tiny")].into_iter().collect();
/// let file = Layout::new(metadata, Vec::new())?.header();
/// assert!(Gguf::parse(&file, &Limits::new().with_header_bytes(32 << 20).with_pairs(2)).is_ok());
/// assert!(Gguf::parse(&file, &Limits::new().with_pairs(1)).is_err());
/// # Ok::<(), gguf_format::LayoutError>(())
/// ```
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
    /// The most files that make a model: 65 535 by default, all that the format can count. Each is open while the
    /// model is, and the other limits hold for each.
    pub shards: u16,
}

impl Limits {
    /// The default limits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            header_bytes: 1 << 28,
            pairs: 1 << 16,
            tensors: 1 << 20,
            array_depth: DEFAULT_ARRAY_DEPTH,
            shards: u16::MAX,
        }
    }

    /// Sets [`header_bytes`](Self::header_bytes).
    #[must_use]
    pub const fn with_header_bytes(self, header_bytes: u64) -> Self {
        Self { header_bytes, ..self }
    }

    /// Sets [`pairs`](Self::pairs).
    #[must_use]
    pub const fn with_pairs(self, pairs: u32) -> Self {
        Self { pairs, ..self }
    }

    /// Sets [`tensors`](Self::tensors).
    #[must_use]
    pub const fn with_tensors(self, tensors: u32) -> Self {
        Self { tensors, ..self }
    }

    /// Sets [`array_depth`](Self::array_depth).
    #[must_use]
    pub const fn with_array_depth(self, array_depth: u8) -> Self {
        Self { array_depth, ..self }
    }

    /// Sets [`shards`](Self::shards).
    #[must_use]
    pub const fn with_shards(self, shards: u16) -> Self {
        Self { shards, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
