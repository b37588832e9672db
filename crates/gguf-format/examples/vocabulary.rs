//! Prints how many tokens a model has and how long they are in all: `cargo run --example vocabulary -- model.gguf`.

use std::error::Error;

use gguf_format::{GgufFile, Strings};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args_os().nth(1) else { return Err("usage: vocabulary FILE.gguf".into()) };
    let file = GgufFile::open(path)?;
    let tokens: Strings<'_> = file.metadata().get_as("tokenizer.ggml.tokens")?;
    println!("{} tokens, {} bytes", tokens.len(), tokens.clone().map(<[u8]>::len).sum::<usize>());
    Ok(())
}
