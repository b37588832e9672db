//! Vectors of floats in which sub-blocks lie side by side, one a lane.
//!
//! ggml sums a sub-block's terms one after the other, and floating-point sums depend on their order. So the order within
//! a sub-block stays, and 8, 16 or 32 sub-blocks advance together: each lane does what ggml's scalar code does, to the
//! bit. Kernels are generic over [`Vector`]; an instruction set implements it. Multiply-adds are never fused.
//!
//! This folder is the only place in the crate with unsafe code: intrinsics of an instruction set may run only where the
//! machine has it. The proof is a value: a token ([`Vector::Isa`]) is only made after detection, a vector is only made
//! from a token or another vector, and so every operation on a vector may use its instructions.

mod isa;
mod pair;
mod portable;
mod stream;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

pub use self::isa::{Isa, UnknownIsa};
pub(crate) use self::stream::{Line, PART_BYTES, Parts, make_all};

use crate::float16::F16;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

/// The most lanes that a [`Vector`] has.
pub(crate) const MAX_LANES: usize = 32;

/// Terms in a table of [`Vector::add_terms`].
pub(crate) const TERMS: usize = 32;

/// A vector of binary32, [`Vector::LANES`] long. Operators round as IEEE 754 says, lane by lane.
pub(crate) trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Proof that the machine has the instructions.
    type Isa: Copy;
    /// A truth value a lane.
    type Mask: Copy + BitAnd<Output = Self::Mask> + BitOr<Output = Self::Mask> + Not<Output = Self::Mask>;
    /// What the machine has in one register, at most 16 lanes: for work that would leave lanes of a longer vector empty.
    type Part: Vector<Isa = Self::Isa>;

    /// A multiple of 8, at most [`MAX_LANES`].
    const LANES: usize;

    fn splat(isa: Self::Isa, value: f32) -> Self;

    /// The first [`Vector::LANES`] values of a slice, which must be as long.
    fn load(isa: Self::Isa, from: &[f32]) -> Self;

    /// From the first [`Vector::LANES`] integers of a slice, which must be as long.
    fn load_bytes(isa: Self::Isa, from: &[u8]) -> Self;

    /// The same, with a sign.
    fn load_signed_bytes(isa: Self::Isa, from: &[i8]) -> Self;

    /// To the first [`Vector::LANES`] places of a slice, which must be as long.
    fn store(self, to: &mut [f32]);

    /// Eight columns: vector c has in lane r the value `from[r · stride + c]`.
    fn columns8(isa: Self::Isa, from: &[f32], stride: usize) -> [Self; 8];

    /// A line past the caches, where the machine can; in order with other stores only after a fence.
    fn store_line(isa: Self::Isa, from: &[u8; 64], to: &mut Line);

    /// Asks for the lines that come some bytes behind these; there need not be any.
    fn prefetch(isa: Self::Isa, from: &[u8], ahead: usize);

    fn abs(self) -> Self;

    /// `self.copysign(other)`.
    fn with_sign_of(self, other: Self) -> Self;

    fn sqrt(self) -> Self;

    /// `if self < other { self } else { other }`: `other` where either is NaN or both are zero.
    fn smaller(self, other: Self) -> Self;

    /// `if self > other { self } else { other }`: `other` where either is NaN or both are zero.
    fn larger(self, other: Self) -> Self;

    /// False where either is NaN.
    fn lt(self, other: Self) -> Self::Mask;

    /// False where either is NaN.
    fn gt(self, other: Self) -> Self::Mask;

    /// False where either is NaN.
    fn same(self, other: Self) -> Self::Mask;

    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    fn any(mask: Self::Mask) -> bool;

    /// Lane l as bit l.
    fn bits(mask: Self::Mask) -> u32;

    /// The same back.
    fn mask(isa: Self::Isa, bits: u32) -> Self::Mask;

    /// The largest lane; no lane may be NaN.
    fn largest_lane(self) -> f32;

    /// The low bytes of the integer parts, [`Vector::LANES`] of them; of what is beyond 32 bits and of NaN, 0.
    fn store_integer_bytes(self, to: &mut [u8]);

    /// To the nearest binary16, little-endian, [`Vector::LANES`] of them. No lane may be NaN.
    fn store_f16(self, to: &mut [[u8; 2]]);

    /// From binary16, little-endian, [`Vector::LANES`] of them; a NaN becomes quiet.
    fn load_f16(isa: Self::Isa, from: &[[u8; 2]]) -> Self;

    /// One binary16; a NaN becomes quiet.
    fn widen(isa: Self::Isa, from: F16) -> f32;

    /// The values of a table at [`Vector::LANES`] places, which must be below 16.
    fn lookup(isa: Self::Isa, table: &[f32; 16], places: &[u8]) -> Self;

    /// For each of [`Vector::LANES`] points with `C` coordinates, 4 or 8: adds a term for each coordinate, one after the
    /// other, that which its level has in the table.
    ///
    /// A code has the levels side by side, the first coordinate's lowest, in as many bits each as `32 / C` of them need;
    /// the table has the terms of the first coordinate's `32 / C` levels, then those of the second's, and so on.
    fn add_terms<const C: usize>(self, terms: &[f32; TERMS], codes: &[u16]) -> Self;

    /// A code in every lane: not a number, but bits to select among and to store.
    fn splat_code(isa: Self::Isa, code: u16) -> Self;

    /// The codes, [`Vector::LANES`] of them; or the low 16 bits of whatever is there.
    fn store_codes(self, to: &mut [u16]);
}

/// `S` columns of as many rows as there are lanes, the rows one after the other; `S` is a multiple of 8.
#[inline(always)]
pub(crate) fn columns<V: Vector, const S: usize>(isa: V::Isa, from: &[f32]) -> [V; S] {
    const { assert!(S.is_multiple_of(8)) }
    let mut all = [V::splat(isa, 0.0); S];
    for (i, part) in all.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        *part = V::columns8(isa, &from[8 * i..], S);
    }
    all
}

/// Work that runs on whatever vectors the machine has.
pub(crate) trait Kernel {
    type Output;

    /// To be marked `#[inline(always)]`, as everything that it calls with a vector: the instruction set is enabled in the
    /// one function into which all of it goes.
    fn run<V: Vector>(self, isa: V::Isa) -> Self::Output;
}
