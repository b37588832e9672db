//! Folders in memory, and models in them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::classes;

/// A new folder, in memory where the system has a place for that.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    TempDir::with_prefix_in("entrenar-fuzz-", parent).expect("a temporary folder")
}

/// A file, with what belongs into it.
pub(crate) type Whole = (PathBuf, Vec<u8>);

/// The files of a folder that `wanted` takes, sorted by name.
pub(crate) fn files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Whole> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() && path.file_name().and_then(|n| n.to_str()).is_some_and(&wanted) {
            let bytes = fs::read(&path).expect("a file");
            files.push((path, bytes));
        }
    }
    files.sort();
    files
}

/// Copies the files of a folder that `wanted` takes. (`fs::copy` does not go on where libFuzzer's alarm interrupts it.)
pub(crate) fn copy(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    for (path, bytes) in files(from, wanted) {
        fs::write(to.join(path.file_name().expect("a name")), bytes).expect("a copy");
    }
}

/// An input that is a whole file of a model: a line `MODEL/FILE`, then what the file holds instead.
pub(crate) fn place_and_content(input: &[u8]) -> Option<(&str, &str, &[u8])> {
    let end = input.iter().take(100).position(|b| *b == b'\n')?;
    let (line, rest) = input.split_at_checked(end)?;
    let (model, file) = str::from_utf8(line).ok()?.split_once('/')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ok = !model.is_empty() && !model.starts_with('.') && model.chars().all(plain);
    Some((model, file, rest.get(1..)?)).filter(|_| ok)
}

/// Models by name, each written when it is first asked for.
pub(crate) struct Models {
    parent: TempDir,
    /// The folders; `None` for names of no model.
    known: RefCell<HashMap<String, Option<PathBuf>>>,
}

impl Models {
    pub(crate) fn new() -> Self {
        Self { parent: folder(), known: RefCell::default() }
    }

    /// A fixture model (`llama`, `bert` …), else a class's (`cohere`, `t5` …), else one of packed weights (`awq` …).
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        if let Some(found) = self.known.borrow().get(name) {
            return found.clone();
        }
        let parent = self.parent.path();
        let fixture = fixture_models::all().iter().find(|m| m.name == name);
        let found = match fixture {
            Some(_) => Some(fixture_models::write(name, parent.join("fixtures")).expect("a fixture model")),
            None => classes::write(name, &parent.join("classes"))
                .or_else(|| classes::write_packed(name, &parent.join("packed"))),
        };
        // Names that are none do not pile up.
        if found.is_some() {
            self.known.borrow_mut().insert(name.to_owned(), found.clone());
        }
        found
    }

    /// Calls `then` with the model's folder, in which `file` holds `content` for that long.
    pub(crate) fn with_file<T>(
        &self,
        model: &str,
        file: &str,
        content: &[u8],
        then: impl FnOnce(&Path) -> T,
    ) -> Option<T> {
        let folder = self.find(model)?;
        let path = folder.join(file);
        let whole = fs::read(&path).ok();
        fs::write(&path, content).expect("the file is written");
        let result = then(&folder);
        match whole {
            Some(whole) => fs::write(&path, whole).expect("the file is put back"),
            None => fs::remove_file(&path).expect("the file is taken away"),
        }
        Some(result)
    }
}
