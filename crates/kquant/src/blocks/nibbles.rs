//! 32 levels of four or five bits, as the types Q4_0, Q4_1, Q5_0 and Q5_1 store them.
//!
//! Byte j holds the low four bits of level j below those of level j + 16; the fifth bit of level i is bit i of
//! a little-endian 32-bit word.

use crate::lanes::Vector;

/// Rounds weights to levels without a search: the integer part of `scaled(x, 1 / d)`, at most `top`.
///
/// If the scale is so small that its inverse is infinity, or is infinity itself, then the scaled weights are
/// not numbers that fit an integer, and x86 gives them a low byte of 0; so do we.
#[inline(always)]
pub(super) fn levels(d: f32, top: u8, x: &[f32; 32], scaled: impl Fn(f32, f32) -> f32) -> [u8; 32] {
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    if d.is_finite() && inverse.is_finite() {
        let mut levels = [0; 32];
        for (level, &x) in levels.iter_mut().zip(x) {
            *level = integer_part(scaled(x, inverse)).min(top);
        }
        levels
    } else {
        [0; 32]
    }
}

/// The integer part of a value from 0 to 255, without the checks that a cast would make.
#[inline(always)]
fn integer_part(value: f32) -> u8 {
    const STEP_ONE: f32 = 8_388_608.0; // 2²³: the sum is rounded to an integer, which stands in its low bits
    let rounded = value + STEP_ONE;
    let too_much = u32::from(rounded - STEP_ONE > value);
    rounded.to_bits().wrapping_sub(too_much) as u8
}

/// The low four bits.
#[inline(always)]
pub(super) fn pack_low(levels: &[u8; 32]) -> [u8; 16] {
    let (first, second) = levels.split_at(16);
    let mut bytes = [0; 16];
    for ((byte, &low), &high) in bytes.iter_mut().zip(first).zip(second) {
        *byte = (low & 0x0f) | (high << 4);
    }
    bytes
}

/// The fifth bits.
#[inline(always)]
pub(super) fn pack_fifth(levels: &[u8; 32]) -> [u8; 4] {
    let mut bytes = [0; 4];
    for (byte, levels) in bytes.iter_mut().zip(levels.as_chunks().0) {
        let bits = u64::from_le_bytes(*levels) >> 4 & u64::from_le_bytes([1; 8]);
        // Of the shifted copies that the product adds up, the one by 7 · (8 − i) has bit i of the top byte from byte i,
        // and no two have anything at one place.
        *byte = (bits.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8;
    }
    bytes
}

/// The levels 0 … 15 again.
#[inline(always)]
pub(super) fn unpack_low(bytes: &[u8; 16]) -> [u8; 32] {
    let mut levels = [0; 32];
    for (i, &byte) in bytes.iter().enumerate() {
        levels[i] = byte & 0x0f;
        levels[i + 16] = byte >> 4;
    }
    levels
}

/// Decodes levels 0 … 15 by a table of what each stands for: `y = table[level] · scale`.
#[inline(always)]
pub(super) fn decode_by<V: Vector>(
    isa: V::Isa,
    table: &[f32; 16],
    scale: f32,
    bytes: &[u8; 16],
    y: &mut [f32; 32],
) {
    let scale = V::splat(isa, scale);
    let levels = unpack_low(bytes);
    for (y, levels) in y.chunks_exact_mut(V::LANES).zip(levels.chunks_exact(V::LANES)) {
        (V::lookup(isa, table, levels) * scale).store(y);
    }
}

/// The levels 0 … 31 again.
#[inline(always)]
pub(super) fn unpack(low: &[u8; 16], fifth: [u8; 4]) -> [u8; 32] {
    let bits = u32::from_le_bytes(fifth);
    let mut levels = unpack_low(low);
    for (i, level) in levels.iter_mut().enumerate() {
        *level |= ((bits >> i) as u8 & 1) << 4;
    }
    levels
}

/// Decodes levels 0 … 31: `y = scale · (level − middle) + offset`.
#[inline(always)]
pub(super) fn decode_five<V: Vector>(
    isa: V::Isa,
    (low, fifth): (&[u8; 16], [u8; 4]),
    middle: f32,
    scale: f32,
    offset: f32,
    y: &mut [f32; 32],
) {
    let bits = u32::from_le_bytes(fifth);
    let levels = unpack_low(low);
    let (scale, offset) = (V::splat(isa, scale), V::splat(isa, offset));
    let (clear, set) = (V::splat(isa, -middle), V::splat(isa, 16.0 - middle));
    let levels = levels.chunks_exact(V::LANES);
    for (i, (y, levels)) in y.chunks_exact_mut(V::LANES).zip(levels).enumerate() {
        let fifth = V::select(V::mask(isa, bits >> (i * V::LANES)), set, clear);
        (scale * (V::load_bytes(isa, levels) + fifth) + offset).store(y);
    }
}

#[cfg(test)]
mod tests {
    use super::integer_part;

    #[test]
    fn integer_part_is_a_cast() {
        for bits in (0..256.0f32.to_bits()).step_by(101) {
            let value = f32::from_bits(bits);
            assert_eq!(integer_part(value), value as u8, "{value:?}");
        }
        for i in 0..256u32 {
            let bits = (i as f32).to_bits();
            for value in [bits.saturating_sub(1), bits, bits + 1].map(f32::from_bits) {
                assert_eq!(integer_part(value), value as u8, "{value:?}");
            }
        }
    }
}
