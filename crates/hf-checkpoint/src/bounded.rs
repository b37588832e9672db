//! Files that are read whole, within bounds: so many bytes, and of JSON so many values, because a value of two bytes in a
//! file has seventy in memory. Depth is bounded by serde_json, at 128.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::limits::Limits;

/// The most values in a file of JSON whose form is free. The largest known index of shards has 200 thousand.
const VALUES: usize = 1 << 20;

/// A folder, and how much of its files is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Folder<'a> {
    pub path: &'a Path,
    pub limits: &'a Limits,
}

impl Folder<'_> {
    /// The path of a file in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Why a file is not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// What the system said.
    Io(io::Error),
    /// It has more bytes than it may have.
    TooLarge { bytes: u64, limit: u64 },
}

/// The bytes of a file that has no more than these.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Unread> {
    // Before it is opened: opening a pipe would wait for its other end.
    if !std::fs::metadata(path).map_err(Unread::Io)?.is_file() {
        return Err(Unread::Io(io::Error::other("not a regular file")));
    }
    let file = File::open(path).map_err(Unread::Io)?;
    let bytes = file.metadata().map_err(Unread::Io)?.len();
    if bytes > limit {
        return Err(Unread::TooLarge { bytes, limit });
    }
    let mut content = Vec::new();
    // It may grow while it is read.
    file.take(limit).read_to_end(&mut content).map_err(Unread::Io)?;
    Ok(content)
}

/// The value of a JSON file.
pub(crate) fn parse(bytes: &[u8]) -> serde_json::Result<Value> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = value(&mut json)?;
    json.end()?;
    Ok(value)
}

/// A value of any form within another, for `#[serde(deserialize_with)]`.
pub(crate) fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Bounded { left: &mut { VALUES } }.deserialize(deserializer)
}

/// Makes a [`Value`] of no more values than are left.
struct Bounded<'l> {
    left: &'l mut usize,
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        *self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Error::custom(format_args!("more than {VALUES} values")))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Bounded { left: &mut *self.left })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            values.insert(key, map.next_value_seed(Bounded { left: &mut *self.left })?);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_serde_json() {
        let text = r#" {"b": [1, -2, 3.5, 1e300, 18446744073709551615, 1e-400, 123456789012345678901234567890],
            "a": null, "b2": true, "": {"é\n": "x", "x": {}}, "a": ["later"], "t": "\u00e9"} "#;
        let ours = parse(text.as_bytes()).unwrap();
        let theirs: Value = serde_json::from_str(text).unwrap();
        assert_eq!(ours.to_string(), theirs.to_string());
        for bad in ["", "{", "[1,]", "[1] 2", "{\"a\": nul}", "1e400", "\"\\ud800\""] {
            let theirs = serde_json::from_str::<Value>(bad).unwrap_err();
            assert_eq!(parse(bad.as_bytes()).unwrap_err().to_string(), theirs.to_string(), "{bad}");
        }
    }

    #[test]
    fn no_more_values_and_no_deeper_than_allowed() {
        let list = |n: usize| format!("[{}0]", "0,".repeat(n - 1));
        assert!(parse(list(VALUES - 1).as_bytes()).is_ok());
        let error = parse(list(VALUES).as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("more than 1048576 values at line 1 column "), "{error}");
        // Not in any form of nesting either.
        let spread = format!("[{}0]", "{\"a\":[[],{}]},".repeat(VALUES / 4));
        assert!(parse(spread.as_bytes()).is_err());
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(deep(127).as_bytes()).is_ok());
        assert!(parse(deep(128).as_bytes()).unwrap_err().to_string().starts_with("recursion limit exceeded"));
        assert!(parse("[".repeat(1 << 20).as_bytes()).is_err());
    }

    #[test]
    fn no_larger_than_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read(&path, 100).unwrap(), [7; 100]);
        assert!(matches!(read(&path, 99), Err(Unread::TooLarge { bytes: 100, limit: 99 })));
        // A terabyte of nothing.
        File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(read(&path, 1 << 24), Err(Unread::TooLarge { bytes: 0x100_0000_0000, .. })));
        assert!(matches!(read(folder.path(), 99), Err(Unread::Io(_))));
        assert!(matches!(read(&folder.path().join("absent"), 99), Err(Unread::Io(_))));
    }
}
