//! Published reports about readers of GGUF: llama.cpp, ollama, gguf-py, huggingface.js.

use gguf_format::{DimsError, FormatError, GgmlType, KeyError, LimitError, Place};

use crate::common::Raw;
use crate::{Case, Expected, HUGE, key, name, raw, tensor, value};

/// Bytes after the counts of a file that [`Raw::data`] filled up to 32 and 64 more.
const ROOM: u64 = 72;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    lengths(&mut cases);
    short(&mut cases);
    dimensions(&mut cases);
    offsets(&mut cases);
    alignments(&mut cases);
    types(&mut cases);
    nested(&mut cases);
    cases
}

/// Counts, lengths of strings and of arrays.
fn lengths(cases: &mut Vec<Case>) {
    for n in HUGE {
        let counts = |tensors, pairs| FormatError::Counts { tensors, pairs, room: ROOM };
        let file = |tensors, pairs| Raw::v3(tensors, pairs).data(32, 64).clone();
        cases.push(Case::new("CVE-2024-21836", format!("{n} tensors"), &file(n, 0), counts(n, 0)));
        cases.push(Case::new("CVE-2024-23605", format!("{n} pairs"), &file(0, n), counts(0, n)));
        cases.push(Case::new("CVE-2025-53630", format!("{n} tensors and pairs"), &file(n, n), counts(n, n)));
        // Times the size of a tensor in llama.cpp's memory, it is near 2^64 or just above.
        let wraps = u64::MAX / 384 + n % 3;
        cases.push(Case::new(
            "CVE-2026-27940",
            format!("{wraps} tensors"),
            &file(wraps, 0),
            counts(wraps, 0),
        ));

        let cut = |place, offset, remaining| FormatError::Truncated { place, offset, needed: n, remaining };
        let file = Raw::v3(0, 1).u64(n).data(32, 64).clone();
        cases.push(Case::new("CVE-2024-23496", format!("key of {n} bytes"), &file, cut(key(0), 32, 64)));
        let file = Raw::v3(0, 1).key("k", 8).u64(n).put(b"text").clone();
        cases.push(Case::new("ollama #17032", format!("text of {n} bytes"), &file, cut(value("k"), 45, 4)));
        let file = Raw::v3(1, 0).u64(n).data(32, 64).clone();
        cases.push(Case::new("ollama #17032", format!("name of {n} bytes"), &file, cut(name(0), 32, 64)));

        for (ty, bytes) in
            [(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (5, 4), (6, 4), (7, 1), (10, 8), (11, 8), (12, 8)]
        {
            let file = Raw::v3(0, 1).key("k", 9).u32(ty).u64(n).data(32, 64).clone();
            // A product that does not fit is as much as any file lacks.
            let needed = n.saturating_mul(bytes);
            let cut = FormatError::Truncated { place: value("k"), offset: 49, needed, remaining: 79 };
            let id = if ty % 2 == 0 { "CVE-2024-21825" } else { "gguf-py #27188" };
            cases.push(Case::new(id, format!("array of {n} of type {ty}"), &file, cut));
        }
        // 15 zeros up to 64, and 64 more: nine texts of no bytes and 7 bytes of the next length.
        let file = Raw::v3(0, 1).key("k", 9).u32(8).u64(n).data(32, 64).clone();
        let cut = FormatError::Truncated { place: value("k"), offset: 121, needed: 8, remaining: 7 };
        cases.push(Case::new("CVE-2024-21825", format!("array of {n} texts"), &file, cut));
        // Six arrays of no u8.
        let file = Raw::v3(0, 1).key("k", 9).u32(9).u64(n).data(32, 64).clone();
        let cut = FormatError::Truncated { place: value("k"), offset: 125, needed: 8, remaining: 3 };
        cases.push(Case::new("CVE-2024-21802", format!("array of {n} arrays"), &file, cut));
    }
    // As long as they claim: nothing but the limits is left.
    let limit = |found, max| LimitError::Pairs { found, max };
    let file = Raw::v3(0, 1 << 30);
    cases.push(
        Case::new("CVE-2024-23605", "2^30 pairs, and a terabyte", &file, limit(1 << 30, 1 << 16))
            .in_terabyte(),
    );
    let file = Raw::v3(1 << 30, 0);
    let limit = LimitError::Tensors { found: 1 << 30, max: 1 << 20 };
    cases.push(Case::new("CVE-2024-21836", "2^30 tensors, and a terabyte", &file, limit).in_terabyte());
    for (ty, place_of_length) in [(8, 45), (9, 49)] {
        let mut file = Raw::v3(0, 1).key("k", ty).clone();
        if ty == 9 {
            file.u32(0);
        }
        file.u64(1 << 39);
        let limit =
            LimitError::HeaderBytes { place: value("k"), found: place_of_length + (1 << 39), max: 1 << 28 };
        cases.push(Case::new("CVE-2024-23496", "2^39 bytes, and a terabyte", &file, limit).in_terabyte());
    }
    // Within the limits, and nothing but zeros behind them.
    let empty = |place| FormatError::EmptyName { place };
    cases.push(
        Case::new("CVE-2024-23605", "2^16 pairs of zeros", &Raw::v3(0, 1 << 16), empty(key(0))).in_terabyte(),
    );
    cases.push(
        Case::new("CVE-2024-21836", "2^20 tensors of zeros", &Raw::v3(1 << 20, 0), empty(name(0)))
            .in_terabyte(),
    );
}

/// Files that end too early; `cut_short.rs` ends them at every byte.
fn short(cases: &mut Vec<Case>) {
    let cut = |offset, needed, remaining| FormatError::Truncated {
        place: Place::Preamble,
        offset,
        needed,
        remaining,
    };
    cases.push(Case::new("CVE-2024-39720", "four bytes", &raw(b"GGUF"), cut(4, 4, 0)));
    cases.push(Case::new("CVE-2024-39720", "no byte", &raw(b""), cut(0, 4, 0)));
    cases.push(Case::new("CVE-2024-39720", "three bytes", &raw(b"GGU"), cut(0, 4, 3)));
    cases.push(Case::new("CVE-2024-32878", "ends within a count", &raw(b"GGUF\x03\0\0\0\x01"), cut(8, 8, 1)));
    let file = Raw::v3(0, 1).key("k", 4).put(&[1, 2, 3]).clone();
    let cut = FormatError::Truncated { place: value("k"), offset: 37, needed: 4, remaining: 3 };
    cases.push(Case::new("CVE-2024-41130", "ends within a value", &file, cut));
}

/// A file with one tensor `t` of these dimensions and this type, and 64 bytes of data.
fn one(dims: &[u64], ty: u32, offset: u64) -> Raw {
    Raw::v3(1, 0).tensor(b"t", dims, ty, offset).data(32, 64).clone()
}

fn dimensions(cases: &mut Vec<Case>) {
    let dims = |problem| FormatError::Dims { place: tensor("t"), problem };
    for (index, ne) in [(1, [4u64, 0].as_slice()), (0, &[0]), (0, &[0, 4]), (3, &[1, 1, 1, 0])] {
        let what = format!("dimensions {ne:?}");
        cases.push(Case::new("GHSA-3p75-pq92-q28f", what, &one(ne, 0, 0), dims(DimsError::Zero { index })));
    }
    for ne in [
        [1u64 << 63].as_slice(),
        &[u64::MAX],
        &[(1 << 42) + 1, 1 << 22],
        &[1 << 32, 1 << 32],
        &[1 << 16, 1 << 16, 1 << 16, 1 << 16],
        // Three small products, of which the last wraps to 2.
        &[2, 1, 1 << 33, (1 << 30) + 1],
    ] {
        let what = format!("dimensions {ne:?}");
        cases.push(Case::new("CVE-2024-21802", what, &one(ne, 0, 0), dims(DimsError::TooManyElements)));
    }
    // As many elements as can be counted, and no more bytes than wrap to 0, to 4, and to what is there.
    for ne in [[1u64 << 62].as_slice(), &[(1 << 62) + 1], &[(1 << 42) + 1, 1 << 20], &[1 << 42, 1 << 20, 1]] {
        let (ty, dims) = (GgmlType::F32, gguf_format::Dims::new(ne).unwrap());
        let large = FormatError::TensorTooLarge { name: "t".into(), dims, ty };
        cases.push(Case::new("CVE-2026-33298", format!("dimensions {ne:?}"), &one(ne, 0, 0), large));
    }
    for found in [5, 255, 1 << 31, u32::MAX] {
        let file = Raw::v3(1, 0).string(b"t").u32(found).data(32, 64).clone();
        let count = FormatError::DimsCount { place: tensor("t"), found };
        cases.push(Case::new("huggingface.js#2028", format!("{found} dimensions"), &file, count));
    }
    // 2^32 + 8 elements are no 8.
    let file = one(&[(1 << 32) + 8], 0, 0);
    let out = FormatError::OutOfFile { name: "t".into(), offset: 64, needed: (1 << 34) + 32, file_len: 128 };
    cases.push(Case::new("CVE-2026-53923", "a dimension above 2^32", &file, out));
}

fn offsets(cases: &mut Vec<Case>) {
    for at in [64, 1 << 40, (1 << 63) - 32, 1 << 63] {
        let out = FormatError::OutOfFile { name: "t".into(), offset: 64 + at, needed: 32, file_len: 128 };
        cases.push(Case::new("CVE-2026-7482", format!("data at {at}"), &one(&[8], 0, at), out));
    }
    // Start and end wrap.
    for at in [u64::MAX - 31, u64::MAX - 63] {
        let offset = 64u64.saturating_add(at);
        let out = FormatError::OutOfFile { name: "t".into(), offset, needed: 32, file_len: 128 };
        cases.push(Case::new("CVE-2024-12055", format!("data at {at}"), &one(&[8], 0, at), out));
    }
    let out = FormatError::OutOfFile { name: "t".into(), offset: 64, needed: 68, file_len: 128 };
    cases.push(Case::new("CVE-2026-7482", "four bytes more than there are", &one(&[17], 0, 0), out));
    // The data may not begin past the file's end either.
    let file = Raw::v3(1, 0).tensor(b"t", &[1], 24, 0).clone();
    let out = FormatError::OutOfFile { name: "t".into(), offset: 64, needed: 1, file_len: 57 };
    cases.push(Case::new("CVE-2024-12055", "no data", &file, out));
}

fn alignments(cases: &mut Vec<Case>) {
    let file = |ty| Raw::v3(1, 1).key("general.alignment", ty).clone();
    for found in [0, 3, 48, (1 << 31) + 1, u32::MAX] {
        let file = file(4).u32(found).tensor(b"t", &[1], 0, 0).data(32, 64).clone();
        let wrong = FormatError::Alignment { found };
        cases.push(Case::new("CVE-2025-0317", format!("alignment {found}"), &file, wrong));
    }
    // A power of two, and no file has that much of padding.
    let mut huge = file(4);
    huge.u32(1 << 31).tensor(b"t", &[1], 0, 0).data(32, 64);
    let file_len = huge.bytes.len() as u64;
    let out = FormatError::OutOfFile { name: "t".into(), offset: 1 << 31, needed: 4, file_len };
    cases.push(Case::new("llama.cpp #24997", "alignment 2^31", &huge, out));
    for (ty, found) in [
        (5, gguf_format::ValueType::I32),
        (10, gguf_format::ValueType::U64),
        (8, gguf_format::ValueType::String),
        (0, gguf_format::ValueType::U8),
    ] {
        let mut file = Raw::v3(0, 1).key("general.alignment", ty).clone();
        match ty {
            8 => file.string(b"32"),
            10 => file.u64(32),
            0 => file.put(&[32]),
            _ => file.u32(32),
        };
        let wrong = FormatError::AlignmentType { found };
        cases.push(Case::new("llama.cpp #24997", format!("alignment of type {found}"), &file, wrong));
    }
}

fn types(cases: &mut Vec<Case>) {
    for found in [13, 255, 1 << 31, u32::MAX] {
        let wrong = |_: ()| FormatError::ValueType { place: value("k"), found };
        let file = Raw::v3(0, 1).key("k", found).u64(0).clone();
        cases.push(Case::new("huggingface.js#2028", format!("value type {found}"), &file, wrong(())));
        let file = Raw::v3(0, 1).key("k", 9).u32(found).u64(0).clone();
        cases.push(Case::new("huggingface.js#2028", format!("element type {found}"), &file, wrong(())));
    }
    // Withdrawn, unused and impossible ones.
    for found in [4, 5, 31, 32, 33, 36, 37, 38, 43, 1 << 31, u32::MAX] {
        let wrong = FormatError::TensorType { name: "t".into(), found };
        cases.push(Case::new(
            "CVE-2026-53923",
            format!("tensor type {found}"),
            &one(&[256], found, 0),
            wrong,
        ));
    }
    let file = Raw::v3(0, 1).key("llama.block_count", 8).string(b"32").clone();
    let wrong = KeyError::Type { key: "llama.block_count".into(), found: "str".into(), wanted: "u32" };
    let ask = Expected::Key(|metadata| metadata.get_as::<u32>("llama.block_count").err(), wrong);
    cases.push(Case::new("CVE-2024-8063", "block_count is a text", &file, ask));
    let file = Raw::v3(0, 1).key("llama.block_count", 5).u32(u32::MAX).clone();
    let wrong = KeyError::Negative { key: "llama.block_count".into(), found: -1 };
    let ask = Expected::Key(|metadata| metadata.find_count("llama.block_count").err(), wrong);
    cases.push(Case::new("CVE-2024-8063", "block_count is -1", &file, ask));
    let file = Raw::v3(0, 1).key("tokenizer.ggml.scores", 9).u32(0).u64(2).put(&[1, 2]).clone();
    let wrong =
        KeyError::Type { key: "tokenizer.ggml.scores".into(), found: "arr[u8]".into(), wanted: "arr[f32]" };
    let ask = |metadata: gguf_format::MetadataRef<'_>| {
        metadata.get_as::<gguf_format::Elements<'_, f32>>("tokenizer.ggml.scores").err()
    };
    cases.push(Case::new("llama.cpp #26690", "scores of u8", &file, Expected::Key(ask, wrong)));
}

fn nested(cases: &mut Vec<Case>) {
    for depth in [5, 6, 100_000] {
        let mut file = Raw::v3(0, 1).key("k", 9).clone();
        for _ in 1..depth {
            file.u32(9).u64(1);
        }
        file.u32(0).u64(0);
        let limit = LimitError::ArrayDepth { place: value("k") };
        cases.push(Case::new("gguf-py #28880", format!("arrays {depth} deep"), &file, limit));
    }
    let mut file = Raw::v3(0, 1).key("k", 9).clone();
    file.u32(9).u64(2).u32(9).u64(1).u32(9).u64(1).u32(0).u64(1).put(&[7]).u32(4).u64(0);
    cases.push(Case::new("gguf-py #28880", "arrays 4 deep", &file, Expected::Read { pairs: 1, tensors: 0 }));
}
