//! Metadata values read in place, and the types that a caller may ask for.

use crate::array_ref::{ArrayRef, Elements, Scalar, Strings};
use crate::cursor::Encoding;
use crate::error::KeyError;
use crate::value::{Value, ValueType};

/// A metadata value in a header, borrowed: strings and arrays are not copied.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
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
    /// A string's bytes, which ought to be UTF-8.
    String(&'a [u8]),
    /// An array.
    Array(ArrayRef<'a>),
}

macro_rules! per_type {
    ($($variant:ident $rust:ty,)*) => {
        impl<'a> ValueRef<'a> {
            /// Reads a value of a checked header from its bytes.
            pub(crate) fn decode(ty: ValueType, bytes: &'a [u8], encoding: Encoding) -> Option<Self> {
                Some(match ty {
                    $(ValueType::$variant => Self::$variant(<$rust>::decode(bytes, encoding.order)?),)*
                    ValueType::String => Self::String(bytes.get(encoding.length_bytes() as usize..)?),
                    ValueType::Array => Self::Array(ArrayRef::whole(bytes, encoding)),
                })
            }

            /// The type.
            #[must_use]
            pub const fn value_type(&self) -> ValueType {
                match self {
                    $(Self::$variant(_) => ValueType::$variant,)*
                    Self::String(_) => ValueType::String,
                    Self::Array(_) => ValueType::Array,
                }
            }

            /// The value, owned.
            #[must_use]
            pub fn to_value(&self) -> Value {
                match self {
                    $(Self::$variant(v) => Value::$variant(*v),)*
                    Self::String(v) => Value::String((*v).into()),
                    Self::Array(v) => Value::Array(v.to_array()),
                }
            }
        }

        $(impl<'a> FromValue<'a> for $rust {
            const WANTED: &'static str = ValueType::$variant.name();

            fn from_value(value: ValueRef<'a>) -> Option<Self> {
                match value {
                    ValueRef::$variant(v) => Some(v),
                    _ => None,
                }
            }
        }

        impl<'a> FromValue<'a> for Elements<'a, $rust> {
            const WANTED: &'static str = concat!("arr[", stringify!($rust), "]");

            fn from_value(value: ValueRef<'a>) -> Option<Self> {
                value.as_array()?.iter()
            }
        })*
    };
}

per_type! { U8 u8, I8 i8, U16 u16, I16 i16, U32 u32, I32 i32, U64 u64, I64 i64, F32 f32, F64 f64, Bool bool, }

impl<'a> ValueRef<'a> {
    /// The text, if this is a string of UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::String(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The array, if this is one.
    #[must_use]
    pub fn as_array(&self) -> Option<ArrayRef<'a>> {
        match self {
            Self::Array(array) => Some(*array),
            _ => None,
        }
    }

    /// The number, if this is an integer of any type.
    #[must_use]
    pub fn as_integer(&self) -> Option<i128> {
        Some(match *self {
            Self::U8(v) => v.into(),
            Self::U16(v) => v.into(),
            Self::U32(v) => v.into(),
            Self::U64(v) => v.into(),
            Self::I8(v) => v.into(),
            Self::I16(v) => v.into(),
            Self::I32(v) => v.into(),
            Self::I64(v) => v.into(),
            _ => return None,
        })
    }

    /// The type as GGUF tools print it: `u32`, `str`, `arr[str]`.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Self::Array(array) => array.type_name(),
            other => other.value_type().name().to_owned(),
        }
    }
}

/// A type that a metadata value can be asked for as: numbers, `bool`, `&str`, `&[u8]`, [`ArrayRef`],
/// [`Elements`] and [`Strings`].
pub trait FromValue<'a>: Sized {
    /// The name of the wanted type, for errors.
    const WANTED: &'static str;

    /// The value as this type; `None` if it is of another. No conversion is made between types of numbers.
    fn from_value(value: ValueRef<'a>) -> Option<Self>;

    /// The value as this type, or the error that says what it is instead.
    ///
    /// # Errors
    /// If the value is of another type, or a string that should be UTF-8 and is not.
    fn from_pair(key: &str, value: ValueRef<'a>) -> Result<Self, KeyError> {
        Self::from_value(value).ok_or_else(|| KeyError::Type {
            key: key.to_owned(),
            found: value.type_name(),
            wanted: Self::WANTED,
        })
    }
}

impl<'a> FromValue<'a> for &'a str {
    const WANTED: &'static str = "str";

    fn from_value(value: ValueRef<'a>) -> Option<Self> {
        value.as_str()
    }

    fn from_pair(key: &str, value: ValueRef<'a>) -> Result<Self, KeyError> {
        let bytes = <&[u8]>::from_pair(key, value)?;
        std::str::from_utf8(bytes).map_err(|_| KeyError::NotUtf8 { key: key.to_owned() })
    }
}

impl<'a> FromValue<'a> for &'a [u8] {
    const WANTED: &'static str = "str";

    fn from_value(value: ValueRef<'a>) -> Option<Self> {
        match value {
            ValueRef::String(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl<'a> FromValue<'a> for ArrayRef<'a> {
    const WANTED: &'static str = "arr";

    fn from_value(value: ValueRef<'a>) -> Option<Self> {
        value.as_array()
    }
}

impl<'a> FromValue<'a> for Strings<'a> {
    const WANTED: &'static str = "arr[str]";

    fn from_value(value: ValueRef<'a>) -> Option<Self> {
        value.as_array()?.strings()
    }
}
