//! Types that a user asks for by patterns of tensor names: `REGEX=TYPE`.
//!
//! Source of the facts: `parse_tensor_type`, `parse_tensor_type_file` and `parse_ggml_type` in llama-quantize's
//! `quantize.cpp`; `std::regex_search` over `tensor_type_patterns` in `llama-quant.cpp`; llama.cpp as pinned by
//! `llama-cpp-sys-2` 0.1.161.

use std::fmt;

use gguf_format::GgmlType;
use regex::bytes::{Regex, RegexBuilder};

use crate::dialect;

/// A pattern of tensor names, and the type for those that it matches.
///
/// The pattern is a regular expression that is searched for anywhere in the name. It is read as `llama-quantize`
/// reads it (ECMAScript, bytes); what this crate's engine does not have (look-around, back-references) or would
/// read in another way is refused.
#[derive(Clone, Debug)]
pub struct TensorTypeOverride {
    regex: Regex,
    ty: GgmlType,
}

/// Why an override cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverrideError {
    /// It is no pair.
    #[error("override {text:?}: expected REGEX=TYPE, as in attn_v=q8_0")]
    NoPair {
        /// The text.
        text: String,
    },
    /// The type is not known, or nothing can be quantized to it.
    #[error(
        "override {text:?}: {found:?} is no type to quantize to; types are those like q8_0, q4_K, iq4_nl, f16"
    )]
    Type {
        /// The text.
        text: String,
        /// The type's name.
        found: String,
    },
    /// The pattern means something else to `llama-quantize`, or nothing.
    #[error("pattern {pattern:?}: {problem}")]
    Dialect {
        /// The pattern.
        pattern: String,
        /// What is wrong, and what to write.
        problem: String,
    },
    /// The pattern is no regular expression.
    #[error("pattern {pattern:?} is no regular expression that can be used; correct it")]
    Regex {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        source: regex::Error,
    },
}

impl TensorTypeOverride {
    /// The override of a pattern, which is taken as it is written.
    ///
    /// # Errors
    /// If the pattern is empty, no regular expression, or one that means something else to `llama-quantize`; if
    /// nothing can be quantized to the type (integers, `F64`, `Q8_1`, `Q8_K`).
    pub fn new(pattern: &str, ty: GgmlType) -> Result<Self, OverrideError> {
        if pattern.is_empty() {
            return Err(OverrideError::NoPair { text: format!("={}", ty.name()) });
        }
        if !is_target(ty) {
            return Err(OverrideError::Type {
                text: format!("{pattern}={}", ty.name()),
                found: ty.name().to_owned(),
            });
        }
        dialect::check(pattern)
            .map_err(|problem| OverrideError::Dialect { pattern: pattern.to_owned(), problem })?;
        let regex = RegexBuilder::new(pattern)
            .unicode(false)
            .build()
            .map_err(|source| OverrideError::Regex { pattern: pattern.to_owned(), source })?;
        Ok(Self { regex, ty })
    }

    /// Reads `REGEX=TYPE`, the value of `--tensor-type`: what stands before the first `=` is made lower case and
    /// is the pattern; the type's name may be in any case.
    ///
    /// # Errors
    /// As [`TensorTypeOverride::new`]; if a part is missing or the type is not known; if lower case gives an escape
    /// another meaning (`\D` would become `\d`).
    pub fn parse(pair: &str) -> Result<Self, OverrideError> {
        let text = || pair.to_owned();
        let (pattern, name) = pair.split_once('=').ok_or_else(|| OverrideError::NoPair { text: text() })?;
        if pattern.is_empty() || name.is_empty() {
            return Err(OverrideError::NoPair { text: text() });
        }
        let ty = GgmlType::from_name(name).filter(|&ty| is_target(ty));
        let ty = ty.ok_or_else(|| OverrideError::Type { text: text(), found: name.to_owned() })?;
        if let Some(class) = dialect::class_in_upper_case(pattern) {
            let pattern = pattern.to_owned();
            let problem =
                format!("lower case makes \\{class} another class; write it as a class in brackets");
            return Err(OverrideError::Dialect { pattern, problem });
        }
        Self::new(&pattern.to_ascii_lowercase(), ty)
    }

    /// Reads the text of a file for `--tensor-type-file`: pairs with white space between them.
    ///
    /// # Errors
    /// As [`TensorTypeOverride::parse`], for the first pair that is wrong.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, OverrideError> {
        let space = [' ', '\t', '\n', '\x0b', '\x0c', '\r'];
        text.split(space).filter(|pair| !pair.is_empty()).map(Self::parse).collect()
    }

    /// The pattern.
    #[must_use]
    pub fn pattern(&self) -> &str {
        self.regex.as_str()
    }

    /// The type for tensors that the pattern matches.
    #[must_use]
    pub fn ty(&self) -> GgmlType {
        self.ty
    }

    /// Whether the pattern occurs in a tensor's name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name.as_bytes())
    }
}

impl fmt::Display for TensorTypeOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.pattern(), self.ty)
    }
}

/// Whether tensors can be quantized to a type: `ggml_quantize_chunk` in ggml's `ggml.c` knows it.
pub(crate) fn is_target(ty: GgmlType) -> bool {
    use GgmlType as T;
    !matches!(ty, T::Q8_1 | T::Q8_K | T::I8 | T::I16 | T::I32 | T::I64 | T::F64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(pair: &str) -> String {
        TensorTypeOverride::parse(pair).unwrap_err().to_string()
    }

    #[test]
    fn pairs_are_read_as_llama_quantize_reads_them() {
        let given = TensorTypeOverride::parse(r"Blk\.(0|1)\.ATTN_V=q8_0").unwrap();
        assert_eq!((given.pattern(), given.ty()), (r"blk\.(0|1)\.attn_v", GgmlType::Q8_0));
        assert!(given.matches("blk.1.attn_v.weight"));
        assert!(!given.matches("blk.2.attn_v.weight"));
        assert!(!given.matches("BLK.1.attn_v.weight"), "names keep their case");
        assert_eq!(given.to_string(), r"blk\.(0|1)\.attn_v=Q8_0");
        let list = TensorTypeOverride::parse_list("a=F16\tb=q4_k\r\n\n c=bf16 ").unwrap();
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert_eq!(list, ["a=F16", "b=Q4_K", "c=BF16"]);
        assert!(TensorTypeOverride::parse_list(" \n").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_pair_says_so() {
        for pair in ["attn_v", "=q8_0", "attn_v=", ""] {
            assert_eq!(error(pair), format!("override {pair:?}: expected REGEX=TYPE, as in attn_v=q8_0"));
        }
        for pair in ["a=q9_0", "a=i32", "a=q8_1", "a=Q8_K", "a=f64", "a=q8_0=", "a= q8_0"] {
            assert!(error(pair).contains("is no type to quantize to"), "{pair}");
        }
        assert!(error("attn_(v=q8_0").contains("no regular expression"));
        assert!(error(r"blk\.\D=q8_0").contains("lower case"));
        assert!(
            TensorTypeOverride::new("a(?=b)", GgmlType::F16).unwrap_err().to_string().contains("look-around")
        );
        assert!(TensorTypeOverride::new("", GgmlType::F16).is_err());
        assert!(TensorTypeOverride::new(r"\D", GgmlType::F16).is_ok());
    }
}
