//! The output and the token embeddings; and `MXFP4_MOE`, which looks at nothing else but whether a tensor is a stack.

use gguf_format::GgmlType::{IQ3_S, MXFP4, Q2_K, Q4_K, Q5_K, Q6_K, Q8_0};

use super::Files::{All, Only};
use super::{FALCON, OUTPUT, Rule, TOKEN_EMBEDDING, When, rule};
use crate::category::Category;
use crate::file_type::FileType as F;

const FFN: &[Category] = &[Category::FfnUp, Category::FfnGate, Category::FfnDown];
const MXFP4_MOE: super::Files = Only(&[F::MXFP4_MOE]);
/// The file types whose output is Q5_K.
const OF_Q5_K: super::Files =
    Only(&[F::IQ1_S, F::IQ1_M, F::IQ2_XXS, F::IQ2_XS, F::IQ2_S, F::IQ2_M, F::IQ3_XXS]);

/// Before all other tables: a tensor that a rule here takes is in none of theirs.
pub(super) const RULES: &[Rule] = &[
    rule(OUTPUT, MXFP4_MOE, When::Always, Q8_0, "output: Q8_0"),
    rule(OUTPUT, All, FALCON, Q8_0, "output: Q8_0 in Falcon"),
    rule(
        OUTPUT,
        OF_Q5_K,
        When::Not(&When::RowsFit),
        Q8_0,
        "output: Q8_0 where rows are no whole super-blocks",
    ),
    rule(OUTPUT, OF_Q5_K, When::Always, Q5_K, "output: Q5_K"),
    rule(OUTPUT, All, When::Not(&When::Now(&[Q8_0])), Q6_K, "output: Q6_K"),
    //
    // The projections of latent attention are stacks too, and BailingMoE3 alone tells them from experts.
    rule(FFN, MXFP4_MOE, When::Stacked, MXFP4, "experts: MXFP4"),
    rule(
        Category::ALL,
        MXFP4_MOE,
        When::All(&[When::Stacked, When::Not(&When::Architecture("bailingmoe3"))]),
        MXFP4,
        "stacked: MXFP4",
    ),
    rule(Category::ALL, MXFP4_MOE, When::Always, Q8_0, "not of an expert: Q8_0"),
    //
    rule(
        TOKEN_EMBEDDING,
        Only(&[F::IQ1_S, F::IQ1_M, F::IQ2_XXS, F::IQ2_XS]),
        When::Always,
        Q2_K,
        "token embeddings: Q2_K",
    ),
    rule(
        TOKEN_EMBEDDING,
        Only(&[F::IQ2_S, F::IQ2_M, F::IQ3_XXS]),
        When::Always,
        IQ3_S,
        "token embeddings: IQ3_S",
    ),
    rule(TOKEN_EMBEDDING, Only(&[F::TQ1_0, F::TQ2_0, F::Q2_0]), When::Always, Q4_K, "token embeddings: Q4_K"),
];
