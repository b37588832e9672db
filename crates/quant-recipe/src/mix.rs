//! The mixes: which tensors of a file type get another type than its base.
//!
//! Source of the facts: `llama_tensor_get_type_impl` in llama.cpp's `llama-quant.cpp`, as pinned by
//! `llama-cpp-sys-2` 0.1.161. A rule there that can never be reached (one for `attn_qkv` after those for the
//! values have taken it) is left out. So is one that gives the output Q8_0 where rows are no whole number of the base
//! type's blocks: with the file types here, Q8_0 is what Q6_K falls back to anyway, and then the report says so.
//! Base types that fall back to others (IQ2_XXS) will need that rule.

use gguf_format::GgmlType;
use gguf_format::GgmlType::{Q3_K, Q4_K, Q5_K, Q6_K, Q8_0};

use crate::category::Category;
use crate::facts::ModelFacts;
use crate::file_type::FileType;

/// A rule: these parts of a model, in files of these types, under this condition, get this type.
pub(crate) struct Rule {
    categories: &'static [Category],
    file_types: &'static [FileType],
    when: When,
    ty: GgmlType,
    /// The rule in words, for people.
    why: &'static str,
}

/// The condition of a rule.
enum When {
    Always,
    Not(&'static When),
    All(&'static [When]),
    /// The architecture has this name.
    Architecture(&'static str),
    /// The model has exactly this many experts.
    Experts(u32),
    /// At least this many query heads share a key head.
    QueriesPerKey(u32),
    /// llama.cpp counts the model among those of 70B.
    Is70b,
    /// Among the first `n` tensors of its kind.
    First(i64),
    /// In the first `1/n` of the layers.
    FirstOneIn(i64),
    /// In the first eighth of the layers, in the last, or every third between.
    MoreBits,
    /// The rules so far give one of these types.
    Now(&'static [GgmlType]),
}

/// What a condition may look at.
pub(crate) struct Context<'a> {
    pub(crate) file_type: FileType,
    pub(crate) facts: &'a ModelFacts,
    pub(crate) category: Category,
    pub(crate) position: Position,
}

/// Where among its kind a tensor stands: the `index`th of `count`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Position {
    pub(crate) index: i64,
    pub(crate) count: i64,
}

const VALUES: &[Category] = &[Category::AttentionV, Category::AttentionQkv, Category::AttentionKvB];
const KEYS: &[Category] = &[Category::AttentionK];
const ATTENTION_OUTPUT: &[Category] = &[Category::AttentionOutput];
const FFN_DOWN: &[Category] = &[Category::FfnDown];
const OUTPUT: &[Category] = &[Category::Output];
const ANY_FILE: &[FileType] = FileType::ALL;

const FALCON: When = When::Architecture("falcon");
const NOT_FALCON: When = When::Not(&FALCON);
const EIGHT_EXPERTS: When = When::Experts(8);
const NOT_EIGHT_EXPERTS: When = When::Not(&EIGHT_EXPERTS);

/// The stages, in order. In each, the first rule that matches is applied; the next stage sees its result.
/// Token embeddings that stand for the output as well (tied) are in the category of the output.
const STAGES: &[&[Rule]] = &[
    &[
        rule(OUTPUT, ANY_FILE, FALCON, Q8_0, "output: Q8_0 in Falcon"),
        rule(OUTPUT, ANY_FILE, When::Not(&When::Now(&[Q8_0])), Q6_K, "output: Q6_K"),
        //
        rule(
            VALUES,
            &[FileType::Q2_K],
            When::QueriesPerKey(4),
            Q4_K,
            "values: 4 or more queries share a key",
        ),
        rule(VALUES, &[FileType::Q2_K], When::Always, Q3_K, "values: more bits"),
        rule(VALUES, &[FileType::Q3_K_M], When::First(2), Q5_K, "values: the first two"),
        rule(VALUES, &[FileType::Q3_K_M], When::Always, Q4_K, "values: more bits"),
        rule(
            VALUES,
            &[FileType::Q4_K_M, FileType::Q5_K_M],
            When::MoreBits,
            Q6_K,
            "values: first and last eighth, every third between",
        ),
        //
        rule(FFN_DOWN, &[FileType::Q2_K], When::Always, Q3_K, "ffn_down: more bits"),
        rule(FFN_DOWN, &[FileType::Q3_K_M], When::FirstOneIn(16), Q5_K, "ffn_down: first sixteenth"),
        rule(FFN_DOWN, &[FileType::Q3_K_M], NOT_FALCON, Q4_K, "ffn_down: more bits"),
        rule(
            FFN_DOWN,
            &[FileType::Q3_K_M],
            When::MoreBits,
            Q4_K,
            "ffn_down: first and last eighth, every third between",
        ),
        rule(
            FFN_DOWN,
            &[FileType::Q4_K_M],
            When::All(&[FALCON, When::FirstOneIn(16)]),
            Q6_K,
            "ffn_down: first sixteenth in Falcon",
        ),
        rule(
            FFN_DOWN,
            &[FileType::Q4_K_M],
            When::All(&[FALCON, When::MoreBits]),
            Q5_K,
            "ffn_down: first and last eighth, every third between, in Falcon",
        ),
        rule(
            FFN_DOWN,
            &[FileType::Q4_K_M],
            When::All(&[NOT_FALCON, When::MoreBits]),
            Q6_K,
            "ffn_down: first and last eighth, every third between",
        ),
        rule(
            FFN_DOWN,
            &[FileType::Q5_K_M],
            When::MoreBits,
            Q6_K,
            "ffn_down: first and last eighth, every third between",
        ),
        //
        rule(
            ATTENTION_OUTPUT,
            &[FileType::Q2_K, FileType::Q3_K_M, FileType::Q4_K_M],
            When::All(&[NOT_FALCON, EIGHT_EXPERTS]),
            Q5_K,
            "attn_output: more bits with eight experts",
        ),
        rule(
            ATTENTION_OUTPUT,
            &[FileType::Q2_K],
            When::All(&[NOT_FALCON, NOT_EIGHT_EXPERTS]),
            Q3_K,
            "attn_output: more bits",
        ),
        rule(
            ATTENTION_OUTPUT,
            &[FileType::Q3_K_M],
            When::All(&[NOT_FALCON, NOT_EIGHT_EXPERTS]),
            Q4_K,
            "attn_output: more bits",
        ),
    ],
    &[rule(
        VALUES,
        ANY_FILE,
        When::All(&[When::Is70b, When::Now(&[Q3_K, Q4_K])]),
        Q5_K,
        "values: a 70B model, where they are small",
    )],
    &[
        rule(VALUES, ANY_FILE, EIGHT_EXPERTS, Q8_0, "values: eight experts, where they are small"),
        rule(KEYS, ANY_FILE, EIGHT_EXPERTS, Q8_0, "keys: eight experts, where they are small"),
    ],
];

/// Names that get one type in an architecture, whatever the mix.
const NAMED: &[(&str, &[&str], GgmlType, &str)] = &[(
    "glm5-next",
    &["attn_q_a", "attn_q_b", "nextn.eh_proj"],
    Q8_0,
    "never below Q8_0 in this architecture",
)];

const fn rule(
    categories: &'static [Category],
    file_types: &'static [FileType],
    when: When,
    ty: GgmlType,
    why: &'static str,
) -> Rule {
    Rule { categories, file_types, when, ty, why }
}

impl When {
    fn holds(&self, context: &Context<'_>, now: GgmlType) -> bool {
        let Position { index, count } = context.position;
        match self {
            Self::Always => true,
            Self::Not(when) => !when.holds(context, now),
            Self::All(all) => all.iter().all(|when| when.holds(context, now)),
            Self::Architecture(name) => context.facts.architecture == *name,
            Self::Experts(experts) => context.facts.expert_count == *experts,
            Self::QueriesPerKey(least) => context.facts.queries_per_key() >= *least,
            Self::Is70b => context.facts.is_70b(),
            Self::First(n) => index < *n,
            Self::FirstOneIn(n) => index < count / n,
            Self::MoreBits => index < count / 8 || index >= 7 * count / 8 || (index - count / 8) % 3 == 2,
            Self::Now(types) => types.contains(&now),
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
        let rule = stage.iter().find(|rule| {
            rule.categories.contains(&context.category)
                && rule.file_types.contains(&context.file_type)
                && rule.when.holds(context, now)
        });
        if let Some(rule) = rule.filter(|rule| rule.ty != now) {
            (now, changed) = (rule.ty, Some(rule.why));
        }
    }
    (now, changed)
}
