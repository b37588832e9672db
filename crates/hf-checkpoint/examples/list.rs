//! Lists what a checkpoint becomes: metadata pairs, then tensors with type, dimensions and origin.
//!
//! `cargo run -p hf-checkpoint --example list -- PATH [--raw] [--digests] [--pre=NAME]`

use std::error::Error;
use std::path::Path;

use hf_checkpoint::{Checkpoint, Options};

#[path = "../tests/common/listing.rs"]
mod listing;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|a| a == name);
    let Some(path) = arguments.iter().find(|a| !a.starts_with("--")) else {
        return Err("usage: list PATH [--raw] [--digests] [--pre=NAME]".into());
    };
    let mut options = Options::new().with_raw(flag("--raw"));
    options.pre_tokenizer = arguments.iter().find_map(|a| a.strip_prefix("--pre=")).map(str::to_owned);
    let checkpoint = Checkpoint::open(Path::new(path), &options)?;
    if flag("--digests") {
        print!("{}", listing::listing(&checkpoint, 64)?);
        return Ok(());
    }
    println!("architecture: {}", checkpoint.architecture().unwrap_or("none, tensors as they are"));
    for file in checkpoint.source_files() {
        println!("file: {}, {} bytes", file.path.display(), file.bytes);
    }
    for note in checkpoint.notes() {
        println!("note: {note}");
    }
    for (key, value) in checkpoint.metadata().iter() {
        println!("{key} = {}", listing::value(value));
    }
    for tensor in checkpoint.tensors() {
        println!("{} {} {:?} <- {}", tensor.name, tensor.element, tensor.dims, tensor.source);
    }
    Ok(())
}
