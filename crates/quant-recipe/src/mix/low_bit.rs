//! The file types of 1 and 2 bits: `IQ1_S`, `IQ1_M`, `IQ2_XXS`, `IQ2_XS`, `IQ2_S`, `IQ2_M`.

use gguf_format::GgmlType::{IQ2_XXS, IQ3_S, Q2_K, Q4_K, Q5_K};

use super::Files::Only;
use super::{ATTENTION_OUTPUT, EIGHT_EXPERTS, FFN_DOWN, KEYS, LOW_BIT, Rule, VALUES, When, rule};
use crate::file_type::FileType as F;

const LARGER: super::Files = Only(&[F::IQ2_S, F::IQ2_M]);
const ALL: super::Files = Only(LOW_BIT);
const FEW_VALUES: When = When::AnyOf(&[When::QueriesPerKey(4), When::ExpertsAtLeast(4)]);

pub(super) const RULES: &[Rule] = &[
    rule(VALUES, ALL, FEW_VALUES, Q4_K, "values: 4 or more queries share a key, or 4 or more experts"),
    rule(VALUES, LARGER, When::Always, IQ3_S, "values: more bits"),
    rule(VALUES, ALL, When::Always, Q2_K, "values: more bits"),
    //
    rule(KEYS, ALL, EIGHT_EXPERTS, Q4_K, "keys: eight experts, where they are small"),
    //
    rule(FFN_DOWN, LARGER, When::FirstOneIn(8), IQ3_S, "ffn_down: first eighth"),
    rule(FFN_DOWN, ALL, When::FirstOneIn(8), Q2_K, "ffn_down: first eighth"),
    //
    rule(ATTENTION_OUTPUT, ALL, EIGHT_EXPERTS, Q5_K, "attn_output: more bits with eight experts"),
    rule(ATTENTION_OUTPUT, Only(&[F::IQ1_S, F::IQ1_M]), When::Always, IQ2_XXS, "attn_output: more bits"),
    rule(ATTENTION_OUTPUT, LARGER, When::Always, IQ3_S, "attn_output: more bits"),
];
