//! `entrenar split` and `entrenar merge`, and exports to shards.

use std::fs;

use crate::place::{Place, says, text};

/// A place with the model as `m.gguf`.
fn place() -> Place {
    let place = Place::new();
    assert!(place.run(&["export", place.model(), "m.gguf", "-q", "Q8_0"]).status.success());
    place
}

/// The shards of this prefix, in order.
fn shards(place: &Place, prefix: &str) -> Vec<String> {
    let files = fs::read_dir(place.folder.path()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(&format!("{prefix}-0"))).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_cut_and_put_together_again() {
    let place = place();
    let output = place.run(&["split", "m.gguf", "part", "--split-max-tensors", "8"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let shards = shards(&place, "part");
    let count = shards.len();
    assert!(count > 1);
    let first = format!("part-00001-of-{count:05}.gguf");
    assert_eq!(shards[0], first);
    says(&said, &[&first, &count.to_string()]);

    assert!(place.run(&["merge", &first, "merged.gguf", "--drop-split-keys"]).status.success());
    assert_eq!(fs::read(place.path("merged.gguf")).unwrap(), fs::read(place.path("m.gguf")).unwrap());
    // As llama-gguf-split merges: its keys stay.
    assert!(place.run(&["merge", &first, "merged-2.gguf"]).status.success());
    assert!(
        fs::metadata(place.path("merged-2.gguf")).unwrap().len()
            > fs::metadata(place.path("m.gguf")).unwrap().len()
    );
}

#[test]
fn an_export_goes_to_shards() {
    let place = Place::new();
    let args = ["export", place.model(), "m.gguf", "-q", "Q8_0", "--split-max-tensors", "8"];
    let output = place.run(&args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!place.path("m.gguf").exists());
    let written = shards(&place, "m");
    assert!(written.len() > 1);
    assert!(place.run(&["inspect", &written[0]]).status.success());
    // The whole file, cut.
    assert!(place.run(&["export", place.model(), "w.gguf", "-q", "Q8_0"]).status.success());
    assert!(place.run(&["split", "w.gguf", "w", "--split-max-tensors", "8"]).status.success());
    for (shard, cut) in written.iter().zip(shards(&place, "w")) {
        assert_eq!(fs::read(place.path(shard)).unwrap(), fs::read(place.path(&cut)).unwrap(), "{shard}");
    }
}

#[test]
fn what_cannot_be_cut_or_put_together_is_refused_in_a_line() {
    let place = place();
    let error = place.fails(&["merge", "m.gguf", "merged.gguf"]);
    says(&error, &["m.gguf", "shard"]);
    assert!(place.run(&["split", "m.gguf", "part", "--split-max-tensors", "8"]).status.success());
    let error = place.fails(&["split", "m.gguf", "part", "--split-max-tensors", "8"]);
    says(&error, &["part-00001-of-", "--force"]);
    let last = shards(&place, "part").pop().unwrap();
    let whole = fs::read(place.path(&last)).unwrap();
    fs::write(place.path(&last), &whole[..whole.len() - 100]).unwrap();
    fs::write(place.path("merged.gguf"), b"old").unwrap();
    let error = place.fails(&["merge", &last, "merged.gguf", "--force"]);
    says(&error, &[&last]);
    assert_eq!(fs::read(place.path("merged.gguf")).unwrap(), b"old");
    fs::remove_file(place.path(&last)).unwrap();
    let first = last.replacen(&last[5..10], "00001", 1);
    let error = place.fails(&["merge", &first, "merged.gguf", "--force"]);
    says(&error, &[&last]);
}
