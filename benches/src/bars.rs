//! What each kernel is to reach, on one thread.

use gguf_format::GgmlType;
use gguf_format::GgmlType::{
    BF16, F16, IQ1_M, IQ1_S, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS, IQ4_NL, IQ4_XS, MXFP4, NVFP4, Q2_K,
    Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0, TQ1_0, TQ2_0,
};
use kquant::Isa;

use crate::Work;

/// Either is enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Times ggml's speed.
    pub ggml: Option<f64>,
    /// Times the speed at which a copy moves as many bytes, read and written.
    pub copy: Option<f64>,
}

const fn ggml(times: f64) -> Bar {
    Bar { ggml: Some(times), copy: None }
}

const COPY: Bar = Bar { ggml: None, copy: Some(0.8) };

/// Types; the bar without and with importance; where the machine has no more than AVX2, the bar for both.
type Line = (&'static [GgmlType], Option<Bar>, Option<Bar>, Option<Bar>);

const ENCODING: &[Line] = &[
    (&[Q4_K, Q5_K, Q2_K], Some(ggml(12.0)), Some(ggml(12.0)), Some(ggml(8.0))),
    (&[Q6_K], Some(ggml(10.0)), Some(ggml(10.0)), None),
    (&[Q3_K], Some(ggml(6.0)), Some(ggml(10.0)), None),
    (&[Q4_0, Q5_0], Some(ggml(3.0)), Some(ggml(10.0)), None),
    (&[Q4_1, Q5_1], Some(Bar { ggml: Some(2.0), copy: Some(0.8) }), Some(ggml(12.0)), None),
    (&[Q8_0, F16, BF16, TQ1_0, TQ2_0], Some(COPY), Some(COPY), None),
    (&[IQ4_NL, IQ4_XS], Some(ggml(10.0)), Some(ggml(10.0)), None),
    (&[MXFP4, NVFP4], Some(ggml(6.0)), None, None),
    (&[IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S], Some(ggml(4.0)), Some(ggml(4.0)), None),
    (&[IQ1_S, IQ1_M], None, Some(ggml(4.0)), None),
];

const DECODING: Bar = Bar { ggml: Some(4.0), copy: Some(0.8) };

/// The bar for some work on an instruction set, if there is one. All are for machines with AVX-512 but those said to be
/// for AVX2.
#[must_use]
pub fn bar(work: Work, isa: Isa) -> Option<Bar> {
    let Work::Encode { ty, importance } = work else {
        return (isa == Isa::Avx512).then_some(DECODING);
    };
    let (_, without, with, avx2) = ENCODING.iter().find(|(types, ..)| types.contains(&ty))?;
    match isa {
        Isa::Avx512 if importance => *with,
        Isa::Avx512 => *without,
        Isa::Avx2 => *avx2,
        _ => None,
    }
}
