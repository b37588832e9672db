//! `TQ1_0`: 256 weights in 54 bytes, `x = d · t`, t one of −1, 0, 1; five to a byte.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::lanes::levels::decode_around;
use super::{Block, ImportanceUse, ternary};
use crate::float16::F16;
use crate::lanes::Vector;

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockTq1_0 {
    /// The first 160 weights: byte j holds weights j, j + 32, … j + 128.
    first: [u8; 32],
    /// The next 80: byte j holds weights j, j + 16, … j + 64.
    second: [u8; 16],
    /// The last 16: byte j holds weights j, j + 4, j + 8, j + 12, and a fifth digit of 0.
    last: [u8; 4],
    d: F16,
}

/// Digits in a byte.
const DIGITS: usize = 5;

impl Block<256> for BlockTq1_0 {
    const TYPE: GgmlType = GgmlType::TQ1_0;
    const IMPORTANCE: ImportanceUse = ImportanceUse::Ignored;

    #[inline(always)]
    fn encode(x: &[f32; 256]) -> Self {
        Self::pack(&ternary::round(x, 1))
    }

    #[inline(always)]
    fn encode_on<V: Vector>(isa: V::Isa, x: &[f32; 256]) -> Self {
        Self::pack(&ternary::round_on::<V, 256>(isa, x, 1))
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (y, trit) in y.iter_mut().zip(self.trits()) {
            *y = f32::from(trit as i8 - 1) * d;
        }
    }

    #[inline(always)]
    fn decode_on<V: Vector>(&self, isa: V::Isa, y: &mut [f32; 256]) {
        decode_around::<V::Part>(isa, 1.0, V::widen(isa, self.d), &self.trits(), y);
    }
}

impl BlockTq1_0 {
    #[inline(always)]
    fn pack(found: &ternary::Trits<256>) -> Self {
        let trits = &found.trits;
        let mut last = [0; 4 * DIGITS];
        last[..16].copy_from_slice(&trits[240..]);
        Self {
            first: pack(&trits[..160]),
            second: pack(&trits[160..240]),
            last: pack(&last),
            d: F16::from_f32(found.scale),
        }
    }

    /// The weights as 0, 1, 2.
    #[inline(always)]
    fn trits(&self) -> [u8; 256] {
        let mut trits = [0; 256];
        let (first, rest) = trits.split_at_mut(160);
        let (second, last) = rest.split_at_mut(80);
        unpack(&self.first, first);
        unpack(&self.second, second);
        unpack(&self.last, last);
        trits
    }
}

/// Byte j: the digits j, j + B, j + 2·B, … of a number of base 3, the first one highest; as a fraction of 3⁵, in 256ths,
/// rounded up.
#[inline(always)]
fn pack<const B: usize>(trits: &[u8]) -> [u8; B] {
    let mut numbers = [0u8; B];
    for digits in trits.chunks_exact(B).take(DIGITS) {
        for (number, digit) in numbers.iter_mut().zip(digits) {
            *number = *number * 3 + digit;
        }
    }
    for number in &mut numbers {
        *number = (u16::from(*number) * 256).div_ceil(243) as u8;
    }
    numbers
}

/// The digits again: each is the integer part of three times the fraction that is left.
#[inline(always)]
fn unpack<const B: usize>(bytes: &[u8; B], trits: &mut [u8]) {
    let mut rest = *bytes;
    for trits in trits.chunks_exact_mut(B) {
        for (trit, rest) in trits.iter_mut().zip(&mut rest) {
            let tripled = u16::from(*rest) * 3;
            *trit = (tripled >> 8) as u8;
            *rest = tripled as u8;
        }
    }
}
