//! A super-block: 256 weights, in 16 sub-blocks of 16 or 8 of 32, whose scales share one scale.

use gguf_format::SUPER_BLOCK_LEN;

/// The weights or levels of a super-block in sub-blocks of `S`.
#[inline(always)]
pub(super) fn sub_blocks<const S: usize, const C: usize, T: bytemuck::Pod>(
    x: &[T; SUPER_BLOCK_LEN],
) -> &[[T; S]; C] {
    const { assert!(S * C == SUPER_BLOCK_LEN) }
    bytemuck::cast_ref(x)
}

/// The same, to write to.
#[inline(always)]
pub(super) fn sub_blocks_mut<const S: usize, const C: usize, T: bytemuck::Pod>(
    x: &mut [T; SUPER_BLOCK_LEN],
) -> &mut [[T; S]; C] {
    const { assert!(S * C == SUPER_BLOCK_LEN) }
    bytemuck::cast_mut(x)
}

/// Adds a bit of `value` to each level whose bit is set in `planes`, of which bit k of byte j belongs to level 32 · k + j.
#[inline(always)]
pub(super) fn add_planes(levels: &mut [u8; SUPER_BLOCK_LEN], planes: &[u8; 32], value: u8) {
    let planes = bytemuck::cast::<_, [[u8; 8]; 4]>(*planes).map(u64::from_le_bytes);
    for (k, levels) in levels.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        for (levels, planes) in levels.as_chunks_mut::<8>().0.iter_mut().zip(planes) {
            let bits = planes >> k & u64::from_le_bytes([1; 8]);
            *levels = (u64::from_le_bytes(*levels) | (bits * u64::from(value))).to_le_bytes();
        }
    }
}

/// The planes again: bit `shift` of each level, and levels have none above it.
#[inline(always)]
pub(super) fn pack_planes(levels: &[u8; SUPER_BLOCK_LEN], shift: u32) -> [u8; 32] {
    let mut planes = [0; 4];
    for (k, levels) in levels.as_chunks::<32>().0.iter().enumerate() {
        for (plane, levels) in planes.iter_mut().zip(levels.as_chunks().0) {
            *plane |= (u64::from_le_bytes(*levels) >> shift & u64::from_le_bytes([1; 8])) << k;
        }
    }
    bytemuck::cast(planes.map(u64::to_le_bytes))
}

/// The largest of some scales, or 0 if none is positive.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |max: f32, &v| if v > max { v } else { max })
}
