//! A place to run the command in, and what it left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) model: PathBuf,
}

impl Place {
    /// A folder with the fixture model `llama` in it.
    pub(crate) fn new() -> Self {
        Self::with("llama")
    }

    pub(crate) fn with(model: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = fixture_models::write(model, folder.path()).unwrap();
        Self { folder, model }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `entrenar` with these arguments in this folder.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_entrenar"))
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    pub(crate) fn model(&self) -> &str {
        self.model.to_str().unwrap()
    }

    /// Runs a command that must fail with exit status 1 and one line on standard error; gives the line.
    pub(crate) fn fails(&self, args: &[&str]) -> String {
        let before = listing(self.folder.path());
        let output = self.run(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        let lines: Vec<_> = said.lines().filter(|line| !line.starts_with("note: ")).collect();
        assert_eq!(lines.len(), 1, "{args:?}: {said}");
        assert_eq!(listing(self.folder.path()), before, "{args:?} left something behind");
        lines[0].strip_prefix("entrenar: ").unwrap().to_owned()
    }
}

/// Names, sizes and first bytes of all files in a folder and the folders below it.
pub(crate) fn listing(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(listing(&path));
        } else {
            let len = fs::metadata(&path).unwrap().len();
            found.push((path, len));
        }
    }
    found.sort();
    found
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Asserts that a message has all these parts.
pub(crate) fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}
