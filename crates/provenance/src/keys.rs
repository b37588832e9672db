//! The `general.*` keys: their order in a file, and what each may hold.

use crate::reference::Kind;
use crate::text::Lines;

/// What a key may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A text.
    Text(Lines),
    /// A licence, as SPDX or the Hugging Face hub name it.
    License,
    /// A DOI.
    Doi,
    /// A whole number, as I32.
    Int,
    /// A number, as F32.
    Float,
    /// Texts.
    Texts,
}

use Holds::{Doi, Float, Int, License, Texts};
const LINE: Holds = Holds::Text(Lines::One);
const LINES: Holds = Holds::Text(Lines::Many);

/// The keys in the order in which gguf-py (0.19, `Metadata.set_gguf_meta_model`) writes them, with gguf-py's types
/// (`gguf_writer.py`). A key with a dot at its end stands for all that begin with it: those are written through a list.
pub(crate) const GENERAL: &[(&str, Holds)] = &[
    ("general.architecture", LINE),
    ("general.type", LINE),
    ("general.sampling.sequence", LINE),
    ("general.sampling.top_k", Int),
    ("general.sampling.top_p", Float),
    ("general.sampling.min_p", Float),
    ("general.sampling.xtc_probability", Float),
    ("general.sampling.xtc_threshold", Float),
    ("general.sampling.temp", Float),
    ("general.sampling.penalty_last_n", Int),
    ("general.sampling.penalty_repeat", Float),
    ("general.sampling.mirostat", Int),
    ("general.sampling.mirostat_tau", Float),
    ("general.sampling.mirostat_eta", Float),
    ("general.name", LINE),
    ("general.author", LINE),
    ("general.version", LINE),
    ("general.organization", LINE),
    ("general.finetune", LINE),
    ("general.basename", LINE),
    ("general.description", LINES),
    ("general.quantized_by", LINE),
    ("general.size_label", LINE),
    ("general.license", License),
    ("general.license.name", LINE),
    ("general.license.link", LINE),
    ("general.url", LINE),
    ("general.doi", Doi),
    ("general.uuid", LINE),
    ("general.repo_url", LINE),
    ("general.source.url", LINE),
    ("general.source.doi", Doi),
    ("general.source.uuid", LINE),
    ("general.source.repo_url", LINE),
    (Kind::BaseModel.prefix(), Texts),
    (Kind::Dataset.prefix(), Texts),
    ("general.tags", Texts),
    ("general.languages", Texts),
];

/// Where a key stands in the write order; `None` for keys that have no place in it.
pub(crate) fn rank(key: &str) -> Option<usize> {
    GENERAL
        .iter()
        .position(|&(known, _)| if known.ends_with('.') { key.starts_with(known) } else { key == known })
}

/// What a key may hold; `None` for keys that are not in the table.
pub(crate) fn holds(key: &str) -> Option<Holds> {
    GENERAL.iter().find(|(known, _)| *known == key).map(|(_, holds)| *holds)
}
