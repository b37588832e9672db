//! What a file claims must not decide what is allocated. One test, so that the peak is its own.

mod common;

use common::Raw;
use gguf_format::{Gguf, GgufFile, LimitError, Limits, ReadError};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

#[test]
fn claims_are_not_allocated() {
    let pair = |ty| Raw::v3(0, 1).key("k", ty).clone();
    let mut files = Vec::new();
    for n in [1 << 20, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, u64::MAX] {
        files.push(Raw::v3(n, 0).data(32, 64).bytes.clone());
        files.push(Raw::v3(0, n).data(32, 64).bytes.clone());
        files.push(Raw::v3(0, 1).u64(n).data(32, 64).bytes.clone());
        files.push(Raw::v3(1, 0).u64(n).data(32, 64).bytes.clone());
        files.push(pair(8).u64(n).data(32, 64).bytes.clone());
        files.push(Raw::v3(1, 0).tensor(b"t", &[n], 0, 0).data(32, 64).bytes.clone());
        files.push(Raw::v3(1, 0).tensor(b"t", &[1], 0, n & !31).data(32, 64).bytes.clone());
        for ty in 0..=12 {
            files.push(pair(9).u32(ty).u64(n).data(32, 64).bytes.clone());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.gguf");
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.peak_usage();
    for file in &files {
        assert!(Gguf::parse(file, &Limits::default()).is_err());
        std::fs::write(&path, file).unwrap();
        assert!(GgufFile::open(&path).is_err());
    }

    // The same claims where the file is as long as they say: a terabyte, all holes.
    for file in [
        pair(8).u64(1 << 39).bytes.clone(),
        pair(9).u32(0).u64(1 << 39).bytes.clone(),
        Raw::v3(0, 1 << 30).bytes,
        Raw::v3(1 << 30, 0).bytes,
    ] {
        std::fs::write(&path, file).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let error = GgufFile::open(&path).unwrap_err();
        let ReadError::Limit(limit) = error.source else { panic!("{error}") };
        assert!(matches!(
            *limit,
            LimitError::HeaderBytes { .. } | LimitError::Pairs { .. } | LimitError::Tensors { .. }
        ));
    }
    // Counts within the limits, and nothing behind them.
    for file in [Raw::v3(0, 1 << 16).bytes, Raw::v3(1 << 20, 0).bytes] {
        std::fs::write(&path, file).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let error = GgufFile::open(&path).unwrap_err();
        assert!(error.to_string().ends_with("is empty: the file is damaged"), "{error}");
    }
    // The first step of a file's header, and small change.
    let peak = ALLOCATED.peak_usage() - before;
    assert!(peak < 200_000, "{peak} bytes");
}
