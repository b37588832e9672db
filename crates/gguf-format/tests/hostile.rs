//! Files made to break a reader: each is an error that names the place, none a panic. `memory.rs` watches what
//! is allocated.
//!
//! The rows carry the ids of the published reports that they answer to.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod common;

use common::Raw;
use gguf_format::{FormatError, Gguf, GgufFile, LimitError, Limits, Place, ReadError};

/// Parses bytes that must be refused, in memory and as a file, and gives what was said.
fn refused(bytes: &[u8]) -> FormatError {
    let Err(error) = Gguf::parse(bytes, &Limits::default()) else { panic!("accepted {bytes:02x?}") };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.gguf");
    std::fs::write(&path, bytes).unwrap();
    let from_file = GgufFile::open(&path).unwrap_err();
    assert_eq!(from_file.source.to_string(), error.to_string());
    assert!(from_file.to_string().contains("hostile.gguf"));
    match error {
        ReadError::Format(error) => *error,
        other => panic!("not an error of the file: {other}"),
    }
}

/// A file with one pair, whose value follows.
fn pair(key: &str, ty: u32) -> Raw {
    let mut raw = Raw::v3(0, 1);
    raw.key(key, ty);
    raw
}

/// A file with one tensor `t` and this many bytes of data.
fn tensor(dims: &[u64], ty: u32, offset: u64, data: usize) -> Vec<u8> {
    Raw::v3(1, 0).tensor(b"t", dims, ty, offset).data(32, data).bytes.clone()
}

const HUGE: [u64; 4] = [1 << 63, u64::MAX, (1 << 63) - 1, 1 << 40];

#[test]
fn huge_counts() {
    // CVE-2024-21836, CVE-2024-23605, CVE-2025-53630, CVE-2026-27940
    for n in HUGE {
        let counts = |t, p| refused(&Raw::v3(t, p).data(32, 64).bytes);
        assert!(matches!(counts(n, 0), FormatError::Counts { tensors, .. } if tensors == n));
        assert!(matches!(counts(0, n), FormatError::Counts { pairs, .. } if pairs == n));
        assert!(matches!(counts(n, n), FormatError::Counts { .. }));
    }
    // One more than there is room for.
    assert!(matches!(refused(&Raw::v3(1, 0).data(1, 32).bytes), FormatError::Counts { room: 32, .. }));
}

#[test]
fn huge_strings() {
    // CVE-2024-23496, ollama #17032
    for n in HUGE {
        let key = refused(&Raw::v3(0, 1).u64(n).data(32, 64).bytes);
        assert!(
            matches!(key, FormatError::Truncated { place: Place::Key { index: 0 }, needed, .. } if needed == n)
        );
        let value = refused(&pair("k", 8).u64(n).put(b"text").bytes);
        assert_eq!(
            value,
            FormatError::Truncated {
                place: Place::Value { key: "k".into() },
                offset: 45,
                needed: n,
                remaining: 4
            }
        );
        let name = refused(&Raw::v3(1, 0).u64(n).data(32, 64).bytes);
        assert!(matches!(name, FormatError::Truncated { place: Place::TensorName { index: 0 }, .. }));
    }
}

#[test]
fn huge_and_nested_arrays() {
    // CVE-2024-21825, CVE-2024-21802, gguf-py #27188 #28880
    for n in HUGE {
        for ty in 0..=12 {
            let error = refused(&pair("k", 9).u32(ty).u64(n).data(32, 64).bytes);
            assert!(
                matches!(error, FormatError::Truncated { place: Place::Value { .. }, .. }),
                "{ty} {n}: {error}"
            );
        }
    }
    let mut deep = pair("k", 9);
    for _ in 0..100_000 {
        deep.u32(9).u64(1);
    }
    let error = Gguf::parse(&deep.bytes, &Limits::default()).unwrap_err();
    assert!(matches!(&error, ReadError::Limit(e) if matches!(**e, LimitError::ArrayDepth { .. })), "{error}");
    let mut limits = Limits::default();
    limits.array_depth = u8::MAX;
    assert!(Gguf::parse(&deep.bytes, &limits).is_err());
}

#[test]
fn cut_short_at_every_byte() {
    // CVE-2024-32878, CVE-2024-41130, CVE-2024-39720 (a file of 4 bytes)
    for name in ["every-type-le.gguf", "every-type-be.gguf"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        let whole = std::fs::read(path).unwrap();
        let end_of_data = {
            let gguf = Gguf::parse(&whole, &Limits::default()).unwrap();
            gguf.tensors().iter().map(|t| t.range().end).max().unwrap() as usize
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.gguf");
        std::fs::write(&path, &whole).unwrap();
        for len in (0..end_of_data).rev() {
            let ReadError::Format(error) = Gguf::parse(&whole[..len], &Limits::default()).unwrap_err() else {
                panic!("{len}");
            };
            std::fs::File::options().write(true).open(&path).unwrap().set_len(len as u64).unwrap();
            assert_eq!(GgufFile::open(&path).unwrap_err().source.to_string(), error.to_string());
            assert!(
                matches!(
                    *error,
                    FormatError::Truncated { .. }
                        | FormatError::Counts { .. }
                        | FormatError::OutOfFile { .. }
                ),
                "{len}: {error}"
            );
        }
        // What is left is padding.
        for len in end_of_data..whole.len() {
            assert!(Gguf::parse(&whole[..len], &Limits::default()).is_ok());
        }
    }
}

#[test]
fn hostile_dimensions() {
    // GHSA-3p75-pq92-q28f, CVE-2026-33298, huggingface.js#2028, CVE-2026-53923
    for dims in [[4, 0].as_slice(), &[0], &[1, 1, 1, 0]] {
        assert!(matches!(refused(&tensor(dims, 0, 0, 64)), FormatError::Dims { .. }));
    }
    for dims in [
        [1u64 << 63].as_slice(),
        &[u64::MAX],
        &[(1 << 42) + 1, 1 << 22],
        &[1 << 32, 1 << 32],
        &[1 << 16, 1 << 16, 1 << 16, 1 << 16],
        // Wraps to 0 and to 4 bytes of f32.
        &[1 << 62],
        &[(1 << 62) + 1],
    ] {
        let error = refused(&tensor(dims, 0, 0, 64));
        assert!(
            matches!(error, FormatError::Dims { .. } | FormatError::TensorTooLarge { .. }),
            "{dims:?}: {error}"
        );
    }
    assert!(matches!(refused(&tensor(&[1; 5], 0, 0, 64)), FormatError::DimsCount { found: 5, .. }));
    let many = Raw::v3(1, 0).string(b"t").u32(u32::MAX).data(32, 64).bytes.clone();
    assert_eq!(
        refused(&many),
        FormatError::DimsCount { place: Place::Tensor { name: "t".into() }, found: u32::MAX }
    );
    assert!(matches!(refused(&tensor(&[33], 2, 0, 64)), FormatError::RowLength { row_len: 33, .. }));
}

#[test]
fn hostile_types() {
    // Withdrawn, unused and impossible tensor types (huggingface.js#2028).
    for ty in [4, 5, 31, 32, 33, 36, 37, 38, 43, 1 << 31, u32::MAX] {
        assert_eq!(
            refused(&tensor(&[256], ty, 0, 64)),
            FormatError::TensorType { name: "t".into(), found: ty }
        );
    }
    for ty in [13, 1 << 31, u32::MAX] {
        assert!(
            matches!(refused(&pair("k", ty).u64(0).bytes), FormatError::ValueType { found, .. } if found == ty)
        );
        let array = refused(&pair("k", 9).u32(ty).u64(0).bytes);
        assert!(matches!(array, FormatError::ValueType { found, .. } if found == ty));
    }
    for byte in [2u8, 255] {
        assert!(
            matches!(refused(&pair("k", 7).put(&[byte]).bytes), FormatError::Bool { found, .. } if found == byte)
        );
        let array = refused(&pair("k", 9).u32(7).u64(3).put(&[0, 1, byte]).bytes);
        assert_eq!(
            array,
            FormatError::Bool { place: Place::Value { key: "k".into() }, offset: 51, found: byte }
        );
    }
}

#[test]
fn hostile_offsets() {
    // ollama #17032, CVE-2026-7482, CVE-2024-12055
    for offset in [32, 1 << 40, (1 << 63) - 32, 1 << 63, u64::MAX - 31] {
        let error = refused(&tensor(&[8], 0, offset, 32));
        assert!(matches!(error, FormatError::OutOfFile { .. }), "{offset}: {error}");
    }
    for offset in [1, 16, 31, u64::MAX] {
        assert!(matches!(refused(&tensor(&[1], 0, offset, 64)), FormatError::Misaligned { .. }));
    }
    // The data may not start past the end of the file either.
    let no_data = Raw::v3(1, 0).tensor(b"t", &[1], 24, 0).bytes.clone();
    assert!(matches!(refused(&no_data), FormatError::OutOfFile { needed: 1, .. }));
}

#[test]
fn tensors_that_share_bytes() {
    let shared = |a: (u64, u64), b: (u64, u64)| {
        Raw::v3(2, 0).tensor(b"a", &[a.0], 0, a.1).tensor(b"b", &[b.0], 0, b.1).data(32, 256).bytes.clone()
    };
    for bytes in [shared((9, 0), (1, 32)), shared((1, 32), (9, 0)), shared((1, 0), (1, 0))] {
        assert!(matches!(refused(&bytes), FormatError::Overlap { .. }));
    }
}

#[test]
fn names_twice_empty_long_or_not_text() {
    let keys =
        |a: &str, b: &str| Raw::v3(0, 2).key(a, 0).put(&[1]).key(b, 0).put(&[1]).data(1, 8).bytes.clone();
    assert_eq!(refused(&keys("k", "k")), FormatError::DuplicateKey { key: "k".into() });
    assert_eq!(refused(&keys("k", "")), FormatError::EmptyName { place: Place::Key { index: 1 } });
    assert!(matches!(refused(&keys("a\0b", "a")), FormatError::NameNotText { .. }));
    assert!(matches!(refused(&keys("k", &"k".repeat(65_536))), FormatError::NameTooLong { len: 65_536, .. }));
    assert!(Gguf::parse(&keys("k", &"k".repeat(65_535)), &Limits::default()).is_ok());

    let names = |a: &[u8], b: &[u8]| {
        Raw::v3(2, 0).tensor(a, &[1], 0, 0).tensor(b, &[1], 0, 32).data(32, 64).bytes.clone()
    };
    assert_eq!(refused(&names(b"t", b"t")), FormatError::DuplicateTensor { name: "t".into() });
    assert_eq!(refused(&names(b"", b"t")), FormatError::EmptyName { place: Place::TensorName { index: 0 } });
    assert!(matches!(refused(&names(b"t", b"t\0")), FormatError::NameNotText { .. }));
    assert!(matches!(refused(&names(b"t", b"\xff")), FormatError::NameNotText { .. }));
    assert!(matches!(refused(&names(b"t", &[b'n'; 64])), FormatError::NameTooLong { len: 64, max: 63, .. }));
    assert!(Gguf::parse(&names(b"t", &[b'n'; 63]), &Limits::default()).is_ok());
}

#[test]
fn hostile_alignment() {
    // llama.cpp #24997, CVE-2025-0317
    for found in [0, 3, 48, u32::MAX] {
        let bytes = pair("general.alignment", 4).u32(found).bytes.clone();
        assert_eq!(refused(&bytes), FormatError::Alignment { found });
    }
    for ty in [0, 2, 5, 10] {
        assert!(matches!(
            refused(&pair("general.alignment", ty).u64(32).bytes),
            FormatError::AlignmentType { .. }
        ));
    }
    let mut raw = Raw::v3(1, 1);
    raw.key("general.alignment", 4).u32(1 << 31).tensor(b"t", &[1], 0, 0).data(32, 64);
    assert!(matches!(refused(&raw.bytes), FormatError::OutOfFile { offset, .. } if offset == 1 << 31));
}

#[test]
fn other_files() {
    assert_eq!(refused(b"ggjt\x03\0\0\0"), FormatError::Magic { found: "ggjt".into() });
    assert!(matches!(refused(b""), FormatError::Truncated { needed: 4, remaining: 0, .. }));
    assert!(matches!(refused(b"GGUF"), FormatError::Truncated { needed: 4, remaining: 0, .. }));
    for version in [0, 4, 1 << 31, u32::MAX] {
        let bytes = Raw::new(version, false).u64(0).u64(0).bytes.clone();
        assert_eq!(refused(&bytes), FormatError::Version { found: version });
    }
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_path_buf(), folder.path().join("absent.gguf"), "/dev/null".into()] {
        let error = GgufFile::open(&path).unwrap_err();
        assert!(matches!(error.source, ReadError::Io(_)), "{error}");
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    }
}

#[test]
fn limits_are_kept_and_named() {
    let mut raw = Raw::v3(2, 2);
    raw.key("a", 8).string(&[b'x'; 1000]).key("b", 0).put(&[1]);
    raw.tensor(b"s", &[1], 0, 0).tensor(b"t", &[1], 0, 32).data(32, 64);
    let message = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        match Gguf::parse(&raw.bytes, &limits).unwrap_err() {
            ReadError::Limit(error) => error.to_string(),
            other => panic!("{other}"),
        }
    };
    assert_eq!(message(|l| l.pairs = 1), "2 metadata pairs, the limit is 1: raise Limits::pairs");
    assert_eq!(message(|l| l.tensors = 1), "2 tensors, the limit is 1: raise Limits::tensors");
    assert_eq!(
        message(|l| l.header_bytes = 100),
        "key \"a\": the header has at least 1045 bytes, the limit is 100: raise Limits::header_bytes"
    );
    assert!(Gguf::parse(&raw.bytes, &Limits::default()).is_ok());
}
