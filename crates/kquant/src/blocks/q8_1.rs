//! `Q8_1`: 32 weights in 36 bytes, `x = d · q`, q eight bits. ggml makes it of activations, for dot products; it is not a
//! type to store weights in, so there is a decoder alone.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::Decode;
use super::lanes::levels::decode_signed;
use crate::float16::F16;
use crate::lanes::Vector;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ8_1 {
    d: F16,
    /// `d · Σ q`, which decoding does without.
    sum: F16,
    qs: [i8; 32],
}

impl Decode<32> for BlockQ8_1 {
    const TYPE: GgmlType = GgmlType::Q8_1;

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 32]) {
        let d = self.d.to_f32();
        for (y, &q) in y.iter_mut().zip(&self.qs) {
            *y = f32::from(q) * d;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 32]) {
        decode_signed::<V::Part>(isa, V::widen(isa, self.d), &self.qs, y);
    }
}
