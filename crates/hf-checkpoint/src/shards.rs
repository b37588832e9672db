//! The safetensors files of a checkpoint and the tensors in them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::Error;
use crate::header::{self, Entry};
use crate::json;
use crate::limits::Limits;
use crate::positional::ReadAt;
use crate::problem::ShardProblem;

/// A file that tensors come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A tensor and the shard it is in.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub shard: usize,
    pub entry: Entry,
}

/// All shards of a checkpoint, open.
#[derive(Debug)]
pub(crate) struct Shards {
    files: Vec<ReadAt>,
    /// By name, so that everything made of it is in the same order on every machine.
    tensors: BTreeMap<String, Stored>,
}

impl Shards {
    /// Opens these files, in this order. No two may hold a tensor of the same name.
    pub(crate) fn open(paths: Vec<PathBuf>, limits: &Limits) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let shards = Self::open_all(paths, limits, &mut problems)?;
        if problems.is_empty() { Ok(shards) } else { Err(Error::Shards { problems }) }
    }

    /// As [`open`](Self::open); of tensors that are there twice the first is kept.
    fn open_all(
        paths: Vec<PathBuf>,
        limits: &Limits,
        problems: &mut Vec<ShardProblem>,
    ) -> Result<Self, Error> {
        if let (count, Some(first)) = (paths.len(), paths.first())
            && count > usize::from(limits.shards)
        {
            return Err(Error::TooManyShards { first: first.clone(), found: count, limit: limits.shards });
        }
        let mut files: Vec<ReadAt> = Vec::with_capacity(paths.len());
        let mut tensors = BTreeMap::<String, Stored>::new();
        for (shard, path) in paths.into_iter().enumerate() {
            let file = ReadAt::open(path)?;
            // By the shard that has them first.
            let mut twice = BTreeMap::<usize, Vec<String>>::new();
            for entry in header::read(&file, limits)? {
                match tensors.get(&entry.name) {
                    Some(before) => twice.entry(before.shard).or_default().push(entry.name),
                    None => drop(tensors.insert(entry.name.clone(), Stored { shard, entry })),
                }
            }
            problems.extend(twice.into_iter().map(|(first, tensors)| ShardProblem::Twice {
                first: files.get(first).map_or(file.path(), ReadAt::path).to_owned(),
                second: file.path().to_owned(),
                tensors,
            }));
            files.push(file);
        }
        Ok(Self { files, tensors })
    }

    /// Opens the files that an index names, and holds both against each other.
    pub(crate) fn open_index(index: &Path, limits: &Limits) -> Result<Self, Error> {
        let folder = index.parent().unwrap_or(Path::new(""));
        let mut problems = Vec::new();
        let mut by_shard = read_index(index, limits, &mut problems)?;
        by_shard.retain(|name, tensors| {
            let shard = folder.join(name);
            let there = shard.exists();
            if !there {
                problems.push(ShardProblem::Absent {
                    index: index.to_owned(),
                    shard,
                    tensors: tensors.len(),
                });
            }
            there
        });
        let shards = by_shard.keys().map(|name| folder.join(name)).collect();
        let shards = Self::open_all(shards, limits, &mut problems)?;
        let mut named = HashSet::new();
        for (number, (name, tensors)) in by_shard.iter().enumerate() {
            let absent = |t: &&String| shards.tensors.get(*t).is_none_or(|s| s.shard != number);
            let absent: Vec<_> = tensors.iter().filter(absent).cloned().collect();
            if !absent.is_empty() {
                let (index, shard) = (index.to_owned(), folder.join(name));
                problems.push(ShardProblem::Lacks { index, shard, tensors: absent });
            }
            named.extend(tensors);
        }
        for (number, file) in shards.files.iter().enumerate() {
            let extra = |s: &&Stored| s.shard == number && !named.contains(&s.entry.name);
            let extra: Vec<_> = shards.tensors.values().filter(extra).map(|s| s.entry.name.clone()).collect();
            if !extra.is_empty() {
                let (index, shard) = (index.to_owned(), file.path().to_owned());
                problems.push(ShardProblem::Extra { index, shard, tensors: extra });
            }
        }
        if problems.is_empty() { Ok(shards) } else { Err(Error::Shards { problems }) }
    }

    /// The tensors, by name.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Stored> {
        self.tensors.values()
    }

    /// The file of a shard; the number must come from [`Stored::shard`].
    pub(crate) fn file(&self, shard: usize) -> Option<&ReadAt> {
        self.files.get(shard)
    }

    /// Adds a file whose tensors are none of the checkpoint's; gives its number.
    pub(crate) fn add_file(&mut self, file: ReadAt) -> usize {
        self.files.push(file);
        self.files.len() - 1
    }

    /// The files with their lengths.
    pub(crate) fn source_files(&self) -> Vec<SourceFile> {
        self.files.iter().map(|f| SourceFile { path: f.path().to_owned(), bytes: f.len() }).collect()
    }
}

/// The tensors of each file by `weight_map`.
fn read_index(
    index: &Path,
    limits: &Limits,
    problems: &mut Vec<ShardProblem>,
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let document = json::read_within(index, limits.index_bytes)?;
    let map = match document.get("weight_map") {
        Some(Value::Object(map)) if !map.is_empty() => map,
        Some(Value::Object(_)) | None => {
            return Err(Error::MissingKey {
                path: index.to_owned(),
                key: "weight_map".to_owned(),
                expected: "an object that gives each tensor's file",
            });
        }
        Some(other) => {
            return Err(json::bad_key(index, "weight_map", other, "an object that gives each tensor's file"));
        }
    };
    let mut by_shard = BTreeMap::<String, Vec<String>>::new();
    for (tensor, file) in map {
        let Some(name) = file.as_str() else {
            return Err(json::bad_key(index, &format!("weight_map.{tensor}"), file, "a file name"));
        };
        // A name that climbs out of the folder would read files that the user did not point at.
        let plain = Path::new(name).file_name().is_some_and(|n| n == name);
        if !plain || name.contains(['/', '\\', '\0']) {
            problems.push(ShardProblem::Outside {
                index: index.to_owned(),
                tensor: tensor.clone(),
                found: name.to_owned(),
            });
            continue;
        }
        by_shard.entry(name.to_owned()).or_default().push(tensor.clone());
    }
    Ok(by_shard)
}
