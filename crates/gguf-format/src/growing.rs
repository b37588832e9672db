//! The beginning of a file, read as far as it is needed.

use std::io::{self, Read};

use crate::cursor::Source;

/// The beginning of what a reader gives, brought into memory in steps that double, so that neither many small reads
/// are made nor much is read that is not needed.
#[derive(Debug)]
pub(crate) struct Growing<R> {
    reader: R,
    total: u64,
    bytes: Vec<u8>,
}

impl<R: Read> Growing<R> {
    /// The first step: the whole header of a model without a vocabulary.
    const FIRST: usize = 1 << 17;

    /// A reader that will give so many bytes.
    pub(crate) fn new(reader: R, total: u64) -> Self {
        Self { reader, total, bytes: Vec::new() }
    }

    /// What was read.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<R: Read> Source for Growing<R> {
    fn total(&self) -> u64 {
        self.total
    }

    fn loaded(&self) -> &[u8] {
        &self.bytes
    }

    fn load(&mut self, end: usize) -> io::Result<()> {
        // Never past the file's end, so that no more memory is asked for than the file is long.
        while self.bytes.len() < end {
            let before = self.bytes.len();
            let left = self.total.saturating_sub(before as u64);
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(before.max(Self::FIRST));
            self.bytes.reserve_exact(step);
            if self.reader.by_ref().take(step as u64).read_to_end(&mut self.bytes)? < step {
                // The file has become shorter since it was opened.
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}
