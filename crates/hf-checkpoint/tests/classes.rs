//! A tiny model of every class against what convert_hf_to_gguf made of it: every pair in order, every tensor's name,
//! type, shape, bytes. `conformance/README.md` tells how the golden files are made.
#![expect(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use std::fs;
use std::path::Path;

use hf_checkpoint::{Checkpoint, Options};

#[path = "common/classes.rs"]
mod classes;
#[path = "common/differences.rs"]
mod differences;
#[path = "common/listing.rs"]
mod listing;

use classes::Description;

#[test]
fn models_of_every_class_become_what_the_converter_makes_of_them() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/classes");
    let parent = tempfile::tempdir().unwrap();
    let mut names: Vec<String> = fs::read_dir(&golden)
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".json")?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() > 70, "{} models", names.len());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let (golden, parent) = (&golden, parent.path());
        let part = names.len().div_ceil(std::thread::available_parallelism().map_or(1, usize::from));
        let parts = names.chunks(part);
        let threads: Vec<_> = parts
            .map(|names| {
                let wrong =
                    move || names.iter().filter_map(|name| wrong(golden, parent, name)).collect::<Vec<_>>();
                scope.spawn(wrong)
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} models:\n{}", wrong.len(), names.len(), wrong.join("\n"));
}

/// How what we make of a model differs from what is golden.
fn wrong(golden: &Path, parent: &Path, name: &str) -> Option<String> {
    let folder = Description::read(&golden.join(format!("{name}.json"))).write(parent, name);
    let expected = fs::read_to_string(golden.join(format!("{name}.txt"))).unwrap();
    let found = Checkpoint::open(&folder, &Options::new()).and_then(|c| listing::listing(&c, 16));
    let differences = match found {
        Ok(found) => differences::differences(&expected, &found),
        Err(error) => vec![error.to_string()],
    };
    fs::remove_dir_all(folder).unwrap();
    (!differences.is_empty()).then(|| format!("{name}:\n{}", differences.join("\n")))
}
