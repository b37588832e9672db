//! A model split over several files, read as one.
//!
//! Source of the facts: `llama_split_path`, `llama_split_prefix` and the loading of splits in
//! `llama-model-loader.cpp`, llama.cpp as pinned by `llama-cpp-sys-2` 0.1.161.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{FileError, KeyError, LimitError, ReadError, SplitError};
use crate::file::GgufFile;
use crate::keys;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::read::{MetadataRef, TensorRef};
use crate::value::ValueType;

/// The name of a shard: `name-00002-of-00003.gguf` for the second of three; `index` is counted from 0.
#[must_use]
pub fn shard_file_name(name: &str, index: u16, count: u16) -> String {
    format!("{name}{}", shard_suffix(index, count))
}

fn shard_suffix(index: u16, count: u16) -> String {
    format!("-{:05}-of-{count:05}.gguf", u32::from(index) + 1)
}

/// A model in one file or in several shards, presented as one: the metadata of the first shard and the tensors
/// of all.
#[derive(Debug)]
pub struct GgufSet {
    files: Vec<GgufFile>,
    /// For every tensor its shard, and its index in that shard.
    places: Vec<(u16, u32)>,
}

/// A tensor of a set: which shard holds it, and what it is.
#[derive(Clone, Copy, Debug)]
pub struct SetTensor<'a> {
    /// The shard, an index of [`GgufSet::files`].
    pub shard: usize,
    /// The tensor; its offset and index are within that shard's file.
    pub tensor: TensorRef<'a>,
}

impl GgufSet {
    /// Opens a model by the path of its only file or of any of its shards, within the default [`Limits`].
    ///
    /// # Errors
    /// As [`GgufSet::open_with_limits`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SplitError> {
        Self::open_with_limits(path, &Limits::default())
    }

    /// Opens a model by the path of its only file or of any of its shards; the limits hold for each file.
    ///
    /// # Errors
    /// If a file cannot be read, is damaged or cut short; if a shard is missing, is of another set, or is
    /// not named by llama.cpp's rule; if a tensor is in two shards, or if there are more or fewer than
    /// `split.tensors.count`. The error names the file.
    pub fn open_with_limits(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, SplitError> {
        let opened = GgufFile::open_with_limits(path, limits)?;
        let count = part(&opened, keys::SPLIT_COUNT)?.unwrap_or(1);
        if count > limits.shards {
            let source = LimitError::Shards { found: count, max: limits.shards }.into();
            return Err(FileError { path: opened.path().to_path_buf(), source }.into());
        }
        let files = if count > 1 { open_shards(opened, count, limits)? } else { vec![opened] };
        let places = join(&files)?;
        for file in files.iter().filter(|_| count > 1) {
            match read_count(file, keys::SPLIT_TENSORS_COUNT)? {
                Some(claimed) if claimed != places.len() as u64 => {
                    let (path, found) = (file.path().to_path_buf(), places.len());
                    return Err(SplitError::TensorCount { path, found, claimed });
                }
                _ => {}
            }
        }
        Ok(Self { files, places })
    }

    /// The files, the first shard first; never none.
    #[must_use]
    pub fn files(&self) -> &[GgufFile] {
        &self.files
    }

    /// The metadata: that of the first shard, `split.*` included.
    #[must_use]
    pub fn metadata(&self) -> MetadataRef<'_> {
        self.first().metadata()
    }

    /// The metadata, owned, as the model has it in one file: without `split.*`.
    #[must_use]
    pub fn to_metadata(&self) -> Metadata {
        let mut metadata = self.metadata().to_metadata();
        for key in [keys::SPLIT_NO, keys::SPLIT_COUNT, keys::SPLIT_TENSORS_COUNT] {
            metadata.remove(key);
        }
        metadata
    }

    /// The number of tensors in all shards.
    #[must_use]
    pub fn tensor_count(&self) -> usize {
        self.places.len()
    }

    /// The tensors of all shards: those of the first in the order of its directory, then those of the second.
    pub fn tensors(&self) -> impl Iterator<Item = SetTensor<'_>> {
        (0..self.places.len()).filter_map(|index| self.tensor(index))
    }

    /// The tensor at this index of [`GgufSet::tensors`].
    #[must_use]
    pub fn tensor(&self, index: usize) -> Option<SetTensor<'_>> {
        let (shard, index) = *self.places.get(index)?;
        let shard = usize::from(shard);
        let tensor = self.files.get(shard)?.tensors().get(index as usize)?;
        Some(SetTensor { shard, tensor })
    }

    /// The tensor of this name.
    #[must_use]
    pub fn find_tensor(&self, name: &str) -> Option<SetTensor<'_>> {
        let in_shard = |(shard, file): (usize, &'_ GgufFile)| file.tensors().find(name).map(|_| shard);
        let shard = self.files.iter().enumerate().find_map(in_shard)?;
        let tensor = self.files.get(shard)?.tensors().find(name)?;
        Some(SetTensor { shard, tensor })
    }

    /// Fills `out` with bytes of the tensor at this index of [`GgufSet::tensors`], from `offset` (counted from
    /// the tensor's first byte) on.
    ///
    /// # Errors
    /// If there is no such tensor, if it has fewer bytes, or if its file cannot be read. The error names the
    /// file.
    pub fn read_tensor_at(&self, index: usize, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        match self.places.get(index).and_then(|(shard, at)| Some((self.files.get(usize::from(*shard))?, *at)))
        {
            Some((file, at)) => file.read_tensor_at(at as usize, offset, out),
            // The first file says that it has no such tensor.
            None => self.first().read_tensor_at(usize::MAX, offset, out),
        }
    }

    fn first(&self) -> &GgufFile {
        // `open_with_limits` makes no set without a file.
        &self.files[0]
    }
}

/// Opens the other shards of the set that this one names, and puts all in order.
fn open_shards(opened: GgufFile, count: u16, limits: &Limits) -> Result<Vec<GgufFile>, SplitError> {
    let own = shard_number(&opened)?;
    let prefix = prefix(opened.path(), own, count)?;
    if own >= count {
        return Err(SplitError::Beyond { path: opened.path().to_path_buf(), found: own, count });
    }
    let mut opened = Some(opened);
    let mut files = Vec::new();
    for index in 0..count {
        let file = match opened.take_if(|_| index == own) {
            Some(file) => file,
            None => open_shard(&prefix, index, count, limits)?,
        };
        files.push(file);
    }
    Ok(files)
}

fn open_shard(
    (folder, name): &(PathBuf, String),
    index: u16,
    count: u16,
    limits: &Limits,
) -> Result<GgufFile, SplitError> {
    let path = folder.join(shard_file_name(name, index, count));
    let file = match GgufFile::open_with_limits(&path, limits) {
        Err(FileError { source: ReadError::Io(e), .. }) if e.kind() == io::ErrorKind::NotFound => {
            return Err(SplitError::Missing { path, number: u32::from(index) + 1, count });
        }
        other => other?,
    };
    let found = shard_number(&file)?;
    if found != index {
        return Err(SplitError::Number { path, found, expected: index });
    }
    match part(&file, keys::SPLIT_COUNT)? {
        Some(found) if found != count => Err(SplitError::Count { path, found, expected: count }),
        _ => Ok(file),
    }
}

/// The folder, and the file name without its shard suffix, which must be that of this shard.
fn prefix(path: &Path, index: u16, count: u16) -> Result<(PathBuf, String), SplitError> {
    let suffix = shard_suffix(index, count);
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(&suffix));
    match name {
        Some(name) => Ok((path.parent().map(Path::to_path_buf).unwrap_or_default(), name.to_owned())),
        None => Err(SplitError::Name { path: path.to_path_buf(), suffix }),
    }
}

fn shard_number(file: &GgufFile) -> Result<u16, SplitError> {
    part(file, keys::SPLIT_NO)?.ok_or_else(|| {
        let source = KeyError::Missing { key: keys::SPLIT_NO.to_owned(), wanted: ValueType::U16.name() };
        SplitError::Key { path: file.path().to_path_buf(), source }
    })
}

/// A shard's number, or the number of shards.
fn part(file: &GgufFile, key: &'static str) -> Result<Option<u16>, SplitError> {
    let Some(found) = read_count(file, key)? else { return Ok(None) };
    let too_large = |_| SplitError::TooLarge { path: file.path().to_path_buf(), key, found };
    u16::try_from(found).map(Some).map_err(too_large)
}

fn read_count(file: &GgufFile, key: &str) -> Result<Option<u64>, SplitError> {
    let at = |source| SplitError::Key { path: file.path().to_path_buf(), source };
    file.metadata().find_count(key).map_err(at)
}

/// One list of all tensors.
fn join(files: &[GgufFile]) -> Result<Vec<(u16, u32)>, SplitError> {
    let mut places = Vec::new();
    let mut seen: HashMap<&str, &GgufFile> = HashMap::new();
    for (shard, file) in (0u16..).zip(files) {
        for (index, tensor) in (0u32..).zip(file.tensors().iter()) {
            if let Some(first) = seen.insert(tensor.name(), file) {
                return Err(SplitError::DuplicateTensor {
                    path: file.path().to_path_buf(),
                    first: first.path().to_path_buf(),
                    name: tensor.name().to_owned(),
                });
            }
            places.push((shard, index));
        }
    }
    Ok(places)
}
