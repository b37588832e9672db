//! The cases that llama.cpp's own `tests/test-gguf.cpp` makes by hand, under its names. Where we are laxer or stricter
//! than llama.cpp the row says so; the README of the crate lists these differences.

use gguf_format::{DimsError, FormatError, GgmlType, Place, ValueType};

use crate::common::Raw;
use crate::{Case, Expected, key, tensor, value};

/// What may be wrong with the file below.
struct Build {
    magic: &'static [u8],
    version: u32,
    counts: [u64; 2],
    /// The first key, after its length.
    key: (u64, &'static [u8]),
    second_key: &'static [u8],
    value_type: u32,
    alignment: Option<(u32, u32)>,
    /// What the data's beginning is a multiple of.
    padding: usize,
    name: &'static [u8],
    second_name: &'static [u8],
    dims: &'static [u64],
    tensor_type: u32,
    offset: u64,
    second_offset: u64,
    data: usize,
}

/// A file of the two pairs `key_0` (u32) and `key_1` (a text), and of the tensors `t0` (F32, 16 x 2) and `t1`
/// (Q8_0, 64 x 8), with all their data.
const RIGHT: Build = Build {
    magic: b"GGUF",
    version: 3,
    counts: [2, 2],
    key: (5, b"key_0"),
    second_key: b"key_1",
    value_type: 4,
    alignment: None,
    padding: 32,
    name: b"t0",
    second_name: b"t1",
    dims: &[16, 2],
    tensor_type: 0,
    offset: 0,
    second_offset: 128,
    data: 128 + 544,
};

impl Build {
    fn file(&self) -> Raw {
        let mut raw = crate::raw(self.magic);
        let pairs = self.counts[1] + u64::from(self.alignment.is_some());
        raw.u32(self.version).u64(self.counts[0]).u64(pairs);
        raw.u64(self.key.0).put(self.key.1).u32(self.value_type).u32(7);
        raw.string(self.second_key).u32(8).string(b"text");
        if let Some((ty, alignment)) = self.alignment {
            raw.key("general.alignment", ty).u32(alignment);
        }
        raw.tensor(self.name, self.dims, self.tensor_type, self.offset);
        raw.tensor(self.second_name, &[64, 8], 8, self.second_offset);
        raw.data(self.padding, self.data);
        raw
    }
}

/// A file of a header alone: these counts, no more than padding behind them.
fn header(magic: &[u8], version: u32, tensors: u64, pairs: u64) -> Raw {
    let mut raw = crate::raw(magic);
    raw.u32(version).u64(tensors).u64(pairs).data(32, 0);
    raw
}

pub(crate) fn cases() -> Vec<Case> {
    let whole = || Expected::Read { pairs: 2, tensors: 2 };
    let counts = |tensors, pairs| FormatError::Counts { tensors, pairs, room: 8 };
    let magic = FormatError::Magic { found: "FUGG".into() };
    let mut cases = vec![
        Case::new("HEADER_BAD_MAGIC", "FUGG", &header(b"FUGG", 3, 0, 0), magic),
        Case::new("HEADER_BAD_VERSION_0", "", &header(b"GGUF", 0, 0, 0), FormatError::Version { found: 0 }),
        // Laxer: version 1 is read, where counts have 32 bits.
        Case::new(
            "HEADER_BAD_VERSION_1",
            "",
            &header(b"GGUF", 1, 0, 0),
            Expected::Read { pairs: 0, tensors: 0 },
        ),
        Case::new(
            "HEADER_BAD_VERSION_FUTURE",
            "",
            &header(b"GGUF", 4, 0, 0),
            FormatError::Version { found: 4 },
        ),
        Case::new("HEADER_BAD_N_KV", "", &header(b"GGUF", 3, 0, u64::MAX), counts(0, u64::MAX)),
        Case::new("HEADER_BAD_N_TENSORS", "", &header(b"GGUF", 3, u64::MAX, 0), counts(u64::MAX, 0)),
        Case::new("HEADER_EMPTY", "", &header(b"GGUF", 3, 0, 0), Expected::Read { pairs: 0, tensors: 0 }),
    ];
    let mut case = |id, what: &str, build: Build, expected: Expected| {
        cases.push(Case::new(id, what, &build.file(), expected));
    };

    let file = Build { key: (u64::MAX, b"key_0"), ..RIGHT };
    let remaining = file.file().bytes.len() as u64 - 32;
    let cut = FormatError::Truncated { place: key(0), offset: 32, needed: u64::MAX, remaining };
    case("KV_BAD_KEY_SIZE", "a key of 2^64 - 1 bytes", file, cut.into());
    let empty = FormatError::EmptyName { place: key(0) };
    case("KV_EMPTY_KEY", "", Build { key: (0, b""), ..RIGHT }, empty.into());
    let wrong = FormatError::ValueType { place: value("key_0"), found: 13 };
    case("KV_BAD_TYPE", "one more than there are", Build { value_type: 13, ..RIGHT }, wrong.into());
    let twice = FormatError::DuplicateKey { key: "key_0".into() };
    case("KV_DUPLICATE_KEY", "", Build { second_key: b"key_0", ..RIGHT }, twice.into());
    let thirteen = || FormatError::Alignment { found: 13 }.into();
    let bad_align = || Build { alignment: Some((4, 13)), ..RIGHT };
    case("KV_BAD_ALIGN", "13", Build { counts: [0, 2], ..bad_align() }, thirteen());
    let file = Build { alignment: Some((5, 32)), counts: [0, 2], ..RIGHT };
    case("KV_WRONG_TYPE_ALIGN", "i32", file, FormatError::AlignmentType { found: ValueType::I32 }.into());
    let file = Build { counts: [0, 2], ..RIGHT };
    case("KV_SUCCESS", "", file, Expected::Read { pairs: 2, tensors: 0 });

    const LONG: &[u8] = &[b'n'; 64];
    let long = FormatError::NameTooLong {
        place: Place::TensorName { index: 0 },
        text: "n".repeat(64),
        len: 64,
        max: 63,
    };
    case("TENSORS_BAD_NAME_SIZE", "64 bytes", Build { name: LONG, ..RIGHT }, long.into());
    let wrong = FormatError::DimsCount { place: tensor("t0"), found: 5 };
    case("TENSORS_BAD_N_DIMS", "5", Build { dims: &[16, 1, 1, 1, 1], ..RIGHT }, wrong.into());
    let dims = |problem| FormatError::Dims { place: tensor("t0"), problem }.into();
    let file = Build { dims: &[u64::MAX, u64::MAX], ..RIGHT };
    case("TENSORS_BAD_SHAPE", "dimensions of -1", file, dims(DimsError::TooManyElements));
    // Stricter: a tensor without elements is of no use, and readers have divided by its dimensions.
    let zero = dims(DimsError::Zero { index: 1 });
    case("TENSORS_ZERO_DIM", "16 x 0", Build { dims: &[16, 0], ..RIGHT }, zero);
    const BIG: u64 = 4 * (i32::MAX as u64);
    let file = Build { dims: &[BIG, BIG], ..RIGHT };
    case("TENSORS_NE_TOO_BIG", "2^33 x 2^33", file, dims(DimsError::TooManyElements));
    const ROOT: &[u64] = &[1_534_000_000, 1_534_000_000];
    let large = FormatError::TensorTooLarge {
        name: "t0".into(),
        dims: gguf_format::Dims::new(ROOT).unwrap(),
        ty: GgmlType::I64,
    };
    case("TENSORS_NBYTES_TOO_BIG", "i64", Build { dims: ROOT, tensor_type: 27, ..RIGHT }, large.into());
    let wrong = FormatError::TensorType { name: "t0".into(), found: 43 };
    case("TENSORS_BAD_TYPE", "one more than there are", Build { tensor_type: 43, ..RIGHT }, wrong.into());
    let misaligned = |name: &str, offset, alignment| {
        FormatError::Misaligned { name: name.into(), offset, alignment }.into()
    };
    let file = Build { offset: u64::MAX, ..RIGHT };
    case("TENSORS_BAD_OFFSET", "2^64 - 1", file, misaligned("t0", u64::MAX, 32));
    let twice = FormatError::DuplicateTensor { name: "t0".into() };
    case("TENSORS_DUPLICATE_NAME", "", Build { second_name: b"t0", ..RIGHT }, twice.into());
    case("TENSORS_BAD_ALIGN", "13", bad_align(), thirteen());
    // Offsets for an alignment of 1, and nothing says so.
    let inconsistent = || Build { second_offset: 88, dims: &[11, 2], ..RIGHT };
    case("TENSORS_INCONSISTENT_ALIGN", "offset 88", inconsistent(), misaligned("t1", 88, 32));
    case("TENSORS_SUCCESS", "", RIGHT, whole());
    let one = || Build { alignment: Some((4, 1)), padding: 1, ..RIGHT };
    case("TENSORS_CUSTOM_ALIGN", "1", one(), Expected::Read { pairs: 3, tensors: 2 });

    let file = Build { data: RIGHT.data - 1, ..RIGHT };
    let len = file.file().bytes.len() as u64;
    let out = FormatError::OutOfFile { name: "t1".into(), offset: len + 1 - 544, needed: 544, file_len: len };
    case("DATA_NOT_ENOUGH_DATA", "one byte less", file, out.into());
    case("DATA_BAD_ALIGN", "13", bad_align(), thirteen());
    case("DATA_INCONSISTENT_ALIGN", "offset 88", inconsistent(), misaligned("t1", 88, 32));
    const NEAR: u64 = i64::MAX as u64 - 63;
    let file = Build { dims: &[NEAR, 1], tensor_type: 24, ..RIGHT };
    let out = FormatError::OutOfFile {
        name: "t0".into(),
        offset: len + 1 - RIGHT.data as u64,
        needed: NEAR,
        file_len: len + 1,
    };
    case("DATA_MEM_SIZE_OVERFLOW", "2^63 - 64 bytes", file, out.into());
    case("DATA_SUCCESS", "", RIGHT, whole());
    case("DATA_CUSTOM_ALIGN", "1", one(), Expected::Read { pairs: 3, tensors: 2 });
    cases
}
