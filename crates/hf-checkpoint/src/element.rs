//! Element types of safetensors files, and which of ours they become.

use gguf_format::GgmlType;
use half::{bf16, f16};
use safetensors::Dtype;

/// Dtypes that a mapped tensor may have; for error messages.
pub(crate) const FLOATS: &str = "F16, BF16, F32 or F64";
/// Dtypes that an unmapped tensor may have; for error messages.
pub(crate) const NUMBERS: &str = "F16, BF16, F32, F64, a plain integer type or BOOL";

/// A dtype that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F16,
    Bf16,
    F32,
    F64,
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
}

impl Element {
    /// Floats only: integers in a language model are packed quantized weights or tables.
    pub(crate) fn float(dtype: Dtype) -> Option<Self> {
        Some(match dtype {
            Dtype::F16 => Self::F16,
            Dtype::BF16 => Self::Bf16,
            Dtype::F32 => Self::F32,
            Dtype::F64 => Self::F64,
            _ => return None,
        })
    }

    /// Any plain number.
    pub(crate) fn number(dtype: Dtype) -> Option<Self> {
        Some(match dtype {
            Dtype::BOOL => Self::Bool,
            Dtype::U8 => Self::U8,
            Dtype::I8 => Self::I8,
            Dtype::U16 => Self::U16,
            Dtype::I16 => Self::I16,
            Dtype::U32 => Self::U32,
            Dtype::I32 => Self::I32,
            Dtype::U64 => Self::U64,
            Dtype::I64 => Self::I64,
            other => return Self::float(other),
        })
    }

    /// The GGUF type that holds every value of it unchanged: itself, or F32 (for some values of F64 and of long
    /// integers only).
    pub(crate) fn lossless(self) -> GgmlType {
        match self {
            Self::F16 => GgmlType::F16,
            Self::Bf16 => GgmlType::BF16,
            _ => GgmlType::F32,
        }
    }

    /// Bytes of an element.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::F16 | Self::Bf16 | Self::U16 | Self::I16 => 2,
            Self::F32 | Self::U32 | Self::I32 => 4,
            Self::F64 | Self::U64 | Self::I64 => 8,
        }
    }

    /// The name in a safetensors header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::Bool => "BOOL",
            Self::U8 => "U8",
            Self::I8 => "I8",
            Self::U16 => "U16",
            Self::I16 => "I16",
            Self::U32 => "U32",
            Self::I32 => "I32",
            Self::U64 => "U64",
            Self::I64 => "I64",
        }
    }

    /// Converts little-endian elements to little-endian F32.
    ///
    /// `from` holds whole elements of this type and `to` as many of four bytes.
    ///
    /// # Errors
    /// The place and the text of the first value that F32 cannot hold exactly. NaN stays NaN.
    pub(crate) fn to_f32(self, from: &[u8], to: &mut [u8]) -> Result<(), (u64, String)> {
        match self {
            Self::F32 => {
                to.copy_from_slice(from);
                Ok(())
            }
            Self::F16 => exact(from, to, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => exact(from, to, |b| bf16::from_le_bytes(b).to_f32()),
            Self::Bool => exact(from, to, |[b]: [u8; 1]| f32::from(u8::from(b != 0))),
            Self::U8 => exact(from, to, |[b]: [u8; 1]| f32::from(b)),
            Self::I8 => exact(from, to, |b| f32::from(i8::from_le_bytes(b))),
            Self::U16 => exact(from, to, |b| f32::from(u16::from_le_bytes(b))),
            Self::I16 => exact(from, to, |b| f32::from(i16::from_le_bytes(b))),
            Self::F64 => checked(from, to, |b| {
                let v = f64::from_le_bytes(b);
                let narrow = v as f32;
                if f64::from(narrow) == v || v.is_nan() { Ok(narrow) } else { Err(v.to_string()) }
            }),
            Self::U32 => checked(from, to, |b| integer(u32::from_le_bytes(b).into())),
            Self::I32 => checked(from, to, |b| integer(i32::from_le_bytes(b).into())),
            Self::U64 => checked(from, to, |b| integer(u64::from_le_bytes(b).into())),
            Self::I64 => checked(from, to, |b| integer(i64::from_le_bytes(b).into())),
        }
    }
}

fn integer(v: i128) -> Result<f32, String> {
    let narrow = v as f32;
    // Every f32 made of a 64-bit integer is below 2^65, so that the way back is exact.
    if narrow as i128 == v { Ok(narrow) } else { Err(v.to_string()) }
}

fn exact<const N: usize>(
    from: &[u8],
    to: &mut [u8],
    f: impl Fn([u8; N]) -> f32,
) -> Result<(), (u64, String)> {
    for (from, to) in from.as_chunks::<N>().0.iter().zip(to.as_chunks_mut::<4>().0) {
        *to = f(*from).to_le_bytes();
    }
    Ok(())
}

fn checked<const N: usize>(
    from: &[u8],
    to: &mut [u8],
    f: impl Fn([u8; N]) -> Result<f32, String>,
) -> Result<(), (u64, String)> {
    for (i, (from, to)) in from.as_chunks::<N>().0.iter().zip(to.as_chunks_mut::<4>().0).enumerate() {
        *to = f(*from).map_err(|v| (i as u64, v))?.to_le_bytes();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(element: Element, bytes: &[u8]) -> Result<Vec<f32>, (u64, String)> {
        let mut to = vec![0; bytes.len() / element.size() * 4];
        element.to_f32(bytes, &mut to)?;
        Ok(to.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    #[test]
    fn values_that_f32_holds_come_through_and_others_are_named() {
        let f64s: Vec<u8> = [1.5f64, -0.0, f64::INFINITY, 0.1].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(convert(Element::F64, &f64s[..24]).unwrap(), [1.5, -0.0, f32::INFINITY]);
        assert_eq!(convert(Element::F64, &f64s), Err((3, "0.1".to_owned())));
        let i64s: Vec<u8> =
            [1i64 << 24, i64::MIN, (1 << 24) + 1].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(convert(Element::I64, &i64s[..16]).unwrap(), [16_777_216.0, -9.223_372e18]);
        assert_eq!(convert(Element::I64, &i64s), Err((2, "16777217".to_owned())));
        assert_eq!(convert(Element::U64, &u64::MAX.to_le_bytes()), Err((0, u64::MAX.to_string())));
        assert_eq!(convert(Element::Bool, &[0, 1, 7]).unwrap(), [0.0, 1.0, 1.0]);
        assert_eq!(convert(Element::I8, &[0xFF]).unwrap(), [-1.0]);
        assert!(convert(Element::F64, &f64::NAN.to_le_bytes()).unwrap()[0].is_nan());
    }

    #[test]
    fn every_16_bit_float_keeps_its_value() {
        for bits in 0..=u16::MAX {
            let bytes = bits.to_le_bytes();
            let b = convert(Element::Bf16, &bytes).unwrap()[0];
            assert!(b.to_bits() == u32::from(bits) << 16 || (b.is_nan() && bf16::from_bits(bits).is_nan()));
            let h = convert(Element::F16, &bytes).unwrap()[0];
            assert!(f16::from_f32(h).to_bits() == bits || (h.is_nan() && f16::from_bits(bits).is_nan()));
        }
    }
}
