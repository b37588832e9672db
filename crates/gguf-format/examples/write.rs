//! Writes a small GGUF file, tensors in no particular order: `cargo run --example write -- tiny.gguf`.

use std::error::Error;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use gguf_format::{Dims, GgmlType, Layout, Metadata, TensorSpec, canonicalize};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args_os().nth(1) else { return Err("usage: write FILE.gguf".into()) };

    let mut metadata = Metadata::new();
    metadata.insert("general.architecture", "example");
    metadata.insert("example.block_count", 2u32);
    metadata.insert("tokenizer.ggml.tokens", vec![String::from("<s>"), String::from("</s>")]);
    let mut tensors = vec![
        TensorSpec::new("blk.1.weight", Dims::new(&[8, 2])?, GgmlType::F32),
        TensorSpec::new("blk.0.weight", Dims::new(&[8, 2])?, GgmlType::F32),
        TensorSpec::new("token_embd.weight", Dims::new(&[8, 2])?, GgmlType::F32),
    ];
    canonicalize(&mut metadata, &mut tensors);

    // Every offset and the size are known now.
    let layout = Layout::new(metadata, tensors)?;
    let mut file = File::create(&path)?;
    file.set_len(layout.file_len())?;
    file.write_all(&layout.header())?;
    for (number, tensor) in layout.tensors().iter().enumerate().rev() {
        let weights = vec![number as f32; tensor.spec().dims.elements() as usize];
        let bytes: Vec<u8> = weights.iter().flat_map(|w| w.to_le_bytes()).collect();
        file.seek(SeekFrom::Start(tensor.offset()))?;
        file.write_all(&bytes)?;
        println!("{} at byte {}", tensor.spec().name, tensor.offset());
    }
    println!("{} bytes", layout.file_len());
    Ok(())
}
