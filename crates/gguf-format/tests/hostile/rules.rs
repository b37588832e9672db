//! What no report is about: a row for every other rule of the format.

use gguf_format::{FormatError, GgmlType};

use crate::common::Raw;
use crate::{Case, Expected, key, name, raw, value};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    magic(&mut cases);
    keys(&mut cases);
    names(&mut cases);
    values(&mut cases);
    tensors(&mut cases);
    many(&mut cases);
    cases
}

/// All index and no content, where memory is largest for the file's size.
fn many(cases: &mut Vec<Case>) {
    let n = 1 << 16;
    let (mut pairs, mut tensors) = (Raw::v3(0, n), Raw::v3(n, 0));
    for i in 0..n {
        pairs.key(&format!("{i:x}"), 0).put(&[0]);
        tensors.tensor(format!("{i:x}").as_bytes(), &[1], 24, 32 * i);
    }
    tensors.data(32, 32 * n as usize);
    let n = n as usize;
    cases.push(Case::new("rule", "pairs of a byte", &pairs, Expected::Read { pairs: n, tensors: 0 }));
    cases.push(Case::new("rule", "tensors of a byte", &tensors, Expected::Read { pairs: 0, tensors: n }));
}

fn magic(cases: &mut Vec<Case>) {
    let magic = |found: &str| FormatError::Magic { found: found.into() };
    cases.push(Case::new("rule", "an older format", &raw(b"ggjt\x03\0\0\0"), magic("ggjt")));
    cases.push(Case::new("rule", "a magic of no text", &raw(b"\x1b[2J\x03\0\0\0"), magic("\u{1b}[2J")));
    for found in [1 << 31, u32::MAX, 0x0304_0000] {
        let file = Raw::new(found, false).u64(0).u64(0).clone();
        cases.push(Case::new("rule", format!("version {found}"), &file, FormatError::Version { found }));
    }
    // One more than there is room for.
    let counts = FormatError::Counts { tensors: 1, pairs: 0, room: 24 };
    cases.push(Case::new("rule", "a tensor in 24 bytes", Raw::v3(1, 0).data(1, 24), counts));
    let counts = FormatError::Counts { tensors: 0, pairs: 2, room: 27 };
    cases.push(Case::new("rule", "two pairs in 27 bytes", Raw::v3(0, 2).data(1, 27), counts));
}

fn keys(cases: &mut Vec<Case>) {
    let file = |a: &[u8], b: &[u8]| {
        let mut raw = Raw::v3(0, 2);
        raw.string(a).u32(0).put(&[1]).string(b).u32(0).put(&[1]).data(1, 8);
        raw
    };
    let read = || Expected::Read { pairs: 2, tensors: 0 };
    let twice = FormatError::DuplicateKey { key: "k".into() };
    cases.push(Case::new("rule", "a key twice", &file(b"k", b"k"), twice));
    cases.push(Case::new("rule", "an empty key", &file(b"k", b""), FormatError::EmptyName { place: key(1) }));
    let not_text = |place, text: &str| FormatError::NameNotText { place, text: text.into() };
    cases.push(Case::new("rule", "a key with a NUL", &file(b"a\0b", b"a"), not_text(key(0), "a\0b")));
    cases.push(Case::new("rule", "a key of no UTF-8", &file(b"a", b"\xff"), not_text(key(1), "\u{fffd}")));
    let long = vec![b'k'; 65_536];
    let text = format!("{}…", "k".repeat(80));
    let too_long = FormatError::NameTooLong { place: key(1), text, len: 65_536, max: 65_535 };
    cases.push(Case::new("rule", "a key of 65536 bytes", &file(b"k", &long), too_long));
    cases.push(Case::new("rule", "a key of 65535 bytes", &file(b"k", &long[1..]), read()));
}

fn names(cases: &mut Vec<Case>) {
    let file = |a: &[u8], b: &[u8]| {
        let mut raw = Raw::v3(2, 0);
        raw.tensor(a, &[1], 0, 0).tensor(b, &[1], 0, 32).data(32, 64);
        raw
    };
    let read = || Expected::Read { pairs: 0, tensors: 2 };
    let twice = FormatError::DuplicateTensor { name: "t".into() };
    cases.push(Case::new("rule", "a name twice", &file(b"t", b"t"), twice));
    cases.push(Case::new(
        "rule",
        "an empty name",
        &file(b"", b"t"),
        FormatError::EmptyName { place: name(0) },
    ));
    let not_text = |text: &str| FormatError::NameNotText { place: name(1), text: text.into() };
    cases.push(Case::new("rule", "a name that C cuts to another", &file(b"t", b"t\0"), not_text("t\0")));
    cases.push(Case::new("rule", "a name of no UTF-8", &file(b"t", b"\xff"), not_text("\u{fffd}")));
    cases.push(Case::new("rule", "a name of 63 bytes", &file(b"t", &[b'n'; 63]), read()));
}

fn values(cases: &mut Vec<Case>) {
    for found in [2, 255] {
        let file = Raw::v3(0, 1).key("k", 7).put(&[found]).clone();
        let wrong = FormatError::Bool { place: value("k"), offset: 37, found };
        cases.push(Case::new("rule", format!("a bool of {found}"), &file, wrong));
        let file = Raw::v3(0, 1).key("k", 9).u32(7).u64(3).put(&[0, 1, found]).clone();
        let wrong = FormatError::Bool { place: value("k"), offset: 51, found };
        cases.push(Case::new("rule", format!("an array with a bool of {found}"), &file, wrong));
    }
    // What a token is may be no text.
    let file = Raw::v3(0, 1).key("k", 8).string(b"\xff\0\x1b").clone();
    cases.push(Case::new("rule", "a value of no text", &file, Expected::Read { pairs: 1, tensors: 0 }));
}

fn tensors(cases: &mut Vec<Case>) {
    let one = |dims: &[u64], ty, offset| Raw::v3(1, 0).tensor(b"t", dims, ty, offset).data(32, 64).clone();
    let row = |row_len, ty| FormatError::RowLength { name: "t".into(), row_len, ty };
    cases.push(Case::new("rule", "half a block", &one(&[33, 32], 2, 0), row(33, GgmlType::Q4_0)));
    cases.push(Case::new("rule", "an eighth of a block", &one(&[32], 12, 0), row(32, GgmlType::Q4_K)));
    for offset in [1, 16, 31, u64::MAX] {
        let wrong = FormatError::Misaligned { name: "t".into(), offset, alignment: 32 };
        cases.push(Case::new("rule", format!("data at {offset}"), &one(&[1], 0, offset), wrong));
    }
    // llama.cpp reads it: 2^60 + 256 elements times 144 bytes wrap to those of one block.
    let out = |offset| FormatError::OutOfFile {
        name: "t".into(),
        offset,
        needed: ((1 << 60) / 256 + 1) * 144,
        file_len: offset + 144,
    };
    let file = Raw::v3(1, 0).tensor(b"t", &[(1 << 60) + 256], 12, 0).data(32, 144).clone();
    cases.push(Case::new("rule", "bytes that wrap to one block's", &file, out(64)));
    let two = |a: (u64, u64), b: (u64, u64)| {
        let mut raw = Raw::v3(2, 0);
        raw.tensor(b"a", &[a.0], 0, a.1).tensor(b"b", &[b.0], 0, b.1).data(32, 256);
        raw
    };
    for (what, a, b, first, second) in [
        ("shared bytes", (9, 0), (1, 32), "a", "b"),
        ("shared bytes, the later first", (1, 32), (9, 0), "b", "a"),
        ("a tensor within another", (64, 0), (1, 64), "a", "b"),
    ] {
        let shared = FormatError::Overlap { first: first.into(), second: second.into() };
        cases.push(Case::new("rule", what, &two(a, b), shared));
    }
    let read = |tensors| Expected::Read { pairs: 0, tensors };
    cases.push(Case::new("rule", "a gap, the later first", &two((1, 96), (1, 0)), read(2)));
    cases.push(Case::new("rule", "no dimension", &one(&[], 0, 0), read(1)));
    // The smallest tensors there can be, with one byte each.
    let mut least = Raw::v3(20, 1);
    least.key("general.alignment", 4).u32(1);
    for i in 0..20 {
        least.tensor(&[b'a' + i], &[], 24, i.into());
    }
    least.data(1, 20);
    cases.push(Case::new(
        "rule",
        "many without dimensions",
        &least,
        Expected::Read { pairs: 1, tensors: 20 },
    ));
    // Nothing is needed after the last byte.
    let file = Raw::v3(1, 0).tensor(b"t", &[9], 0, 0).data(32, 36).clone();
    cases.push(Case::new("rule", "no padding at the end", &file, read(1)));
    let file = Raw::v3(1, 0).tensor(b"t", &[9], 0, 0).data(32, 35).clone();
    let out = FormatError::OutOfFile { name: "t".into(), offset: 64, needed: 36, file_len: 99 };
    cases.push(Case::new("rule", "one byte short", &file, out));
}
