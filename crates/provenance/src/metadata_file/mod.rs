//! A file of metadata that go over what a model says of itself.
//!
//! Its form is that of `--metadata` of llama.cpp's converter (gguf-py 0.19, `Metadata.load`): a JSON object of
//! `general.*` keys, with base models and datasets as lists of objects. Here it may hold the other keys as well.

mod error;
mod value;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use gguf_format::{Metadata, Value};
use serde_json::Value as Json;

pub use self::error::{KeyProblem, MetadataFileError};
use self::value::{Wanted, describe, reference, wrong};
use crate::error::Error;
use crate::keys::{self, Holds};
use crate::license;
use crate::pairs::{merge, remove_references};
use crate::reference::Kind;
use crate::text::{check_doi, check_value};

/// Keys that follow from the tensors, and who sets them.
const RESERVED: &[(&str, &str)] = &[
    ("general.file_type", "it follows from the types of the tensors"),
    ("general.quantization_version", "it follows from the types of the tensors"),
];

/// The most bytes of a file: what somebody writes has far fewer, and JSON takes some forty times as much in memory.
const MAX_BYTES: u64 = 4 << 20;

/// The most keys of a file, and the most entries of a list of base models or datasets.
const MAX_ENTRIES: usize = 4096;

/// Where tensors begin: a multiple of so many bytes.
const ALIGNMENT: &str = "general.alignment";

/// The lists, whose entries become keys of their own.
const LISTS: &[(&str, Kind)] =
    &[("general.base_models", Kind::BaseModel), ("general.datasets", Kind::Dataset)];

/// Metadata from a JSON file, to be put over a model's own.
///
/// The file is an object of keys and values:
///
/// - `general.*` keys hold what the key holds: `"general.license": "mit"`, `"general.sampling.temp": 0.7`,
///   `"general.tags": ["chat"]`.
/// - `general.base_models` and `general.datasets` hold lists of objects with the fields `name`, `author`, `version`,
///   `organization`, `description`, `url`, `doi`, `uuid` and `repo_url`. A list replaces all that the model names.
/// - Any other key that the model has takes a value of its own type; one that it does not have, a text, a bool or a
///   list of texts. `{"u32": 7}` says the type, whatever the model has; `{"i32": [1, 2]}` is an array.
/// - `null` takes a key out of the model; so does an empty text or list of a `general.*` key, which gguf-py never writes.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataFile {
    path: PathBuf,
    entries: Vec<(String, Entry)>,
}

/// What is to become of a key.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Remove,
    Set(Value),
    /// Base models or datasets: of each its fields.
    References(Kind, Vec<Vec<(&'static str, String)>>),
    /// A value whose type is that of the model's key.
    AsModel(Json),
}

impl MetadataFile {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, has more than 4 MiB or 4096 keys, is no JSON object, or has keys that cannot be set: all of
    /// them are named.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, MetadataFileError> {
        let path = path.into();
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) if bytes.len() as u64 > MAX_BYTES => {
                let bytes = fs::metadata(&path).map_or(MAX_BYTES + 1, |info| info.len());
                Err(MetadataFileError::TooLarge { path, bytes, limit: MAX_BYTES })
            }
            Ok(_) => Self::parse(&bytes, path),
            Err(source) => Err(MetadataFileError::Io { path, source }),
        }
    }

    /// Reads the bytes of a file; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn parse(bytes: &[u8], path: impl Into<PathBuf>) -> Result<Self, MetadataFileError> {
        let path = path.into();
        let object = match serde_json::from_slice(bytes) {
            Ok(Json::Object(object)) => object,
            Ok(other) => return Err(MetadataFileError::NoObject { path, found: describe(&other) }),
            Err(source) => return Err(MetadataFileError::Json { path, source }),
        };
        let lists = LISTS.iter().filter_map(|(list, _)| Some((*list, object.get(*list)?.as_array()?.len())));
        let too_many = lists.chain([("the file", object.len())]).find(|(_, count)| *count > MAX_ENTRIES);
        if let Some((what, found)) = too_many {
            return Err(MetadataFileError::TooMany {
                path,
                what: what.to_owned(),
                found,
                limit: MAX_ENTRIES,
            });
        }
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        for (key, value) in object {
            match entry(&key, value) {
                Ok(entry) => entries.push((key, entry)),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(Self { path, entries })
        } else {
            Err(MetadataFileError::Keys { path, problems })
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves a key of the file out, so that what is said of it elsewhere counts.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.entries.retain(|(k, _)| k != key);
        self
    }

    /// Puts the file's values over a model's. A key that is there keeps its place, a new `general.*` key takes the
    /// one that gguf-py gives it, any other goes to the end.
    ///
    /// # Errors
    /// Values do not fit the model's keys: all of them are named, and the metadata are unchanged.
    pub fn merge_into(&self, metadata: &mut Metadata) -> Result<(), MetadataFileError> {
        let (mut pairs, mut problems) = (Vec::new(), Vec::new());
        for (key, entry) in &self.entries {
            match entry {
                Entry::Set(value) if key == "general.architecture" => {
                    match metadata.get(key).and_then(Value::as_str) {
                        Some(own) if Some(own) != value.as_str() => {
                            problems.push(KeyProblem::Architecture { expected: own.to_owned() });
                        }
                        _ => pairs.push((key.clone(), value.clone())),
                    }
                }
                Entry::Set(value) => pairs.push((key.clone(), value.clone())),
                Entry::References(kind, list) => pairs.extend(reference_pairs(*kind, list)),
                Entry::AsModel(json) => match as_model(key, json, metadata.get(key)) {
                    Ok(value) => pairs.push((key.clone(), value)),
                    Err(problem) => problems.push(problem),
                },
                Entry::Remove => {}
            }
        }
        if !problems.is_empty() {
            return Err(MetadataFileError::Keys { path: self.path.clone(), problems });
        }
        self.take_out(metadata);
        merge(metadata, pairs);
        Ok(())
    }

    /// As [`merge_into`](Self::merge_into), for metadata that are no model's: to show what the file says. A value whose type is
    /// that of the model's key has the type that JSON gives it; what has none is a text of JSON.
    pub fn merge_without_model(&self, metadata: &mut Metadata) {
        let mut pairs = Vec::new();
        for (key, entry) in &self.entries {
            match entry {
                Entry::Set(value) => pairs.push((key.clone(), value.clone())),
                Entry::References(kind, list) => pairs.extend(reference_pairs(*kind, list)),
                Entry::AsModel(json) => {
                    let value = Wanted::number(json).or_else(|| Wanted::plain(json)).and_then(|w| w.of(json));
                    pairs.push((key.clone(), value.unwrap_or_else(|| json.to_string().into())));
                }
                Entry::Remove => {}
            }
        }
        self.take_out(metadata);
        merge(metadata, pairs);
    }

    /// Takes out what the file removes, and the lists that it replaces.
    fn take_out(&self, metadata: &mut Metadata) {
        let mut removed = HashSet::new();
        for (key, entry) in &self.entries {
            match (entry, LISTS.iter().find(|(list, _)| list == key)) {
                (Entry::References(kind, _), _) | (Entry::Remove, Some((_, kind))) => {
                    remove_references(metadata, *kind);
                }
                (Entry::Remove, None) => drop(removed.insert(key.as_str())),
                _ => {}
            }
        }
        metadata.retain(|key, _| !removed.contains(key));
    }
}

/// What a key and its value say, as far as that can be known without the model.
fn entry(key: &str, json: Json) -> Result<Entry, KeyProblem> {
    if key.is_empty() || key.contains(|c: char| !c.is_ascii_graphic()) {
        return Err(KeyProblem::Name { key: key.to_owned() });
    }
    if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| *reserved == key) {
        return Err(KeyProblem::Reserved { key: key.to_owned(), why });
    }
    if key.starts_with("general.") && !is_known(key) {
        return Err(unknown(key));
    }
    if json.is_null() {
        return Ok(Entry::Remove);
    }
    if let Some((_, kind)) = LISTS.iter().find(|(list, _)| *list == key) {
        let Json::Array(list) = &json else { return Err(wrong(key, &json, "a list of objects")) };
        let entries = list.iter().enumerate().map(|(i, entry)| reference(key, i, entry));
        return Ok(Entry::References(*kind, entries.collect::<Result<_, _>>()?));
    }
    if let Some(holds) = keys::holds(key) {
        return known(key, holds, &json);
    }
    let said = if key == ALIGNMENT { Some((Wanted::ALIGNMENT, &json)) } else { Wanted::said(&json) };
    match said {
        Some((wanted, inner)) => match wanted.of(inner) {
            Some(value) => Ok(Entry::Set(value)),
            None => Err(wrong(key, inner, wanted.expected())),
        },
        None => Ok(Entry::AsModel(json)),
    }
}

fn is_known(key: &str) -> bool {
    keys::holds(key).is_some() || key == ALIGNMENT || LISTS.iter().any(|(list, _)| *list == key)
}

/// The value of a key of the table.
fn known(key: &str, holds: Holds, json: &Json) -> Result<Entry, KeyProblem> {
    let wanted = Wanted::of_key(holds);
    let misfit = || wrong(key, json, wanted.expected());
    // A type may be given here too, if it is the key's.
    let inner = match Wanted::said(json) {
        Some((said, inner)) if said == wanted => inner,
        Some(_) => return Err(misfit()),
        None => json,
    };
    let value = wanted.of(inner).ok_or_else(misfit)?;
    let checked: Result<(), Error> = match (&value, holds) {
        (Value::String(text), _) if text.as_bytes().is_empty() => return Ok(Entry::Remove),
        (Value::Array(list), _) if list.is_empty() => return Ok(Entry::Remove),
        (_, Holds::Text(lines)) => check_value(key, value.as_str().unwrap_or_default(), lines),
        (_, Holds::License) => license::check(value.as_str().unwrap_or_default()),
        (_, Holds::Doi) => check_doi(value.as_str().unwrap_or_default()),
        _ => Ok(()),
    };
    match checked {
        Ok(()) => Ok(Entry::Set(value)),
        Err(source) => Err(KeyProblem::Value { key: key.to_owned(), source }),
    }
}

/// A value in the type that the model's key has.
fn as_model(key: &str, json: &Json, own: Option<&Value>) -> Result<Value, KeyProblem> {
    let wanted = own.map_or_else(|| Wanted::plain(json), Wanted::of_value);
    match wanted {
        Some(wanted) => wanted.of(json).ok_or_else(|| wrong(key, json, wanted.expected())),
        None => Err(KeyProblem::NoType { key: key.to_owned(), found: describe(json) }),
    }
}

/// The keys of the table that look most like this one.
fn unknown(key: &str) -> KeyProblem {
    let start: String = key.chars().take(64).collect();
    let known = keys::GENERAL.iter().map(|(key, _)| *key).filter(|key| !key.ends_with('.'));
    let mut nearest: Vec<&'static str> = known.chain(LISTS.iter().map(|(list, _)| *list)).collect();
    nearest.sort_by_key(|known| std::cmp::Reverse((strsim::jaro_winkler(&start, known) * 1e6) as u64));
    // Keys of single entries are written through their list.
    let list = LISTS.iter().find(|(_, kind)| key.starts_with(kind.prefix()));
    let nearest = list.map_or_else(|| nearest.into_iter().take(3).collect(), |(list, _)| vec![*list]);
    KeyProblem::Unknown { key: key.to_owned(), nearest }
}

/// The pairs of base models or datasets: their number, then the fields of each.
fn reference_pairs(kind: Kind, list: &[Vec<(&'static str, String)>]) -> Vec<(String, Value)> {
    let prefix = kind.prefix();
    let count = Value::U32(u32::try_from(list.len()).unwrap_or(u32::MAX));
    let fields = list.iter().enumerate().flat_map(|(i, fields)| {
        fields.iter().map(move |(field, value)| (format!("{prefix}{i}.{field}"), Value::from(value.as_str())))
    });
    std::iter::once((format!("{prefix}count"), count)).chain(fields).collect()
}
