//! Any bytes as a file of metadata: an error in one line, or pairs that go over a model's the same each time.

use gguf_format::{Layout, Metadata};
use provenance::MetadataFile;

use crate::check;

/// A file for `--metadata`.
pub fn body(input: &[u8]) -> bool {
    let file = match MetadataFile::parse(input, "metadata.json") {
        Ok(file) => file,
        Err(error) => {
            check::one_line(&error);
            return true;
        }
    };
    let mut shown = Metadata::new();
    file.merge_without_model(&mut shown);
    let model =
        || -> Metadata { [("general.architecture", "llama"), ("general.name", "x")].into_iter().collect() };
    let mut merged = model();
    if let Err(error) = file.merge_into(&mut merged) {
        check::one_line(&error);
        assert_eq!(merged, model(), "a refused file changed the metadata");
        return true;
    }
    let once = merged.clone();
    file.merge_into(&mut merged).expect("what fitted once");
    assert_eq!(once, merged, "the second time changed something");
    if let Err(error) = Layout::new(merged, Vec::new()) {
        check::one_line(&error);
    }
    true
}
