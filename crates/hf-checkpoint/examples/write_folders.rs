//! Writes the folders of the tests, for the real converter: see `conformance/scripts/checkpoint_golden.py`.
//!
//! `cargo run -p hf-checkpoint --example write_folders -- PARENT`

use std::error::Error;
use std::path::Path;

#[path = "../tests/common/folders.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod folders;

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args().nth(1).ok_or("usage: write_folders PARENT")?;
    for folder in folders::FOLDERS {
        let out = folder.write(Path::new(&parent));
        std::fs::write(out.join("outtype"), folder.outtype)?;
        if let Some(pre) = folder.pre {
            std::fs::write(out.join("pre"), pre)?;
        }
        println!("{}", out.display());
    }
    Ok(())
}
