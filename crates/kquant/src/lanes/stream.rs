//! Stores past the caches, for results that no cache will hold.
//!
//! An ordinary store first reads the line that it changes; one past the caches does not, which is a third less traffic where
//! everything is written. That holds for whole lines only. So parts of the results are made in a buffer in the first-level
//! cache, whole lines leave it, and while they drain, the next part is made.

use std::marker::PhantomData;

use bytemuck::{Pod, Zeroable, cast_slice_mut, pod_align_to_mut};

use super::Vector;

/// Weights of a call from which its results count as large: 16 MiB as f32.
const LARGE: usize = 4 << 20;

/// The most bytes that a part of the results has.
pub(crate) const PART_BYTES: usize = 1024;

/// A cache line.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(super) [u8; LINE]);

const LINE: usize = 64;

/// Makes results from weights or blocks, part by part.
pub(crate) trait Parts<T> {
    /// Makes the results from number `at` on.
    fn make<V: Vector>(&self, isa: V::Isa, at: usize, to: &mut [T]);
}

/// Makes all results of a call for as many weights, `part` at a time: at most [`PART_BYTES`] of them.
///
/// Those of a large call are made at `STRETCHES` places in turn: one core gets more out of a memory whose pages it reads
/// side by side.
#[inline(always)]
pub(crate) fn make_all<V: Vector, T: Pod, const STRETCHES: usize>(
    isa: V::Isa,
    weights: usize,
    part: usize,
    to: &mut [T],
    parts: &impl Parts<T>,
) {
    if weights < LARGE {
        for (i, to) in to.chunks_mut(part).enumerate() {
            parts.make::<V>(isa, i * part, to);
        }
        return;
    }
    let parts_each = to.len().div_ceil(part).div_ceil(STRETCHES);
    let len = parts_each * part;
    let mut rest = to;
    let mut stretches: [_; STRETCHES] = std::array::from_fn(|i| {
        let here = len.min(rest.len());
        let (to, behind) = std::mem::take(&mut rest).split_at_mut(here);
        rest = behind;
        Stretch::new(i * len, to)
    });
    for _ in 0..parts_each {
        for stretch in &mut stretches {
            stretch.advance::<V>(isa, part, parts);
        }
    }
    for stretch in stretches {
        stretch.finish();
    }
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has SSE.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// Results that follow one another in memory.
struct Stretch<'a, T> {
    /// The number of the next to be made.
    at: usize,
    /// How many are to be made.
    rest: usize,
    /// Places for what has not left the buffer.
    to: &'a mut [u8],
    /// Room for a part, behind what waits for the rest of its line, before the first line and after the last.
    buffer: [Line; PART_BYTES / LINE + 2],
    /// Bytes that wait.
    held: usize,
    of: PhantomData<T>,
}

impl<'a, T: Pod> Stretch<'a, T> {
    #[inline(always)]
    fn new(at: usize, to: &'a mut [T]) -> Self {
        let buffer = [Line([0; LINE]); PART_BYTES / LINE + 2];
        Self { at, rest: to.len(), to: cast_slice_mut(to), buffer, held: 0, of: PhantomData }
    }

    /// Makes a part, unless all are made, and sends off whole lines.
    #[inline(always)]
    fn advance<V: Vector>(&mut self, isa: V::Isa, part: usize, parts: &impl Parts<T>) {
        let part = part.min(self.rest);
        let buffer: &mut [u8] = cast_slice_mut(&mut self.buffer);
        parts.make::<V>(isa, self.at, cast_slice_mut(&mut buffer[self.held..][..part * size_of::<T>()]));
        self.at += part;
        self.rest -= part;
        self.held += part * size_of::<T>();
        let to = std::mem::take(&mut self.to);
        let (start, lines, _) = pod_align_to_mut::<u8, Line>(to);
        let start_len = start.len();
        let full = self.held.saturating_sub(start_len) / LINE;
        let mut put = 0;
        if full > 0 {
            start.copy_from_slice(&buffer[..start_len]);
            for (line, from) in lines.iter_mut().zip(buffer[start_len..self.held].as_chunks::<LINE>().0) {
                V::store_line(isa, from, line);
            }
            put = start_len + full * LINE;
            buffer.copy_within(put..self.held, 0);
            self.held -= put;
        }
        self.to = &mut to[put..];
    }

    /// Sends off the rest.
    #[inline(always)]
    fn finish(self) {
        self.to[..self.held].copy_from_slice(&bytemuck::cast_slice(&self.buffer)[..self.held]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{Isa, Kernel};

    struct Count<'a> {
        weights: usize,
        part: usize,
        to: &'a mut [u8],
    }

    struct Numbers;

    impl Parts<u8> for Numbers {
        #[inline(always)]
        fn make<V: Vector>(&self, _: V::Isa, at: usize, to: &mut [u8]) {
            for (i, to) in to.iter_mut().enumerate() {
                *to = (at + i) as u8;
            }
        }
    }

    impl Kernel for Count<'_> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vector>(self, isa: V::Isa) {
            let Self { weights, part, to } = self;
            if part % 2 == 0 {
                make_all::<V, u8, 1>(isa, weights, part, to, &Numbers);
            } else {
                make_all::<V, u8, 4>(isa, weights, part, to, &Numbers);
            }
        }
    }

    #[test]
    fn parts_of_any_length_reach_their_places_at_any_address() {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            for weights in [0, LARGE] {
                for part in [1, 18, 33, 34, 54, 63, 64, 99, 100, 1021, PART_BYTES] {
                    for start in (0..70).step_by(3) {
                        for len in [0, 1, 50, 64, 200, 1300, 3000] {
                            let mut all = vec![255u8; 3200];
                            isa.run(Count { weights, part, to: &mut all[start..start + len] });
                            assert!(all[..start].iter().all(|&byte| byte == 255));
                            assert!(all[start + len..].iter().all(|&byte| byte == 255));
                            let right = |(i, &byte): (usize, &u8)| byte == i as u8;
                            assert!(all[start..start + len].iter().enumerate().all(right), "{isa} {part}");
                        }
                    }
                }
            }
        }
    }
}
