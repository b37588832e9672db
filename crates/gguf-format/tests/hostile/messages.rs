//! What a user is told: one text for every kind of error that a case gives.

use std::mem::discriminant;

use gguf_format::{Dims, DimsError, FormatError, GgmlType, KeyError, LimitError, Place, ValueType};

use crate::{Case, Expected, key, name, tensor, value};

/// Fails if a message is not the one expected, or a case's error has none here.
pub(crate) fn are_told(cases: &[Case]) {
    let (format, limit, by_key) = (format(), limit(), by_key());
    for (error, message) in &format {
        assert_eq!(error.to_string(), *message);
    }
    for (error, message) in &limit {
        assert_eq!(error.to_string(), *message);
    }
    for (error, message) in &by_key {
        assert_eq!(error.to_string(), *message);
    }
    for case in cases {
        let told = match &case.expected {
            Expected::Format(e) => format.iter().any(|(told, _)| discriminant(told) == discriminant(e)),
            Expected::Limit(e) => limit.iter().any(|(told, _)| discriminant(told) == discriminant(e)),
            Expected::Key(_, e) => by_key.iter().any(|(told, _)| discriminant(told) == discriminant(e)),
            Expected::Read { .. } => true,
        };
        assert!(told, "{}: {}: its error is not among the messages", case.id, case.what);
    }
}

fn format() -> Vec<(FormatError, &'static str)> {
    let (name_of, t) = (name, || "t".to_owned());
    vec![
        (
            FormatError::Magic { found: "\u{1b}[2J".into() },
            "starts with \"\\u{1b}[2J\", expected \"GGUF\": this is no GGUF file",
        ),
        (
            FormatError::Version { found: 4 },
            "version 4, expected 1, 2 or 3: convert the model to GGUF version 3",
        ),
        (
            FormatError::Counts { tensors: 1 << 63, pairs: 2, room: 72 },
            "claims 9223372036854775808 tensors and 2 metadata pairs, more than fit in 72 bytes: the file is damaged",
        ),
        (
            FormatError::Truncated { place: Place::Preamble, offset: 4, needed: 4, remaining: 0 },
            "preamble: needs 4 bytes at offset 4, found 0: the file is cut short or damaged",
        ),
        (
            FormatError::Truncated { place: value("a\nb"), offset: 40, needed: 9, remaining: 8 },
            "key \"a\\nb\": needs 9 bytes at offset 40, found 8: the file is cut short or damaged",
        ),
        (FormatError::EmptyName { place: key(3) }, "key of metadata pair 3 is empty: the file is damaged"),
        (
            FormatError::NameTooLong { place: name_of(1), text: "blk…".into(), len: 90, max: 63 },
            "name of tensor 1 (\"blk…\") has 90 bytes, expected at most 63: rename it where the file is made",
        ),
        (
            FormatError::NameNotText { place: name_of(1), text: "t\0".into() },
            "name of tensor 1 (\"t\\0\") is not UTF-8 without NUL: rename it where the file is made",
        ),
        (FormatError::DuplicateKey { key: "k".into() }, "key \"k\" occurs twice: the file is damaged"),
        (
            FormatError::ValueType { place: value("k"), found: 13 },
            "key \"k\": value type 13, expected 0 to 12: the file is damaged or newer than this reader",
        ),
        (
            FormatError::Bool { place: value("k"), offset: 51, found: 2 },
            "key \"k\": byte 2 at offset 51 as a bool, expected 0 or 1: the file is damaged",
        ),
        (
            FormatError::Alignment { found: 13 },
            "general.alignment is 13, expected a power of two: the file is damaged",
        ),
        (
            FormatError::AlignmentType { found: ValueType::I32 },
            "general.alignment is of type i32, expected u32: correct it where the file is made",
        ),
        (
            FormatError::DimsCount { place: tensor("t"), found: u32::MAX },
            "tensor \"t\": 4294967295 dimensions, expected at most 4: the file is damaged",
        ),
        (
            FormatError::Dims { place: tensor("t"), problem: DimsError::Zero { index: 1 } },
            "tensor \"t\": dimension 1 is 0, where every dimension is at least 1: the file is damaged",
        ),
        (
            FormatError::Dims { place: tensor("t"), problem: DimsError::TooManyElements },
            "tensor \"t\": more elements than the 2^63 - 1 that ggml can count: the file is damaged",
        ),
        (
            FormatError::TensorType { name: t(), found: 43 },
            "tensor \"t\": unknown tensor type 43: quantize the model anew with a type of today's ggml",
        ),
        (
            FormatError::RowLength { name: t(), row_len: 33, ty: GgmlType::Q4_0 },
            "tensor \"t\": rows of 33 elements, expected a multiple of Q4_0's 32: the file is damaged",
        ),
        (
            FormatError::TensorTooLarge {
                name: t(),
                dims: Dims::new(&[1 << 42, 1 << 20]).unwrap(),
                ty: GgmlType::F32,
            },
            "tensor \"t\": 4398046511104 x 1048576 elements of F32 exceed 2^63 - 1 bytes: the file is damaged",
        ),
        (
            FormatError::Misaligned { name: t(), offset: 88, alignment: 32 },
            "tensor \"t\": data offset 88, expected a multiple of 32: the file is damaged",
        ),
        (FormatError::DuplicateTensor { name: t() }, "tensor \"t\" occurs twice: the file is damaged"),
        (
            FormatError::OutOfFile { name: t(), offset: 96, needed: 68, file_len: 160 },
            "tensor \"t\": 68 bytes at offset 96, but the file ends at 160: it is cut short",
        ),
        (
            FormatError::Overlap { first: "a".into(), second: "b".into() },
            "tensors \"a\" and \"b\" share bytes: the file is damaged",
        ),
    ]
}

fn limit() -> Vec<(LimitError, &'static str)> {
    vec![
        (
            LimitError::HeaderBytes { place: value("k"), found: 1045, max: 100 },
            "key \"k\": the header has at least 1045 bytes, the limit is 100: raise Limits::header_bytes",
        ),
        (
            LimitError::Pairs { found: 1 << 30, max: 1 << 16 },
            "1073741824 metadata pairs, the limit is 65536: raise Limits::pairs",
        ),
        (LimitError::Tensors { found: 2, max: 1 }, "2 tensors, the limit is 1: raise Limits::tensors"),
        (LimitError::Shards { found: 3, max: 2 }, "split.count is 3, the limit is 2: raise Limits::shards"),
        (
            LimitError::ArrayDepth { place: value("k") },
            "key \"k\": arrays nested deeper than the limit: raise Limits::array_depth",
        ),
    ]
}

fn by_key() -> Vec<(KeyError, &'static str)> {
    let block_count = || "llama.block_count".to_owned();
    vec![
        (
            KeyError::Type { key: block_count(), found: "str".into(), wanted: "u32" },
            "key \"llama.block_count\" is of type str, expected u32: correct it where the file is made",
        ),
        (
            KeyError::Negative { key: block_count(), found: -1 },
            "key \"llama.block_count\" is -1, expected 0 or more: correct it where the file is made",
        ),
    ]
}
