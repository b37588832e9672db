//! Architectures as tables: what a family of models is called, what its config says, what its tensors are.
//!
//! One file a family. A new one needs a table and a line in [`FAMILIES`]; code only where it does with its tensors
//! or its config what no family did before.

mod bert;
mod llama;
mod pooling;
mod qwen;
mod text;

use gguf_format::Metadata;

use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim;
use crate::tokenizer::TokenizerKind;

/// All families.
static FAMILIES: &[&Family] = &[&llama::LLAMA, &llama::MISTRAL, &qwen::QWEN2, &qwen::QWEN3, &bert::BERT];

/// A family of models that are converted alike.
pub(crate) struct Family {
    /// The model classes, as `architectures` in config.json names them.
    pub classes: &'static [&'static str],
    /// The GGUF architecture.
    pub architecture: &'static str,
    /// The form its tokenizers have.
    pub tokenizer: TokenizerKind,
    /// What goes into the metadata, in this order.
    pub parameters: &'static [&'static [Parameter]],
    /// How names of tensors are brought to the form that the rows have.
    pub names: Names,
    /// Tensors that a GGUF file does not have.
    pub skip: &'static [&'static [Skip]],
    /// Tensors that it has.
    pub rows: &'static [Row],
    /// Tensors that it has and the checkpoint has not.
    pub generated: &'static [Generated],
    /// Classes that should have an output head of their own, if it is not tied to the embeddings.
    pub headed: &'static [&'static str],
}

/// How names of tensors are brought to one form: first all of `remove`, then one of `strip`, then `suffixes`.
pub(crate) struct Names {
    /// Taken out wherever they stand.
    pub remove: &'static [&'static str],
    /// Taken off the front.
    pub strip: &'static [&'static str],
    /// Old and new endings.
    pub suffixes: &'static [(&'static str, &'static str)],
}

/// Which tensors are left out, by their names.
#[derive(Clone, Copy)]
pub(crate) enum Skip {
    Is(&'static str),
    Starts(&'static str),
    Ends(&'static str),
    Contains(&'static str),
}

impl Skip {
    pub(crate) fn matches(self, name: &str) -> bool {
        match self {
            Self::Is(s) => name == s,
            Self::Starts(s) => name.starts_with(s),
            Self::Ends(s) => name.ends_with(s),
            Self::Contains(s) => name.contains(s),
        }
    }
}

/// A tensor of the model: its weight and, where there is one, its bias.
pub(crate) struct Row {
    /// The name in the checkpoint without `.weight`; `{}` stands for the number of the block.
    pub source: &'static str,
    /// The name in the GGUF file, likewise.
    pub target: &'static str,
    /// The weight's shape, outermost dimension first. A bias has the first dimension alone.
    pub shape: &'static [Dim],
    pub weight: Presence,
    pub bias: Presence,
    pub change: Change,
    /// Kept as F32 whatever the checkpoint has (on top of the rules for all tensors).
    pub f32: bool,
    /// The name in the GGUF file of a model whose config names its classes, if that is another one.
    pub labelled: Option<&'static str>,
}

/// Whether a tensor must be there.
#[derive(Clone, Copy)]
pub(crate) enum Presence {
    Never,
    Optional,
    Needed,
    /// Needed if this setting is on, optional if not.
    If(&'static str),
}

/// What happens to a tensor's rows.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    None,
    /// The two halves of each of so many heads are interleaved.
    Interleave(Dim),
}

impl Row {
    /// A weight that must be there, without a bias, unchanged.
    pub(crate) const fn new(source: &'static str, target: &'static str, shape: &'static [Dim]) -> Self {
        let (weight, bias) = (Presence::Needed, Presence::Never);
        Self { source, target, shape, weight, bias, change: Change::None, f32: false, labelled: None }
    }

    pub(crate) const fn bias(self, bias: Presence) -> Self {
        Self { bias, ..self }
    }

    pub(crate) const fn optional(self) -> Self {
        Self { weight: Presence::Optional, ..self }
    }

    pub(crate) const fn interleave(self, heads: Dim) -> Self {
        Self { change: Change::Interleave(heads), ..self }
    }

    pub(crate) const fn f32(self) -> Self {
        Self { f32: true, ..self }
    }

    pub(crate) const fn labelled(self, target: &'static str) -> Self {
        Self { labelled: Some(target), ..self }
    }
}

/// A tensor that is computed.
#[derive(Clone, Copy)]
pub(crate) enum Generated {
    /// `rope_freqs.weight`, where llama 3 scales its frequencies.
    RopeFactors,
}

/// What a parameter's rule may look at.
pub(crate) struct Context<'a> {
    pub architecture: &'static str,
    pub folder: &'a std::path::Path,
    pub config: &'a Config,
}

/// One metadata pair, or a rule that writes some.
pub(crate) enum Parameter {
    /// A setting, if the first of the config's keys that is there is not null. A key that starts with `.` has the
    /// architecture in front.
    Value { key: &'static str, kind: Kind, from: &'static [&'static str] },
    /// A dimension.
    Size { key: &'static str, dim: Dim },
    /// The same for all models of the family.
    Bool { key: &'static str, value: bool },
    /// Anything else.
    Rule(Rule),
}

/// Writes pairs that are no plain copy of a setting.
pub(crate) type Rule = fn(&Context<'_>, &mut Metadata, &mut Vec<String>) -> Result<(), Error>;

/// The type of a pair's value.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    U32,
    F32,
}

/// The family of a model class.
pub(crate) fn find(class: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|f| f.classes.contains(&class)).copied()
}

/// All model classes that are known, for error messages.
pub(crate) fn supported() -> String {
    let classes: Vec<_> = FAMILIES.iter().flat_map(|f| f.classes).copied().collect();
    classes.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn tables_are_well_formed() {
        let mut classes = HashSet::new();
        for family in FAMILIES {
            assert!(family.classes.iter().all(|c| classes.insert(*c)), "a class is in two families");
            assert!(family.headed.iter().all(|c| family.classes.contains(c)));
            let (mut sources, mut targets) = (HashSet::new(), HashSet::new());
            for row in family.rows {
                assert!(sources.insert(row.source) && targets.insert(row.target), "{}", row.source);
                assert_eq!(row.source.contains("{}"), row.target.contains("{}"), "{}", row.source);
                assert!(row.shape.len() == 1 || row.shape.len() == 2, "{}", row.source);
                let names = &family.names;
                assert!(!names.strip.iter().any(|s| row.source.starts_with(s)), "{}", row.source);
                assert!(!names.remove.iter().any(|s| row.source.contains(s)), "{}", row.source);
                let weight = format!("{}.weight", row.source);
                assert!(!family.skip.iter().flat_map(|s| *s).any(|s| s.matches(&weight)), "{weight}");
                // block number of 4 digits, the longest suffix
                assert!(row.target.len() + 2 + ".weight".len() <= gguf_format::MAX_TENSOR_NAME_BYTES);
            }
        }
    }
}
