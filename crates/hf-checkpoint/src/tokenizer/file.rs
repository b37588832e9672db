//! A tokenizer's files: found or absent, bounded in size, parsed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::TokenizerError;
use crate::bounded::{self, Unread};
use crate::limits::Limits;

/// The bytes of a file; `None` if there is no such file.
pub(super) fn read(path: &Path, limits: &Limits) -> Result<Option<Vec<u8>>, TokenizerError> {
    read_within(path, limits.tokenizer_bytes)
}

fn read_within(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, TokenizerError> {
    match std::fs::metadata(path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Ok(m) if !m.is_file() => return Ok(None),
        _ => (),
    }
    match bounded::read(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unread::Io(source)) => Err(TokenizerError::Io { path: path.into(), source }),
        Err(Unread::TooLarge { bytes, limit }) => {
            Err(TokenizerError::TooLarge { path: path.into(), bytes, limit })
        }
    }
}

/// A JSON file of any form, with settings; `None` if there is no such file.
pub(super) fn read_settings(path: &Path, limits: &Limits) -> Result<Option<Value>, TokenizerError> {
    let Some(bytes) = read_within(path, limits.settings_bytes)? else { return Ok(None) };
    bounded::parse(&bytes).map(Some).map_err(|source| TokenizerError::Json { path: path.into(), source })
}

/// A JSON object of settings; empty if there is no such file.
pub(super) fn read_map(path: &Path, limits: &Limits) -> Result<Map<String, Value>, TokenizerError> {
    match read_settings(path, limits)? {
        None => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(other) => Err(value_error(path, "the file", brief(&other), "an object")),
    }
}

/// A JSON file of this form; `None` if there is no such file.
pub(super) fn read_json<T: DeserializeOwned>(
    path: &Path,
    limits: &Limits,
) -> Result<Option<T>, TokenizerError> {
    let Some(bytes) = read(path, limits)? else { return Ok(None) };
    let source = match serde_json::from_slice(&bytes) {
        Ok(value) => return Ok(Some(value)),
        Err(source) => source,
    };
    Err(TokenizerError::Json { path: path.into(), source })
}

/// A text file; `None` if there is no such file. Line ends are Python's, which the converter reads it with: `\r\n` and
/// a lone `\r` become `\n`.
pub(super) fn read_text(path: &Path, limits: &Limits) -> Result<Option<String>, TokenizerError> {
    let Some(bytes) = read(path, limits)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|e| {
        value_error(path, "text", format!("bytes at {}", e.utf8_error().valid_up_to()), "UTF-8")
    })?;
    Ok(Some(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }))
}

/// A [`TokenizerError::Value`].
pub(super) fn value_error(
    path: impl Into<PathBuf>,
    key: impl Into<String>,
    found: impl Into<String>,
    expected: impl Into<String>,
) -> TokenizerError {
    TokenizerError::Value {
        path: path.into(),
        key: key.into(),
        found: found.into(),
        expected: expected.into(),
    }
}

/// A JSON value on one line, cut to what fits an error message.
pub(super) fn brief(value: &Value) -> String {
    shorten(&value.to_string(), 60)
}

/// At most `max` characters of a text.
pub(super) fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
