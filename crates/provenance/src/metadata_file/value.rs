//! JSON values as typed metadata.

use gguf_format::{Array, GgufString, Value, ValueType};
use serde_json::Value as Json;

use super::error::KeyProblem;
use crate::hidden::escape_hidden;
use crate::keys::Holds;

/// The fields of a base model or a dataset, in gguf-py's order.
const FIELDS: &[&str] =
    &["name", "author", "version", "organization", "description", "url", "doi", "uuid", "repo_url"];

/// The type that a value shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    One(ValueType),
    ArrayOf(ValueType),
}

impl Wanted {
    pub(super) const ALIGNMENT: Self = Self::One(ValueType::U32);

    /// The type of a key of the table.
    pub(super) fn of_key(holds: Holds) -> Self {
        match holds {
            Holds::Text(_) | Holds::License | Holds::Doi => Self::One(ValueType::String),
            Holds::Int => Self::One(ValueType::I32),
            Holds::Float => Self::One(ValueType::F32),
            Holds::Texts => Self::ArrayOf(ValueType::String),
        }
    }

    /// The type of a value; `None` of an array of arrays.
    pub(super) fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::Array(array) if array.element_type() == ValueType::Array => None,
            Value::Array(array) => Some(Self::ArrayOf(array.element_type())),
            value => Some(Self::One(value.value_type())),
        }
    }

    /// The type of JSON that leaves no choice: a text, a bool, a list of one of these.
    pub(super) fn plain(json: &Json) -> Option<Self> {
        let one = |json: &Json| match json {
            Json::String(_) => Some(ValueType::String),
            Json::Bool(_) => Some(ValueType::Bool),
            _ => None,
        };
        match json {
            Json::Array(list) => list.first().and_then(one).map(Self::ArrayOf),
            json => one(json).map(Self::One),
        }
    }

    /// The widest type for a number, or for a list of numbers.
    pub(super) fn number(json: &Json) -> Option<Self> {
        let one = |json: &Json| match json {
            json if json.is_i64() => Some(ValueType::I64),
            json if json.is_u64() => Some(ValueType::U64),
            json if json.is_f64() => Some(ValueType::F64),
            _ => None,
        };
        match json {
            Json::Array(list) if list.iter().all(|json| one(json).is_some()) => {
                let all = |ty| list.iter().all(|json| one(json) == Some(ty));
                let ty = [ValueType::I64, ValueType::U64].into_iter().find(|ty| all(*ty));
                list.first().map(|_| Self::ArrayOf(ty.unwrap_or(ValueType::F64)))
            }
            json => one(json).map(Self::One),
        }
    }

    /// The type that is written beside a value, `{"u32": 7}`, and the value.
    pub(super) fn said(json: &Json) -> Option<(Self, &Json)> {
        let object = json.as_object().filter(|object| object.len() == 1)?;
        let (name, inner) = object.iter().next()?;
        let ty = (0..=ValueType::F64.id()).filter_map(ValueType::from_id).find(|ty| ty.name() == name)?;
        match ty {
            ValueType::Array => None,
            ty if inner.is_array() => Some((Self::ArrayOf(ty), inner)),
            ty => Some((Self::One(ty), inner)),
        }
    }

    /// In words.
    pub(super) fn expected(self) -> &'static str {
        use ValueType as T;
        match self {
            Self::One(T::U8) => "an integer from 0 to 255",
            Self::One(T::I8) => "an integer from -128 to 127",
            Self::One(T::U16) => "an integer from 0 to 65535",
            Self::One(T::I16) => "an integer from -32768 to 32767",
            Self::One(T::U32) => "an integer from 0 to 4294967295",
            Self::One(T::I32) => "an integer within the range of i32",
            Self::One(T::U64) => "an integer from 0 to 2^64 - 1",
            Self::One(T::I64) => "an integer within the range of i64",
            Self::One(T::F32) => "a number within the range of f32",
            Self::One(T::F64) => "a number",
            Self::One(T::Bool) => "true or false",
            Self::One(T::String) => "a text",
            Self::ArrayOf(T::String) => "a list of texts",
            Self::ArrayOf(T::Bool) => "a list of true and false",
            Self::ArrayOf(T::F32 | T::F64) => "a list of numbers",
            Self::ArrayOf(T::Array) | Self::One(T::Array) => "a list of one type",
            Self::ArrayOf(_) => "a list of integers within the range of the key's type",
        }
    }

    /// The value in this type; `None` if it has none in it.
    pub(super) fn of(self, json: &Json) -> Option<Value> {
        let list = Json::as_array;
        macro_rules! integers {
            ($($ty:ident $rust:ty;)*) => {
                match self {
                    $(Self::One(ValueType::$ty) => Value::$ty(integer(json)?),
                    Self::ArrayOf(ValueType::$ty) => {
                        Value::Array(Array::$ty(list(json)?.iter().map(integer).collect::<Option<_>>()?))
                    })*
                    Self::One(ValueType::F32) => Value::F32(float(json)?),
                    Self::One(ValueType::F64) => Value::F64(json.as_f64()?),
                    Self::One(ValueType::Bool) => Value::Bool(json.as_bool()?),
                    Self::One(ValueType::String) => Value::String(text(json)?),
                    Self::ArrayOf(ValueType::F32) => list(json)?.iter().map(float).collect::<Option<Vec<_>>>()?.into(),
                    Self::ArrayOf(ValueType::F64) => {
                        list(json)?.iter().map(Json::as_f64).collect::<Option<Vec<_>>>()?.into()
                    }
                    Self::ArrayOf(ValueType::Bool) => {
                        list(json)?.iter().map(Json::as_bool).collect::<Option<Vec<_>>>()?.into()
                    }
                    Self::ArrayOf(ValueType::String) => list(json)?.iter().map(text).collect::<Option<Vec<_>>>()?.into(),
                    Self::One(ValueType::Array) | Self::ArrayOf(ValueType::Array) => return None,
                }
            };
        }
        Some(integers! { U8 u8; I8 i8; U16 u16; I16 i16; U32 u32; I32 i32; U64 u64; I64 i64; })
    }
}

/// An integer that fits.
fn integer<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    let wide = json.as_u64().map(i128::from).or_else(|| json.as_i64().map(i128::from))?;
    T::try_from(wide).ok()
}

/// The nearest f32, if it is finite.
fn float(json: &Json) -> Option<f32> {
    let narrow = json.as_f64()? as f32;
    narrow.is_finite().then_some(narrow)
}

/// A text without NUL, at which programs in C cut a string off.
fn text(json: &Json) -> Option<GgufString> {
    json.as_str().filter(|text| !text.contains('\0')).map(GgufString::from)
}

/// The fields of entry `i` of a list; empty and null ones are left out, as gguf-py does.
pub(super) fn reference(key: &str, i: usize, json: &Json) -> Result<Vec<(&'static str, String)>, KeyProblem> {
    let Json::Object(object) = json else {
        return Err(wrong(&format!("{key}[{i}]"), json, "an object"));
    };
    if let Some(field) = object.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(KeyProblem::Unknown {
            key: format!("{key}[{i}].{}", escape_hidden(field)),
            nearest: FIELDS.to_vec(),
        });
    }
    let mut fields = Vec::new();
    for field in FIELDS {
        match object.get(*field) {
            None | Some(Json::Null) => {}
            Some(value) => match text(value) {
                Some(text) if text.as_bytes().is_empty() => {}
                Some(text) => fields.push((*field, text.to_string())),
                None => return Err(wrong(&format!("{key}[{i}].{field}"), value, "a text")),
            },
        }
    }
    Ok(fields)
}

/// The problem of a value that is not what it should be.
pub(super) fn wrong(key: &str, json: &Json, expected: &str) -> KeyProblem {
    KeyProblem::Type { key: key.to_owned(), found: describe(json), expected: expected.to_owned() }
}

/// A value in a message: short ones as they are, long ones by their kind.
pub(super) fn describe(json: &Json) -> String {
    // JSON itself escapes the first 32 characters only.
    let text = escape_hidden(&json.to_string());
    match json {
        _ if text.len() <= 60 => text,
        Json::Array(list) => format!("a list of {} values", list.len()),
        Json::Object(object) => format!("an object of {} keys", object.len()),
        Json::String(text) => format!("a text of {} bytes", text.len()),
        _ => text,
    }
}
