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

/// The largest of some scales, or 0 if none is positive.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |max: f32, &v| if v > max { v } else { max })
}
