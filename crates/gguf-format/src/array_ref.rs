//! Arrays read in place: their elements are decoded as they are asked for.

use std::marker::PhantomData;

use crate::cursor::{ByteOrder, Cursor, Encoding, split_string};
use crate::value::{Array, GgufString, ValueType};

/// An array in a header, borrowed: nothing is copied until an element is read.
#[derive(Clone, Copy, Debug)]
pub struct ArrayRef<'a> {
    element_type: ValueType,
    len: usize,
    elements: &'a [u8],
    encoding: Encoding,
}

impl<'a> ArrayRef<'a> {
    /// The array that these bytes of a checked header begin with, and the bytes after it.
    pub(crate) fn split(bytes: &'a [u8], encoding: Encoding) -> Option<(Self, &'a [u8])> {
        let mut cursor = Cursor::new(bytes, encoding, u64::MAX);
        cursor.skip_value(ValueType::Array, u8::MAX).ok()?;
        let end = cursor.position();
        let mut cursor = Cursor::new(bytes, encoding, u64::MAX);
        let element_type = cursor.value_type().ok()?;
        let len = cursor.length().ok()?.try_into().ok()?;
        let elements = bytes.get(cursor.position()..end)?;
        Some((Self { element_type, len, elements, encoding }, bytes.get(end..)?))
    }

    /// An array whose bytes are known to be these and no more.
    pub(crate) fn whole(bytes: &'a [u8], encoding: Encoding) -> Self {
        let mut cursor = Cursor::new(bytes, encoding, u64::MAX);
        let head = cursor.value_type().and_then(|ty| Ok((ty, cursor.length()?)));
        // A checked header has a head here; an empty array stands for the impossible.
        let (element_type, len) = head.unwrap_or((ValueType::U8, 0));
        let elements = bytes.get(cursor.position()..).unwrap_or_default();
        Self { element_type, len: usize::try_from(len).unwrap_or(0), elements, encoding }
    }

    /// The type of the elements.
    #[must_use]
    pub fn element_type(&self) -> ValueType {
        self.element_type
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements, if they are numbers or booleans of this type: `array.iter::<u32>()`.
    #[must_use]
    pub fn iter<T: Scalar>(&self) -> Option<Elements<'a, T>> {
        (self.element_type == T::TYPE).then_some(Elements {
            bytes: self.elements,
            order: self.encoding.order,
            element: PhantomData,
        })
    }

    /// The elements as bytes, if they are strings.
    #[must_use]
    pub fn strings(&self) -> Option<Strings<'a>> {
        (self.element_type == ValueType::String).then_some(Strings {
            bytes: self.elements,
            len: self.len,
            encoding: self.encoding,
        })
    }

    /// The elements, if they are arrays.
    #[must_use]
    pub fn arrays(&self) -> Option<Arrays<'a>> {
        (self.element_type == ValueType::Array).then_some(Arrays {
            bytes: self.elements,
            len: self.len,
            encoding: self.encoding,
        })
    }

    /// The array as an owned value.
    #[must_use]
    pub fn to_array(&self) -> Array {
        macro_rules! owned {
            ($($variant:ident $rust:ty,)*) => {
                match self.element_type {
                    $(ValueType::$variant => Array::$variant(self.iter::<$rust>().into_iter().flatten().collect()),)*
                    ValueType::String => {
                        Array::String(self.strings().into_iter().flatten().map(GgufString::from).collect())
                    }
                    ValueType::Array => {
                        Array::Array(self.arrays().into_iter().flatten().map(|a| a.to_array()).collect())
                    }
                }
            };
        }
        owned! { U8 u8, I8 i8, U16 u16, I16 i16, U32 u32, I32 i32, U64 u64, I64 i64, F32 f32, F64 f64, Bool bool, }
    }

    /// The type as GGUF tools print it: `arr[u32]`.
    pub(crate) fn type_name(&self) -> String {
        format!("arr[{}]", self.element_type)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A number or boolean that a metadata value or an array element can be; implemented here for all of them.
pub trait Scalar: Copy + sealed::Sealed {
    /// Its type in a file.
    const TYPE: ValueType;

    /// Reads it from as many bytes as it has; `None` from any other number of bytes.
    #[doc(hidden)]
    fn decode(bytes: &[u8], order: ByteOrder) -> Option<Self>;
}

macro_rules! scalars {
    ($($variant:ident $rust:ty,)*) => {$(
        impl sealed::Sealed for $rust {}
        impl Scalar for $rust {
            const TYPE: ValueType = ValueType::$variant;

            fn decode(bytes: &[u8], order: ByteOrder) -> Option<Self> {
                let bytes = bytes.try_into().ok()?;
                Some(match order {
                    ByteOrder::Little => Self::from_le_bytes(bytes),
                    ByteOrder::Big => Self::from_be_bytes(bytes),
                })
            }
        }
    )*};
}

scalars! { U8 u8, I8 i8, U16 u16, I16 i16, U32 u32, I32 i32, U64 u64, I64 i64, F32 f32, F64 f64, }

impl sealed::Sealed for bool {}
impl Scalar for bool {
    const TYPE: ValueType = ValueType::Bool;

    fn decode(bytes: &[u8], _order: ByteOrder) -> Option<Self> {
        match bytes {
            [byte] => Some(*byte != 0),
            _ => None,
        }
    }
}

/// The elements of an array of numbers or booleans.
#[derive(Clone, Debug)]
pub struct Elements<'a, T> {
    bytes: &'a [u8],
    order: ByteOrder,
    element: PhantomData<T>,
}

impl<T: Scalar> Elements<'_, T> {
    /// The element at this index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<T> {
        let start = index.checked_mul(size_of::<T>())?;
        let bytes = self.bytes.get(start..start.checked_add(size_of::<T>())?)?;
        T::decode(bytes, self.order)
    }
}

impl<T: Scalar> Iterator for Elements<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let (element, rest) = self.bytes.split_at_checked(size_of::<T>())?;
        self.bytes = rest;
        T::decode(element, self.order)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = self.bytes.len() / size_of::<T>();
        (n, Some(n))
    }
}

impl<T: Scalar> ExactSizeIterator for Elements<'_, T> {}

/// The elements of an array of strings, as bytes.
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    bytes: &'a [u8],
    len: usize,
    encoding: Encoding,
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.len = self.len.checked_sub(1)?;
        let (string, rest) = split_string(self.bytes, self.encoding)?;
        self.bytes = rest;
        Some(string)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl ExactSizeIterator for Strings<'_> {}

/// The elements of an array of arrays.
#[derive(Clone, Debug)]
pub struct Arrays<'a> {
    bytes: &'a [u8],
    len: usize,
    encoding: Encoding,
}

impl<'a> Iterator for Arrays<'a> {
    type Item = ArrayRef<'a>;

    fn next(&mut self) -> Option<ArrayRef<'a>> {
        self.len = self.len.checked_sub(1)?;
        let (array, rest) = ArrayRef::split(self.bytes, self.encoding)?;
        self.bytes = rest;
        Some(array)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl ExactSizeIterator for Arrays<'_> {}
