//! A GGUF file on disk: its header in memory, its tensors read where they lie.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{FileError, ReadError};
use crate::limits::Limits;
use crate::positional::PositionalFile;
use crate::read::{Gguf, MetadataRef, Tensors};

/// An open GGUF file: the header is in memory, tensors' bytes are read at their offsets.
///
/// Reading takes `&self` and moves no file position, so that any number of threads can read at once.
#[derive(Debug)]
pub struct GgufFile {
    path: PathBuf,
    file: PositionalFile,
    header: Gguf<'static>,
}

impl GgufFile {
    /// Opens a file and reads its header, within the default [`Limits`].
    ///
    /// # Errors
    /// As [`GgufFile::open_with_limits`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::open_with_limits(path, &Limits::default())
    }

    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// If the file cannot be read, is no GGUF file, a damaged one, one that is cut short, or beyond the limits.
    /// The error names the file.
    pub fn open_with_limits(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (file, header) = open(path, limits).map_err(at(path))?;
        Ok(Self { path: path.to_path_buf(), file: PositionalFile::new(file), header })
    }

    /// The path that was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The header: version, byte order, alignment and more.
    #[must_use]
    pub fn header(&self) -> &Gguf<'static> {
        &self.header
    }

    /// The metadata.
    #[must_use]
    pub fn metadata(&self) -> MetadataRef<'_> {
        self.header.metadata()
    }

    /// The tensors.
    #[must_use]
    pub fn tensors(&self) -> Tensors<'_> {
        self.header.tensors()
    }

    /// Fills `out` with a tensor's bytes from `offset` (counted from the tensor's first byte) on.
    ///
    /// The tensor is named by its index in the directory. The bytes are in the file's
    /// [byte order](Gguf::byte_order).
    ///
    /// # Errors
    /// If there is no such tensor, if it has fewer bytes, or if the file cannot be read (any more). The error
    /// names the file.
    pub fn read_tensor_at(&self, tensor: usize, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        self.position(tensor, offset, out.len())
            .and_then(|position| Ok(self.file.read_exact_at(out, position)?))
            .map_err(at(&self.path))
    }

    fn position(&self, tensor: usize, offset: u64, len: usize) -> Result<u64, ReadError> {
        let found = self.tensors().get(tensor);
        let byte_len = found.map_or(0, |t| t.byte_len());
        let fits = offset.checked_add(len as u64).is_some_and(|end| end <= byte_len);
        match found {
            Some(found) if fits => Ok(found.offset() + offset),
            _ => Err(ReadError::Range { tensor, offset, len, byte_len }),
        }
    }
}

fn open(path: &Path, limits: &Limits) -> Result<(File, Gguf<'static>), ReadError> {
    // Before it is opened: opening a pipe would wait for its other end.
    let kind = std::fs::metadata(path)?;
    if !kind.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file: name a .gguf file").into());
    }
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let header = Gguf::read(&file, len, limits)?;
    Ok((file, header))
}

fn at(path: &Path) -> impl FnOnce(ReadError) -> FileError + '_ {
    move |source| FileError { path: path.to_path_buf(), source }
}
