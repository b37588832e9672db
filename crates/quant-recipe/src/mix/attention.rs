//! Attention: values, keys, queries, output. For all file types but those of 1 and 2 bits, and `MXFP4_MOE`.

use gguf_format::GgmlType::{IQ2_S, IQ3_S, IQ3_XXS, Q3_K, Q4_K, Q5_K, Q6_K, Q8_0};

use super::Files::Only;
use super::{
    ATTENTION_OUTPUT, EIGHT_EXPERTS, FALCON, KEYS, KEYS_AND_QUERIES, NO_IMPORTANCE, NOT_EIGHT_EXPERTS,
    NOT_FALCON, Rule, STANDARD, VALUES, When, rule,
};
use crate::file_type::FileType as F;

const SHARED_BY_4: When = When::QueriesPerKey(4);
const OTHERWISE: When = When::All(&[NOT_FALCON, NOT_EIGHT_EXPERTS]);

pub(super) const RULES: &[Rule] = &[
    rule(
        VALUES,
        Only(&[F::Q2_K, F::Q2_K_S, F::IQ3_XXS, F::IQ3_XS, F::IQ3_S]),
        SHARED_BY_4,
        Q4_K,
        "values: 4 or more queries share a key",
    ),
    rule(VALUES, Only(&[F::IQ4_NL, F::IQ4_XS]), SHARED_BY_4, Q5_K, "values: 4 or more queries share a key"),
    rule(VALUES, Only(&[F::Q2_K]), When::Always, Q3_K, "values: more bits"),
    rule(VALUES, Only(&[F::IQ3_XXS]), NO_IMPORTANCE, IQ3_S, "values: more bits without importance"),
    rule(VALUES, Only(&[F::Q3_K_M]), When::First(2), Q5_K, "values: the first two"),
    rule(VALUES, Only(&[F::Q4_K_S]), When::First(4), Q5_K, "values: the first four"),
    rule(VALUES, Only(&[F::Q3_K_M, F::IQ3_M]), When::Always, Q4_K, "values: more bits"),
    rule(VALUES, Only(&[F::Q3_K_L]), When::Always, Q5_K, "values: more bits"),
    rule(
        VALUES,
        Only(&[F::Q4_K_M, F::Q5_K_M]),
        When::MoreBits,
        Q6_K,
        "values: first and last eighth, every third between",
    ),
    //
    rule(KEYS_AND_QUERIES, Only(&[F::IQ3_XS]), When::Always, IQ3_XXS, "keys, queries: fewer bits"),
    rule(KEYS_AND_QUERIES, Only(&[F::IQ3_XXS]), When::Always, IQ2_S, "keys, queries: fewer bits"),
    //
    rule(
        ATTENTION_OUTPUT,
        Only(&[
            F::Q2_K,
            F::IQ3_XS,
            F::IQ3_XXS,
            F::Q3_K_S,
            F::Q3_K_M,
            F::IQ4_NL,
            F::Q4_K_S,
            F::Q4_K_M,
            F::IQ3_S,
            F::IQ3_M,
            F::IQ4_XS,
        ]),
        When::All(&[NOT_FALCON, EIGHT_EXPERTS]),
        Q5_K,
        "attn_output: more bits with eight experts",
    ),
    rule(ATTENTION_OUTPUT, Only(&[F::Q2_K]), OTHERWISE, Q3_K, "attn_output: more bits"),
    rule(ATTENTION_OUTPUT, Only(&[F::IQ3_XXS]), OTHERWISE, IQ3_S, "attn_output: more bits"),
    rule(ATTENTION_OUTPUT, Only(&[F::Q3_K_M, F::IQ3_M]), OTHERWISE, Q4_K, "attn_output: more bits"),
    rule(ATTENTION_OUTPUT, Only(&[F::Q3_K_L]), OTHERWISE, Q5_K, "attn_output: more bits"),
    rule(ATTENTION_OUTPUT, Only(&[F::Q3_K_L]), FALCON, Q4_K, "attn_output: more bits in Falcon"),
];

/// After [`RULES`].
pub(super) const IN_70B: &[Rule] = &[rule(
    VALUES,
    STANDARD,
    When::All(&[When::Is70b, When::Now(&[Q3_K, Q4_K])]),
    Q5_K,
    "values: a 70B model, where they are small",
)];

/// After [`IN_70B`].
pub(super) const WITH_EIGHT_EXPERTS: &[Rule] = &[
    rule(VALUES, STANDARD, EIGHT_EXPERTS, Q8_0, "values: eight experts, where they are small"),
    rule(KEYS, STANDARD, EIGHT_EXPERTS, Q8_0, "keys: eight experts, where they are small"),
];
