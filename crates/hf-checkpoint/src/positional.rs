//! A file that many threads read at once: each read says its own offset.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// An open file, its path and its length.
#[derive(Debug)]
pub(crate) struct ReadAt {
    file: File,
    path: PathBuf,
    len: u64,
    /// Where the system has no positional reads, a seek and its read must not be torn apart.
    #[cfg(not(any(unix, windows)))]
    turn: std::sync::Mutex<()>,
}

impl ReadAt {
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let fail = |source| Error::Io { action: "open".to_owned(), path: path.clone(), source };
        let file = File::open(&path).map_err(fail)?;
        let info = file.metadata().map_err(fail)?;
        if !info.is_file() {
            return Err(fail(std::io::Error::other("not a regular file")));
        }
        Ok(Self {
            file,
            len: info.len(),
            path,
            #[cfg(not(any(unix, windows)))]
            turn: std::sync::Mutex::new(()),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The length when it was opened.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `out` with the bytes from `offset` on.
    pub(crate) fn read_exact_at(&self, out: &mut [u8], offset: u64) -> Result<(), Error> {
        self.try_read(out, offset).map_err(|source| Error::Io {
            action: format!("read {} bytes at offset {offset}", out.len()),
            path: self.path.clone(),
            source,
        })
    }

    #[cfg(unix)]
    fn try_read(&self, out: &mut [u8], offset: u64) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset)
    }

    #[cfg(windows)]
    fn try_read(&self, mut out: &mut [u8], mut offset: u64) -> std::io::Result<()> {
        use std::io::ErrorKind;
        while !out.is_empty() {
            let n = match std::os::windows::fs::FileExt::seek_read(&self.file, out, offset) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => n,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            out = out.get_mut(n..).unwrap_or_default();
            offset = offset.saturating_add(n as u64);
        }
        Ok(())
    }

    #[cfg(not(any(unix, windows)))]
    fn try_read(&self, out: &mut [u8], offset: u64) -> std::io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(out)
    }
}
