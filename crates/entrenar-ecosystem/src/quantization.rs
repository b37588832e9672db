//! The quantization types that an export can be asked for.

use std::fmt;
use std::str::FromStr;

use quant_recipe::{FileType, Recipe};
use serde::{Deserialize, Serialize};

use crate::error::GgufExportError;

macro_rules! quantization_types {
    ($($variant:ident = $file_type:ident, $name:literal, $bits:literal, $score:literal, $what:literal;)*) => {
        /// How the weights of a file are quantized: a file type of llama.cpp, under its usual name.
        ///
        /// A file type is a mix: `Q4_K_M`, say, stores most tensors as `Q4_K` and the more sensitive ones as `Q6_K`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum QuantizationType {
            $(
                #[doc = concat!("`", $name, "`: nominally ", $bits, " bits, ", $what, ".")]
                #[serde(rename = $name)]
                $variant,
            )*
            /// `COPY`: every tensor keeps the type that it has.
            #[serde(rename = "COPY")]
            Copy,
        }

        impl QuantizationType {
            /// Every type that names a file type, by size, more or less.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The file type of llama.cpp, which decides every tensor's type; `None` for [`QuantizationType::Copy`].
            #[must_use]
            pub fn file_type(self) -> Option<FileType> {
                match self {
                    $(Self::$variant => Some(FileType::$file_type),)*
                    Self::Copy => None,
                }
            }

            /// The usual name: `"Q4_K_M"`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Copy => "COPY",
                }
            }

            /// Bits a weight takes, nominally: of the eight types of the published table what is published, of the others
            /// what the base type takes. The size of a real file depends on the model's tensors; the plan of an export
            /// says it exactly.
            #[must_use]
            pub fn bits_per_weight(self) -> f64 {
                match self {
                    $(Self::$variant => $bits,)*
                    Self::Copy => 32.0,
                }
            }

            /// How much of the model's quality is kept, from 0 to 100: a rule of thumb to choose by, not a measurement.
            #[must_use]
            pub fn quality_score(self) -> u8 {
                match self {
                    $(Self::$variant => $score,)*
                    Self::Copy => 100,
                }
            }
        }
    };
}

quantization_types! {
    Q10    = Q1_0,      "Q1_0",      1.125,  10,  "a sign a weight, for models trained so";
    IQ1S   = IQ1_S,     "IQ1_S",     1.5625, 15,  "the smallest, needs an importance matrix";
    TQ10   = TQ1_0,     "TQ1_0",     1.6875, 20,  "for models trained with ternary weights";
    IQ1M   = IQ1_M,     "IQ1_M",     1.75,   20,  "needs an importance matrix";
    TQ20   = TQ2_0,     "TQ2_0",     2.0625, 20,  "for models trained with ternary weights, faster";
    IQ2XXS = IQ2_XXS,   "IQ2_XXS",   2.0625, 32,  "needs an importance matrix";
    Q20    = Q2_0,      "Q2_0",      2.25,   30,  "four levels, for models trained so";
    IQ2XS  = IQ2_XS,    "IQ2_XS",    2.3125, 38,  "needs an importance matrix";
    IQ2S   = IQ2_S,     "IQ2_S",     2.3125, 42,  "needs an importance matrix";
    Q2K    = Q2_K,      "Q2_K",      2.5,    50,  "extreme compression";
    IQ2M   = IQ2_M,     "IQ2_M",     2.5625, 47,  "needs an importance matrix";
    Q2KS   = Q2_K_S,    "Q2_K_S",    2.625,  45,  "smaller than Q2_K, needs an importance matrix";
    IQ3XXS = IQ3_XXS,   "IQ3_XXS",   3.0625, 57,  "needs an importance matrix";
    IQ3XS  = IQ3_XS,    "IQ3_XS",    3.4375, 60,  "better than Q3_K_S with an importance matrix";
    IQ3S   = IQ3_S,     "IQ3_S",     3.4375, 62,  "better than Q3_K_S at its size";
    IQ3M   = IQ3_M,     "IQ3_M",     3.4375, 64,  "a little more than IQ3_S where it counts";
    Q3KS   = Q3_K_S,    "Q3_K_S",    3.4375, 58,  "smaller than Q3_K_M";
    Q3KM   = Q3_K_M,    "Q3_K_M",    3.5,    65,  "aggressive compression";
    Q3KL   = Q3_K_L,    "Q3_K_L",    3.4375, 67,  "larger than Q3_K_M";
    IQ4XS  = IQ4_XS,    "IQ4_XS",    4.25,   75,  "smaller than Q4_K_S, nearly as good";
    MXFP4  = MXFP4_MOE, "MXFP4_MOE", 4.25,   70,  "experts as MXFP4, the rest as Q8_0";
    Q4KM   = Q4_K_M,    "Q4_K_M",    4.5,    78,  "the recommended balance";
    Q4KS   = Q4_K_S,    "Q4_K_S",    4.5,    76,  "smaller than Q4_K_M";
    Q40    = Q4_0,      "Q4_0",      4.5,    72,  "simple and fast";
    IQ4NL  = IQ4_NL,    "IQ4_NL",    4.5,    76,  "better than Q4_0 at its size";
    Q41    = Q4_1,      "Q4_1",      5.0,    74,  "simple, with an offset";
    Q5KM   = Q5_K_M,    "Q5_K_M",    5.5,    85,  "higher quality";
    Q5KS   = Q5_K_S,    "Q5_K_S",    5.5,    84,  "smaller than Q5_K_M";
    Q50    = Q5_0,      "Q5_0",      5.5,    82,  "simple and fast";
    Q51    = Q5_1,      "Q5_1",      6.0,    83,  "simple, with an offset";
    Q6K    = Q6_K,      "Q6_K",      6.5,    92,  "high quality";
    Q80    = Q8_0,      "Q8_0",      8.0,    97,  "the highest quality that is quantized";
    F16    = F16,       "F16",       16.0,   100, "not quantized";
    BF16   = BF16,      "BF16",      16.0,   100, "not quantized, as most models are trained";
    F32    = F32,       "F32",       32.0,   100, "full precision";
}

impl QuantizationType {
    /// The recipe without options.
    #[must_use]
    pub fn recipe(self) -> Recipe {
        self.file_type().map_or_else(Recipe::copy, Recipe::new)
    }

    /// The type that a recipe is for.
    #[must_use]
    pub fn of(recipe: &Recipe) -> Self {
        let of_file_type = |file_type| Self::ALL.iter().copied().find(|q| q.file_type() == Some(file_type));
        recipe.file_type().and_then(of_file_type).unwrap_or(Self::Copy)
    }

    /// Size of a model in bytes, nominally, whose weights take `original_bytes` at 32 bits each.
    ///
    /// For the exact size of a real file ask for the plan
    /// ([`GgufExporter::plan`](crate::GgufExporter::plan)).
    #[must_use]
    pub fn estimate_size(self, original_bytes: u64) -> u64 {
        // Sixteenths of a bit are exact in integers: bits × 16, over 512.
        let sixteenths = (self.bits_per_weight() * 16.0) as u128;
        (u128::from(original_bytes) * sixteenths / 512) as u64
    }

    /// The type of this name or number, as `llama-quantize` takes them: any case, with or without underscores or hyphens,
    /// and `fp16`, `fp32`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Recipe::from_name(name).map(|recipe| Self::of(&recipe))
    }
}

impl fmt::Display for QuantizationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for QuantizationType {
    type Err = GgufExportError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::parse(name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|q| q.as_str()).collect();
            GgufExportError::InvalidQuantization(format!(
                "unknown quantization {name:?}, expected one of {}",
                known.join(", ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was published before there were more.
    const PUBLISHED: [QuantizationType; 8] = [
        QuantizationType::Q2K,
        QuantizationType::Q3KM,
        QuantizationType::Q4KM,
        QuantizationType::Q5KM,
        QuantizationType::Q6K,
        QuantizationType::Q80,
        QuantizationType::F16,
        QuantizationType::F32,
    ];

    #[test]
    fn the_contracts_table() {
        let rows: Vec<_> = PUBLISHED
            .iter()
            .map(|q| {
                let ratio = format!("{:.3}", q.bits_per_weight() / 32.0);
                (q.as_str(), q.bits_per_weight(), q.quality_score(), ratio)
            })
            .collect();
        let expected = [
            ("Q2_K", 2.5, 50, "0.078"),
            ("Q3_K_M", 3.5, 65, "0.109"),
            ("Q4_K_M", 4.5, 78, "0.141"),
            ("Q5_K_M", 5.5, 85, "0.172"),
            ("Q6_K", 6.5, 92, "0.203"),
            ("Q8_0", 8.0, 97, "0.250"),
            ("F16", 16.0, 100, "0.500"),
            ("F32", 32.0, 100, "1.000"),
        ];
        for (row, want) in rows.iter().zip(&expected) {
            assert_eq!((row.0, row.1, row.2, row.3.as_str()), *want);
        }
    }

    #[test]
    fn every_file_type_has_its_name_and_the_bits_of_its_base() {
        assert_eq!(QuantizationType::ALL.len(), FileType::ALL.len());
        for &q in QuantizationType::ALL {
            let file_type = q.file_type().unwrap();
            assert_eq!(q.as_str(), file_type.name());
            assert_eq!(QuantizationType::of(&q.recipe()), q);
            let base = file_type.base();
            if !PUBLISHED.contains(&q) {
                let bits = base.block_bytes() as f64 * 8.0 / base.block_len() as f64;
                assert_eq!(q.bits_per_weight(), bits, "{q}");
            }
        }
        assert_eq!(QuantizationType::of(&QuantizationType::Copy.recipe()), QuantizationType::Copy);
    }

    #[test]
    fn estimates_are_exact_even_for_the_largest_sizes() {
        assert_eq!(QuantizationType::Q4KM.estimate_size(14_000_000_000), 1_968_750_000);
        assert_eq!(QuantizationType::F32.estimate_size(u64::MAX), u64::MAX);
        assert_eq!(QuantizationType::Q2K.estimate_size(0), 0);
        assert_eq!(QuantizationType::TQ20.estimate_size(512 << 20), 33 << 20);
    }

    #[test]
    fn parses_what_people_write() {
        for &q in QuantizationType::ALL.iter().chain([&QuantizationType::Copy]) {
            assert_eq!(QuantizationType::parse(q.as_str()), Some(q));
            assert_eq!(QuantizationType::parse(&q.as_str().to_lowercase()), Some(q));
            assert_eq!(QuantizationType::parse(&q.as_str().replace('_', "")), Some(q));
            assert_eq!(QuantizationType::parse(&q.as_str().replace('_', "-")), Some(q));
        }
        assert_eq!(QuantizationType::parse("fp16"), Some(QuantizationType::F16));
        assert_eq!(QuantizationType::parse("FP32"), Some(QuantizationType::F32));
        assert_eq!(QuantizationType::parse(" Q4_K_M "), Some(QuantizationType::Q4KM));
        assert_eq!(QuantizationType::parse("15"), Some(QuantizationType::Q4KM));
        for wrong in ["", "Q4", "Q4_K_X", "int4", "4"] {
            assert_eq!(QuantizationType::parse(wrong), None, "{wrong:?}");
        }
        let error = "Q9_Z".parse::<QuantizationType>().unwrap_err().to_string();
        assert!(error.contains("Q9_Z") && error.contains("Q4_K_M"), "{error}");
    }
}
