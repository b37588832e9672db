//! Every limit is kept, at its exact value, and named by the error.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod common;

use common::Raw;
use gguf_format::{Gguf, GgufSet, LimitError, Limits, Place, ReadError, SplitError};

/// A file that needs a header of 1149 bytes, two pairs, two tensors and arrays two deep.
fn file() -> Vec<u8> {
    let mut raw = Raw::v3(2, 2);
    raw.key("a", 8).string(&[b'x'; 1000]).key("b", 9).u32(9).u64(1).u32(0).u64(1).put(&[1]);
    raw.tensor(b"s", &[1], 0, 0).tensor(b"t", &[1], 0, 32).data(32, 64);
    raw.bytes
}

/// What is said where a limit is one too low; with one more the file is read.
fn limited(limits: impl Fn(u32) -> Limits, enough: u32) -> LimitError {
    let file = file();
    assert_eq!(Gguf::parse(&file, &limits(enough)).err().map(|e| e.to_string()), None);
    match Gguf::parse(&file, &limits(enough - 1)).unwrap_err() {
        ReadError::Limit(error) => *error,
        other => unreachable!("{other}"),
    }
}

#[test]
fn limits_are_kept_and_named() {
    let limits = Limits::new;
    assert_eq!(limits(), Limits::default());
    let header = |n| limits().with_header_bytes(u64::from(n));
    let place = Place::Tensor { name: "t".into() };
    assert_eq!(limited(header, 1149), LimitError::HeaderBytes { place, found: 1149, max: 1148 });
    assert_eq!(limited(|n| limits().with_pairs(n), 2), LimitError::Pairs { found: 2, max: 1 });
    assert_eq!(limited(|n| limits().with_tensors(n), 2), LimitError::Tensors { found: 2, max: 1 });
    let place = Place::Value { key: "b".into() };
    assert_eq!(limited(|n| limits().with_array_depth(n as u8), 2), LimitError::ArrayDepth { place });
}

#[test]
fn a_set_has_no_more_shards_than_allowed() {
    let first =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/split-00001-of-00003.gguf");
    assert!(GgufSet::open_with_limits(&first, &Limits::new().with_shards(3)).is_ok());
    let SplitError::File(error) =
        GgufSet::open_with_limits(&first, &Limits::new().with_shards(2)).unwrap_err()
    else {
        unreachable!("not an error of a file")
    };
    assert_eq!(
        error.to_string(),
        format!("{}: split.count is 3, the limit is 2: raise Limits::shards", first.display())
    );
    // One file is no set.
    let whole = first.with_file_name("no-tensors.gguf");
    assert!(GgufSet::open_with_limits(whole, &Limits::new().with_shards(1)).is_ok());
}
