//! Eight lanes: AVX2, with F16C.

use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

use super::{Kernel, Line, TERMS, Vector};
use crate::float16::F16;

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

/// Steps of a transposition.
impl F32x8 {
    #[inline(always)]
    fn pairs(self, other: Self) -> [Self; 2] {
        // SAFETY: a vector exists, so the machine has AVX2.
        unsafe { [Self(_mm256_unpacklo_ps(self.0, other.0)), Self(_mm256_unpackhi_ps(self.0, other.0))] }
    }

    #[inline(always)]
    fn fours(self, other: Self) -> [Self; 2] {
        // SAFETY: a vector exists, so the machine has AVX2.
        unsafe {
            [
                Self(_mm256_shuffle_ps::<0x44>(self.0, other.0)),
                Self(_mm256_shuffle_ps::<0xee>(self.0, other.0)),
            ]
        }
    }

    #[inline(always)]
    fn halves(self, other: Self) -> [Self; 2] {
        // SAFETY: a vector exists, so the machine has AVX2.
        unsafe {
            [
                Self(_mm256_permute2f128_ps::<0x20>(self.0, other.0)),
                Self(_mm256_permute2f128_ps::<0x31>(self.0, other.0)),
            ]
        }
    }
}

impl Vector for F32x8 {
    type Isa = Avx2;
    type Mask = Mask8;
    type Part = Self;

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
    fn load_bytes(_: Avx2, from: &[u8]) -> Self {
        let from = &from[..8];
        // SAFETY: the token exists; the slice holds 8 bytes.
        Self(unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(from.as_ptr().cast()))) })
    }

    #[inline(always)]
    fn load_signed_bytes(_: Avx2, from: &[i8]) -> Self {
        let from = &from[..8];
        // SAFETY: the token exists; the slice holds 8 bytes.
        Self(unsafe { _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from.as_ptr().cast()))) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..8];
        // SAFETY: a vector exists; the slice holds 8 values.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn columns8(isa: Avx2, from: &[f32], stride: usize) -> [Self; 8] {
        let mut rows = [Self::splat(isa, 0.0); 8];
        for (r, row) in rows.iter_mut().enumerate() {
            *row = Self::load(isa, &from[r * stride..]);
        }
        let [a0, a1] = rows[0].pairs(rows[1]);
        let [b0, b1] = rows[2].pairs(rows[3]);
        let [c0, c1] = rows[4].pairs(rows[5]);
        let [d0, d1] = rows[6].pairs(rows[7]);
        let ([e0, e1], [e2, e3]) = (a0.fours(b0), a1.fours(b1));
        let ([f0, f1], [f2, f3]) = (c0.fours(d0), c1.fours(d1));
        let ([g0, g4], [g1, g5]) = (e0.halves(f0), e1.halves(f1));
        let ([g2, g6], [g3, g7]) = (e2.halves(f2), e3.halves(f3));
        [g0, g1, g2, g3, g4, g5, g6, g7]
    }

    #[inline(always)]
    fn store_line(_: Avx2, from: &[u8; 64], to: &mut Line) {
        // SAFETY: the token exists; both hold twice 32 bytes, and a line is aligned.
        unsafe {
            let (from, to) = (from.as_ptr().cast::<__m256i>(), to.0.as_mut_ptr().cast::<__m256i>());
            _mm256_stream_si256(to, _mm256_loadu_si256(from));
            _mm256_stream_si256(to.add(1), _mm256_loadu_si256(from.add(1)));
        }
    }

    #[inline(always)]
    fn prefetch(_: Avx2, from: &[u8], ahead: usize) {
        for line in from.chunks(64) {
            // SAFETY: every x86-64 has SSE; a prefetch does not fault, wherever it points.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().wrapping_byte_add(ahead).cast()) }
        }
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX2.
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        // SAFETY: a vector exists, so the machine has AVX2.
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            Self(_mm256_or_ps(_mm256_andnot_ps(sign, self.0), _mm256_and_ps(sign, other.0)))
        }
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

    #[inline(always)]
    fn mask(_: Avx2, bits: u32) -> Mask8 {
        // SAFETY: the token exists.
        unsafe {
            let lane_bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let set = _mm256_and_si256(_mm256_set1_epi32(bits as i32), lane_bits);
            Mask8(_mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lane_bits)))
        }
    }

    #[inline(always)]
    fn largest_lane(self) -> f32 {
        // SAFETY: a vector exists, so the machine has AVX2.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn store_integer_bytes(self, to: &mut [u8]) {
        let to = &mut to[..8];
        // SAFETY: a vector exists; the slice holds 8 bytes.
        unsafe {
            let low_bytes = _mm256_and_si256(_mm256_cvttps_epi32(self.0), _mm256_set1_epi32(0xff));
            let words =
                _mm_packus_epi32(_mm256_castsi256_si128(low_bytes), _mm256_extracti128_si256::<1>(low_bytes));
            _mm_storel_epi64(to.as_mut_ptr().cast(), _mm_packus_epi16(words, words));
        }
    }

    #[inline(always)]
    fn store_f16(self, to: &mut [[u8; 2]]) {
        let to = &mut to[..8];
        // SAFETY: a vector exists, and its token asks for F16C as well; the slice holds 16 bytes.
        unsafe {
            let halves = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self.0);
            _mm_storeu_si128(to.as_mut_ptr().cast(), halves);
        }
    }

    #[inline(always)]
    fn load_f16(_: Avx2, from: &[[u8; 2]]) -> Self {
        let from = &from[..8];
        // SAFETY: the token exists and asks for F16C as well; the slice holds 16 bytes.
        Self(unsafe { _mm256_cvtph_ps(_mm_loadu_si128(from.as_ptr().cast())) })
    }

    #[inline(always)]
    fn widen(_: Avx2, from: F16) -> f32 {
        let bits = i32::from(u16::from_le_bytes(from.to_bytes()));
        // SAFETY: the token exists and asks for F16C as well.
        unsafe { _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits))) }
    }

    #[inline(always)]
    fn lookup(_: Avx2, table: &[f32; 16], places: &[u8]) -> Self {
        let places = &places[..8];
        // SAFETY: the token exists; the table holds twice 8 values, the slice 8 bytes.
        Self(unsafe {
            let places = _mm256_cvtepu8_epi32(_mm_loadl_epi64(places.as_ptr().cast()));
            let low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr()), places);
            let high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr().add(8)), places);
            // A permutation looks at three bits; the fourth, moved to where a sign is, chooses the half of the table.
            _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32::<28>(places)))
        })
    }

    #[inline(always)]
    fn add_terms<const C: usize>(self, terms: &[f32; TERMS], codes: &[u16]) -> Self {
        const { assert!(C == 4 || C == 8) }
        let codes = &codes[..8];
        // SAFETY: a vector exists; the slice holds 8 codes; the table holds C times 32 / C terms, which are as many as are
        // loaded at a time: 8 or 4. A permutation looks at the low three bits or, within the halves, the low two.
        unsafe {
            let codes = _mm256_cvtepu16_epi32(_mm_loadu_si128(codes.as_ptr().cast()));
            let mut sum = self.0;
            for i in 0..C {
                let terms = terms.as_ptr().add(TERMS / C * i);
                let shift = (TERMS / C).ilog2() as usize * i;
                let levels = _mm256_srlv_epi32(codes, _mm256_set1_epi32(shift as i32));
                let term = if C == 4 {
                    _mm256_permutevar8x32_ps(_mm256_loadu_ps(terms), levels)
                } else {
                    let terms = _mm_loadu_ps(terms);
                    _mm256_permutevar_ps(_mm256_set_m128(terms, terms), levels)
                };
                sum = _mm256_add_ps(sum, term);
            }
            Self(sum)
        }
    }

    #[inline(always)]
    fn splat_code(_: Avx2, code: u16) -> Self {
        // SAFETY: the token exists, so the machine has AVX2.
        Self(unsafe { _mm256_castsi256_ps(_mm256_set1_epi32(code.into())) })
    }

    #[inline(always)]
    fn store_codes(self, to: &mut [u16]) {
        let to = &mut to[..8];
        // SAFETY: a vector exists; the slice holds 16 bytes.
        unsafe {
            let codes = _mm256_and_si256(_mm256_castps_si256(self.0), _mm256_set1_epi32(0xffff));
            let codes = _mm_packus_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256::<1>(codes));
            _mm_storeu_si128(to.as_mut_ptr().cast(), codes);
        }
    }
}
