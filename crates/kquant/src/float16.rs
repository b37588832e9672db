//! The 16-bit floats, as ggml converts them: to nearest, ties to even.
//!
//! Written here because ggml's treatment of NaN is its own (every NaN becomes `0x7E00` with its sign), and
//! because this form has neither branch nor table nor feature detection, so a loop over it is vector code.
//! Tested over all 2³² inputs against ggml, and in this crate's tests against the `half` crate.

use bytemuck::{Pod, Zeroable};

/// A binary16 float as it lies in a block: two bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct F16([u8; 2]);

/// A bfloat16 as it lies in a file: two bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct Bf16([u8; 2]);

const SIGN: u32 = 0x8000_0000;
/// Difference of the exponent biases of binary32 and binary16, in place.
const REBIAS: u32 = (127 - 15) << 23;

impl F16 {
    #[inline(always)]
    pub(crate) fn from_bytes(bytes: [u8; 2]) -> Self {
        Self(bytes)
    }

    #[inline(always)]
    pub(crate) fn to_bytes(self) -> [u8; 2] {
        self.0
    }

    #[inline(always)]
    pub(crate) fn from_f32(x: f32) -> Self {
        let sign = (x.to_bits() & SIGN) >> 16;
        let size = x.abs();
        let bits = size.to_bits();
        let magnitude = if size < 6.103_515_6e-5 {
            // Below 2⁻¹⁴ the result is subnormal, in steps of 2⁻²⁴: the step of 0.5, so that adding 0.5 rounds.
            (size + 0.5).to_bits().wrapping_sub(0.5f32.to_bits())
        } else if size < 65_520.0 {
            bits.wrapping_add(0x0fff + ((bits >> 13) & 1)).wrapping_sub(REBIAS) >> 13
        } else if size.is_nan() {
            0x7e00
        } else {
            0x7c00
        };
        Self(((sign | magnitude) as u16).to_le_bytes())
    }

    #[inline(always)]
    pub(crate) fn to_f32(self) -> f32 {
        let half = u32::from(u16::from_le_bytes(self.0));
        let sign = (half << 16) & SIGN;
        let magnitude = half & 0x7fff;
        let wide = magnitude << 13;
        let bits = if magnitude < 0x0400 {
            (magnitude as f32 * 5.960_464_5e-8).to_bits() // × 2⁻²⁴, exact
        } else if magnitude < 0x7c00 {
            wide + REBIAS
        } else if magnitude == 0x7c00 {
            wide + 2 * REBIAS
        } else {
            (wide + 2 * REBIAS) | 0x0040_0000 // a NaN becomes a quiet one
        };
        f32::from_bits(sign | bits)
    }
}

impl Bf16 {
    #[inline(always)]
    pub(crate) fn from_f32(x: f32) -> Self {
        let bits = x.to_bits();
        let top = if x.is_nan() {
            (bits >> 16) | 0x40 // a NaN stays one and becomes quiet
        } else {
            (bits + (0x7fff + ((bits >> 16) & 1))) >> 16
        };
        Self((top as u16).to_le_bytes())
    }

    #[inline(always)]
    pub(crate) fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(u16::from_le_bytes(self.0)) << 16)
    }
}
