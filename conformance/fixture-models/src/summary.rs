//! What a GGUF file says, in a form that can be compared: names, types, dimensions, digests, metadata as text.
//!
//! This reader is deliberately apart from `gguf-format`: the golden files must not rest on the code they judge. It
//! reads version 3, little-endian, and only the tensor types that the eight file types use.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::Error;

/// One metadata pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// The value's type: `u32`, `str`, `arr[str]`, …
    pub ty: &'static str,
    /// The value. What is longer than a line is a digest and a length.
    pub value: String,
}

/// One tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its dimensions, in GGUF's order: the row length first.
    pub dims: Vec<u64>,
    /// Its type's name.
    pub ty: &'static str,
    /// SHA-256 of its bytes, the first 32 hexadecimal digits.
    pub digest: String,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its length in bytes.
    pub length: u64,
    /// Metadata in the file's order.
    pub metadata: Vec<Pair>,
    /// Tensors in the file's order.
    pub tensors: Vec<Tensor>,
}

/// Tensor types: id, name, elements of a block, bytes of a block (ggml.h and ggml-common.h of llama.cpp, 2026-10).
const TENSOR_TYPES: [(u32, &str, u64, u64); 28] = [
    (0, "F32", 1, 4),
    (1, "F16", 1, 2),
    (2, "Q4_0", 32, 18),
    (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24),
    (8, "Q8_0", 32, 34),
    (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210),
    (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74),
    (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18),
    (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82),
    (23, "IQ4_XS", 256, 136),
    (29, "IQ1_M", 256, 56),
    (30, "BF16", 1, 2),
    (34, "TQ1_0", 256, 54),
    (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17),
    (40, "NVFP4", 64, 36),
    (41, "Q1_0", 128, 18),
    (42, "Q2_0", 64, 18),
];

/// The static name that equals `name`, if it is a tensor type's.
pub(crate) fn tensor_type(name: &str) -> Option<&'static str> {
    TENSOR_TYPES.iter().map(|t| t.1).find(|n| *n == name)
}

/// Value types: id, name, name of an array of them, bytes of one (0: of varying length).
const VALUE_TYPES: [(u32, &str, &str, usize); 13] = [
    (0, "u8", "arr[u8]", 1),
    (1, "i8", "arr[i8]", 1),
    (2, "u16", "arr[u16]", 2),
    (3, "i16", "arr[i16]", 2),
    (4, "u32", "arr[u32]", 4),
    (5, "i32", "arr[i32]", 4),
    (6, "f32", "arr[f32]", 4),
    (7, "bool", "arr[bool]", 1),
    (8, "str", "arr[str]", 0),
    (9, "arr", "arr[arr]", 0),
    (10, "u64", "arr[u64]", 8),
    (11, "i64", "arr[i64]", 8),
    (12, "f64", "arr[f64]", 8),
];

/// The static name that equals `name`, if it is a value type's.
pub(crate) fn value_type(name: &str) -> Option<&'static str> {
    VALUE_TYPES.iter().flat_map(|t| [t.1, t.2]).find(|n| *n == name)
}

/// Values up to this many bytes are kept as they are.
const SHORT: usize = 96;

impl Summary {
    /// Reads a file.
    ///
    /// # Errors
    /// What the operating system says, or where the file is not as GGUF version 3 has it.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        Self::of(&bytes).map_err(|what| Error::malformed(path, what))
    }

    /// The same of a file's bytes.
    fn of(bytes: &[u8]) -> Result<Self, String> {
        let mut r = Reader { bytes, at: 0 };
        if r.take(4)? != b"GGUF" || r.u32()? != 3 {
            return Err("not a GGUF file of version 3".to_owned());
        }
        let (tensor_count, pair_count) = (r.u64()?, r.u64()?);
        let metadata = (0..pair_count).map(|_| r.pair()).collect::<Result<Vec<_>, _>>()?;
        let directory = (0..tensor_count).map(|_| r.entry()).collect::<Result<Vec<_>, _>>()?;
        let alignment = match metadata.iter().find(|p| p.key == "general.alignment") {
            Some(p) => p.value.parse().map_err(|_| format!("alignment {:?}", p.value))?,
            None => 32,
        };
        let data = (r.at as u64).next_multiple_of(alignment);
        let tensors = directory
            .into_iter()
            .map(|(name, dims, ty, offset)| {
                let &(_, ty, block, size) = TENSOR_TYPES
                    .iter()
                    .find(|t| t.0 == ty)
                    .ok_or_else(|| format!("tensor {name} has type {ty}, which is not looked for here"))?;
                let length = dims.iter().product::<u64>() / block * size;
                let start = data + offset;
                let bytes = bytes
                    .get(start as usize..(start + length) as usize)
                    .ok_or_else(|| format!("tensor {name} ends past the end of the file"))?;
                let digest = hex(bytes).get(..32).unwrap_or_default().to_owned();
                Ok(Tensor { name, dims, ty, digest })
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { sha256: hex(bytes), length: bytes.len() as u64, metadata, tensors })
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(n).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("{n} bytes wanted at {}, the file ends", self.at))?;
        let taken = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "short read".to_owned())
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    fn string(&mut self) -> Result<&'a [u8], String> {
        let n = self.u64()?;
        self.take(usize::try_from(n).unwrap_or(usize::MAX))
    }

    fn name(&mut self) -> Result<String, String> {
        self.string().map(|s| String::from_utf8_lossy(s).into_owned())
    }

    fn entry(&mut self) -> Result<(String, Vec<u64>, u32, u64), String> {
        let name = self.name()?;
        let dims = (0..self.u32()?).map(|_| self.u64()).collect::<Result<_, _>>()?;
        Ok((name, dims, self.u32()?, self.u64()?))
    }

    fn pair(&mut self) -> Result<Pair, String> {
        let key = self.name()?;
        let (id, ty, _, _) = self.value_type()?;
        if id != 9 {
            let value = self.scalar(id)?;
            return Ok(Pair { key, ty, value });
        }
        let (element, _, ty, _) = self.value_type()?;
        let count = self.u64()?;
        let start = self.at;
        let elements = (0..count).map(|_| self.scalar(element)).collect::<Result<Vec<_>, _>>()?;
        let raw = self.bytes.get(start..self.at).unwrap_or_default();
        let value = if raw.len() > SHORT {
            format!("{count} elements, sha256 {}", hex(raw))
        } else {
            format!("[{}]", elements.join(", "))
        };
        Ok(Pair { key, ty, value })
    }

    fn value_type(&mut self) -> Result<(u32, &'static str, &'static str, usize), String> {
        let id = self.u32()?;
        VALUE_TYPES.into_iter().find(|t| t.0 == id).ok_or_else(|| format!("value type {id} at {}", self.at))
    }

    fn scalar(&mut self, id: u32) -> Result<String, String> {
        Ok(match id {
            0 => u8::from_le_bytes(self.array()?).to_string(),
            1 => i8::from_le_bytes(self.array()?).to_string(),
            2 => u16::from_le_bytes(self.array()?).to_string(),
            3 => i16::from_le_bytes(self.array()?).to_string(),
            4 => self.u32()?.to_string(),
            5 => i32::from_le_bytes(self.array()?).to_string(),
            // Shortest form that reads back as the same number.
            6 => format!("{:?}", f32::from_le_bytes(self.array()?)),
            7 => match self.array::<1>()? {
                [0] => "false".to_owned(),
                [1] => "true".to_owned(),
                [other] => format!("bool of {other}"),
            },
            8 => {
                let s = self.string()?;
                match std::str::from_utf8(s) {
                    Ok(text) if s.len() <= SHORT => format!("{text:?}"),
                    _ => format!("{} bytes, sha256 {}", s.len(), hex(s)),
                }
            }
            10 => self.u64()?.to_string(),
            11 => i64::from_le_bytes(self.array()?).to_string(),
            12 => format!("{:?}", f64::from_le_bytes(self.array()?)),
            _ => return Err(format!("a value of type {id} at {}", self.at)),
        })
    }
}
