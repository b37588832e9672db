//! Any bytes as a checkpoint of one file: refused, or every tensor reads to its end, whole and in pieces.
#![no_main]
#![expect(clippy::expect_used, clippy::panic, reason = "a fuzz target says what is wrong by panicking")]

use std::path::PathBuf;
use std::sync::LazyLock;

use hf_checkpoint::{Checkpoint, Error, Options};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FILE: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = entrenar_fuzz::folder();
    let file = folder.path().join("model.safetensors");
    (folder, file)
});

fuzz_target!(|bytes: &[u8]| {
    let file = &FILE.1;
    std::fs::write(file, bytes).expect("the file is written");
    let checkpoint = match Checkpoint::open(file, &Options::new()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text:?}");
            return;
        }
    };
    for (number, tensor) in checkpoint.tensors().iter().enumerate() {
        let size = tensor.element.block_bytes();
        let mut whole = vec![0; tensor.elements() as usize * size];
        // Some numbers have no counterpart in F32.
        match checkpoint.read_rows(number, 0..tensor.rows(), &mut whole) {
            Ok(()) => {}
            Err(Error::Lossy { .. }) => continue,
            Err(error) => panic!("{error}"),
        }
        let half = tensor.elements() / 2;
        let mut piece = vec![0; (tensor.elements() - half) as usize * size];
        checkpoint
            .read_elements(number, half..tensor.elements(), &mut piece)
            .expect("a piece reads as the whole");
        assert_eq!(piece, &whole[half as usize * size..]);
    }
});
