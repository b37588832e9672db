//! Eight lanes in an array: what a target without a version of its own gets.

use std::array;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

use super::{Line, TERMS, Vector};
use crate::float16::F16;
use crate::search::rounding::truncate;

/// Every machine has this.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(crate) struct F32x8([f32; 8]);

/// All bits of a lane, or none: compilers know this form.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(crate) struct Mask8([u32; 8]);

macro_rules! lane_by_lane {
    ($($operator:ident $method:ident),*) => {$(
        impl $operator for F32x8 {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(array::from_fn(|i| self.0[i].$method(other.0[i])))
            }
        }
    )*};
}

lane_by_lane!(Add add, Sub sub, Mul mul, Div div);

impl F32x8 {
    #[inline(always)]
    fn compare(self, other: Self, holds: impl Fn(f32, f32) -> bool) -> Mask8 {
        Mask8(array::from_fn(|i| if holds(self.0[i], other.0[i]) { u32::MAX } else { 0 }))
    }
}

impl BitAnd for Mask8 {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(array::from_fn(|i| self.0[i] & other.0[i]))
    }
}

impl BitOr for Mask8 {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(array::from_fn(|i| self.0[i] | other.0[i]))
    }
}

impl Not for Mask8 {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(self.0.map(|lane| !lane))
    }
}

impl Vector for F32x8 {
    type Isa = Portable;
    type Mask = Mask8;
    type Part = Self;

    const LANES: usize = 8;

    #[inline(always)]
    fn splat(_: Portable, value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    fn load(_: Portable, from: &[f32]) -> Self {
        let mut lanes = [0.0; 8];
        lanes.copy_from_slice(&from[..8]);
        Self(lanes)
    }

    #[inline(always)]
    fn load_bytes(_: Portable, from: &[u8]) -> Self {
        let mut lanes = [0.0; 8];
        for (lane, &from) in lanes.iter_mut().zip(&from[..8]) {
            *lane = from.into();
        }
        Self(lanes)
    }

    #[inline(always)]
    fn load_signed_bytes(_: Portable, from: &[i8]) -> Self {
        let mut lanes = [0.0; 8];
        for (lane, &from) in lanes.iter_mut().zip(&from[..8]) {
            *lane = from.into();
        }
        Self(lanes)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        to[..8].copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn columns8(_: Portable, from: &[f32], stride: usize) -> [Self; 8] {
        let mut all = [Self([0.0; 8]); 8];
        for row in 0..8 {
            let from = &from[row * stride..][..8];
            for (column, value) in all.iter_mut().zip(from) {
                column.0[row] = *value;
            }
        }
        all
    }

    #[inline(always)]
    fn store_line(_: Portable, from: &[u8; 64], to: &mut Line) {
        to.0 = *from;
    }

    #[inline(always)]
    fn prefetch(_: Portable, _: &[u8], _: usize) {}

    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        let mut lanes = self.0;
        for (lane, sign) in lanes.iter_mut().zip(other.0) {
            *lane = lane.copysign(sign);
        }
        Self(lanes)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        Self(array::from_fn(|i| if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        Self(array::from_fn(|i| if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
    }

    #[inline(always)]
    fn lt(self, other: Self) -> Mask8 {
        self.compare(other, |a, b| a < b)
    }

    #[inline(always)]
    fn gt(self, other: Self) -> Mask8 {
        self.compare(other, |a, b| a > b)
    }

    #[inline(always)]
    fn same(self, other: Self) -> Mask8 {
        self.compare(other, |a, b| a == b)
    }

    #[inline(always)]
    fn select(mask: Mask8, yes: Self, no: Self) -> Self {
        Self(array::from_fn(|i| {
            f32::from_bits(yes.0[i].to_bits() & mask.0[i] | no.0[i].to_bits() & !mask.0[i])
        }))
    }

    #[inline(always)]
    fn any(mask: Mask8) -> bool {
        mask.0.iter().fold(0, |any, lane| any | lane) != 0
    }

    #[inline(always)]
    fn bits(mask: Mask8) -> u32 {
        mask.0.iter().enumerate().fold(0, |bits, (i, lane)| bits | (lane & 1) << i)
    }

    #[inline(always)]
    fn mask(_: Portable, bits: u32) -> Mask8 {
        let mut lanes = [0; 8];
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane = (bits >> i & 1).wrapping_neg();
        }
        Mask8(lanes)
    }

    #[inline(always)]
    fn largest_lane(self) -> f32 {
        self.0.iter().fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max })
    }

    #[inline(always)]
    fn store_integer_bytes(self, to: &mut [u8]) {
        for (to, value) in to[..8].iter_mut().zip(self.0) {
            *to = truncate(value) as u8;
        }
    }

    #[inline(always)]
    fn store_f16(self, to: &mut [[u8; 2]]) {
        for (to, value) in to[..8].iter_mut().zip(self.0) {
            *to = F16::from_f32(value).to_bytes();
        }
    }

    #[inline(always)]
    fn load_f16(_: Portable, from: &[[u8; 2]]) -> Self {
        let mut lanes = [0.0; 8];
        for (lane, from) in lanes.iter_mut().zip(&from[..8]) {
            *lane = F16::from_bytes(*from).to_f32();
        }
        Self(lanes)
    }

    #[inline(always)]
    fn widen(_: Portable, from: F16) -> f32 {
        from.to_f32()
    }

    #[inline(always)]
    fn lookup(_: Portable, table: &[f32; 16], places: &[u8]) -> Self {
        let mut lanes = [0.0; 8];
        for (lane, place) in lanes.iter_mut().zip(&places[..8]) {
            *lane = table[usize::from(place & 15)];
        }
        Self(lanes)
    }

    #[inline(always)]
    fn add_terms<const C: usize>(self, terms: &[f32; TERMS], codes: &[u16]) -> Self {
        const { assert!(C == 4 || C == 8) }
        let levels = TERMS / C;
        let codes = &codes[..8];
        let mut lanes = self.0;
        for i in 0..C {
            for (lane, code) in lanes.iter_mut().zip(codes) {
                let level = usize::from(*code) >> (i * levels.ilog2() as usize) & (levels - 1);
                *lane += terms[i * levels + level];
            }
        }
        Self(lanes)
    }

    #[inline(always)]
    fn splat_code(_: Portable, code: u16) -> Self {
        Self([f32::from_bits(code.into()); 8])
    }

    #[inline(always)]
    fn store_codes(self, to: &mut [u16]) {
        for (to, lane) in to[..8].iter_mut().zip(self.0) {
            *to = lane.to_bits() as u16;
        }
    }
}
