//! How much of a checkpoint's claims is gone along with.

/// What is spent on a checkpoint's files before they are refused.
///
/// Nothing is ever allocated that a file's own bytes do not pay for; these bounds are for files that are huge
/// themselves. The defaults are several times what any published model needs; who reads strangers' checkpoints in a
/// small place sets smaller ones:
///
/// ```
/// use hf_checkpoint::{Checkpoint, Error, Limits, Options};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("config.json"), format!("{{\"notes\": \"{}\"}}", "x".repeat(4096)))?;
/// std::fs::write(folder.path().join("model.safetensors"), b"\x02\0\0\0\0\0\0\0{}")?;
/// let options = Options::new().with_limits(Limits::new().with_settings_bytes(4096));
/// let refused = Checkpoint::open(folder.path(), &options).unwrap_err();
/// assert!(matches!(refused, Error::TooLarge { bytes: 4109, limit: 4096, .. }));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest file of settings (config.json, tokenizer_config.json, adapter_config.json, the model card, …) in
    /// bytes: 16 MiB by default. The largest known has 6 MB, thousands of added tokens. In memory it may take some
    /// forty times as much, 80 MB at most.
    pub settings_bytes: u64,
    /// The largest index of shards in bytes: 64 MiB by default. That of a trillion weights in experts one by one has
    /// 20 MB.
    pub index_bytes: u64,
    /// The largest file of a tokenizer in bytes: 128 MiB by default. The largest known has 33 MB (Gemma 3).
    pub tokenizer_bytes: u64,
    /// The largest header of a safetensors file in bytes: 100 000 000 by default, as in the `safetensors` crate.
    pub header_bytes: u64,
    /// The most tokens, those that only pad the vocabulary included: 2 097 152 by default, and at most. The largest
    /// known vocabulary has near a million.
    pub tokens: u32,
    /// The most files that weights are in, an adapter's not counted: 65 535 by default. Each is open while the
    /// checkpoint is.
    pub shards: u16,
}

/// More tokens than any vocabulary has: a bound on what a wrong `vocab_size`, or a wrong id, can ask for.
pub(crate) const MAX_TOKENS: u32 = 1 << 21;

impl Limits {
    /// The default limits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            settings_bytes: 16 << 20,
            index_bytes: 64 << 20,
            tokenizer_bytes: 128 << 20,
            header_bytes: 100_000_000,
            tokens: MAX_TOKENS,
            shards: u16::MAX,
        }
    }

    /// Sets [`settings_bytes`](Self::settings_bytes).
    #[must_use]
    pub const fn with_settings_bytes(self, settings_bytes: u64) -> Self {
        Self { settings_bytes, ..self }
    }

    /// Sets [`index_bytes`](Self::index_bytes).
    #[must_use]
    pub const fn with_index_bytes(self, index_bytes: u64) -> Self {
        Self { index_bytes, ..self }
    }

    /// Sets [`tokenizer_bytes`](Self::tokenizer_bytes).
    #[must_use]
    pub const fn with_tokenizer_bytes(self, tokenizer_bytes: u64) -> Self {
        Self { tokenizer_bytes, ..self }
    }

    /// Sets [`header_bytes`](Self::header_bytes).
    #[must_use]
    pub const fn with_header_bytes(self, header_bytes: u64) -> Self {
        Self { header_bytes, ..self }
    }

    /// Sets [`tokens`](Self::tokens); more than the default are not read.
    #[must_use]
    pub const fn with_tokens(self, tokens: u32) -> Self {
        Self { tokens: if tokens > MAX_TOKENS { MAX_TOKENS } else { tokens }, ..self }
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
