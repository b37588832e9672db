//! The mixes: which tensors of a file type get another type than its base.
//!
//! Source of the facts: `llama_tensor_get_type_impl` in llama.cpp's `llama-quant.cpp`, as pinned by
//! `llama-cpp-sys-2` 0.1.161. Rules there that can never be reached (those for `attn_qkv` after those for the values
//! have taken it) are left out. The output's Q8_0 for rows that are no whole number of the base type's blocks is a
//! rule here only where it matters (`ends.rs`); elsewhere Q6_K falls back to the same type, and then the report says
//! so.
//!
//! The tables: [`ends`] for the output and the token embeddings, [`low_bit`] for the file types of 1 and 2 bits,
//! [`attention`] and [`feed_forward`] for all others.

mod attention;
mod ends;
mod feed_forward;
mod low_bit;

use gguf_format::GgmlType;

use crate::category::Category;
use crate::facts::ModelFacts;
use crate::fallback::fits;
use crate::file_type::FileType;

/// A rule: these parts of a model, in files of these types, under this condition, get this type.
pub(crate) struct Rule {
    categories: &'static [Category],
    files: Files,
    when: When,
    ty: GgmlType,
    /// The rule in words, for people.
    why: &'static str,
}

/// The file types that a rule is for.
#[derive(Clone, Copy)]
enum Files {
    All,
    Only(&'static [FileType]),
    Except(&'static [FileType]),
}

/// The condition of a rule.
#[derive(Clone, Copy)]
enum When {
    Always,
    Not(&'static When),
    All(&'static [When]),
    AnyOf(&'static [When]),
    /// The architecture has this name.
    Architecture(&'static str),
    /// The model has exactly this many experts.
    Experts(u32),
    /// The model has at least this many experts.
    ExpertsAtLeast(u32),
    /// At least this many query heads share a key head.
    QueriesPerKey(u32),
    /// llama.cpp counts the model among those of 70B.
    Is70b,
    /// There is an importance matrix.
    Importance,
    /// The tensor is a stack of matrices: one an expert, or one a head.
    Stacked,
    /// Among the first `n` tensors of its kind.
    First(i64),
    /// In the first `1/n` of the layers.
    FirstOneIn(i64),
    /// In the first eighth of the layers, in the last, or every third between.
    MoreBits,
    /// Neither in the first eighth of the layers nor in the last.
    Middle,
    /// The rules so far give one of these types.
    Now(&'static [GgmlType]),
    /// Rows are a whole number of blocks of the type that the rules so far give.
    RowsFit,
}

/// What a condition may look at.
pub(crate) struct Context<'a> {
    pub(crate) file_type: FileType,
    pub(crate) facts: &'a ModelFacts,
    pub(crate) importance: bool,
    pub(crate) category: Category,
    pub(crate) position: Position,
    pub(crate) row_len: u64,
    /// Whether the third dimension is more than 1.
    pub(crate) stacked: bool,
}

/// Where among its kind a tensor stands: the `index`th of `count`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Position {
    pub(crate) index: i64,
    pub(crate) count: i64,
}

/// How a file type tells a tensor's layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// It does not ask.
    None,
    /// By counting the tensors of the kind.
    Order,
    /// By counting; in a model with experts, by the number in the name.
    OrderOrName,
}

const VALUES: &[Category] = &[Category::AttentionV, Category::AttentionQkv, Category::AttentionKvB];
const KEYS: &[Category] = &[Category::AttentionK];
const KEYS_AND_QUERIES: &[Category] = &[Category::AttentionK, Category::AttentionQ];
const ATTENTION_OUTPUT: &[Category] = &[Category::AttentionOutput];
const FFN_UP_AND_GATE: &[Category] = &[Category::FfnUp, Category::FfnGate];
const FFN_DOWN: &[Category] = &[Category::FfnDown];
const OUTPUT: &[Category] = &[Category::Output];
const TOKEN_EMBEDDING: &[Category] = &[Category::TokenEmbedding];

/// The file types of 1 and 2 bits that have rules of their own, and none of the others'.
const LOW_BIT: &[FileType] = &[
    FileType::IQ1_S,
    FileType::IQ1_M,
    FileType::IQ2_XXS,
    FileType::IQ2_XS,
    FileType::IQ2_S,
    FileType::IQ2_M,
];

/// All but those of [`LOW_BIT`] and `MXFP4_MOE`.
const STANDARD: Files = Files::Except(&[
    FileType::IQ1_S,
    FileType::IQ1_M,
    FileType::IQ2_XXS,
    FileType::IQ2_XS,
    FileType::IQ2_S,
    FileType::IQ2_M,
    FileType::MXFP4_MOE,
]);

const FALCON: When = When::Architecture("falcon");
const NOT_FALCON: When = When::Not(&FALCON);
const EIGHT_EXPERTS: When = When::Experts(8);
const NOT_EIGHT_EXPERTS: When = When::Not(&EIGHT_EXPERTS);
const NO_IMPORTANCE: When = When::Not(&When::Importance);

/// The stages, in order. In each, the first rule that matches is applied; the next stage sees its result. Tables
/// side by side are one stage.
///
/// Token embeddings that stand for the output as well (tied) are in the category of the output.
const STAGES: &[&[&[Rule]]] = &[
    &[ends::RULES, low_bit::RULES, attention::RULES, feed_forward::RULES],
    &[attention::IN_70B],
    &[attention::WITH_EIGHT_EXPERTS],
];

/// Names that get one type in an architecture, whatever the mix.
const NAMED: &[(&str, &[&str], GgmlType, &str)] = &[(
    "glm5-next",
    &["attn_q_a", "attn_q_b", "nextn.eh_proj"],
    GgmlType::Q8_0,
    "never below Q8_0 in this architecture",
)];

const fn rule(
    categories: &'static [Category],
    files: Files,
    when: When,
    ty: GgmlType,
    why: &'static str,
) -> Rule {
    Rule { categories, files, when, ty, why }
}

impl Files {
    fn contains(self, file_type: FileType) -> bool {
        match self {
            Self::All => true,
            Self::Only(these) => these.contains(&file_type),
            Self::Except(those) => !those.contains(&file_type),
        }
    }
}

impl When {
    fn holds(&self, context: &Context<'_>, now: GgmlType) -> bool {
        let Position { index, count } = context.position;
        match self {
            Self::Always => true,
            Self::Not(when) => !when.holds(context, now),
            Self::All(all) => all.iter().all(|when| when.holds(context, now)),
            Self::AnyOf(any) => any.iter().any(|when| when.holds(context, now)),
            Self::Architecture(name) => context.facts.architecture == *name,
            Self::Experts(experts) => context.facts.expert_count == *experts,
            Self::ExpertsAtLeast(least) => context.facts.expert_count >= *least,
            Self::QueriesPerKey(least) => context.facts.queries_per_key() >= *least,
            Self::Is70b => context.facts.is_70b(),
            Self::Importance => context.importance,
            Self::Stacked => context.stacked,
            Self::First(n) => index < *n,
            Self::FirstOneIn(n) => index < count / n,
            Self::MoreBits => index < count / 8 || index >= 7 * count / 8 || (index - count / 8) % 3 == 2,
            Self::Middle => index >= count / 8 && index < 7 * count / 8,
            Self::Now(types) => types.contains(&now),
            Self::RowsFit => fits(now, context.row_len),
        }
    }
}

impl Counting {
    /// How the layer of tensors of this category is told in files of this type.
    pub(crate) fn of(file_type: FileType, category: Category) -> Self {
        if file_type == FileType::MXFP4_MOE {
            return Self::None;
        }
        match category {
            _ if category.holds_values() => Self::Order,
            Category::FfnDown if LOW_BIT.contains(&file_type) => Self::Order,
            Category::FfnUp | Category::FfnGate if LOW_BIT.contains(&file_type) => Self::None,
            Category::FfnDown | Category::FfnUp | Category::FfnGate => Self::OrderOrName,
            _ => Self::None,
        }
    }
}

/// The type for a name that has one of its own in an architecture.
pub(crate) fn named(architecture: &str, name: &str) -> Option<(GgmlType, &'static str)> {
    NAMED
        .iter()
        .find(|(arch, parts, ..)| *arch == architecture && parts.iter().any(|part| name.contains(part)))
        .map(|&(_, _, ty, why)| (ty, why))
}

/// The type that the mix gives, and the last rule that changed it; `None` if no rule did.
pub(crate) fn mixed(context: &Context<'_>) -> (GgmlType, Option<&'static str>) {
    let mut now = context.file_type.base();
    let mut changed = None;
    for stage in STAGES {
        let rule = stage.iter().copied().flatten().find(|rule| {
            rule.categories.contains(&context.category)
                && rule.files.contains(context.file_type)
                && rule.when.holds(context, now)
        });
        if let Some(rule) = rule.filter(|rule| rule.ty != now) {
            (now, changed) = (rule.ty, Some(rule.why));
        }
    }
    (now, changed)
}
