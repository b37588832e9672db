//! What a caller may want otherwise.

/// How to open a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Takes the tensors as they are, under their own names, with no metadata, even if there is a config.json.
    pub raw: bool,
    /// `general.name`, in place of what the model card, the config or the folder's name says.
    pub model_name: Option<String>,
    /// `tokenizer.ggml.pre`, for a tokenizer whose pre-tokenizer is not recognised.
    pub pre_tokenizer: Option<String>,
}

impl Options {
    /// The usual options: see the fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`raw`](Self::raw).
    #[must_use]
    pub fn with_raw(mut self, raw: bool) -> Self {
        self.raw = raw;
        self
    }

    /// Sets [`model_name`](Self::model_name).
    #[must_use]
    pub fn with_model_name(mut self, name: impl Into<String>) -> Self {
        self.model_name = Some(name.into());
        self
    }

    /// Sets [`pre_tokenizer`](Self::pre_tokenizer).
    #[must_use]
    pub fn with_pre_tokenizer(mut self, pre: impl Into<String>) -> Self {
        self.pre_tokenizer = Some(pre.into());
        self
    }
}
