//! `Q8_K`: 256 weights in 292 bytes, `x = d · q`, q eight bits. ggml makes it of activations, for dot products; it is not a
//! type to store weights in, so there is a decoder alone.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::Decode;
use super::lanes::levels::decode_signed;
use crate::lanes::Vector;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ8K {
    /// Binary32, little-endian.
    d: [u8; 4],
    qs: [i8; 256],
    /// Sums of each 16 q, little-endian, which decoding does without.
    sums: [[u8; 2]; 16],
}

impl Decode<256> for BlockQ8K {
    const TYPE: GgmlType = GgmlType::Q8_K;

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        let d = f32::from_le_bytes(self.d);
        for (y, &q) in y.iter_mut().zip(&self.qs) {
            *y = d * f32::from(q);
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        decode_signed::<V::Part>(isa, f32::from_le_bytes(self.d), &self.qs, y);
    }
}
