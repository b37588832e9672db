//! The output files: written under temporary names beside their targets, then put in their places in one step.

mod set;
mod stale;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::Error;

pub(crate) use set::commit_all;

/// The end of the name of a file that is being written.
const PARTIAL: &str = ".partial";
/// The end of the name of a file that is kept until what replaces it is whole.
const REPLACED: &str = ".replaced";

/// What to do about a file that is already at the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Replace it, atomically: readers see the old file or the whole new one.
    #[default]
    Replace,
    /// Leave it and fail.
    Keep,
}

/// A file on its way to a target. Dropped before it has its name, it leaves nothing behind.
pub(crate) struct Pending {
    file: NamedTempFile,
    target: PathBuf,
    existing: Existing,
}

/// The place that a rename to `path` must reach, and checks that it may.
///
/// A symbolic link is followed, as a program that opens the path for writing would; anything that exists and
/// is not a regular file is refused (a rename would replace a device by a file).
fn resolve(path: &Path, existing: Existing) -> Result<PathBuf, Error> {
    let target = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => {
            fs::canonicalize(path).map_err(|source| Error::output(path, "follow the link that is", source))?
        }
        _ => path.to_path_buf(),
    };
    match fs::metadata(&target) {
        Ok(meta) if !meta.is_file() => Err(Error::OutputNotAFile { path: path.to_path_buf() }),
        Ok(_) if existing == Existing::Keep => Err(Error::OutputExists { path: path.to_path_buf() }),
        Ok(_) => Ok(target),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(target),
        Err(source) => Err(Error::output(path, "look at", source)),
    }
}

/// The folder that a path's file lies in; `.` for a bare name.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

impl Pending {
    /// Checks the target without touching anything: what [`Pending::create`] would refuse before writing.
    pub(crate) fn check(target: &Path, existing: Existing) -> Result<(), Error> {
        let resolved = resolve(target, existing)?;
        if resolved.file_name().is_none() {
            return Err(Error::OutputNotAFile { path: target.to_path_buf() });
        }
        let dir = folder(&resolved);
        match fs::metadata(dir) {
            Ok(meta) if meta.is_dir() => Ok(()),
            Ok(_) => Err(Error::OutputFolder {
                folder: dir.to_path_buf(),
                source: io::Error::from(io::ErrorKind::NotADirectory),
            }),
            Err(source) => Err(Error::OutputFolder { folder: dir.to_path_buf(), source }),
        }
    }

    /// Opens a temporary file in the target's folder and reserves `len` bytes for it, so that a full disk is
    /// found before any work is done.
    pub(crate) fn create(target: &Path, existing: Existing, len: u64) -> Result<Self, Error> {
        Self::check(target, existing)?;
        let target = resolve(target, existing)?;
        let dir = folder(&target);
        stale::sweep(&target, PARTIAL);
        let prefix = stale::prefix(&target);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(PARTIAL);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As a file that `open` creates: the umask takes away what the user does not want. An existing
            // file's mode is kept.
            let mode = fs::metadata(&target).map_or(0o666, |meta| meta.permissions().mode() & 0o7777);
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        let failed = |source| Error::OutputFolder { folder: dir.to_path_buf(), source };
        let file = loop {
            let file = builder.tempfile_in(dir).map_err(failed)?;
            if stale::claim(file.as_file()).map_err(failed)? {
                break file;
            }
        };
        reserve(file.as_file(), len).map_err(|source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Error::DiskFull { path: target.clone(), needed: len, source }
            }
            _ => Error::output(&target, "reserve room for", source),
        })?;
        Ok(Self { file, target, existing })
    }

    /// The open file.
    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// The temporary file's path, for reading it back.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Where the file will be.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the bytes durable, then the name, then the folder that holds the name: a power failure at any
    /// moment leaves the old file or the whole new one.
    fn commit(self) -> Result<PathBuf, Error> {
        self.sync()?;
        let target = self.persist()?;
        match sync_folder(folder(&target)) {
            Ok(()) => Ok(target),
            Err(source) => Err(Error::NotDurable { path: target, source }),
        }
    }

    /// Makes the bytes durable.
    fn sync(&self) -> Result<(), Error> {
        self.file().sync_all().map_err(|source| Error::output(&self.target, "write", source))
    }

    /// Gives the file its name.
    fn persist(self) -> Result<PathBuf, Error> {
        let Self { file, target, existing } = self;
        let persisted = match existing {
            Existing::Replace => file.persist(&target),
            Existing::Keep => file.persist_noclobber(&target),
        };
        persisted.map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => Error::OutputExists { path: target.clone() },
            _ => Error::output(&target, "put in place", e.error),
        })?;
        Ok(target)
    }
}

/// Reserves room on the disk; where the file system cannot, sets the length only.
fn reserve(file: &File, len: u64) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        if len > 0 {
            match fallocate(file, FallocateFlags::empty(), 0, len) {
                Ok(()) => return Ok(()),
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    file.set_len(len)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network and FUSE file systems have no way to sync a folder.
        Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(()) // Elsewhere a folder cannot be opened as a file; the rename itself is journalled.
}

/// Writes at an offset, through a shared reference, from any thread.
#[cfg(unix)]
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Writes at an offset, through a shared reference, from any thread.
#[cfg(windows)]
pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                bytes = &bytes[n..];
                offset += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
