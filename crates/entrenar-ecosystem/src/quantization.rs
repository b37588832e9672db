//! The quantization types that an export can be asked for.

use std::fmt;
use std::str::FromStr;

use quant_recipe::FileType;
use serde::{Deserialize, Serialize};

use crate::error::GgufExportError;

/// How the weights of a file are quantized: a file type of llama.cpp, under its usual name.
///
/// A file type is a mix: `Q4_K_M`, say, stores most tensors as `Q4_K` and the more sensitive ones as `Q6_K`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum QuantizationType {
    /// `Q2_K`: nominally 2.5 bits, extreme compression.
    #[serde(rename = "Q2_K")]
    Q2K,
    /// `Q3_K_M`: nominally 3.5 bits, aggressive compression.
    #[serde(rename = "Q3_K_M")]
    Q3KM,
    /// `Q4_K_M`: nominally 4.5 bits, the recommended balance.
    #[serde(rename = "Q4_K_M")]
    Q4KM,
    /// `Q5_K_M`: nominally 5.5 bits, higher quality.
    #[serde(rename = "Q5_K_M")]
    Q5KM,
    /// `Q6_K`: nominally 6.5 bits, high quality.
    #[serde(rename = "Q6_K")]
    Q6K,
    /// `Q8_0`: nominally 8 bits, the highest quality that is quantized.
    #[serde(rename = "Q8_0")]
    Q80,
    /// `F16`: 16 bits, not quantized.
    F16,
    /// `F32`: 32 bits, full precision.
    F32,
}

/// A row of the published table.
struct Nominal {
    file_type: FileType,
    bits_per_weight: f64,
    quality_score: u8,
}

impl QuantizationType {
    /// Every type, smallest first.
    pub const ALL: [Self; 8] =
        [Self::Q2K, Self::Q3KM, Self::Q4KM, Self::Q5KM, Self::Q6K, Self::Q80, Self::F16, Self::F32];

    /// The published table. The bits are nominal: the size of a real file depends on the model's tensors, and the
    /// plan of an export says it exactly.
    const fn nominal(self) -> Nominal {
        let (file_type, bits_per_weight, quality_score) = match self {
            Self::Q2K => (FileType::Q2_K, 2.5, 50),
            Self::Q3KM => (FileType::Q3_K_M, 3.5, 65),
            Self::Q4KM => (FileType::Q4_K_M, 4.5, 78),
            Self::Q5KM => (FileType::Q5_K_M, 5.5, 85),
            Self::Q6K => (FileType::Q6_K, 6.5, 92),
            Self::Q80 => (FileType::Q8_0, 8.0, 97),
            Self::F16 => (FileType::F16, 16.0, 100),
            Self::F32 => (FileType::F32, 32.0, 100),
        };
        Nominal { file_type, bits_per_weight, quality_score }
    }

    /// The file type of llama.cpp, which decides every tensor's type.
    #[must_use]
    pub fn file_type(self) -> FileType {
        self.nominal().file_type
    }

    /// The usual name: `"Q4_K_M"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.file_type().name()
    }

    /// Bits a weight takes, nominally.
    #[must_use]
    pub fn bits_per_weight(self) -> f64 {
        self.nominal().bits_per_weight
    }

    /// How much of the model's quality is kept, from 0 to 100: a rule of thumb to choose by, not a measurement.
    #[must_use]
    pub fn quality_score(self) -> u8 {
        self.nominal().quality_score
    }

    /// Size of a model in bytes, nominally, whose weights take `original_bytes` at 32 bits each.
    ///
    /// For the exact size of a real file ask for the plan
    /// ([`GgufExporter::plan`](crate::GgufExporter::plan)).
    #[must_use]
    pub fn estimate_size(self, original_bytes: u64) -> u64 {
        // Halves of a bit are exact in integers: bits × 2, over 64.
        let half_bits = (self.bits_per_weight() * 2.0) as u128;
        (u128::from(original_bytes) * half_bits / 64) as u64
    }

    /// The type of this name: any case, with or without underscores or hyphens, and `fp16`, `fp32`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |s: &str| -> String {
            s.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_uppercase()).collect()
        };
        let name = plain(name.trim());
        match name.as_str() {
            "FP16" => return Some(Self::F16),
            "FP32" => return Some(Self::F32),
            _ => {}
        }
        Self::ALL.into_iter().find(|q| plain(q.as_str()) == name)
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

    #[test]
    fn the_contracts_table() {
        let rows: Vec<_> = QuantizationType::ALL
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
    fn estimates_are_exact_even_for_the_largest_sizes() {
        assert_eq!(QuantizationType::Q4KM.estimate_size(14_000_000_000), 1_968_750_000);
        assert_eq!(QuantizationType::F32.estimate_size(u64::MAX), u64::MAX);
        assert_eq!(QuantizationType::Q2K.estimate_size(0), 0);
    }

    #[test]
    fn parses_what_people_write() {
        for q in QuantizationType::ALL {
            assert_eq!(QuantizationType::parse(q.as_str()), Some(q));
            assert_eq!(QuantizationType::parse(&q.as_str().to_lowercase()), Some(q));
            assert_eq!(QuantizationType::parse(&q.as_str().replace('_', "")), Some(q));
            assert_eq!(QuantizationType::parse(&q.as_str().replace('_', "-")), Some(q));
        }
        assert_eq!(QuantizationType::parse("fp16"), Some(QuantizationType::F16));
        assert_eq!(QuantizationType::parse("FP32"), Some(QuantizationType::F32));
        assert_eq!(QuantizationType::parse(" Q4_K_M "), Some(QuantizationType::Q4KM));
        for wrong in ["", "Q4", "Q4_K_X", "int4"] {
            assert_eq!(QuantizationType::parse(wrong), None, "{wrong:?}");
        }
        let error = "Q9_Z".parse::<QuantizationType>().unwrap_err().to_string();
        assert!(error.contains("Q9_Z") && error.contains("Q4_K_M"), "{error}");
    }
}
