//! 256 levels of two bits, as Q2_K and Q3_K store them.
//!
//! In each half of the super-block, byte j holds the levels of weights j, j + 32, j + 64, j + 96, lowest bits
//! first.

/// Packs the low two bits of every level.
#[inline(always)]
pub(super) fn pack(levels: &[u8; 256]) -> [u8; 64] {
    let low = u64::from_le_bytes([3; 8]);
    let mut bytes = [0; 64];
    for (half, bytes) in levels.as_chunks::<128>().0.iter().zip(bytes.as_chunks_mut::<32>().0) {
        let planes: &[[[u8; 8]; 4]; 4] = bytemuck::cast_ref(half);
        for (i, bytes) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
            let mut word = 0;
            for (k, plane) in planes.iter().enumerate() {
                word |= (u64::from_le_bytes(plane[i]) & low) << (2 * k);
            }
            *bytes = word.to_le_bytes();
        }
    }
    bytes
}

/// The levels 0 … 3 again.
#[inline(always)]
pub(super) fn unpack(bytes: &[u8; 64]) -> [u8; 256] {
    let low = u64::from_le_bytes([3; 8]);
    let mut levels = [0; 256];
    for (half, bytes) in levels.as_chunks_mut::<128>().0.iter_mut().zip(bytes.as_chunks::<32>().0) {
        let planes: &mut [[[u8; 8]; 4]; 4] = bytemuck::cast_mut(half);
        for (i, bytes) in bytes.as_chunks().0.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            for (k, plane) in planes.iter_mut().enumerate() {
                plane[i] = (word >> (2 * k) & low).to_le_bytes();
            }
        }
    }
    levels
}
