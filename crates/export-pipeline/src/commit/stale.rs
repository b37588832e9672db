//! What an export that was killed left behind: found by its name, told from a living export's by its lock, deleted.
//!
//! Every temporary file is locked as long as its export lives; the system takes the lock away with the process. So a
//! file of that name that can be locked belongs to nobody.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The letters that `tempfile` puts between prefix and suffix.
const RANDOM_LETTERS: usize = 6;

/// The start of the names of all temporary files of a target.
pub(super) fn prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// Locks a temporary file; false if another export deleted it before it was locked.
///
/// Where the file system has no locks, nothing is locked and nothing will be deleted.
pub(super) fn claim(file: &File) -> io::Result<bool> {
    if file.lock().is_err() {
        return Ok(true);
    }
    Ok(is_linked(&file.metadata()?))
}

/// Deletes the temporary files of a target that nobody has locked. What cannot be looked at is left.
pub(super) fn sweep(target: &Path, suffix: &str) {
    let Ok(entries) = fs::read_dir(super::folder(target)) else { return };
    let prefix = prefix(target);
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name(), &prefix, suffix) {
            delete_if_stale(&entry.path());
        }
    }
}

/// Whether a name is one that an export gives to a temporary file of the target.
fn is_temporary(name: &OsStr, prefix: &OsStr, suffix: &str) -> bool {
    let middle = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
    let letters = middle.and_then(|rest| rest.strip_suffix(suffix.as_bytes()));
    letters.is_some_and(|l| l.len() == RANDOM_LETTERS && l.iter().all(u8::is_ascii_alphanumeric))
}

fn delete_if_stale(path: &Path) {
    // Never through a link, and never anything but a file.
    let is_file = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file());
    if let (true, Ok(file)) = (is_file, File::open(path))
        && file.try_lock().is_ok()
        && file.metadata().is_ok_and(|meta| is_linked(&meta))
    {
        // The lock is held until the name is gone: who waits for it sees that in `claim`.
        let _ = fs::remove_file(path);
    }
}

/// Whether a file still has a name.
#[cfg(unix)]
fn is_linked(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(meta) > 0
}

/// Elsewhere an open file keeps its name.
#[cfg(not(unix))]
fn is_linked(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_has_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let target = path("out.gguf");
        for name in [
            "out.gguf",
            ".out.gguf.abc123.partial",
            ".out.gguf.XYZ789.partial",
            ".out.gguf.abc123.replaced",
            ".out.gguf.tooLong.partial",
            ".out.gguf.a/c123.partial".replace('/', "_").as_str(),
            ".other.gguf.abc123.partial",
        ] {
            fs::write(path(name), name).unwrap();
        }
        fs::create_dir(path(".out.gguf.folder.partial")).unwrap();
        let living = File::open(path(".out.gguf.XYZ789.partial")).unwrap();
        assert!(claim(&living).unwrap());
        sweep(&target, ".partial");
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                ".other.gguf.abc123.partial",
                ".out.gguf.XYZ789.partial",
                ".out.gguf.a_c123.partial",
                ".out.gguf.abc123.replaced",
                ".out.gguf.folder.partial",
                ".out.gguf.tooLong.partial",
                "out.gguf",
            ]
        );
        drop(living);
        sweep(&target, ".partial");
        assert!(!path(".out.gguf.XYZ789.partial").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_deleted_before_its_lock_is_not_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "a").unwrap();
        let file = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!claim(&file).unwrap());
    }
}
