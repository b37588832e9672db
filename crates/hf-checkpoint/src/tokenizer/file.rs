//! A tokenizer's files: found or absent, bounded in size, parsed.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::TokenizerError;

/// Ten times the largest tokenizer known (Gemma 3: 33 MB).
const MAX_BYTES: u64 = 512 << 20;

/// The bytes of a file; `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, TokenizerError> {
    let io = |source| TokenizerError::Io { path: path.into(), source };
    match std::fs::metadata(path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(io(e)),
        Ok(m) if !m.is_file() => return Ok(None),
        Ok(_) => (),
    }
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    if len > MAX_BYTES {
        return Err(TokenizerError::TooLarge { path: path.into(), bytes: len, limit: MAX_BYTES });
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(io)?;
    Ok(Some(bytes))
}

/// A JSON file; `None` if there is no such file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TokenizerError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    let source = match serde_json::from_slice(&bytes) {
        Ok(value) => return Ok(Some(value)),
        Err(source) => source,
    };
    Err(TokenizerError::Json { path: path.into(), source })
}

/// A text file; `None` if there is no such file. Line ends are Python's, which the converter reads it with: `\r\n` and
/// a lone `\r` become `\n`.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, TokenizerError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
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
