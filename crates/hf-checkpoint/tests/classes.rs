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

/// CamemBERT is RoBERTa with XLM-RoBERTa's kind of tokenizer, which the converter does not see: what it makes of an XLM-RoBERTa.
#[test]
fn camembert_is_read_as_xlm_roberta() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/classes");
    let parent = tempfile::tempdir().unwrap();
    let name = "xlm-roberta-json";
    let folder = Description::read(&golden.join(format!("{name}.json"))).write(parent.path(), name);
    let config = folder.join("config.json");
    let mut changed: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    changed["architectures"] = serde_json::json!(["CamembertModel"]);
    changed["model_type"] = "camembert".into();
    fs::write(&config, changed.to_string()).unwrap();
    let found = Checkpoint::open(&folder, &Options::new()).and_then(|c| listing::listing(&c, 16)).unwrap();
    let expected = fs::read_to_string(golden.join(format!("{name}.txt"))).unwrap();
    assert_eq!(differences::differences(&expected, &found), Vec::<String>::new());
}

/// EuroBERT's own config says of classifiers what the converter refuses; its model has none.
#[test]
fn the_pooling_of_classifiers_does_not_keep_eurobert_from_being_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/classes");
    let parent = tempfile::tempdir().unwrap();
    let folder = Description::read(&golden.join("eurobert.json")).write(parent.path(), "eurobert");
    let config = folder.join("config.json");
    let mut changed: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    changed["classifier_pooling"] = "late".into();
    fs::write(&config, changed.to_string()).unwrap();
    let found = Checkpoint::open(&folder, &Options::new()).and_then(|c| listing::listing(&c, 16)).unwrap();
    let expected = fs::read_to_string(golden.join("eurobert.txt")).unwrap();
    let left_out = differences::differences(&expected, &found);
    assert_eq!(left_out, ["- eurobert.classifier.pooling_type u32 1"]);
}

/// A setting that is no part of anything is not taken for the default, nor cut to what fits.
#[test]
fn a_part_of_a_head_that_turns_must_be_a_part() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/classes");
    let parent = tempfile::tempdir().unwrap();
    for name in ["gpt-neox", "cohere2"] {
        let folder = Description::read(&golden.join(format!("{name}.json"))).write(parent.path(), name);
        let config = folder.join("config.json");
        let whole: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
        for wrong in ["\"0.25\"", "1e30", "-1"] {
            let mut changed = whole.clone();
            changed["rotary_pct"] = serde_json::from_str(wrong).unwrap();
            fs::write(&config, changed.to_string()).unwrap();
            let error = Checkpoint::open(&folder, &Options::new()).map(|_| ()).unwrap_err().to_string();
            let expected = "expected a number from 0 to 1";
            assert!(
                error.contains("config.json: key `rotary_pct` is ") && error.ends_with(expected),
                "{error}"
            );
        }
    }
}

/// Without a word of it llama.cpp would choose experts by other scores: a model that answers nonsense, with no error anywhere.
#[test]
fn scores_that_the_config_does_not_tell_are_noted() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/classes");
    let parent = tempfile::tempdir().unwrap();
    for (name, model) in [("deepseek-v3", "DeepSeek V3"), ("glm4-moe-lite", "GLM 4.7 Flash")] {
        let folder = Description::read(&golden.join(format!("{name}.json"))).write(parent.path(), name);
        let noted = || {
            let notes = Checkpoint::open(&folder, &Options::new()).unwrap().notes().join("\n");
            notes.contains(&format!("llama.cpp will take softmax, {model} has sigmoid"))
        };
        assert!(noted(), "{name}");
        let config = folder.join("config.json");
        let mut said: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
        said["scoring_func"] = "sigmoid".into();
        fs::write(&config, said.to_string()).unwrap();
        assert!(!noted(), "{name}");
    }
}
