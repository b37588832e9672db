//! The element types of tensors: ids, block lengths and block sizes.
//!
//! Source of the facts: `ggml.h`, `ggml-common.h` and the type traits table of ggml, llama.cpp as
//! pinned by `llama-cpp-sys-2` 0.1.161.

use std::fmt;

/// Number of weights in a super-block of the k-quants and i-quants (`QK_K` in ggml).
pub const SUPER_BLOCK_LEN: usize = 256;

macro_rules! ggml_types {
    ($($variant:ident = $id:literal, $name:literal, $len:literal, $bytes:literal, $quantized:literal;)*) => {
        /// How the elements of a tensor are stored: plain numbers, or blocks of quantized weights.
        ///
        /// The discriminant is the id in the file. Ids that ggml has withdrawn (4, 5, 31–33, 36–38) have no
        /// variant: [`GgmlType::from_id`] does not know them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(non_camel_case_types, reason = "the field writes Q4_K, and so do we")]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum GgmlType {
            $(#[doc = concat!("`", $name, "`: ", $len, " weights in ", $bytes, " bytes, id ", $id, ".")] $variant = $id,)*
        }

        impl GgmlType {
            /// Every type of today's ggml, by id.
            pub const ALL: &'static [GgmlType] = &[$(GgmlType::$variant,)*];

            /// The type with this id in a file; `None` for an id that ggml does not use (any more).
            #[must_use]
            pub const fn from_id(id: u32) -> Option<Self> {
                match id { $($id => Some(GgmlType::$variant),)* _ => None }
            }

            /// The name, in the spelling that the quantizer's users know: `Q4_K`, `IQ2_XXS`, `BF16`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(GgmlType::$variant => $name,)* }
            }

            /// Weights in a block; 1 for plain numbers.
            #[must_use]
            pub const fn block_len(self) -> usize {
                match self { $(GgmlType::$variant => $len,)* }
            }

            /// Bytes of a block.
            #[must_use]
            pub const fn block_bytes(self) -> usize {
                match self { $(GgmlType::$variant => $bytes,)* }
            }

            /// Whether the weights are quantized (`ggml_is_quantized`): not so for floats and integers.
            #[must_use]
            pub const fn is_quantized(self) -> bool {
                match self { $(GgmlType::$variant => $quantized,)* }
            }
        }
    };
}

ggml_types! {
    F32     = 0,  "F32",     1,   4,   false;
    F16     = 1,  "F16",     1,   2,   false;
    Q4_0    = 2,  "Q4_0",    32,  18,  true;
    Q4_1    = 3,  "Q4_1",    32,  20,  true;
    Q5_0    = 6,  "Q5_0",    32,  22,  true;
    Q5_1    = 7,  "Q5_1",    32,  24,  true;
    Q8_0    = 8,  "Q8_0",    32,  34,  true;
    Q8_1    = 9,  "Q8_1",    32,  36,  true;
    Q2_K    = 10, "Q2_K",    256, 84,  true;
    Q3_K    = 11, "Q3_K",    256, 110, true;
    Q4_K    = 12, "Q4_K",    256, 144, true;
    Q5_K    = 13, "Q5_K",    256, 176, true;
    Q6_K    = 14, "Q6_K",    256, 210, true;
    Q8_K    = 15, "Q8_K",    256, 292, true;
    IQ2_XXS = 16, "IQ2_XXS", 256, 66,  true;
    IQ2_XS  = 17, "IQ2_XS",  256, 74,  true;
    IQ3_XXS = 18, "IQ3_XXS", 256, 98,  true;
    IQ1_S   = 19, "IQ1_S",   256, 50,  true;
    IQ4_NL  = 20, "IQ4_NL",  32,  18,  true;
    IQ3_S   = 21, "IQ3_S",   256, 110, true;
    IQ2_S   = 22, "IQ2_S",   256, 82,  true;
    IQ4_XS  = 23, "IQ4_XS",  256, 136, true;
    I8      = 24, "I8",      1,   1,   false;
    I16     = 25, "I16",     1,   2,   false;
    I32     = 26, "I32",     1,   4,   false;
    I64     = 27, "I64",     1,   8,   false;
    F64     = 28, "F64",     1,   8,   false;
    IQ1_M   = 29, "IQ1_M",   256, 56,  true;
    BF16    = 30, "BF16",    1,   2,   false;
    TQ1_0   = 34, "TQ1_0",   256, 54,  true;
    TQ2_0   = 35, "TQ2_0",   256, 66,  true;
    MXFP4   = 39, "MXFP4",   32,  17,  true;
    NVFP4   = 40, "NVFP4",   64,  36,  true;
    Q1_0    = 41, "Q1_0",    128, 18,  true;
    Q2_0    = 42, "Q2_0",    64,  18,  true;
}

impl GgmlType {
    /// The id in the file.
    #[must_use]
    pub const fn id(self) -> u32 {
        self as u32
    }

    /// The type of this name, upper or lower case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ty| ty.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of a row of `len` elements; `None` if the length is not a whole number of blocks or the size
    /// does not fit in 64 bits.
    #[must_use]
    pub const fn row_bytes(self, len: u64) -> Option<u64> {
        let block_len = self.block_len() as u64;
        if !len.is_multiple_of(block_len) {
            return None;
        }
        (len / block_len).checked_mul(self.block_bytes() as u64)
    }

    /// Bits a weight takes in this type, the block's scales included.
    #[must_use]
    pub fn bits_per_weight(self) -> f64 {
        self.block_bytes() as f64 * 8.0 / self.block_len() as f64
    }
}

impl fmt::Display for GgmlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
