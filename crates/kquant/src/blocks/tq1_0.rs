//! `TQ1_0`: 256 weights in 54 bytes, `x = d · t`, t one of −1, 0, 1; five to a byte.

use bytemuck::{Pod, Zeroable};
use gguf_format::GgmlType;

use super::{Block, ImportanceUse, ternary};
use crate::float16::F16;

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
        let ternary::Trits { scale, trits } = ternary::round(x, 1);
        let mut last = [0; 4 * DIGITS];
        last[..16].copy_from_slice(&trits[240..]);
        Self {
            first: pack(&trits[..160]),
            second: pack(&trits[160..240]),
            last: pack(&last),
            d: F16::from_f32(scale),
        }
    }

    #[inline(always)]
    fn decode(&self, y: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let (first, rest) = y.split_at_mut(160);
        let (second, last) = rest.split_at_mut(80);
        unpack(&self.first, d, first);
        unpack(&self.second, d, second);
        unpack(&self.last, d, last);
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

/// The weights again: a digit is the integer part of three times the fraction that is left.
#[inline(always)]
fn unpack<const B: usize>(bytes: &[u8; B], d: f32, y: &mut [f32]) {
    let mut rest = *bytes;
    for y in y.chunks_exact_mut(B) {
        for (y, rest) in y.iter_mut().zip(&mut rest) {
            let tripled = u16::from(*rest) * 3;
            *y = ((tripled >> 8) as i8 - 1) as f32 * d;
            *rest = tripled as u8;
        }
    }
}
