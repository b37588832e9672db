//! Metadata values, owned: what a writer is given.

use std::fmt;

/// The type of a metadata value, with its id in the file (GGUF specification, `gguf_metadata_value_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ValueType {
    /// `u8`, id 0.
    U8 = 0,
    /// `i8`, id 1.
    I8 = 1,
    /// `u16`, id 2.
    U16 = 2,
    /// `i16`, id 3.
    I16 = 3,
    /// `u32`, id 4.
    U32 = 4,
    /// `i32`, id 5.
    I32 = 5,
    /// `f32`, id 6.
    F32 = 6,
    /// `bool`, one byte, 0 or 1, id 7.
    Bool = 7,
    /// A string: length, then bytes, id 8.
    String = 8,
    /// An array: element type, length, then the elements, id 9.
    Array = 9,
    /// `u64`, id 10.
    U64 = 10,
    /// `i64`, id 11.
    I64 = 11,
    /// `f64`, id 12.
    F64 = 12,
}

impl ValueType {
    /// The type with this id; `None` if the specification has none.
    #[must_use]
    pub const fn from_id(id: u32) -> Option<Self> {
        Some(match id {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            8 => Self::String,
            9 => Self::Array,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return None,
        })
    }

    /// The id in the file.
    #[must_use]
    pub const fn id(self) -> u32 {
        self as u32
    }

    /// The name as GGUF tools print it: `u32`, `str`, `arr`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::Bool => "bool",
            Self::String => "str",
            Self::Array => "arr",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }

    /// Bytes of a value of this type; `None` for strings and arrays, whose size varies.
    #[must_use]
    pub const fn fixed_bytes(self) -> Option<usize> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::String | Self::Array => None,
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A string of a GGUF file: bytes that ought to be UTF-8, but that files in the wild do not always keep to.
///
/// The bytes are kept as they are, NUL included.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GgufString(Vec<u8>);

impl GgufString {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, if the bytes are UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<&str> for GgufString {
    fn from(s: &str) -> Self {
        Self(s.as_bytes().to_vec())
    }
}

impl From<String> for GgufString {
    fn from(s: String) -> Self {
        Self(s.into_bytes())
    }
}

impl From<&[u8]> for GgufString {
    fn from(s: &[u8]) -> Self {
        Self(s.to_vec())
    }
}

impl From<Vec<u8>> for GgufString {
    fn from(s: Vec<u8>) -> Self {
        Self(s)
    }
}

impl fmt::Display for GgufString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

impl fmt::Debug for GgufString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

/// A metadata value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A `u8`.
    U8(u8),
    /// An `i8`.
    I8(i8),
    /// A `u16`.
    U16(u16),
    /// An `i16`.
    I16(i16),
    /// A `u32`.
    U32(u32),
    /// An `i32`.
    I32(i32),
    /// A `u64`.
    U64(u64),
    /// An `i64`.
    I64(i64),
    /// An `f32`.
    F32(f32),
    /// An `f64`.
    F64(f64),
    /// A `bool`.
    Bool(bool),
    /// A string.
    String(GgufString),
    /// An array.
    Array(Array),
}

/// An array of values of one type.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Of `u8`.
    U8(Vec<u8>),
    /// Of `i8`.
    I8(Vec<i8>),
    /// Of `u16`.
    U16(Vec<u16>),
    /// Of `i16`.
    I16(Vec<i16>),
    /// Of `u32`.
    U32(Vec<u32>),
    /// Of `i32`.
    I32(Vec<i32>),
    /// Of `u64`.
    U64(Vec<u64>),
    /// Of `i64`.
    I64(Vec<i64>),
    /// Of `f32`.
    F32(Vec<f32>),
    /// Of `f64`.
    F64(Vec<f64>),
    /// Of `bool`.
    Bool(Vec<bool>),
    /// Of strings.
    String(Vec<GgufString>),
    /// Of arrays, each with a type of its own.
    Array(Vec<Array>),
}

macro_rules! per_type {
    ($($variant:ident $rust:ty;)*) => {
        impl Value {
            /// The type.
            #[must_use]
            pub const fn value_type(&self) -> ValueType {
                match self { $(Self::$variant(_) => ValueType::$variant,)* Self::String(_) => ValueType::String, Self::Array(_) => ValueType::Array }
            }
        }

        impl Array {
            /// The type of the elements.
            #[must_use]
            pub const fn element_type(&self) -> ValueType {
                match self { $(Self::$variant(_) => ValueType::$variant,)* Self::String(_) => ValueType::String, Self::Array(_) => ValueType::Array }
            }

            /// The number of elements.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(v) => v.len(),)* Self::String(v) => v.len(), Self::Array(v) => v.len() }
            }

            /// Whether there is no element.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }

        $(impl From<$rust> for Value { fn from(v: $rust) -> Self { Self::$variant(v) } }
        impl From<Vec<$rust>> for Value { fn from(v: Vec<$rust>) -> Self { Self::Array(Array::$variant(v)) } })*
    };
}

per_type! { U8 u8; I8 i8; U16 u16; I16 i16; U32 u32; I32 i32; U64 u64; I64 i64; F32 f32; F64 f64; Bool bool; }

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::String(v.into())
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::String(v.into())
    }
}

impl From<GgufString> for Value {
    fn from(v: GgufString) -> Self {
        Self::String(v)
    }
}

impl From<Vec<GgufString>> for Value {
    fn from(v: Vec<GgufString>) -> Self {
        Self::Array(Array::String(v))
    }
}

impl From<Vec<String>> for Value {
    fn from(v: Vec<String>) -> Self {
        Self::Array(Array::String(v.into_iter().map(GgufString::from).collect()))
    }
}

impl From<Array> for Value {
    fn from(v: Array) -> Self {
        Self::Array(v)
    }
}

impl Value {
    /// The text, if this is a string of UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => s.as_str(),
            _ => None,
        }
    }

    /// The number, if this is an unsigned integer, or a signed one that is not negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U8(v) => Some(v.into()),
            Self::U16(v) => Some(v.into()),
            Self::U32(v) => Some(v.into()),
            Self::U64(v) => Some(v),
            Self::I8(v) => u64::try_from(v).ok(),
            Self::I16(v) => u64::try_from(v).ok(),
            Self::I32(v) => u64::try_from(v).ok(),
            Self::I64(v) => u64::try_from(v).ok(),
            _ => None,
        }
    }
}
