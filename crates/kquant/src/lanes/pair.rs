//! Two vectors as one of twice the length.
//!
//! A sum over a sub-block is a chain of additions that wait for each other; with two chains side by side the machine need
//! not wait.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

use super::{Line, TERMS, Vector};
use crate::float16::F16;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<V>(V, V);

macro_rules! both {
    ($($operator:ident $method:ident),*) => {$(
        impl<V: $operator<Output = V>> $operator for Pair<V> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0), self.1.$method(other.1))
            }
        }
    )*};
}

both!(Add add, Sub sub, Mul mul, Div div, BitAnd bitand, BitOr bitor);

impl<M: Not<Output = M>> Not for Pair<M> {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0, !self.1)
    }
}

impl<V: Vector> Vector for Pair<V> {
    type Isa = V::Isa;
    type Mask = Pair<V::Mask>;
    type Part = V::Part;

    const LANES: usize = 2 * V::LANES;

    #[inline(always)]
    fn splat(isa: V::Isa, value: f32) -> Self {
        Self(V::splat(isa, value), V::splat(isa, value))
    }

    #[inline(always)]
    fn load(isa: V::Isa, from: &[f32]) -> Self {
        Self(V::load(isa, from), V::load(isa, &from[V::LANES..]))
    }

    #[inline(always)]
    fn load_bytes(isa: V::Isa, from: &[u8]) -> Self {
        Self(V::load_bytes(isa, from), V::load_bytes(isa, &from[V::LANES..]))
    }

    #[inline(always)]
    fn load_signed_bytes(isa: V::Isa, from: &[i8]) -> Self {
        Self(V::load_signed_bytes(isa, from), V::load_signed_bytes(isa, &from[V::LANES..]))
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        self.0.store(to);
        self.1.store(&mut to[V::LANES..]);
    }

    #[inline(always)]
    fn columns8(isa: V::Isa, from: &[f32], stride: usize) -> [Self; 8] {
        let first = V::columns8(isa, from, stride);
        let second = V::columns8(isa, &from[V::LANES * stride..], stride);
        std::array::from_fn(|i| Self(first[i], second[i]))
    }

    #[inline(always)]
    fn store_line(isa: V::Isa, from: &[u8; 64], to: &mut Line) {
        V::store_line(isa, from, to);
    }

    #[inline(always)]
    fn prefetch(isa: V::Isa, from: &[u8], ahead: usize) {
        V::prefetch(isa, from, ahead);
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs(), self.1.abs())
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        Self(self.0.with_sign_of(other.0), self.1.with_sign_of(other.1))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt(), self.1.sqrt())
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        Self(self.0.smaller(other.0), self.1.smaller(other.1))
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        Self(self.0.larger(other.0), self.1.larger(other.1))
    }

    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        Pair(self.0.lt(other.0), self.1.lt(other.1))
    }

    #[inline(always)]
    fn gt(self, other: Self) -> Self::Mask {
        Pair(self.0.gt(other.0), self.1.gt(other.1))
    }

    #[inline(always)]
    fn same(self, other: Self) -> Self::Mask {
        Pair(self.0.same(other.0), self.1.same(other.1))
    }

    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Self(V::select(mask.0, yes.0, no.0), V::select(mask.1, yes.1, no.1))
    }

    #[inline(always)]
    fn any(mask: Self::Mask) -> bool {
        V::any(mask.0 | mask.1)
    }

    #[inline(always)]
    fn bits(mask: Self::Mask) -> u32 {
        V::bits(mask.0) | V::bits(mask.1) << V::LANES
    }

    #[inline(always)]
    fn mask(isa: V::Isa, bits: u32) -> Self::Mask {
        Pair(V::mask(isa, bits), V::mask(isa, bits >> V::LANES))
    }

    #[inline(always)]
    fn largest_lane(self) -> f32 {
        self.0.larger(self.1).largest_lane()
    }

    #[inline(always)]
    fn store_integer_bytes(self, to: &mut [u8]) {
        self.0.store_integer_bytes(to);
        self.1.store_integer_bytes(&mut to[V::LANES..]);
    }

    #[inline(always)]
    fn store_f16(self, to: &mut [[u8; 2]]) {
        self.0.store_f16(to);
        self.1.store_f16(&mut to[V::LANES..]);
    }

    #[inline(always)]
    fn load_f16(isa: V::Isa, from: &[[u8; 2]]) -> Self {
        Self(V::load_f16(isa, from), V::load_f16(isa, &from[V::LANES..]))
    }

    #[inline(always)]
    fn widen(isa: V::Isa, from: F16) -> f32 {
        V::widen(isa, from)
    }

    #[inline(always)]
    fn lookup(isa: V::Isa, table: &[f32; 16], places: &[u8]) -> Self {
        Self(V::lookup(isa, table, places), V::lookup(isa, table, &places[V::LANES..]))
    }

    #[inline(always)]
    fn add_terms<const C: usize>(self, terms: &[f32; TERMS], codes: &[u16]) -> Self {
        Self(self.0.add_terms::<C>(terms, codes), self.1.add_terms::<C>(terms, &codes[V::LANES..]))
    }

    #[inline(always)]
    fn splat_code(isa: V::Isa, code: u16) -> Self {
        Self(V::splat_code(isa, code), V::splat_code(isa, code))
    }

    #[inline(always)]
    fn store_codes(self, to: &mut [u16]) {
        self.0.store_codes(to);
        self.1.store_codes(&mut to[V::LANES..]);
    }
}
