//! Sixteen lanes: AVX-512 F, BW, VL, DQ.

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

use super::pair::Pair;
use super::{Kernel, Line, TERMS, Vector};
use crate::float16::F16;

/// Proof that the machine has AVX-512 F, BW, VL, DQ, and what comes before them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("f16c");
        found.then_some(Self(()))
    }

    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,f16c")]
        fn run<K: Kernel>(isa: Avx512, kernel: K) -> K::Output {
            kernel.run::<Pair<F32x16>>(isa)
        }
        // SAFETY: `self` exists, so the machine has these features.
        unsafe { run(self, kernel) }
    }
}

/// Made only from [`Avx512`] or from another: where there is one, the machine has the instructions.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct F32x16(__m512);

#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Mask16(__mmask16);

macro_rules! operators {
    ($($operator:ident $method:ident $intrinsic:ident),*) => {$(
        impl $operator for F32x16 {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: a vector exists, so the machine has AVX-512 F.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    )*};
}

operators!(Add add _mm512_add_ps, Sub sub _mm512_sub_ps, Mul mul _mm512_mul_ps, Div div _mm512_div_ps);

impl BitAnd for Mask16 {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Mask16 {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Mask16 {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// Steps of a transposition, each within the halves of the vector.
impl F32x16 {
    #[inline(always)]
    fn pairs(self, other: Self) -> [Self; 2] {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        unsafe { [Self(_mm512_unpacklo_ps(self.0, other.0)), Self(_mm512_unpackhi_ps(self.0, other.0))] }
    }

    #[inline(always)]
    fn fours(self, other: Self) -> [Self; 2] {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        unsafe {
            [
                Self(_mm512_shuffle_ps::<0x44>(self.0, other.0)),
                Self(_mm512_shuffle_ps::<0xee>(self.0, other.0)),
            ]
        }
    }

    #[inline(always)]
    fn eights(self, other: Self) -> [Self; 2] {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        unsafe {
            let (a, b) = (_mm512_castps_pd(self.0), _mm512_castps_pd(other.0));
            let low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
            let high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
            [
                Self(_mm512_castpd_ps(_mm512_permutex2var_pd(a, low, b))),
                Self(_mm512_castpd_ps(_mm512_permutex2var_pd(a, high, b))),
            ]
        }
    }
}

impl Vector for F32x16 {
    type Isa = Avx512;
    type Mask = Mask16;
    type Part = Self;

    const LANES: usize = 16;

    #[inline(always)]
    fn splat(_: Avx512, value: f32) -> Self {
        // SAFETY: the token exists, so the machine has AVX-512 F.
        Self(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    fn load(_: Avx512, from: &[f32]) -> Self {
        let from = &from[..16];
        // SAFETY: the token exists; the slice holds 16 values.
        Self(unsafe { _mm512_loadu_ps(from.as_ptr()) })
    }

    #[inline(always)]
    fn load_bytes(_: Avx512, from: &[u8]) -> Self {
        let from = &from[..16];
        // SAFETY: the token exists; the slice holds 16 bytes.
        Self(unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) })
    }

    #[inline(always)]
    fn load_signed_bytes(_: Avx512, from: &[i8]) -> Self {
        let from = &from[..16];
        // SAFETY: the token exists; the slice holds 16 bytes.
        Self(unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..16];
        // SAFETY: a vector exists; the slice holds 16 values.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn columns8(isa: Avx512, from: &[f32], stride: usize) -> [Self; 8] {
        let from = &from[..15 * stride + 8];
        let mut rows = [Self::splat(isa, 0.0); 8];
        for (r, row) in rows.iter_mut().enumerate() {
            // Row r in the lower half, row r + 8 in the upper one; then 8 × 8 transposed in each half.
            // SAFETY: the token exists; row r + 8's eight values end at 15 · stride + 8 at the latest, which the slice
            // holds.
            *row = Self(unsafe {
                let low = _mm256_loadu_ps(from.as_ptr().add(r * stride));
                let high = _mm256_loadu_ps(from.as_ptr().add((r + 8) * stride));
                _mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high)
            });
        }
        let [a0, a1] = rows[0].pairs(rows[1]);
        let [b0, b1] = rows[2].pairs(rows[3]);
        let [c0, c1] = rows[4].pairs(rows[5]);
        let [d0, d1] = rows[6].pairs(rows[7]);
        let ([e0, e1], [e2, e3]) = (a0.fours(b0), a1.fours(b1));
        let ([f0, f1], [f2, f3]) = (c0.fours(d0), c1.fours(d1));
        let ([g0, g4], [g1, g5]) = (e0.eights(f0), e1.eights(f1));
        let ([g2, g6], [g3, g7]) = (e2.eights(f2), e3.eights(f3));
        [g0, g1, g2, g3, g4, g5, g6, g7]
    }

    #[inline(always)]
    fn store_line(_: Avx512, from: &[u8; 64], to: &mut Line) {
        // SAFETY: the token exists; both hold 64 bytes, and a line is aligned.
        unsafe { _mm512_stream_si512(to.0.as_mut_ptr().cast(), _mm512_loadu_si512(from.as_ptr().cast())) }
    }

    #[inline(always)]
    fn prefetch(_: Avx512, from: &[u8], ahead: usize) {
        for line in from.chunks(64) {
            // SAFETY: every x86-64 has SSE; a prefetch does not fault, wherever it points.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().wrapping_byte_add(ahead).cast()) }
        }
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        Self(unsafe { _mm512_abs_ps(self.0) })
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX-512 F and DQ.
        unsafe {
            let sign = _mm512_set1_ps(-0.0);
            Self(_mm512_or_ps(_mm512_andnot_ps(sign, self.0), _mm512_and_ps(sign, other.0)))
        }
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        Self(unsafe { _mm512_sqrt_ps(self.0) })
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn lt(self, other: Self) -> Mask16 {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        Mask16(unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn gt(self, other: Self) -> Mask16 {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        Mask16(unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn same(self, other: Self) -> Mask16 {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        Mask16(unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn select(mask: Mask16, yes: Self, no: Self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        Self(unsafe { _mm512_mask_blend_ps(mask.0, no.0, yes.0) })
    }

    #[inline(always)]
    fn any(mask: Mask16) -> bool {
        mask.0 != 0
    }

    #[inline(always)]
    fn bits(mask: Mask16) -> u32 {
        mask.0.into()
    }

    #[inline(always)]
    fn mask(_: Avx512, bits: u32) -> Mask16 {
        Mask16(bits as u16)
    }

    #[inline(always)]
    fn largest_lane(self) -> f32 {
        // SAFETY: a vector exists, so the machine has AVX-512 F.
        unsafe { _mm512_reduce_max_ps(self.0) }
    }

    #[inline(always)]
    fn store_integer_bytes(self, to: &mut [u8]) {
        let to = &mut to[..16];
        // SAFETY: a vector exists; the slice holds 16 bytes.
        unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(self.0))) }
    }

    #[inline(always)]
    fn store_f16(self, to: &mut [[u8; 2]]) {
        let to = &mut to[..16];
        // SAFETY: a vector exists; the slice holds 32 bytes.
        unsafe {
            let halves = _mm512_cvtps_ph::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0);
            _mm256_storeu_si256(to.as_mut_ptr().cast(), halves);
        }
    }

    #[inline(always)]
    fn load_f16(_: Avx512, from: &[[u8; 2]]) -> Self {
        let from = &from[..16];
        // SAFETY: the token exists; the slice holds 32 bytes.
        Self(unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast())) })
    }

    #[inline(always)]
    fn widen(_: Avx512, from: F16) -> f32 {
        let bits = i32::from(u16::from_le_bytes(from.to_bytes()));
        // SAFETY: the token exists and asks for F16C as well.
        unsafe { _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits))) }
    }

    #[inline(always)]
    fn lookup(_: Avx512, table: &[f32; 16], places: &[u8]) -> Self {
        let places = &places[..16];
        // SAFETY: the token exists; the table holds 16 values, the slice 16 bytes.
        Self(unsafe {
            let places = _mm512_cvtepu8_epi32(_mm_loadu_si128(places.as_ptr().cast()));
            _mm512_permutexvar_ps(places, _mm512_loadu_ps(table.as_ptr()))
        })
    }

    #[inline(always)]
    fn add_terms<const C: usize>(self, terms: &[f32; TERMS], codes: &[u16]) -> Self {
        const { assert!(C == 4 || C == 8) }
        let codes = &codes[..16];
        // SAFETY: a vector exists; the slice holds 16 codes; the table holds C times 32 / C terms, which are as many as are
        // loaded at a time: 8 or 4. A permutation looks at the low four bits, of which the highest does not matter as the
        // terms are there twice, or, within the quarters, the low two.
        unsafe {
            let codes = _mm512_cvtepu16_epi32(_mm256_loadu_si256(codes.as_ptr().cast()));
            let mut sum = self.0;
            for i in 0..C {
                let terms = terms.as_ptr().add(TERMS / C * i);
                let shift = (TERMS / C).ilog2() as usize * i;
                let levels = _mm512_srlv_epi32(codes, _mm512_set1_epi32(shift as i32));
                let term = if C == 4 {
                    _mm512_permutexvar_ps(levels, _mm512_broadcast_f32x8(_mm256_loadu_ps(terms)))
                } else {
                    _mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps(terms)), levels)
                };
                sum = _mm512_add_ps(sum, term);
            }
            Self(sum)
        }
    }

    #[inline(always)]
    fn splat_code(_: Avx512, code: u16) -> Self {
        // SAFETY: the token exists, so the machine has AVX-512 F.
        Self(unsafe { _mm512_castsi512_ps(_mm512_set1_epi32(code.into())) })
    }

    #[inline(always)]
    fn store_codes(self, to: &mut [u16]) {
        let to = &mut to[..16];
        // SAFETY: a vector exists; the slice holds 32 bytes.
        unsafe {
            let codes = _mm512_cvtepi32_epi16(_mm512_castps_si512(self.0));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), codes);
        }
    }
}
