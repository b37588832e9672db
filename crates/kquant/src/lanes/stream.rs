//! Stores past the caches, for results that no cache will hold.
//!
//! An ordinary store first reads the line that it changes; one past the caches does not, which is a third less traffic where
//! everything is written. That holds for whole lines only. So parts of the results are made in a buffer in the first-level
//! cache, whole lines leave it, and while they drain, the next part is made.

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

/// The results of a call, which are made part by part.
pub(crate) struct Results<'a> {
    /// Places for what has not left the buffer.
    to: &'a mut [u8],
    past_caches: bool,
    /// Room for a part, behind what waits for the rest of its line, before the first line and after the last.
    buffer: [Line; PART_BYTES / LINE + 2],
    /// Bytes that wait.
    held: usize,
}

impl<'a> Results<'a> {
    /// Of a call for as many weights.
    #[inline(always)]
    pub(crate) fn new<T: Pod>(weights: usize, to: &'a mut [T]) -> Self {
        Self {
            to: cast_slice_mut(to),
            past_caches: weights >= LARGE,
            buffer: [Line([0; LINE]); PART_BYTES / LINE + 2],
            held: 0,
        }
    }

    /// Where to make the next part, of at most [`PART_BYTES`].
    #[inline(always)]
    pub(crate) fn next<T: Pod>(&mut self, len: usize) -> &mut [T] {
        let bytes = len * size_of::<T>();
        if self.past_caches {
            let buffer: &mut [u8] = cast_slice_mut(&mut self.buffer);
            cast_slice_mut(&mut buffer[self.held..][..bytes])
        } else {
            let (part, rest) = std::mem::take(&mut self.to).split_at_mut(bytes);
            self.to = rest;
            cast_slice_mut(part)
        }
    }

    /// Sends off a part that was made.
    #[inline(always)]
    pub(crate) fn put<V: Vector, T: Pod>(&mut self, isa: V::Isa, len: usize) {
        if !self.past_caches {
            return;
        }
        self.held += len * size_of::<T>();
        let to = std::mem::take(&mut self.to);
        let buffer: &mut [u8] = cast_slice_mut(&mut self.buffer);
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

    /// Sends off the rest, and puts all in order with what follows.
    #[inline(always)]
    pub(crate) fn finish(self) {
        if self.past_caches {
            self.to[..self.held].copy_from_slice(&bytemuck::cast_slice(&self.buffer)[..self.held]);
            #[cfg(target_arch = "x86_64")]
            // SAFETY: every x86-64 has SSE.
            unsafe {
                std::arch::x86_64::_mm_sfence();
            }
        }
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

    impl Kernel for Count<'_> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vector>(self, isa: V::Isa) {
            let (len, mut next) = (self.to.len(), 0u8);
            let mut results = Results::new(self.weights, self.to);
            for at in (0..len).step_by(self.part) {
                let part = self.part.min(len - at);
                for to in results.next::<u8>(part) {
                    *to = next;
                    next = next.wrapping_add(1);
                }
                results.put::<V, u8>(isa, part);
            }
            results.finish();
        }
    }

    #[test]
    fn parts_of_any_length_reach_their_places_at_any_address() {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            for weights in [0, LARGE] {
                for part in [1, 18, 34, 54, 63, 64, 100, PART_BYTES] {
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
