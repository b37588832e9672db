//! Folders against what convert_hf_to_gguf made of them: every pair in order, every tensor's name, type, shape, bytes.

use std::path::Path;

use hf_checkpoint::{Checkpoint, Options};

#[path = "common/differences.rs"]
mod differences;
#[path = "common/folders.rs"]
#[expect(dead_code, reason = "each test uses a part of it")]
mod folders;
#[path = "common/listing.rs"]
mod listing;

#[test]
fn folders_become_what_the_converter_makes_of_them() {
    let parent = tempfile::tempdir().unwrap();
    for folder in folders::FOLDERS {
        let path = folder.write(parent.path());
        let mut options = Options::new();
        options.pre_tokenizer = folder.pre.map(str::to_owned);
        let checkpoint = Checkpoint::open(&path, &options).unwrap();
        let file = folder.name.trim_matches('-').replace(' ', "_");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{file}.txt"));
        let golden = std::fs::read_to_string(golden).unwrap();
        let ours = listing::listing(&checkpoint, 64).unwrap();
        let differences: Vec<_> = differences::differences(&golden, &ours);
        assert!(differences.is_empty(), "{}:\n{}", folder.name, differences.join("\n"));
    }
}
