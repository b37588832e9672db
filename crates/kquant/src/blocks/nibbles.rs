//! 32 levels of four or five bits, as the types Q4_0, Q4_1, Q5_0 and Q5_1 store them.
//!
//! Byte j holds the low four bits of level j below those of level j + 16; the fifth bit of level i is bit i of
//! a little-endian 32-bit word.

/// The low four bits.
#[inline]
pub(super) fn pack_low(levels: &[u8; 32]) -> [u8; 16] {
    let (first, second) = levels.split_at(16);
    let mut bytes = [0; 16];
    for ((byte, &low), &high) in bytes.iter_mut().zip(first).zip(second) {
        *byte = (low & 0x0f) | (high << 4);
    }
    bytes
}

/// The fifth bits.
#[inline]
pub(super) fn pack_fifth(levels: &[u8; 32]) -> [u8; 4] {
    let mut bits = 0u32;
    for (i, &level) in levels.iter().enumerate() {
        bits |= u32::from((level >> 4) & 1) << i;
    }
    bits.to_le_bytes()
}

/// The levels 0 … 15 again.
#[inline]
pub(super) fn unpack_low(bytes: &[u8; 16]) -> [u8; 32] {
    let mut levels = [0; 32];
    for (i, &byte) in bytes.iter().enumerate() {
        levels[i] = byte & 0x0f;
        levels[i + 16] = byte >> 4;
    }
    levels
}

/// The levels 0 … 31 again.
#[inline]
pub(super) fn unpack(low: &[u8; 16], fifth: [u8; 4]) -> [u8; 32] {
    let bits = u32::from_le_bytes(fifth);
    let mut levels = unpack_low(low);
    for (i, level) in levels.iter_mut().enumerate() {
        *level |= ((bits >> i) as u8 & 1) << 4;
    }
    levels
}
