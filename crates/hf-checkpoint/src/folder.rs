//! What a path stands for: a folder with a model, or tensors alone.

use std::path::{Path, PathBuf};

use crate::adapter;
use crate::error::Error;
use crate::limits::Limits;
use crate::shards::Shards;

const INDEX: &str = "model.safetensors.index.json";

/// Where weights are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Weights {
    /// These files.
    Files(Vec<PathBuf>),
    /// The files that an index names.
    Index(PathBuf),
}

impl Weights {
    pub(crate) fn open(self, limits: &Limits) -> Result<Shards, Error> {
        match self {
            Self::Files(paths) => Shards::open(paths, limits),
            Self::Index(index) => Shards::open_index(&index, limits),
        }
    }
}

/// What a path stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The folder of a model; `None` for tensors alone.
    pub model: Option<PathBuf>,
    pub weights: Weights,
}

/// Finds out what a path stands for. `raw`: tensors alone, whatever lies beside them.
pub(crate) fn locate(path: &Path, raw: bool) -> Result<Location, Error> {
    let info = std::fs::metadata(path).map_err(|source| Error::Io {
        action: "open".to_owned(),
        path: path.to_owned(),
        source,
    })?;
    if info.is_dir() {
        let weights = weights_of(path)?;
        return Ok(Location { model: (!raw).then(|| path.to_owned()), weights });
    }
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let beside = || match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => PathBuf::from("."),
    };
    let has_config = || beside().join("config.json").is_file();
    if name.ends_with(".safetensors.index.json") {
        let model = (!raw).then(beside);
        return Ok(Location { model, weights: Weights::Index(path.to_owned()) });
    }
    if name.ends_with(".safetensors") {
        // One shard of several is not the model.
        let whole = name == "model.safetensors" && !beside().join(INDEX).is_file();
        let model = (!raw && whole && has_config()).then(beside);
        return Ok(Location { model, weights: Weights::Files(vec![path.to_owned()]) });
    }
    Err(Error::NotACheckpoint { path: path.to_owned() })
}

/// The folder's own name, also where the path ends in `.` or `..`.
pub(crate) fn name(folder: &Path) -> String {
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned());
    name(folder).or_else(|| name(&folder.canonicalize().ok()?)).unwrap_or_default()
}

/// The weights of a folder: by its index if it has one, else all files `model*.safetensors`.
fn weights_of(folder: &Path) -> Result<Weights, Error> {
    let index = folder.join(INDEX);
    if index.is_file() {
        return Ok(Weights::Index(index));
    }
    let fail = |source| Error::Io { action: "list".to_owned(), path: folder.to_owned(), source };
    let mut files = Vec::new();
    let mut hint = "";
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("model") && name.ends_with(".safetensors") {
            files.push(folder.join(&*name));
        } else if name.ends_with(".bin") && (name.starts_with("pytorch_model") || name.starts_with("model")) {
            hint = "; pytorch_model.bin is not read, save the model as safetensors";
        }
    }
    files.sort();
    if files.is_empty() && adapter::is_adapter(folder) {
        return Err(Error::AdapterAlone { folder: folder.to_owned() });
    }
    if files.is_empty() {
        return Err(Error::NoWeights { folder: folder.to_owned(), hint });
    }
    Ok(Weights::Files(files))
}
