//! Files on disk that are not what they should be: cut short at every byte, replaced while they are open, no files.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::fs::{self, File};
use std::path::Path;

use gguf_format::{FormatError, Gguf, GgufFile, Limits, ReadError};

/// A file of gguf-py's.
fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)).unwrap()
}

/// The end of the last tensor.
fn end_of_data(file: &[u8]) -> usize {
    let gguf = Gguf::parse(file, &Limits::default()).unwrap();
    gguf.tensors().iter().map(|t| t.range().end).max().unwrap() as usize
}

/// CVE-2024-32878, CVE-2024-41130, CVE-2024-39720: an error that counts the bytes rightly, at every length.
#[test]
fn cut_short_at_every_byte() {
    for name in ["every-type-le.gguf", "every-type-be.gguf", "alignment-64.gguf"] {
        let whole = golden(name);
        let end_of_data = end_of_data(&whole);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.gguf");
        fs::write(&path, &whole).unwrap();
        for len in (0..end_of_data).rev() {
            let ReadError::Format(error) = Gguf::parse(&whole[..len], &Limits::default()).unwrap_err() else {
                panic!("{name} of {len}: not an error of the file");
            };
            let len = len as u64;
            match &*error {
                FormatError::Truncated { offset, needed, remaining, .. } => {
                    assert!(offset + remaining == len && needed > remaining, "{name} of {len}: {error}");
                }
                FormatError::Counts { room, .. } => assert_eq!(room + 24, len, "{name}: {error}"),
                FormatError::OutOfFile { offset, needed, file_len, .. } => {
                    assert!(*file_len == len && offset + needed > len, "{name} of {len}: {error}");
                }
                _ => panic!("{name} of {len}: {error}"),
            }
            File::options().write(true).open(&path).unwrap().set_len(len).unwrap();
            let from_file = GgufFile::open(&path).unwrap_err();
            assert_eq!(from_file.to_string(), format!("{}: {error}", path.display()));
        }
        // What is left is padding.
        for len in end_of_data..whole.len() {
            assert!(Gguf::parse(&whole[..len], &Limits::default()).is_ok());
        }
    }
}

/// CVE-2024-12055: no byte is read that is not the tensor's, whatever is asked for.
#[test]
fn bytes_that_a_tensor_does_not_have() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/every-type-le.gguf");
    let file = GgufFile::open(&path).unwrap();
    let len = file.tensors().get(0).unwrap().byte_len();
    let mut out = [0; 4];
    file.read_tensor_at(0, len - 4, &mut out).unwrap();
    for (tensor, offset) in
        [(0, len - 3), (0, len), (0, u64::MAX), (0, u64::MAX - 3), (8, 0), (usize::MAX, 0)]
    {
        let error = file.read_tensor_at(tensor, offset, &mut out).unwrap_err();
        let byte_len = if tensor == 0 { len } else { 0 };
        assert_eq!(
            error.to_string(),
            format!(
                "{}: tensor {tensor}: bytes {offset} to {offset} + 4 asked for, of {byte_len}: ask for bytes it has",
                path.display()
            )
        );
    }
}

/// A file that is cut while it is open is an error, no signal and no old bytes.
#[test]
fn cut_short_after_it_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.gguf");
    fs::write(&path, golden("every-type-le.gguf")).unwrap();
    let file = GgufFile::open(&path).unwrap();
    let start = file.header().data_start();
    File::options().write(true).open(&path).unwrap().set_len(start + 8).unwrap();
    file.read_tensor_at(0, 0, &mut [0; 8]).unwrap();
    let error = file.read_tensor_at(0, 0, &mut [0; 9]).unwrap_err();
    assert!(
        matches!(&error.source, ReadError::Io(e) if e.kind() == std::io::ErrorKind::UnexpectedEof),
        "{error}"
    );
    // A reader that ends before it should.
    let whole = golden("every-type-le.gguf");
    let error = Gguf::read(&whole[..100], whole.len() as u64, &Limits::default()).unwrap_err();
    assert!(matches!(&error, ReadError::Io(e) if e.kind() == std::io::ErrorKind::UnexpectedEof), "{error}");
}

#[test]
fn what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_path_buf(), folder.path().join("absent.gguf"), "/dev/null".into()] {
        let error = GgufFile::open(&path).unwrap_err();
        assert!(matches!(error.source, ReadError::Io(_)), "{error}");
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    }
}
