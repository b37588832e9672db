//! Several files that belong together, put in their places so that no reader takes a mixture for the whole.
//!
//! A set is complete when all its shards are there. So the first shard is the first to go and the last to come: while
//! files are exchanged one by one, the set lacks its first shard, and readers say so.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::{Existing, Pending, REPLACED, folder, stale, sync_folder};
use crate::error::Error;

/// A file that was there before, under another name until the new set is in place. Dropped, it is deleted.
struct Replaced {
    target: PathBuf,
    aside: TempPath,
    /// Holds the lock that tells it from what a killed export left.
    _file: Option<File>,
}

/// Puts all files in place, or leaves every place as it was.
///
/// Should the machine stop in the middle, the new shards may be there without their first, and the old ones beside
/// them as hidden `.replaced` files.
pub(crate) fn commit_all(pending: Vec<Pending>) -> Result<Vec<PathBuf>, Error> {
    if pending.len() <= 1 {
        return pending.into_iter().map(Pending::commit).collect();
    }
    for file in &pending {
        file.sync()?;
    }
    let targets: Vec<PathBuf> = pending.iter().map(|file| file.target.clone()).collect();
    let _turn = turn(&targets);
    let mut replaced = Vec::new();
    let mut placed = Vec::new();
    let done = exchange(pending, &mut replaced, &mut placed);
    if let Err(error) = done {
        undo(replaced, &placed);
        return Err(error);
    }
    drop(replaced);
    // What an earlier export kept when it was killed in the middle of this has been replaced as well.
    targets.iter().for_each(|target| stale::sweep(target, REPLACED));
    Ok(targets)
}

/// Waits until no other export exchanges shards in these folders: two at once would leave shards of both. The turn ends
/// when what is given back is dropped, or with the process.
///
/// Where folders cannot be locked, nobody waits.
fn turn(targets: &[PathBuf]) -> Vec<File> {
    // In one order everywhere, so that no two wait for each other.
    let folders: BTreeSet<&Path> = targets.iter().map(|target| folder(target)).collect();
    let locked = |folder| File::open(folder).ok().filter(|folder| folder.lock().is_ok());
    folders.into_iter().filter_map(locked).collect()
}

fn exchange(
    pending: Vec<Pending>,
    replaced: &mut Vec<Replaced>,
    placed: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    let folders: Vec<PathBuf> = pending.iter().map(|file| folder(&file.target).to_path_buf()).collect();
    for file in pending.iter().filter(|file| file.existing == Existing::Replace) {
        replaced.extend(move_aside(&file.target)?);
    }
    if !replaced.is_empty() {
        sync_folders(&folders)?;
    }
    let mut pending = pending.into_iter();
    let first = pending.next();
    for file in pending {
        placed.push(file.persist()?);
    }
    // The others' names are on the disk before the first's is.
    sync_folders(&folders)?;
    if let Some(first) = first {
        placed.push(first.persist()?);
    }
    sync_folders(&folders)
}

/// Gives a file that is in the way another name in its folder.
fn move_aside(target: &Path) -> Result<Option<Replaced>, Error> {
    let failed = |source| Error::output(target, "replace", source);
    let file = File::open(target).ok().filter(|file| file.try_lock().is_ok());
    let prefix = stale::prefix(target);
    let aside = tempfile::Builder::new().prefix(&prefix).suffix(REPLACED).tempfile_in(folder(target));
    let aside = aside.map_err(failed)?.into_temp_path();
    match fs::rename(target, &aside) {
        Ok(()) => Ok(Some(Replaced { target: target.to_path_buf(), aside, _file: file })),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(e)),
    }
}

/// Takes the new files away and puts the old ones back, the first shard last.
fn undo(replaced: Vec<Replaced>, placed: &[PathBuf]) {
    for path in placed.iter().rev() {
        // What cannot be removed is replaced below, or was not there before.
        let _ = fs::remove_file(path);
    }
    for Replaced { target, aside, .. } in replaced.into_iter().rev() {
        if fs::rename(&aside, &target).is_err() {
            // Better a file under a strange name than none.
            let _ = aside.keep();
        }
    }
}

fn sync_folders(folders: &[PathBuf]) -> Result<(), Error> {
    let mut synced: Vec<&Path> = Vec::new();
    for folder in folders {
        if !synced.contains(&folder.as_path()) {
            sync_folder(folder).map_err(|source| Error::output(folder, "make durable", source))?;
            synced.push(folder);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn pending(folder: &Path, names: &[&str], existing: Existing) -> Vec<Pending> {
        let create = |name: &&str| {
            let pending = Pending::create(&folder.join(name), existing, 3).unwrap();
            pending.file().write_all(b"new").unwrap();
            pending
        };
        names.iter().map(create).collect()
    }

    fn contents(folder: &Path) -> Vec<(String, String)> {
        let mut all: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let text = fs::read_to_string(entry.path()).unwrap_or_else(|_| "folder".into());
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        all.sort();
        all
    }

    fn expect(folder: &Path, files: &[(&str, &str)]) {
        let files: Vec<_> = files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        assert_eq!(contents(folder), files);
    }

    #[test]
    fn a_set_replaces_a_set_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        fs::write(folder.path().join("c"), "old").unwrap();
        let paths = commit_all(pending(folder.path(), &["a", "b", "c"], Existing::Replace)).unwrap();
        assert_eq!(paths, ["a", "b", "c"].map(|name| folder.path().join(name)));
        expect(folder.path(), &[("a", "new"), ("b", "new"), ("c", "new")]);
    }

    #[test]
    fn when_one_cannot_be_placed_all_is_as_it_was() {
        for blocked in ["a", "b", "c"] {
            let folder = tempfile::tempdir().unwrap();
            for name in ["a", "b", "c"].iter().filter(|name| **name != blocked) {
                fs::write(folder.path().join(name), "old").unwrap();
            }
            let pending = pending(folder.path(), &["a", "b", "c"], Existing::Replace);
            // A folder that came up meanwhile can be moved aside, but not replaced by force.
            let before = contents(folder.path());
            let visible = |all: Vec<(String, String)>| -> Vec<(String, String)> {
                all.into_iter().filter(|(name, _)| !name.starts_with('.')).collect()
            };
            let mut replaced = Vec::new();
            let mut placed = Vec::new();
            // Stopped before the last step: the temporary file of `blocked` is gone.
            let temporary =
                pending.iter().find(|p| p.target.ends_with(blocked)).unwrap().path().to_path_buf();
            fs::remove_file(temporary).unwrap();
            let error = exchange(pending, &mut replaced, &mut placed).unwrap_err();
            assert!(error.to_string().contains(blocked), "{error}");
            undo(replaced, &placed);
            assert_eq!(contents(folder.path()), visible(before));
        }
    }

    #[test]
    fn files_that_came_up_meanwhile_are_kept_if_asked() {
        let folder = tempfile::tempdir().unwrap();
        let pending = pending(folder.path(), &["a", "b"], Existing::Keep);
        fs::write(folder.path().join("a"), "theirs").unwrap();
        let error = commit_all(pending).unwrap_err();
        assert!(matches!(error, Error::OutputExists { .. }), "{error}");
        expect(folder.path(), &[("a", "theirs")]);
    }

    #[test]
    fn two_sets_at_once_leave_one_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a", "b", "c", "d", "e", "f"];
        for _ in 0..50 {
            std::thread::scope(|scope| {
                for text in [b"one", b"two"] {
                    let pending = pending(folder.path(), &names, Existing::Replace);
                    pending.iter().for_each(|file| super::super::write_all_at(file.file(), text, 0).unwrap());
                    scope.spawn(|| commit_all(pending).unwrap());
                }
            });
            let found = contents(folder.path());
            assert_eq!(found.len(), names.len(), "{found:?}");
            assert!(found.iter().all(|(_, text)| *text == found[0].1), "{found:?}");
        }
    }

    #[test]
    fn while_files_are_exchanged_the_first_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(folder.path().join(name), "old").unwrap();
        }
        let mut pending = pending(folder.path(), &["a", "b", "c"], Existing::Replace);
        // The last to be placed before the first fails: what a reader would have seen then.
        let lost = pending.pop().unwrap();
        fs::remove_file(lost.path()).unwrap();
        pending.push(lost);
        let (mut replaced, mut placed) = (Vec::new(), Vec::new());
        exchange(pending, &mut replaced, &mut placed).unwrap_err();
        assert!(!folder.path().join("a").exists());
        assert_eq!(fs::read_to_string(folder.path().join("b")).unwrap(), "new");
        undo(replaced, &placed);
        expect(folder.path(), &[("a", "old"), ("b", "old"), ("c", "old")]);
    }
}
