//! Architectures as tables: what a family of models is called, what its config says, what its tensors are.
//!
//! One file a family. A new one needs a table and a line in [`FAMILIES`]; code only where it does with its tensors
//! or its config what no family did before. `docs/adding-an-architecture.md` shows how.

mod apertus;
mod bert;
mod bloom;
mod cohere;
mod deepseek;
mod distil_bert;
mod ernie;
mod euro_bert;
mod exaone;
mod experts;
mod gemma;
mod gemma3n;
mod gemma4;
mod glm;
mod gpt2;
mod gpt_oss;
mod granite;
mod granite_hybrid;
mod hunyuan;
mod jina;
mod lfm2;
mod llama;
mod llama4;
mod mamba;
mod modern_bert;
mod mpt;
mod nemotron;
mod nemotron_h;
mod neo_bert;
mod nomic;
mod olmo;
mod parameter;
mod phi;
mod pooling;
mod quantile;
mod qwen;
mod qwen_next;
mod qwen_vl;
#[cfg(test)]
mod readme;
mod roberta;
mod rules;
mod stablelm;
mod t5;
mod table;
mod text;

pub(crate) use parameter::Context;
use parameter::Parameter;
pub(crate) use table::{Change, Presence, Row, Source, Start, Step};

use crate::config::Config;
use crate::error::Error;
use crate::sizes::Dim;
use crate::tokenizer::TokenizerKind;

/// All families.
static FAMILIES: &[&Family] = &[
    &llama::LLAMA,
    &llama::MISTRAL,
    &llama::MIXTRAL,
    &llama::MISTRAL3,
    &llama::SMOLLM3,
    &llama::LLAMA_EMBED,
    &llama::ARCEE,
    &apertus::APERTUS,
    &bert::BERT,
    &distil_bert::DISTIL_BERT,
    &euro_bert::EURO_BERT,
    &jina::JINA_BERT_V2,
    &neo_bert::NEO_BERT,
    &roberta::ROBERTA,
    &roberta::XLM_ROBERTA,
    &roberta::CAMEMBERT,
    &modern_bert::MODERN_BERT,
    &t5::T5,
    &t5::T5_ENCODER,
    &bloom::BLOOM,
    &bloom::FALCON,
    &bloom::GPT_NEOX,
    &cohere::COHERE,
    &cohere::COHERE2,
    &deepseek::DEEPSEEK2,
    &deepseek::MINICPM3,
    &lfm2::LFM2,
    &lfm2::LFM2_MOE,
    &llama4::LLAMA4,
    &qwen_vl::QWEN2_VL,
    &qwen_vl::QWEN3_VL,
    &qwen_vl::QWEN3_VL_MOE,
    &qwen_vl::QWEN3_OMNI,
    &ernie::ERNIE4_5,
    &ernie::ERNIE4_5_MOE,
    &exaone::EXAONE4,
    &gemma::GEMMA,
    &gemma::GEMMA2,
    &gemma::GEMMA3,
    &gemma::GEMMA_EMBEDDING,
    &gemma3n::GEMMA3N,
    &gemma4::GEMMA4,
    &gemma4::GEMMA4_UNIFIED,
    &glm::GLM4,
    &glm::GLM4_MOE,
    &glm::GLM_OCR,
    &glm::GLM4_MOE_LITE,
    &gpt2::GPT2,
    &gpt_oss::GPT_OSS,
    &granite::GRANITE,
    &granite::GRANITE_MOE,
    &hunyuan::HUNYUAN,
    &mamba::MAMBA,
    &mamba::MAMBA2,
    &mamba::FALCON_H1,
    &granite_hybrid::GRANITE_HYBRID,
    &granite_hybrid::BAMBA,
    &nemotron_h::NEMOTRON_H,
    &mpt::MPT,
    &nemotron::NEMOTRON,
    &nomic::NOMIC_BERT,
    &olmo::OLMO,
    &olmo::OLMO2,
    &olmo::OLMOE,
    &olmo::SEED_OSS,
    &phi::PHI2,
    &phi::PHI3,
    &phi::PHI_MOE,
    &qwen::QWEN2,
    &qwen::KORMO,
    &qwen::QWEN2_MOE,
    &qwen::QWEN3,
    &qwen::QWEN3_MOE,
    &qwen_next::QWEN3_NEXT,
    &qwen_next::QWEN3_5,
    &qwen_next::QWEN3_5_MOE,
    &stablelm::STABLELM,
    &stablelm::STARCODER2,
];

/// A family of models that are converted alike.
pub(crate) struct Family {
    /// The model classes, as `architectures` in config.json names them.
    pub classes: &'static [&'static str],
    /// The GGUF architecture.
    pub architecture: &'static str,
    /// The form its tokenizers have.
    pub tokenizer: TokenizerKind,
    /// How many tokens the tokenizer has.
    pub tokens: Dim,
    /// Another family, if the config is that of one.
    pub variant: Option<fn(&Config) -> Option<&'static Family>>,
    /// Roles of special tokens (`eot`, `eos` …) and the tokens that have them in this family whatever the files say.
    pub fixed_tokens: &'static [(&'static str, &'static str)],
    /// How many blocks its tensors are in.
    pub blocks: Dim,
    /// Settings that count numbers in the names of weights, whatever the config says: key, and what is before the number.
    pub counts: &'static [(&'static str, &'static str)],
    /// What goes into the metadata before all else but the architecture.
    pub opening: &'static [Parameter],
    /// What goes into the metadata, in this order.
    pub parameters: &'static [&'static [Parameter]],
    /// What goes there after the tokenizer's.
    pub closing: &'static [Parameter],
    /// How names of tensors are brought to the form that the rows have.
    pub names: Names,
    /// What is done to those names after that.
    pub renamed: Option<fn(&Config, String) -> String>,
    /// Tensors that a GGUF file does not have.
    pub skip: &'static [&'static [Skip]],
    /// Tensors that it has.
    pub rows: &'static [&'static [Row]],
    /// Numbers of each block that are metadata.
    pub scalars: &'static [Scalar],
    /// Tensors that it has and the checkpoint has not.
    pub generated: &'static [Generate],
    /// Classes that should have an output head of their own, if it is not tied to the embeddings.
    pub headed: &'static [&'static str],
}

/// A weight of one element in each block that becomes an element of an array of metadata.
pub(crate) struct Scalar {
    /// The whole name in the checkpoint; `{}` stands for the number of the block.
    pub source: &'static str,
    pub key: &'static str,
}

/// Computes tensors that the checkpoint has not.
pub(crate) type Generate = fn(&Config) -> Result<Vec<Generated>, Error>;

/// A tensor that is computed: a vector of F32.
pub(crate) struct Generated {
    pub name: &'static str,
    pub values: Vec<f32>,
}

/// How names of tensors are brought to one form: first all of `remove`, then one of `strip`, then `suffixes`.
#[derive(Clone, Copy)]
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
    /// Where the config says that it is the embeddings'.
    Tied(&'static str),
    /// Starts with this and the number of a block that the model has not: heads that predict further tokens.
    Beyond(&'static str),
}

/// What a [`Skip`] may depend on.
#[derive(Clone, Copy)]
pub(crate) struct Skipping {
    pub tied: bool,
    pub blocks: u64,
}

impl Skip {
    pub(crate) fn matches(self, name: &str, model: Skipping) -> bool {
        match self {
            Self::Is(s) => name == s,
            Self::Starts(s) => name.starts_with(s),
            Self::Ends(s) => name.ends_with(s),
            Self::Contains(s) => name.contains(s),
            Self::Tied(s) => model.tied && name == s,
            Self::Beyond(s) => name.strip_prefix(s).is_some_and(|rest| {
                let number = rest.split('.').next().and_then(|n| n.parse::<u64>().ok());
                number.is_some_and(|n| n >= model.blocks)
            }),
        }
    }
}

/// The family of a model class.
pub(crate) fn find(class: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|f| f.classes.contains(&class)).copied()
}

/// All model classes that are known, by name.
pub(crate) fn classes() -> Vec<&'static str> {
    let mut classes: Vec<_> = FAMILIES.iter().flat_map(|f| f.classes).copied().collect();
    classes.sort_unstable();
    classes
}

/// The known classes whose names are most like this one, for error messages.
pub(crate) fn nearest(class: &str) -> Vec<&'static str> {
    // A name that is no class's may be of any length.
    let class: String = class.chars().take(64).collect();
    let mut classes = classes();
    classes.sort_by_key(|known| std::cmp::Reverse((strsim::jaro_winkler(&class, known) * 1e6) as u64));
    classes.truncate(3);
    classes
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
            for row in family.rows.iter().flat_map(|r| *r) {
                let alone = row.when.is_none();
                assert!(!alone || targets.insert((row.target, row.from.bare)), "{}", row.target);
                // block number of 4 digits, the longest suffix
                assert!(row.target.len() + 2 + ".weight".len() <= gguf_format::MAX_TENSOR_NAME_BYTES);
                for source in std::iter::once(&row.from).chain(row.or) {
                    let name = source.name;
                    let whole = source.parts.is_empty();
                    assert!(!alone || !whole || sources.insert((name, source.shape.len())), "{name}");
                    assert_eq!(name.contains("{}"), row.target.contains("{}"), "{name}");
                    assert!((1..=4).contains(&source.shape.len()), "{name}");
                    let names = &family.names;
                    assert!(!names.strip.iter().any(|s| name.starts_with(s)), "{name}");
                    assert!(!names.remove.iter().any(|s| name.contains(s)), "{name}");
                    let weight = format!("{name}.weight");
                    assert!(
                        !family
                            .skip
                            .iter()
                            .flat_map(|s| *s)
                            .any(|s| s.matches(&weight, Skipping { tied: false, blocks: 1 })),
                        "{weight}"
                    );
                }
            }
        }
    }
}
