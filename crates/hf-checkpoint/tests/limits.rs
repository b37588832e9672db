//! Limits: a checkpoint is read with limits that are just enough, and refused with any of them one less.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::fs;
use std::path::Path;

use hf_checkpoint::{Checkpoint, Error, Limits, Options};

#[path = "common/folders.rs"]
#[expect(dead_code, reason = "each test uses a part of it")]
mod folders;
use folders::folder;

/// A Llama of two layers with a `tokenizer.json` and an index of shards.
const MODEL: &str = "llama3-rope";

/// The folder's files of these endings, with their lengths, the longest last.
fn files(folder: &Path, is: impl Fn(&str) -> bool) -> Vec<(u64, String)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.metadata().unwrap().len(), entry.file_name().into_string().unwrap()))
        .filter(|(_, name)| is(name))
        .collect();
    files.sort();
    files
}

/// The length that a safetensors file says its header has.
fn header_bytes(path: &Path) -> u64 {
    u64::from_le_bytes(fs::read(path).unwrap()[..8].try_into().unwrap())
}

#[test]
fn each_limit_is_the_last_that_is_read() {
    let parent = tempfile::tempdir().unwrap();
    let path = folder(MODEL).write(parent.path());
    let open = |limits: &Limits| Checkpoint::open(&path, &Options::new().with_limits(limits.clone()));
    let whole = Checkpoint::open(&path, &Options::new()).unwrap();

    let (settings, settings_file) = {
        let tokenizers = ["tokenizer.json", "model.safetensors.index.json"];
        files(&path, |name| name.ends_with(".json") && !tokenizers.contains(&name)).pop().unwrap()
    };
    let (index, _) = files(&path, |name| name.ends_with(".index.json")).pop().unwrap();
    let (tokenizer, _) = files(&path, |name| name == "tokenizer.json").pop().unwrap();
    let shards = files(&path, |name| name.ends_with(".safetensors"));
    let header = shards.iter().map(|(_, name)| header_bytes(&path.join(name))).max().unwrap();
    let count = u16::try_from(shards.len()).unwrap();
    assert!(count > 1);
    let tokens = 456;

    let enough = Limits::new()
        .with_settings_bytes(settings)
        .with_index_bytes(index)
        .with_tokenizer_bytes(tokenizer)
        .with_header_bytes(header)
        .with_tokens(tokens)
        .with_shards(count);
    let read = open(&enough).unwrap();
    assert_eq!(read.metadata(), whole.metadata());
    assert_eq!(read.tensors(), whole.tensors());

    let refused = |limits: Limits| open(&limits).unwrap_err().to_string();
    let of = |file: &str, said: String| format!("{}: {said}", path.join(file).display());
    let less = settings - 1;
    let said = format!("{settings} bytes, at most {less} expected of a tokenizer's file");
    assert_eq!(settings_file, "tokenizer_config.json");
    assert_eq!(refused(enough.clone().with_settings_bytes(less)), of(&settings_file, said));
    let less = index - 1;
    let said = format!("{index} bytes, expected at most {less} of such a file");
    assert_eq!(refused(enough.clone().with_index_bytes(less)), of("model.safetensors.index.json", said));
    let less = tokenizer - 1;
    let said = format!("{tokenizer} bytes, at most {less} expected of a tokenizer's file");
    assert_eq!(refused(enough.clone().with_tokenizer_bytes(less)), of("tokenizer.json", said));
    let less = header - 1;
    let said = format!("not a valid safetensors file: header of {header} bytes, expected at most {less}");
    let error = refused(enough.clone().with_header_bytes(less));
    assert!(error.ends_with(&said), "{error}");
    let said = format!("a vocabulary of {tokens}, the limit is {}: raise Limits::tokens", tokens - 1);
    assert_eq!(refused(enough.clone().with_tokens(tokens - 1)), format!("{}: {said}", path.display()));
    let error = open(&enough.clone().with_shards(count - 1)).unwrap_err();
    assert!(
        matches!(error, Error::TooManyShards { found, limit, .. } if found == shards.len() && limit == count - 1)
    );
}

/// A vocabulary that no weight pads is counted as it is.
#[test]
fn tokens_of_the_tokenizer_alone_are_counted() {
    let parent = tempfile::tempdir().unwrap();
    let path = folder(MODEL).write(parent.path());
    let config = path.join("config.json");
    let fewer = fs::read_to_string(&config).unwrap().replace("456", "12");
    fs::write(config, fewer).unwrap();
    let options = Options::new().with_limits(Limits::new().with_tokens(20));
    let error = Checkpoint::open(&path, &options).unwrap_err().to_string();
    assert!(error.contains("the limit is 20"), "{error}");
}

#[test]
fn adapters_are_within_the_limits_too() {
    let parent = tempfile::tempdir().unwrap();
    let path = folder(MODEL).write(parent.path());
    let adapter = parent.path().join("adapter");
    fs::create_dir(&adapter).unwrap();
    let config = format!("{{\"peft_type\": \"LORA\", \"notes\": \"{}\"}}", "x".repeat(50_000));
    fs::write(adapter.join("adapter_config.json"), &config).unwrap();
    fs::write(adapter.join("adapter_model.safetensors"), b"\x02\0\0\0\0\0\0\0{}").unwrap();
    let options = Options::new().with_limits(Limits::new().with_settings_bytes(50_000));
    for options in [options.clone().with_adapter(&adapter, 1.0), options.with_base(&path)] {
        let opened = if options.base.is_some() { &adapter } else { &path };
        let error = Checkpoint::open(opened, &options).unwrap_err().to_string();
        let file = adapter.join("adapter_config.json");
        let said = format!("{} bytes, expected at most 50000 of such a file", config.len());
        assert_eq!(error, format!("{}: {said}", file.display()));
    }
}
