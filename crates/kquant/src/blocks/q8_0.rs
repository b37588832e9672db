//! `Q8_0`: 32 weights in 34 bytes. `x = d · q`, q a signed byte.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::levels;
use super::lanes::rounded::{RoundedBlock, Scale, extreme};
use super::{Block, ImportanceUse};
use crate::float16::F16;
use crate::lanes::Vector;
use crate::search::extremes::largest_size;
use crate::search::rounding::truncate;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockQ8_0 {
    /// The largest magnitude over 127.
    d: F16,
    qs: [i8; 32],
}

impl Block<32> for BlockQ8_0 {
    const TYPE: GgmlType = GgmlType::Q8_0;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline(always)]
    fn encode(x: &[f32; 32]) -> Self {
        let d = largest_size(x) / 127.0;
        let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
        let mut qs = [0; 32];
        for (q, x) in qs.iter_mut().zip(x) {
            *q = truncate(half_away(x * inverse)) as i8;
        }
        Self { d: F16::from_f32(d), qs }
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 32]) {
        let d = self.d.to_f32();
        for (y, &q) in y.iter_mut().zip(&self.qs) {
            *y = f32::from(q) * d;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 32]) {
        levels::decode_signed::<V::Part>(isa, V::widen(isa, self.d), &self.qs, y);
    }
}

impl RoundedBlock for BlockQ8_0 {
    #[inline(always)]
    fn scale<V: Vector>(isa: V::Isa, min: V, max: V) -> Scale<V> {
        Scale::new(isa, extreme(isa, min, max).abs() / V::splat(isa, 127.0), V::splat(isa, 0.0))
    }

    #[inline(always)]
    fn round<V: Vector>(isa: V::Isa, x: &[f32; 32], scale: &Scale<f32>, d: [u8; 2], _: [u8; 2]) -> Self {
        let inverse = V::splat(isa, scale.inverse);
        let mut qs = [0u8; 32];
        for (q, x) in qs.chunks_exact_mut(V::LANES).zip(x.chunks_exact(V::LANES)) {
            let value = V::load(isa, x) * inverse;
            (value + V::splat(isa, JUST_BELOW_HALF).with_sign_of(value)).store_integer_bytes(q);
        }
        Self { d: bytemuck::cast(d), qs: bytemuck::cast(qs) }
    }
}

/// Adding 0.5 itself would carry 0.49999997 up to 1.
const JUST_BELOW_HALF: f32 = 0.499_999_97;

/// A value whose integer part is `value` rounded to nearest, ties away from zero (C's `roundf`), for values
/// within ±2²³.
#[inline(always)]
fn half_away(value: f32) -> f32 {
    value + JUST_BELOW_HALF.copysign(value)
}

#[cfg(test)]
mod tests {
    use super::half_away;

    #[test]
    fn half_away_is_round_on_every_float_that_a_block_can_meet() {
        // Every float of magnitude up to 128, half a million apart at most, and all around the ties.
        for bits in (0..=128.0f32.to_bits()).step_by(97) {
            let x = f32::from_bits(bits);
            assert_eq!(half_away(x).trunc(), x.round(), "{x}");
            assert_eq!(half_away(-x).trunc(), (-x).round(), "{x}");
        }
        for tie in 0..256 {
            let centre = (tie as f32 * 0.5).to_bits();
            for bits in centre.saturating_sub(1000)..centre + 1000 {
                let x = f32::from_bits(bits);
                assert_eq!(half_away(x).trunc(), x.round(), "{x}");
                assert_eq!(half_away(-x).trunc(), (-x).round(), "{x}");
            }
        }
    }
}
