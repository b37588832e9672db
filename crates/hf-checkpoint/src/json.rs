//! JSON files of a checkpoint.

use std::path::Path;

use serde_json::Value;

use crate::bounded::{self, Unread};
use crate::error::Error;
use crate::limits::Limits;

/// Reads a JSON file with settings.
pub(crate) fn read(path: &Path, limits: &Limits) -> Result<Value, Error> {
    read_within(path, limits.settings_bytes)
}

/// Reads a JSON file of no more than so many bytes.
pub(crate) fn read_within(path: &Path, limit: u64) -> Result<Value, Error> {
    let bytes = bounded::read(path, limit).map_err(|unread| match unread {
        Unread::Io(source) => Error::Io { action: "read".to_owned(), path: path.to_owned(), source },
        Unread::TooLarge { bytes, limit } => Error::TooLarge { path: path.to_owned(), bytes, limit },
    })?;
    bounded::parse(&bytes).map_err(|source| Error::Json { path: path.to_owned(), source })
}

/// Reads a JSON file if it is there.
pub(crate) fn read_if_there(path: &Path, limits: &Limits) -> Result<Option<Value>, Error> {
    if path.is_file() { read(path, limits).map(Some) } else { Ok(None) }
}

/// The error for a value that a key cannot have.
pub(crate) fn bad_key(path: &Path, key: &str, found: &Value, expected: &str) -> Error {
    Error::BadKey {
        path: path.to_owned(),
        key: key.to_owned(),
        found: describe(found),
        expected: expected.to_owned(),
    }
}

/// A value in a message: short ones as they are, long ones by their kind.
fn describe(value: &Value) -> String {
    let text = value.to_string();
    match value {
        _ if text.len() <= 60 => text,
        Value::Array(a) => format!("a list of {} values", a.len()),
        Value::Object(o) => format!("an object of {} keys", o.len()),
        Value::String(s) => format!("a string of {} bytes", s.len()),
        _ => text,
    }
}

/// Whether Python would take the value for true.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(a) => !a.is_empty(),
        Value::Object(o) => !o.is_empty(),
    }
}

/// The nearest f32 of a number; `None` if it is no number or too large.
pub(crate) fn to_f32(value: &Value) -> Option<f32> {
    let narrow = value.as_f64()? as f32;
    narrow.is_finite().then_some(narrow)
}
