//! Eight lanes: AVX2, with F16C.

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

use super::{Kernel, Vector};

/// Proof that the machine has AVX2 and F16C.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c")).then_some(Self(()))
    }

    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,f16c")]
        fn run<K: Kernel>(isa: Avx2, kernel: K) -> K::Output {
            kernel.run::<F32x8>(isa)
        }
        // SAFETY: `self` exists, so the machine has these features.
        unsafe { run(self, kernel) }
    }
}

/// Made only from [`Avx2`] or from another: where there is one, the machine has the instructions.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct F32x8(__m256);

/// All bits of a lane, or none. Made only by comparing vectors.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Mask8(__m256);

macro_rules! operators {
    ($($type:ident $operator:ident $method:ident $intrinsic:ident),*) => {$(
        impl $operator for $type {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: a vector exists, so the machine has AVX2.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    )*};
}

operators!(
    F32x8 Add add _mm256_add_ps,
    F32x8 Sub sub _mm256_sub_ps,
    F32x8 Mul mul _mm256_mul_ps,
    F32x8 Div div _mm256_div_ps,
    Mask8 BitAnd bitand _mm256_and_ps,
    Mask8 BitOr bitor _mm256_or_ps
);

impl Not for Mask8 {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        // SAFETY: a mask exists, so the machine has AVX2.
        Self(unsafe { _mm256_xor_ps(self.0, _mm256_castsi256_ps(_mm256_set1_epi32(-1))) })
    }
}

impl Vector for F32x8 {
    type Isa = Avx2;
    type Mask = Mask8;

    const LANES: usize = 8;

    #[inline(always)]
    fn splat(_: Avx2, value: f32) -> Self {
        // SAFETY: the token exists, so the machine has AVX2.
        Self(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    fn load(_: Avx2, from: &[f32]) -> Self {
        let from = &from[..8];
        // SAFETY: the token exists; the slice holds 8 values.
        Self(unsafe { _mm256_loadu_ps(from.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..8];
        // SAFETY: a vector exists; the slice holds 8 values.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn columns8(_: Avx2, from: &[f32], stride: usize) -> [Self; 8] {
        let from = &from[..7 * stride + 8];
        // SAFETY: the token exists; row r's eight values end at 7 · stride + 8 at the latest, which the slice holds.
        unsafe {
            let row = |r: usize| _mm256_loadu_ps(from.as_ptr().add(r * stride));
            let pairs = |r: usize| {
                let (a, b) = (row(r), row(r + 1));
                (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b))
            };
            let ((a0, a1), (b0, b1)) = (pairs(0), pairs(2));
            let ((c0, c1), (d0, d1)) = (pairs(4), pairs(6));
            let fours = |a, b| (_mm256_shuffle_ps::<0x44>(a, b), _mm256_shuffle_ps::<0xee>(a, b));
            let ((e0, e1), (e2, e3)) = (fours(a0, b0), fours(a1, b1));
            let ((f0, f1), (f2, f3)) = (fours(c0, d0), fours(c1, d1));
            let low = |a, b| Self(_mm256_permute2f128_ps::<0x20>(a, b));
            let high = |a, b| Self(_mm256_permute2f128_ps::<0x31>(a, b));
            [
                low(e0, f0),
                low(e1, f1),
                low(e2, f2),
                low(e3, f3),
                high(e0, f0),
                high(e1, f1),
                high(e2, f2),
                high(e3, f3),
            ]
        }
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX2.
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX2.
        Self(unsafe { _mm256_sqrt_ps(self.0) })
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX2.
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX2.
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn lt(self, other: Self) -> Mask8 {
        // SAFETY: a vector exists, so the machine has AVX2.
        Mask8(unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn gt(self, other: Self) -> Mask8 {
        // SAFETY: a vector exists, so the machine has AVX2.
        Mask8(unsafe { _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn same(self, other: Self) -> Mask8 {
        // SAFETY: a vector exists, so the machine has AVX2.
        Mask8(unsafe { _mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn select(mask: Mask8, yes: Self, no: Self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX2.
        Self(unsafe { _mm256_blendv_ps(no.0, yes.0, mask.0) })
    }

    #[inline(always)]
    fn any(mask: Mask8) -> bool {
        Self::bits(mask) != 0
    }

    #[inline(always)]
    fn bits(mask: Mask8) -> u32 {
        // SAFETY: a mask exists, so the machine has AVX2.
        unsafe { _mm256_movemask_ps(mask.0) as u32 }
    }
}
