//! Test input: the same floats on every machine.
//!
//! Integers from a fixed generator, turned to floats by additions, multiplications, divisions and square roots
//! alone, which IEEE 754 defines to the last bit. No function of a mathematics library, whose last bits differ.
//! Used by the tests of `kquant`, by the program that asks ggml for the golden files, by the live comparison
//! and by the benchmark.

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    /// A stream of numbers that the seed alone decides.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which must not be 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.bits() % limit
    }

    /// Uniform in [0, 1), in steps of 2⁻²⁴.
    fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 16_777_216.0
    }

    /// Uniform in [−1, 1).
    fn signed_unit(&mut self) -> f32 {
        2.0 * self.unit() - 1.0
    }

    /// Near enough to a standard normal: twelve uniform numbers, less their mean.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }

    /// Standard exponential in the manner of von Neumann: comparisons of uniform numbers, no logarithm.
    fn exponential(&mut self) -> f32 {
        let mut whole = 0.0;
        loop {
            let first = self.unit();
            let (mut last, mut length) = (first, 1);
            loop {
                let next = self.unit();
                if next >= last {
                    break;
                }
                last = next;
                length += 1;
            }
            if length % 2 == 1 {
                return whole + first;
            }
            whole += 1.0;
        }
    }

    /// A sign.
    fn sign(&mut self) -> f32 {
        if self.bits() & 1 == 0 { 1.0 } else { -1.0 }
    }

    /// A random finite float of any size.
    fn any_float(&mut self) -> f32 {
        loop {
            let value = f32::from_bits(self.bits() as u32);
            if value.is_finite() {
                return value;
            }
        }
    }
}

/// Real weights, little-endian: the first 8192 of two matrices of all-MiniLM-L6-v2, a query in the first layer and the
/// output of the last.
const MINILM: &[u8] = include_bytes!("minilm.f32");

/// How the weights of a tensor may be spread.
pub(crate) type Fill = fn(&mut Random, &mut [f32]);

/// Every distribution, with its name.
pub(crate) const DISTRIBUTIONS: &[(&str, Fill)] = &[
    ("normal", |r, x| each(x, || 0.02 * r.normal())),
    ("student-t3", |r, x| {
        each(x, || {
            let chi2: f32 = (0..3).map(|_| r.normal()).map(|n| n * n).sum();
            0.02 * r.normal() / (chi2 / 3.0).sqrt()
        });
    }),
    ("laplace", |r, x| each(x, || 0.02 * r.sign() * r.exponential())),
    ("uniform", |r, x| each(x, || r.signed_unit())),
    ("skewed", |r, x| each(x, || 0.7 + 0.1 * r.normal())),
    ("zero", |_, x| x.fill(0.0)),
    ("constant", |r, x| {
        let value = r.normal();
        x.fill(value);
    }),
    ("one-outlier", |r, x| {
        each(x, || 0.001 * r.normal());
        for block in x.chunks_mut(32 << r.below(4)) {
            let at = r.below(block.len() as u64) as usize;
            block[at] = 50.0 * r.signed_unit();
        }
    }),
    ("alternating", |r, x| {
        let size = r.unit();
        for (i, x) in x.iter_mut().enumerate() {
            *x = if i % 2 == 0 { size } else { -size };
        }
    }),
    ("mostly-zero", |r, x| each(x, || if r.below(20) == 0 { r.normal() } else { 0.0 })),
    ("ties", |r, x| {
        // Halves of integers, with the extremes there, so that scales are exact and roundings tie.
        each(x, || (r.below(63) as f32 - 31.0) * 0.5);
        for block in x.chunks_mut(16) {
            block[0] = -16.0;
        }
    }),
    ("integers", |r, x| {
        let span = 1 + r.below(40);
        each(x, || r.below(2 * span + 1) as f32 - span as f32);
    }),
    ("subnormal", |r, x| each(x, || f32::from_bits((r.bits() as u32) & 0x807f_ffff))),
    ("tiny", |r, x| each(x, || 1e-20 * r.normal())),
    ("near-epsilon", |r, x| {
        // Around the size below which ggml takes a group for all zero.
        each(x, || 1e-15 * r.normal());
    }),
    ("least-normal", |r, x| {
        // Around the edge where reciprocals of scales overflow.
        let size = 1.2e-38 * (1 + r.below(64)) as f32;
        each(x, || size * r.signed_unit());
    }),
    ("huge", |r, x| each(x, || 3.4e38 * r.signed_unit())),
    ("large", |r, x| {
        // Squares overflow, or almost; scales go over the largest binary16.
        let size = [1e5, 1e7, 1e12, 1e18, 1e19, 1e25][r.below(6) as usize];
        each(x, || size * r.normal());
    }),
    ("any-bits", |r, x| each(x, || r.any_float())),
    ("mixed-scales", |r, x| {
        for group in x.chunks_mut(16) {
            let size = (0..r.below(60)).fold(1e-12, |size: f32, _| size * 3.0);
            each(group, || size * r.normal());
        }
    }),
    ("few-values", |r, x| {
        let values: [f32; 4] = std::array::from_fn(|_| r.normal());
        each(x, || values[r.below(4) as usize]);
    }),
    ("negative-zero", |r, x| each(x, || if r.below(3) == 0 { -0.0 } else { 0.0 })),
    ("ramp", |r, x| {
        let (start, step) = (r.signed_unit(), r.signed_unit() / 100.0);
        for (i, x) in x.iter_mut().enumerate() {
            *x = start + step * i as f32;
        }
    }),
    ("one-sided", |r, x| {
        let sign = r.sign();
        each(x, || sign * r.exponential());
    }),
    ("minilm", |r, x| {
        let mut at = r.below(MINILM.len() as u64 / 4) as usize;
        for x in x {
            *x = f32::from_le_bytes([
                MINILM[4 * at],
                MINILM[4 * at + 1],
                MINILM[4 * at + 2],
                MINILM[4 * at + 3],
            ]);
            at = (at + 1) % (MINILM.len() / 4);
        }
    }),
];

fn each(x: &mut [f32], mut value: impl FnMut() -> f32) {
    x.iter_mut().for_each(|x| *x = value());
}

/// How importance is spread over the columns.
pub(crate) const IMPORTANCES: &[(&str, Fill)] = &[
    ("spread", |r, w| {
        each(w, || {
            let e = r.exponential();
            e * e * e
        });
    }),
    ("ones", |_, w| w.fill(1.0)),
    ("mostly-zero", |r, w| each(w, || if r.below(8) == 0 { r.unit() } else { 0.0 })),
    ("zero", |_, w| w.fill(0.0)),
    ("large", |r, w| each(w, || 1e6 * r.exponential())),
    ("tiny", |r, w| each(w, || 1e-12 * r.exponential())),
    ("any-size", |r, w| each(w, || r.any_float().abs())),
];
