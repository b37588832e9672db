//! What a caller may want otherwise.

use std::path::PathBuf;

use crate::adapter::Adapter;
use crate::limits::Limits;

/// How to open a checkpoint.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Takes the tensors as they are, under their own names, with no metadata, even if there is a config.json.
    pub raw: bool,
    /// `general.name`, in place of what the model card, the config or the folder's name says.
    pub model_name: Option<String>,
    /// `tokenizer.ggml.pre`, for a tokenizer whose pre-tokenizer is not recognised.
    pub pre_tokenizer: Option<String>,
    /// The folder of the base model, where what is opened is an adapter by itself: its config is read, no weights.
    pub base: Option<PathBuf>,
    /// How large files may be that are read whole.
    pub limits: Limits,
    /// Adapters that are merged into the weights, in this order.
    pub(crate) adapters: Vec<Adapter>,
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

    /// Sets [`base`](Self::base).
    #[must_use]
    pub fn with_base(mut self, folder: impl Into<PathBuf>) -> Self {
        self.base = Some(folder.into());
        self
    }

    /// Sets [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Merges an adapter into the weights while they are read: the folder that `save_pretrained` of peft wrote, a LoRA
    /// with whatever peft can merge of one. `scale` is multiplied with the adapter's own; 1 leaves it as it is. Saved
    /// modules and rows of tokens are put in the base's place whatever the scale is, as in peft.
    ///
    /// Several adapters are merged one after another.
    #[must_use]
    pub fn with_adapter(mut self, folder: impl Into<PathBuf>, scale: f64) -> Self {
        self.adapters.push(Adapter { folder: folder.into(), scale });
        self
    }
}
