//! Files made to break a reader: a table of them, each with the report that it answers to, and the exact error or what
//! is read. In `reports.rs` the published ones, in `handcrafted.rs` those that llama.cpp's own tests make, in
//! `rules.rs` one for every other rule.
//!
//! Each is read from memory and from a reader, and watched: memory stays in proportion to the file, and no more of the
//! file is read than twice its header, whatever it claims. One test does it all, so that the peak of memory is its own.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod handcrafted;
mod messages;
mod reports;
mod rules;

use std::io::Read;

use common::Raw;
use gguf_format::{FormatError, Gguf, KeyError, LimitError, Limits, MetadataRef, Place, ReadError};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// A hostile file and what becomes of it.
pub(crate) struct Case {
    /// The report, or the name that llama.cpp has for it.
    id: &'static str,
    /// What is wrong with it.
    what: String,
    bytes: Vec<u8>,
    /// Its length, if zeros follow the bytes.
    len: Option<u64>,
    expected: Expected,
}

/// What a reader makes of a file.
pub(crate) enum Expected {
    Format(FormatError),
    Limit(LimitError),
    /// It is read: so many pairs and tensors.
    Read {
        pairs: usize,
        tensors: usize,
    },
    /// It is read, and asking for a key fails.
    Key(fn(MetadataRef<'_>) -> Option<KeyError>, KeyError),
}

impl Case {
    fn new(id: &'static str, what: impl Into<String>, file: &Raw, expected: impl Into<Expected>) -> Self {
        Self { id, what: what.into(), bytes: file.bytes.clone(), len: None, expected: expected.into() }
    }

    /// The same bytes at the beginning of a file that is as long as it claims: zeros follow.
    fn in_terabyte(self) -> Self {
        Self { len: Some(1 << 40), ..self }
    }
}

impl From<FormatError> for Expected {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl From<LimitError> for Expected {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}

/// A file that begins with these bytes and goes on little-endian.
pub(crate) fn raw(bytes: &[u8]) -> Raw {
    let mut raw = Raw::v3(0, 0);
    raw.bytes = bytes.to_vec();
    raw
}

pub(crate) fn key(index: u32) -> Place {
    Place::Key { index }
}

pub(crate) fn value(key: &str) -> Place {
    Place::Value { key: key.to_owned() }
}

pub(crate) fn name(index: u32) -> Place {
    Place::TensorName { index }
}

pub(crate) fn tensor(name: &str) -> Place {
    Place::Tensor { name: name.to_owned() }
}

/// Lengths and counts that have been a reader's end: the highest bit alone, all bits, all but the highest, and one that
/// no file is long enough for.
pub(crate) const HUGE: [u64; 4] = [1 << 63, u64::MAX, (1 << 63) - 1, 1 << 40];

/// Bytes, then zeros; counts what is taken of them.
struct Counted<'a> {
    bytes: &'a [u8],
    len: u64,
    taken: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.len - self.taken).unwrap_or(usize::MAX);
        let n = out.len().min(left);
        let from = self.bytes.get(self.taken as usize..).unwrap_or_default();
        let stored = n.min(from.len());
        out[..stored].copy_from_slice(&from[..stored]);
        out[stored..n].fill(0);
        self.taken += n as u64;
        Ok(n)
    }
}

/// The bytes that a call needs at its peak, beyond what was there before.
fn peak<T>(call: impl FnOnce() -> T) -> (T, usize) {
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage();
    let result = call();
    (result, ALLOCATED.peak_usage().saturating_sub(before))
}

/// What is wrong with how a case ends; nothing if it is as expected.
fn differs(case: &Case, found: &Result<Gguf<'_>, ReadError>) -> Option<String> {
    let as_expected = match (found, &case.expected) {
        (Err(ReadError::Format(found)), Expected::Format(expected)) => **found == *expected,
        (Err(ReadError::Limit(found)), Expected::Limit(expected)) => **found == *expected,
        (Ok(gguf), Expected::Read { pairs, tensors }) => {
            (gguf.metadata().len(), gguf.tensors().len()) == (*pairs, *tensors)
        }
        (Ok(gguf), Expected::Key(ask, expected)) => ask(gguf.metadata()).as_ref() == Some(expected),
        _ => false,
    };
    match found {
        _ if as_expected => None,
        Ok(gguf) => Some(format!("read {} pairs, {} tensors", gguf.metadata().len(), gguf.tensors().len())),
        Err(error) => Some(format!("{error:?}")),
    }
}

/// Reads a case in both ways; gives what is not as it should be.
fn problems(case: &Case) -> Vec<String> {
    /// An index, and an error with its names.
    const SMALL: usize = 4 << 10;
    /// What is read of a file at first.
    const FIRST_STEP: usize = 128 << 10;
    let mut problems = Vec::new();
    let mut tell =
        |how: &str, what: String| problems.push(format!("{}: {}: {how}: {what}", case.id, case.what));
    let limits = Limits::default();
    if case.len.is_none() {
        let (found, bytes) = peak(|| Gguf::parse(&case.bytes, &limits));
        if let Some(what) = differs(case, &found) {
            tell("in memory", what);
        }
        if bytes > 5 * case.bytes.len() + SMALL {
            tell("in memory", format!("{bytes} bytes allocated for {}", case.bytes.len()));
        }
    }
    let len = case.len.unwrap_or(case.bytes.len() as u64);
    let mut reader = Counted { bytes: &case.bytes, len, taken: 0 };
    let (found, bytes) = peak(|| Gguf::read(&mut reader, len, &limits));
    if let Some(what) = differs(case, &found) {
        tell("from a reader", what);
    }
    let allowed = FIRST_STEP.max(2 * case.bytes.len());
    if reader.taken > allowed as u64 {
        tell("from a reader", format!("{} bytes taken, {allowed} allowed", reader.taken));
    }
    if bytes > allowed + 5 * case.bytes.len() + SMALL {
        tell("from a reader", format!("{bytes} bytes allocated for {}", case.bytes.len()));
    }
    problems
}

#[test]
fn every_hostile_file_gets_its_error_in_bounded_memory_and_reads() {
    let mut cases = reports::cases();
    cases.extend(handcrafted::cases());
    cases.extend(rules::cases());
    let problems: Vec<String> = cases.iter().flat_map(problems).collect();
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
    messages::are_told(&cases);
}
