//! Arbitrary metadata and tensors.

use arbitrary::Arbitrary;
use gguf_format::{Array, Dims, GgmlType, GgufString, Metadata, TensorSpec, Value};

/// A value of a metadata pair.
#[derive(Arbitrary, Debug)]
pub(crate) enum AnyValue {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    U64(u64),
    I64(i64),
    F32(f32),
    F64(f64),
    Bool(bool),
    String(Vec<u8>),
    Array(AnyArray),
}

/// An array of them.
#[derive(Arbitrary, Debug)]
pub(crate) enum AnyArray {
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Bool(Vec<bool>),
    String(Vec<Vec<u8>>),
    Array(Vec<AnyArray>),
}

impl AnyValue {
    fn value(self) -> Value {
        match self {
            Self::U8(v) => v.into(),
            Self::I8(v) => v.into(),
            Self::U16(v) => v.into(),
            Self::I16(v) => v.into(),
            Self::U32(v) => v.into(),
            Self::I32(v) => v.into(),
            Self::U64(v) => v.into(),
            Self::I64(v) => v.into(),
            Self::F32(v) => v.into(),
            Self::F64(v) => v.into(),
            Self::Bool(v) => v.into(),
            Self::String(v) => GgufString::from(v).into(),
            Self::Array(v) => v.array().into(),
        }
    }
}

impl AnyArray {
    fn array(self) -> Array {
        match self {
            Self::U8(v) => Array::U8(v),
            Self::I8(v) => Array::I8(v),
            Self::U16(v) => Array::U16(v),
            Self::I16(v) => Array::I16(v),
            Self::U32(v) => Array::U32(v),
            Self::I32(v) => Array::I32(v),
            Self::U64(v) => Array::U64(v),
            Self::I64(v) => Array::I64(v),
            Self::F32(v) => Array::F32(v),
            Self::F64(v) => Array::F64(v),
            Self::Bool(v) => Array::Bool(v),
            Self::String(v) => Array::String(v.into_iter().map(GgufString::from).collect()),
            Self::Array(v) => Array::Array(v.into_iter().map(Self::array).collect()),
        }
    }
}

/// Pairs and tensors.
#[derive(Arbitrary, Debug)]
pub(crate) struct AnyModel {
    pairs: Vec<(String, AnyValue)>,
    alignment: Option<u8>,
    tensors: Vec<(String, Vec<u16>, u8)>,
}

impl AnyModel {
    /// The metadata, and the tensors that can be described at all.
    pub(crate) fn parts(self) -> (Metadata, Vec<TensorSpec>) {
        let mut metadata = Metadata::new();
        for (key, value) in self.pairs {
            metadata.insert(key, value.value());
        }
        if let Some(shift) = self.alignment {
            metadata.insert("general.alignment", 1u32 << (shift % 14));
        }
        let spec = |(name, dims, ty): (String, Vec<u16>, u8)| {
            let ty = *GgmlType::ALL.get(usize::from(ty) % GgmlType::ALL.len())?;
            let dims: Vec<u64> = dims.into_iter().map(u64::from).collect();
            Some(TensorSpec::new(name, Dims::new(&dims).ok()?, ty))
        };
        (metadata, self.tensors.into_iter().filter_map(spec).collect())
    }
}
