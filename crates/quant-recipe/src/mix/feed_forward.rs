//! The feed-forward network: down, gate, up. For all file types but those of 1 and 2 bits, and `MXFP4_MOE`.

use gguf_format::GgmlType::{IQ3_XXS, Q3_K, Q4_1, Q4_K, Q5_1, Q5_K, Q6_K};

use super::Files::Only;
use super::{EIGHT_EXPERTS, FALCON, FFN_DOWN, FFN_UP_AND_GATE, NO_IMPORTANCE, NOT_FALCON, Rule, When, rule};
use crate::file_type::FileType as F;

const FIRST_EIGHTH: When = When::FirstOneIn(8);
const GUARD: When = When::All(&[When::Importance, FIRST_EIGHTH]);
const MORE_BITS: &str = "ffn_down: first and last eighth, every third between";
const MORE_BITS_IN_FALCON: &str = "ffn_down: first and last eighth, every third between, in Falcon";

pub(super) const RULES: &[Rule] = &[
    rule(FFN_DOWN, Only(&[F::Q2_K]), When::Always, Q3_K, "ffn_down: more bits"),
    rule(FFN_DOWN, Only(&[F::Q2_K_S]), FIRST_EIGHTH, Q4_K, "ffn_down: first eighth"),
    rule(
        FFN_DOWN,
        Only(&[F::IQ3_XXS]),
        When::All(&[NO_IMPORTANCE, FIRST_EIGHTH]),
        Q4_K,
        "ffn_down: first eighth without importance",
    ),
    rule(FFN_DOWN, Only(&[F::IQ3_XXS]), NO_IMPORTANCE, Q3_K, "ffn_down: more bits without importance"),
    rule(FFN_DOWN, Only(&[F::IQ3_M]), FIRST_EIGHTH, Q4_K, "ffn_down: first eighth"),
    rule(
        FFN_DOWN,
        Only(&[F::IQ3_M]),
        When::All(&[EIGHT_EXPERTS, When::MoreBits]),
        Q4_K,
        "ffn_down: last eighth, every third before, with eight experts",
    ),
    rule(FFN_DOWN, Only(&[F::Q3_K_M]), When::FirstOneIn(16), Q5_K, "ffn_down: first sixteenth"),
    rule(FFN_DOWN, Only(&[F::Q3_K_M]), NOT_FALCON, Q4_K, "ffn_down: more bits"),
    rule(FFN_DOWN, Only(&[F::Q3_K_M]), When::MoreBits, Q4_K, MORE_BITS),
    rule(FFN_DOWN, Only(&[F::Q3_K_L]), FALCON, Q4_K, "ffn_down: more bits in Falcon"),
    rule(FFN_DOWN, Only(&[F::Q3_K_L]), When::Always, Q5_K, "ffn_down: more bits"),
    rule(
        FFN_DOWN,
        Only(&[F::Q4_K_S]),
        When::All(&[NOT_FALCON, FIRST_EIGHTH]),
        Q5_K,
        "ffn_down: first eighth",
    ),
    rule(
        FFN_DOWN,
        Only(&[F::Q4_K_M]),
        When::All(&[FALCON, When::FirstOneIn(16)]),
        Q6_K,
        "ffn_down: first sixteenth in Falcon",
    ),
    rule(FFN_DOWN, Only(&[F::Q4_K_M]), When::All(&[FALCON, When::MoreBits]), Q5_K, MORE_BITS_IN_FALCON),
    rule(FFN_DOWN, Only(&[F::Q4_K_M]), When::All(&[NOT_FALCON, When::MoreBits]), Q6_K, MORE_BITS),
    rule(FFN_DOWN, Only(&[F::Q5_K_M]), When::MoreBits, Q6_K, MORE_BITS),
    rule(
        FFN_DOWN,
        Only(&[F::IQ4_NL, F::IQ4_XS]),
        When::All(&[NO_IMPORTANCE, FIRST_EIGHTH]),
        Q5_K,
        "ffn_down: first eighth without importance",
    ),
    // The first few are sensitive even with importance; without it, files stay as they were before there was any.
    rule(FFN_DOWN, Only(&[F::Q4_0]), GUARD, Q4_1, "ffn_down: first eighth with importance"),
    rule(FFN_DOWN, Only(&[F::Q5_0]), GUARD, Q5_1, "ffn_down: first eighth with importance"),
    //
    rule(
        FFN_UP_AND_GATE,
        Only(&[F::IQ3_XS]),
        When::Middle,
        IQ3_XXS,
        "ffn_up, ffn_gate: fewer bits in the middle",
    ),
];
