//! Opening a GGUF file and walking over its vocabulary, by us and by llama.cpp.

use std::path::Path;
use std::time::{Duration, Instant};

use gguf_format::{Dims, GgmlType, GgufFile, Layout, Metadata, Strings, TensorSpec};
use peer::gguf;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Tokens and merges of the file: as many as Qwen 2's.
const TOKENS: u32 = 152_000;

/// Writes a file with a vocabulary of 152 thousand tokens, as many merges, and 400 small tensors.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path) -> Result<()> {
    let text = |i: u32| format!("{:x}", i.wrapping_mul(2_654_435_761));
    let mut metadata = Metadata::new();
    metadata.insert("general.architecture", "qwen2");
    metadata.insert("tokenizer.ggml.tokens", (0..TOKENS).map(text).collect::<Vec<_>>());
    metadata.insert("tokenizer.ggml.token_type", vec![1i32; TOKENS as usize]);
    let merges: Vec<_> = (0..TOKENS).map(|i| format!("{i:x} {}", text(i))).collect();
    metadata.insert("tokenizer.ggml.merges", merges);
    let dims = Dims::new(&[32, 2])?;
    let tensor = |i| TensorSpec::new(format!("blk.{}.part_{}.weight", i / 10, i % 10), dims, GgmlType::Q8_0);
    let layout = Layout::new(metadata, (0..400).map(tensor).collect())?;
    let mut bytes = layout.header();
    bytes.resize(usize::try_from(layout.file_len())?, 0);
    Ok(std::fs::write(path, bytes)?)
}

/// Opens a file and adds up the lengths of its tokens.
///
/// # Errors
/// If it cannot be read.
#[inline(never)]
pub fn open_ours(path: &Path) -> Result<usize> {
    let file = GgufFile::open(path)?;
    let tokens: Strings<'_> = file.metadata().get_as("tokenizer.ggml.tokens")?;
    Ok(tokens.map(<[u8]>::len).sum())
}

/// The same with llama.cpp's reader.
///
/// # Errors
/// If it refuses the file.
#[inline(never)]
pub fn open_theirs(path: &Path) -> Result<usize> {
    gguf::text_len(path, c"tokenizer.ggml.tokens").ok_or_else(|| "llama.cpp does not read it".into())
}

/// The fastest of the turns that fit into this time, ours and theirs in milliseconds; one turn each at least.
///
/// # Errors
/// If a file cannot be read, or if both do not find the same.
pub fn measure(path: &Path, time: Duration) -> Result<[f64; 2]> {
    let mut fastest = [f64::INFINITY; 2];
    let start = Instant::now();
    loop {
        let mut found = [0; 2];
        for ((open, found), fastest) in [open_ours, open_theirs].into_iter().zip(&mut found).zip(&mut fastest)
        {
            let start = Instant::now();
            *found = open(path)?;
            *fastest = fastest.min(start.elapsed().as_secs_f64() * 1e3);
        }
        if found[0] != found[1] {
            return Err(format!("{} bytes of tokens, llama.cpp finds {}", found[0], found[1]).into());
        }
        if start.elapsed() >= time {
            return Ok(fastest);
        }
    }
}
