//! Reading numbers and strings one after the other out of bytes that may still have to be fetched.

use std::io;
use std::ops::Range;

use crate::error::{FormatError, LimitError, Place, ReadError, excerpt};
use crate::value::ValueType;

/// The byte order of a file, which its version number gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant byte first: nearly every file.
    Little,
    /// Most significant byte first: files for s390x and the like. Their tensors' bytes are big-endian too.
    Big,
}

/// How numbers and lengths are stored: what the file's first eight bytes decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub(crate) order: ByteOrder,
    /// Whether lengths and counts have 64 bits (version 2 and later) or 32 (version 1).
    pub(crate) wide: bool,
}

impl Encoding {
    pub(crate) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self.order {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        }
    }

    pub(crate) fn u64(self, bytes: [u8; 8]) -> u64 {
        match self.order {
            ByteOrder::Little => u64::from_le_bytes(bytes),
            ByteOrder::Big => u64::from_be_bytes(bytes),
        }
    }

    /// Bytes of a length or count.
    pub(crate) fn length_bytes(self) -> u64 {
        if self.wide { 8 } else { 4 }
    }
}

/// Bytes of which the first part is in memory, and more can be brought there.
pub(crate) trait Source {
    /// How many bytes there are in all.
    fn total(&self) -> u64;
    /// Those in memory.
    fn loaded(&self) -> &[u8];
    /// Brings at least the first `end` bytes into memory; `end` is at most [`Source::total`].
    fn load(&mut self, end: usize) -> io::Result<()>;
}

impl Source for &[u8] {
    fn total(&self) -> u64 {
        self.len() as u64
    }

    fn loaded(&self) -> &[u8] {
        self
    }

    fn load(&mut self, _end: usize) -> io::Result<()> {
        Ok(())
    }
}

/// What is being read, as ranges: turned into a [`Place`] only when something is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Preamble,
    Key(u32),
    Value { key: Span },
    TensorName(u32),
    Tensor { name: Span },
}

/// Bytes `start..start + len` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl Span {
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.start.saturating_add(self.len)
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }
}

/// A position in a [`Source`].
pub(crate) struct Cursor<S> {
    source: S,
    position: usize,
    /// Up to here bytes are in memory and within the limit.
    free: usize,
    max_bytes: u64,
    encoding: Encoding,
    at: At,
}

impl<S: Source> Cursor<S> {
    pub(crate) fn new(source: S, encoding: Encoding, max_bytes: u64) -> Self {
        let free = free(&source, max_bytes);
        Self { source, position: 0, free, max_bytes, encoding, at: At::Preamble }
    }

    pub(crate) fn into_source(self) -> S {
        self.source
    }

    pub(crate) fn loaded(&self) -> &[u8] {
        self.source.loaded()
    }

    pub(crate) fn total(&self) -> u64 {
        self.source.total()
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub(crate) fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = encoding;
    }

    /// Says what is read next, for errors.
    pub(crate) fn at(&mut self, at: At) {
        self.at = at;
    }

    pub(crate) fn place(&self) -> Place {
        let text = |span: Span| excerpt(span.of(self.loaded()));
        match self.at {
            At::Preamble => Place::Preamble,
            At::Key(index) => Place::Key { index },
            At::Value { key } => Place::Value { key: text(key) },
            At::TensorName(index) => Place::TensorName { index },
            At::Tensor { name } => Place::Tensor { name: text(name) },
        }
    }

    pub(crate) fn remaining(&self) -> u64 {
        self.total().saturating_sub(self.position as u64)
    }

    /// Goes past `n` bytes, which are in memory afterwards.
    #[inline]
    pub(crate) fn take(&mut self, n: u64) -> Result<Span, ReadError> {
        let start = self.position;
        // What is in memory already costs one comparison.
        let within = usize::try_from(n).ok().filter(|n| *n <= self.free.saturating_sub(start));
        let len = match within {
            Some(len) => len,
            None => self.fetch(n)?,
        };
        self.position = start + len;
        Ok(Span { start, len })
    }

    /// Brings the next `n` bytes into memory, if the file and the limit have them.
    #[cold]
    fn fetch(&mut self, n: u64) -> Result<usize, ReadError> {
        let remaining = self.remaining();
        if n > remaining {
            let offset = self.position as u64;
            return Err(FormatError::Truncated { place: self.place(), offset, needed: n, remaining }.into());
        }
        // No overflow: both are at most the file's length.
        let end = self.position as u64 + n;
        let end = match usize::try_from(end) {
            Ok(end_in_memory) if end <= self.max_bytes => end_in_memory,
            _ => {
                let (place, max) = (self.place(), self.max_bytes);
                return Err(LimitError::HeaderBytes { place, found: end, max }.into());
            }
        };
        self.source.load(end)?;
        self.free = free(&self.source, self.max_bytes);
        Ok(end - self.position)
    }

    pub(crate) fn bytes(&mut self, n: u64) -> Result<&[u8], ReadError> {
        let span = self.take(n)?;
        Ok(span.of(self.loaded()))
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let span = self.take(N as u64)?;
        Ok(self.loaded().get(span.range()).and_then(|b| b.try_into().ok()).unwrap_or([0; N]))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ReadError> {
        let encoding = self.encoding;
        self.array().map(|b| encoding.u32(b))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ReadError> {
        let encoding = self.encoding;
        self.array().map(|b| encoding.u64(b))
    }

    /// A length, count or dimension: 32 bits in version 1, 64 later.
    #[inline]
    pub(crate) fn length(&mut self) -> Result<u64, ReadError> {
        if self.encoding.wide { self.u64() } else { self.u32().map(u64::from) }
    }

    /// A string: its length, then its bytes.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Span, ReadError> {
        let len = self.length()?;
        self.take(len)
    }

    pub(crate) fn value_type(&mut self) -> Result<ValueType, ReadError> {
        let id = self.u32()?;
        ValueType::from_id(id).ok_or_else(|| FormatError::ValueType { place: self.place(), found: id }.into())
    }

    /// Goes past a value of this type, checking what it holds. Arrays may nest `depth` deep.
    pub(crate) fn skip_value(&mut self, ty: ValueType, depth: u8) -> Result<(), ReadError> {
        match ty {
            ValueType::Array => self.skip_array(depth),
            ty => self.skip_elements(ty, 1, depth),
        }
    }

    fn skip_array(&mut self, depth: u8) -> Result<(), ReadError> {
        let Some(below) = depth.checked_sub(1) else {
            return Err(LimitError::ArrayDepth { place: self.place() }.into());
        };
        let ty = self.value_type()?;
        let count = self.length()?;
        self.skip_elements(ty, count, below)
    }

    fn skip_elements(&mut self, ty: ValueType, count: u64, depth: u8) -> Result<(), ReadError> {
        match (ty, ty.fixed_bytes()) {
            (ValueType::Bool, _) => {
                let offset = self.position as u64;
                let bytes = self.bytes(count)?;
                if let Some((i, &found)) = bytes.iter().enumerate().find(|(_, b)| **b > 1) {
                    let place = self.place();
                    return Err(FormatError::Bool { place, offset: offset + i as u64, found }.into());
                }
            }
            // A product that wraps is more bytes than any file has.
            (_, Some(size)) => {
                self.take(count.saturating_mul(size as u64))?;
            }
            // Each element takes bytes, so that the file's end stops a false count.
            (ValueType::Array, None) => {
                for _ in 0..count {
                    self.skip_array(depth)?;
                }
            }
            (_, None) => self.skip_strings(count)?,
        }
        Ok(())
    }

    /// Goes past so many strings. A vocabulary has hundreds of thousands of them: those in memory take a short loop.
    fn skip_strings(&mut self, count: u64) -> Result<(), ReadError> {
        let mut left = count;
        loop {
            let mut ready = self.loaded().get(self.position..self.free).unwrap_or_default();
            while left > 0
                && let Some((_, rest)) = split_string(ready, self.encoding)
            {
                ready = rest;
                left -= 1;
            }
            self.position = self.free - ready.len();
            if left == 0 {
                return Ok(());
            }
            // The next one is to be fetched, or is not there.
            self.string()?;
            left -= 1;
        }
    }
}

/// The string that these bytes begin with, and the bytes after it; `None` if they have no whole one.
#[inline]
pub(crate) fn split_string(bytes: &[u8], encoding: Encoding) -> Option<(&[u8], &[u8])> {
    let (len, rest) = if encoding.wide {
        let (len, rest) = bytes.split_first_chunk()?;
        (usize::try_from(encoding.u64(*len)).ok()?, rest)
    } else {
        let (len, rest) = bytes.split_first_chunk()?;
        (usize::try_from(encoding.u32(*len)).ok()?, rest)
    };
    rest.split_at_checked(len)
}

fn free<S: Source>(source: &S, max_bytes: u64) -> usize {
    source.loaded().len().min(usize::try_from(max_bytes).unwrap_or(usize::MAX))
}
