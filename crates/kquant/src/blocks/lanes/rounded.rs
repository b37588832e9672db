//! Types of 32 weights whose scale follows from the block's extremes, without a search: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.
//!
//! Extremes, scales and their inverses have a block in each lane; rounding takes one block after the other, with vectors
//! along it. So no block waits for the division of another.

use bytemuck::cast_slice;

use crate::blocks::Block;
use crate::dispatch::{AHEAD, STRETCHES};
use crate::lanes::{Kernel, MAX_LANES, Parts, Vector, make_all};

const LEN: usize = 32;
/// Blocks at a time, as many as the longest [`Vector::Part`] has lanes.
const BATCH: usize = 16;

/// A type of this kind.
pub(crate) trait RoundedBlock: Block<LEN> {
    /// For blocks side by side, from the smallest weight and the largest, which are not the same. NaN is neither.
    fn scale<V: Vector>(isa: V::Isa, min: V, max: V) -> Scale<V>;

    /// Packs a block; `d` and `m` are binary16, the rest is what [`RoundedBlock::scale`] told.
    fn round<V: Vector>(isa: V::Isa, x: &[f32; LEN], scale: &Scale<f32>, d: [u8; 2], m: [u8; 2]) -> Self;
}

/// How a block is rounded: levels come from `(x − m) / d`.
#[derive(Clone, Copy)]
pub(crate) struct Scale<T> {
    pub(crate) d: T,
    pub(crate) m: T,
    /// Of d: 0 if that is 0.
    pub(crate) inverse: T,
}

impl<V: Vector> Scale<V> {
    #[inline(always)]
    pub(crate) fn new(isa: V::Isa, d: V, m: V) -> Self {
        let zero = V::splat(isa, 0.0);
        Self { d, m, inverse: V::select(d.same(zero), zero, V::splat(isa, 1.0) / d) }
    }
}

/// Encodes rows.
pub(crate) struct EncodeRounded<'a, B> {
    pub(crate) src: &'a [f32],
    pub(crate) dst: &'a mut [B],
}

impl<B: RoundedBlock> Kernel for EncodeRounded<'_, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let Self { src, dst } = self;
        make_all::<V, B, STRETCHES>(isa, src.len(), BATCH, dst, &Encoded { src });
    }
}

/// Blocks, made from weights.
struct Encoded<'a> {
    src: &'a [f32],
}

impl<B: RoundedBlock> Parts<B> for Encoded<'_> {
    #[inline(always)]
    fn make<V: Vector>(&self, isa: V::Isa, at: usize, to: &mut [B]) {
        let src = self.src[at * LEN..][..to.len() * LEN].as_chunks::<LEN>().0;
        let batches = src.chunks(V::Part::LANES).zip(to.chunks_mut(V::Part::LANES));
        for (src, to) in batches {
            encode_batch::<V::Part, B>(isa, src, to);
        }
    }
}

/// At most as many blocks as there are lanes. Lines are asked for in both loops, for a core waits for few at a time.
#[inline(always)]
fn encode_batch<V: Vector, B: RoundedBlock>(isa: V::Isa, src: &[[f32; LEN]], to: &mut [B]) {
    // Of each block, the extremes of every so many weights.
    let (mut smallest, mut largest) = ([[0.0; BATCH]; BATCH], [[0.0; BATCH]; BATCH]);
    for ((x, smallest), largest) in src.iter().zip(&mut smallest).zip(&mut largest) {
        V::prefetch(isa, cast_slice(&x[..LEN / 2]), AHEAD);
        let (mut min, mut max) = (V::splat(isa, f32::INFINITY), V::splat(isa, f32::NEG_INFINITY));
        for x in x.chunks_exact(V::LANES) {
            let x = V::load(isa, x);
            min = x.smaller(min);
            max = x.larger(max);
        }
        min.store(smallest);
        max.store(largest);
    }
    let (mut min, mut max) = (V::splat(isa, f32::INFINITY), V::splat(isa, f32::NEG_INFINITY));
    for at in (0..V::LANES).step_by(8) {
        for column in V::columns8(isa, &smallest.as_flattened()[at..], BATCH) {
            min = min.smaller(column);
        }
        for column in V::columns8(isa, &largest.as_flattened()[at..], BATCH) {
            max = max.larger(column);
        }
    }

    let (zero, infinity) = (V::splat(isa, 0.0), V::splat(isa, f32::INFINITY));
    let scale = B::scale(isa, min, max);
    // Not where the sign of a zero or the first of two extremes matters, nor where levels would not be numbers.
    let sound = !(min.same(zero) | max.same(zero) | (zero - min).same(max))
        & scale.d.abs().lt(infinity)
        & scale.inverse.abs().lt(infinity);
    let (mut ds, mut ms) = ([[0; 2]; MAX_LANES], [[0; 2]; MAX_LANES]);
    let (mut bases, mut inverses) = ([0.0; MAX_LANES], [0.0; MAX_LANES]);
    V::select(sound, scale.d, zero).store_f16(&mut ds);
    V::select(sound, scale.m, zero).store_f16(&mut ms);
    scale.m.store(&mut bases);
    scale.inverse.store(&mut inverses);

    let sound = V::bits(sound);
    for (i, (block, x)) in to.iter_mut().zip(src).enumerate() {
        V::prefetch(isa, cast_slice(&x[LEN / 2..]), AHEAD);
        *block = if sound >> i & 1 == 1 {
            let scale = Scale { d: 0.0, m: bases[i], inverse: inverses[i] };
            B::round::<V>(isa, x, &scale, ds[i], ms[i])
        } else {
            B::encode(x)
        };
    }
}

/// For types whose levels are around zero: of the extremes, the one of larger magnitude.
#[inline(always)]
pub(crate) fn extreme<V: Vector>(isa: V::Isa, min: V, max: V) -> V {
    V::select(max.gt(V::splat(isa, 0.0) - min), max, min)
}
