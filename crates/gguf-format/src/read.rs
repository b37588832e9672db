//! A header that was read: its metadata and its directory of tensors, in place.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use crate::cursor::ByteOrder;
use crate::error::{KeyError, ReadError};
use crate::ggml_type::GgmlType;
use crate::growing::Growing;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::parse::{Entry, Index, Pair, find, parse};
use crate::tensor::{Dims, TensorSpec};
use crate::value_ref::{FromValue, ValueRef};

/// The header of a GGUF file of version 1, 2 or 3 in either byte order, checked from end to end.
///
/// It keeps the header's bytes and an index into them: strings and arrays are not copied, tensors' data is not
/// held. Once it exists, no look-up can fail because of what the file holds.
#[derive(Clone, Debug)]
pub struct Gguf<'a> {
    bytes: Cow<'a, [u8]>,
    index: Index,
}

impl<'a> Gguf<'a> {
    /// Reads the header of a file that is in memory (or mapped) as a whole.
    ///
    /// ```
    /// use gguf_format::{Gguf, Layout, Limits, Metadata};
    ///
    /// let metadata: Metadata = [("llama.block_count", 32u32)].into_iter().collect();
    /// let bytes = Layout::new(metadata, vec![])?.header();
    /// let gguf = Gguf::parse(&bytes, &Limits::default())?;
    /// assert_eq!(gguf.metadata().get_as::<u32>("llama.block_count")?, 32);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the bytes are no GGUF file, a damaged one, one that is cut short, or beyond the limits.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        let (index, bytes) = parse(bytes, limits)?;
        let header = bytes.get(..index.header_len).unwrap_or(bytes);
        Ok(Self { bytes: Cow::Borrowed(header), index })
    }

    /// The version of the format: 1, 2 or 3.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.index.version
    }

    /// The byte order, of the header and of the tensors' data.
    #[must_use]
    pub fn byte_order(&self) -> ByteOrder {
        self.index.encoding.order
    }

    /// The alignment of tensors in bytes, a power of two.
    #[must_use]
    pub fn alignment(&self) -> u32 {
        self.index.alignment
    }

    /// Where the tensors' data begins, in bytes from the start of the file.
    #[must_use]
    pub fn data_start(&self) -> u64 {
        self.index.data_start
    }

    /// The size of the file in bytes.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.index.file_len
    }

    /// The metadata.
    #[must_use]
    pub fn metadata(&self) -> MetadataRef<'_> {
        MetadataRef { bytes: &self.bytes, index: &self.index }
    }

    /// The tensors.
    #[must_use]
    pub fn tensors(&self) -> Tensors<'_> {
        Tensors { bytes: &self.bytes, index: &self.index }
    }
}

impl Gguf<'static> {
    /// Reads the header of a file of `len` bytes from where the reader stands, which must be the file's beginning.
    ///
    /// No more is read than twice the header, or 128 KiB.
    ///
    /// # Errors
    /// As [`Gguf::parse`]; if the reader fails or ends before `len`.
    pub fn read(reader: impl io::Read, len: u64, limits: &Limits) -> Result<Self, ReadError> {
        let (index, source) = parse(Growing::new(reader, len), limits)?;
        let mut bytes = source.into_bytes();
        bytes.truncate(index.header_len);
        bytes.shrink_to_fit();
        Ok(Self { bytes: Cow::Owned(bytes), index })
    }
}

/// The metadata of a file: pairs in file order, each key once.
#[derive(Clone, Copy, Debug)]
pub struct MetadataRef<'a> {
    bytes: &'a [u8],
    index: &'a Index,
}

impl<'a> MetadataRef<'a> {
    /// The number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.pairs.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.pairs.is_empty()
    }

    /// The pairs, in file order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, ValueRef<'a>)> + use<'a> {
        let this = *self;
        this.index.pairs.iter().map(move |pair| (text(pair.key.of(this.bytes)), this.value(pair)))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<ValueRef<'a>> {
        let pairs = &self.index.pairs;
        let at = find(self.bytes, &self.index.pairs_by_key, key.as_bytes(), |i| pairs.get(i).map(|p| p.key))?;
        pairs.get(at).map(|pair| self.value(pair))
    }

    /// The value of a key that must be there, as this type: `get_as::<u32>("llama.block_count")`,
    /// `get_as::<&str>("general.name")`, `get_as::<Strings>("tokenizer.ggml.tokens")`.
    ///
    /// # Errors
    /// If the key is missing, of another type, or text that is not UTF-8.
    pub fn get_as<T: FromValue<'a>>(&self, key: &str) -> Result<T, KeyError> {
        self.find_as(key)?.ok_or_else(|| KeyError::Missing { key: key.to_owned(), wanted: T::WANTED })
    }

    /// The value of a key that may be missing, as this type.
    ///
    /// # Errors
    /// If the key is there, but of another type, or text that is not UTF-8.
    pub fn find_as<T: FromValue<'a>>(&self, key: &str) -> Result<Option<T>, KeyError> {
        self.get(key).map(|value| T::from_pair(key, value)).transpose()
    }

    /// The value of a key that may be missing, as a number that is not negative: tools do not agree on the type
    /// of integers, so any of them will do.
    ///
    /// # Errors
    /// If the key is there, but no integer, or negative.
    pub fn find_count(&self, key: &str) -> Result<Option<u64>, KeyError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let Some(number) = value.as_integer() else {
            let (found, wanted) = (value.type_name(), "an integer");
            return Err(KeyError::Type { key: key.to_owned(), found, wanted });
        };
        match u64::try_from(number) {
            Ok(count) => Ok(Some(count)),
            // Only an i64 or less can be negative.
            Err(_) => Err(KeyError::Negative { key: key.to_owned(), found: number as i64 }),
        }
    }

    /// All pairs, owned.
    #[must_use]
    pub fn to_metadata(&self) -> Metadata {
        self.iter().map(|(key, value)| (key, value.to_value())).collect()
    }

    fn value(&self, pair: &Pair) -> ValueRef<'a> {
        // The header was checked, so that every value decodes; an empty string stands for the impossible.
        ValueRef::decode(pair.ty, pair.value.of(self.bytes), self.index.encoding)
            .unwrap_or(ValueRef::String(&[]))
    }
}

/// The tensors of a file, in the order of its directory.
#[derive(Clone, Copy, Debug)]
pub struct Tensors<'a> {
    bytes: &'a [u8],
    index: &'a Index,
}

impl<'a> Tensors<'a> {
    /// The number of tensors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.tensors.len()
    }

    /// Whether there is no tensor.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.tensors.is_empty()
    }

    /// The tensors, in the order of the directory.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TensorRef<'a>> + use<'a> {
        let bytes = self.bytes;
        self.index.tensors.iter().enumerate().map(move |(index, entry)| TensorRef { bytes, index, entry })
    }

    /// The tensor at this index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<TensorRef<'a>> {
        self.index.tensors.get(index).map(|entry| TensorRef { bytes: self.bytes, index, entry })
    }

    /// The tensor of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<TensorRef<'a>> {
        let tensors = &self.index.tensors;
        let span = |i: usize| tensors.get(i).map(|t| t.name);
        self.get(find(self.bytes, &self.index.tensors_by_name, name.as_bytes(), span)?)
    }
}

/// A tensor of a file.
#[derive(Clone, Copy, Debug)]
pub struct TensorRef<'a> {
    bytes: &'a [u8],
    index: usize,
    entry: &'a Entry,
}

impl<'a> TensorRef<'a> {
    /// Its place in the directory, counted from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        text(self.entry.name.of(self.bytes))
    }

    /// Its dimensions, the row length first. A tensor without dimensions is shown as one of one element.
    #[must_use]
    pub fn dims(&self) -> Dims {
        self.entry.dims
    }

    /// The type of its elements.
    #[must_use]
    pub fn ty(&self) -> GgmlType {
        self.entry.ty
    }

    /// Where its bytes begin, counted from the start of the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.entry.offset
    }

    /// How many bytes it has; all of them are within the file.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.entry.byte_len
    }

    /// Its bytes' place in the file.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.entry.offset..self.entry.offset + self.entry.byte_len
    }

    /// Its bytes, out of those of the whole file; `None` if they are another file's.
    ///
    /// They are in the file's byte order.
    #[must_use]
    pub fn data<'f>(&self, file: &'f [u8]) -> Option<&'f [u8]> {
        let range = self.range();
        file.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
    }

    /// Its name, dimensions and type, owned.
    #[must_use]
    pub fn to_spec(&self) -> TensorSpec {
        TensorSpec::new(self.name(), self.dims(), self.ty())
    }
}

/// A key or name, which were checked to be UTF-8 when the header was read.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
