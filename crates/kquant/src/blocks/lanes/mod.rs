//! Super-blocks side by side: the encoders that run on [`crate::lanes`].
//!
//! Work comes in batches of as many super-blocks as there are lanes. Within a batch, the searches have a sub-block in
//! each lane, what belongs to a whole super-block has a super-block in each lane, and the packing takes one super-block
//! after the other.

pub(super) mod affine;
pub(crate) mod grid;
pub(super) mod iq1;
pub(super) mod iq4;
pub(crate) mod legacy;
pub(super) mod levels;
mod results;
pub(crate) mod rounded;
pub(super) mod symmetric;
mod weighted;

use bytemuck::cast_slice;
use gguf_format::SUPER_BLOCK_LEN;

use super::Block;
use crate::dispatch::{AHEAD, PART, STRETCHES};
use crate::lanes::{Kernel, MAX_LANES, Parts, Vector, make_all};

/// A type whose blocks are encoded one after the other, each with vectors along it.
pub(crate) trait VectorBlock<const LEN: usize>: Block<LEN> {
    /// Encodes rows of any length; importance plays no part.
    fn encode_all<V: Vector>(isa: V::Isa, src: &[f32], dst: &mut [Self]);

    #[inline(always)]
    fn decode_all<V: Vector>(_: V::Isa, src: &[Self], dst: &mut [f32]) {
        for (block, y) in src.iter().zip(dst.as_chunks_mut().0) {
            block.decode(y);
        }
    }
}

/// A type with an encoder for many blocks at a time; `LEN` is at most that of a super-block.
pub(crate) trait LaneBlock<const LEN: usize = SUPER_BLOCK_LEN>: Block<LEN> {
    /// Encodes at most [`Vector::LANES`] blocks. `src` has the weights of exactly as many as there are lanes, those
    /// beyond `dst` being zero.
    fn encode_batch<V: Vector>(
        isa: V::Isa,
        src: &[f32],
        importance: Option<Importance<'_>>,
        dst: &mut [Self],
    );
}

/// The importance of a batch's columns.
#[derive(Clone, Copy)]
pub(crate) struct Importance<'a> {
    /// One row's.
    row: &'a [f32],
    /// The column of the batch's first weight.
    at: usize,
}

impl Importance<'_> {
    /// That of the weights `at` … `at + to.len()` of the batch; rows follow one another.
    #[inline(always)]
    pub(crate) fn copy(&self, at: usize, to: &mut [f32]) {
        let mut column = (self.at + at) % self.row.len();
        let mut rest = to;
        while !rest.is_empty() {
            let n = rest.len().min(self.row.len() - column);
            let (part, more) = rest.split_at_mut(n);
            part.copy_from_slice(&self.row[column..][..n]);
            (rest, column) = (more, 0);
        }
    }

    /// That of the weights `at` … `at + len` of the batch, where they are in one row.
    #[inline(always)]
    fn within_row(&self, at: usize, len: usize) -> Option<&[f32]> {
        let mut column = self.at + at;
        if column >= self.row.len() {
            column %= self.row.len();
        }
        self.row.get(column..column + len)
    }

    /// That of one super-block.
    #[inline(always)]
    pub(crate) fn of_super_block(&self, super_block: usize) -> [f32; SUPER_BLOCK_LEN] {
        let mut columns = [0.0; SUPER_BLOCK_LEN];
        self.copy(super_block * SUPER_BLOCK_LEN, &mut columns);
        columns
    }
}

/// Σ x² of each super-block, in order.
#[inline(always)]
fn sums_of_squares<V: Vector>(isa: V::Isa, src: &[f32]) -> V {
    let mut sum = V::splat(isa, 0.0);
    for at in (0..SUPER_BLOCK_LEN).step_by(8) {
        for x in V::columns8(isa, &src[at..], SUPER_BLOCK_LEN) {
            sum = sum + x * x;
        }
    }
    sum
}

/// Encodes rows.
pub(crate) struct Encode<'a, const LEN: usize, B> {
    pub(crate) src: &'a [f32],
    pub(crate) importance: Option<&'a [f32]>,
    pub(crate) dst: &'a mut [B],
}

impl<const LEN: usize, B: LaneBlock<LEN>> Kernel for Encode<'_, LEN, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let batch_len = V::LANES * LEN;
        let mut column = 0;
        for (dst, src) in self.dst.chunks_mut(V::LANES).zip(self.src.chunks(batch_len)) {
            let importance = self.importance.map(|row| Importance { row, at: column });
            if src.len() == batch_len {
                B::encode_batch::<V>(isa, src, importance, dst);
            } else {
                let mut padded = [0.0; MAX_LANES * SUPER_BLOCK_LEN];
                padded[..src.len()].copy_from_slice(src);
                B::encode_batch::<V>(isa, &padded[..batch_len], importance, dst);
            }
            if let Some(row) = self.importance {
                column = (column + batch_len) % row.len();
            }
        }
    }
}

/// Encodes rows without regard to importance.
pub(crate) struct EncodeAll<'a, const LEN: usize, B> {
    pub(crate) src: &'a [f32],
    pub(crate) dst: &'a mut [B],
}

impl<const LEN: usize, B: VectorBlock<LEN>> Kernel for EncodeAll<'_, LEN, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let Self { src, dst } = self;
        make_all::<V, B, STRETCHES>(isa, src.len(), PART / LEN, dst, &Encoded::<LEN> { src });
    }
}

/// Blocks, made from weights.
struct Encoded<'a, const LEN: usize> {
    src: &'a [f32],
}

impl<const LEN: usize, B: VectorBlock<LEN>> Parts<B> for Encoded<'_, LEN> {
    #[inline(always)]
    fn make<V: Vector>(&self, isa: V::Isa, at: usize, to: &mut [B]) {
        let src = &self.src[at * LEN..][..to.len() * LEN];
        V::prefetch(isa, cast_slice(src), AHEAD);
        B::encode_all::<V>(isa, src, to);
    }
}

/// Decodes rows.
pub(crate) struct DecodeAll<'a, const LEN: usize, B> {
    pub(crate) src: &'a [B],
    pub(crate) dst: &'a mut [f32],
}

impl<const LEN: usize, B: VectorBlock<LEN>> Kernel for DecodeAll<'_, LEN, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let Self { src, dst } = self;
        make_all::<V, f32, 1>(isa, dst.len(), PART, dst, &Decoded::<LEN, B> { src });
    }
}

/// Weights, made from blocks.
struct Decoded<'a, const LEN: usize, B> {
    src: &'a [B],
}

impl<const LEN: usize, B: VectorBlock<LEN>> Parts<f32> for Decoded<'_, LEN, B> {
    #[inline(always)]
    fn make<V: Vector>(&self, isa: V::Isa, at: usize, to: &mut [f32]) {
        let src = &self.src[at / LEN..][..to.len() / LEN];
        V::prefetch(isa, cast_slice(src), AHEAD);
        B::decode_all::<V>(isa, src, to);
    }
}
