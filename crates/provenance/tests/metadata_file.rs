//! A file of metadata over a model's own: as gguf-py does it, and what it does not.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, where a failure is a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use gguf_format::{Array, Metadata, Value};
use provenance::{KeyProblem, MetadataFile, MetadataFileError};
use serde_json::{Value as Json, json};

fn file(json: &Json) -> Result<MetadataFile, MetadataFileError> {
    MetadataFile::parse(json.to_string().as_bytes(), "over.json")
}

/// A model's metadata.
fn model() -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert("general.architecture", "llama");
    metadata.insert("general.name", "Name");
    metadata.insert("general.license", "mit");
    metadata.insert("llama.context_length", 2048u32);
    metadata.insert("llama.rope.freq_base", 1e4f32);
    metadata.insert("llama.attention.head_count_kv", vec![1u32, 2]);
    metadata.insert("tokenizer.ggml.add_bos_token", true);
    metadata.insert("tokenizer.chat_template", "{{ x }}");
    metadata
}

fn problems(json: &Json) -> Vec<String> {
    let error = match file(json) {
        Ok(file) => {
            let mut metadata = model();
            let error = file.merge_into(&mut metadata).unwrap_err();
            assert_eq!(metadata, model());
            error
        }
        Err(error) => error,
    };
    let message = error.to_string();
    let MetadataFileError::Keys { path, problems } = error else { panic!("{message}") };
    assert_eq!(path, Path::new("over.json"));
    assert!(message.starts_with("over.json: key `") && !message.contains('\n'), "{message}");
    problems.iter().map(KeyProblem::to_string).collect()
}

/// `tests/golden/metadata_file`: what gguf-py made of a model's pairs and a file (`conformance/scripts/metadata_golden.py`).
#[test]
fn a_file_in_the_converters_form_gives_what_the_converter_gives() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/metadata_file");
    let files: Vec<PathBuf> = fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()).collect();
    let files: Vec<&PathBuf> = files.iter().filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
    assert_eq!(files.len(), 4);
    for path in files {
        let mut metadata = read(&path.with_extension("model"));
        MetadataFile::open(path).unwrap().merge_into(&mut metadata).unwrap();
        let (ours, theirs) = (show(&metadata), show(&read(&path.with_extension("expected"))));
        assert_eq!(ours, theirs, "{}", path.display());
    }
}

fn show(metadata: &Metadata) -> Vec<String> {
    metadata.iter().map(|(key, value)| format!("{key} = {value:?}")).collect()
}

fn read(path: &Path) -> Metadata {
    let pair = |line: &str| {
        let (key, ty, value): (String, String, Json) = serde_json::from_str(line).unwrap();
        let value: Value = match ty.as_str() {
            "str" => value.as_str().unwrap().into(),
            "u32" => u32::try_from(value.as_u64().unwrap()).unwrap().into(),
            "i32" => i32::try_from(value.as_i64().unwrap()).unwrap().into(),
            "f32" => (value.as_f64().unwrap() as f32).into(),
            "arr" => serde_json::from_value::<Vec<String>>(value).unwrap().into(),
            other => panic!("{other}"),
        };
        (key, value)
    };
    fs::read_to_string(path).unwrap().lines().map(pair).collect()
}

#[test]
fn any_key_takes_a_value_of_its_type() {
    let file = file(&json!({
        "llama.context_length": 4096,
        "llama.rope.freq_base": 500_000,
        "llama.attention.head_count_kv": [4, 4],
        "tokenizer.ggml.add_bos_token": false,
        "tokenizer.chat_template": null,
        "general.license": "Apache-2.0 OR MIT",
        "general.sampling.top_k": {"i32": 40},
        "my.text": "x",
        "my.texts": ["x", "y"],
        "my.flag": true,
        "my.u8": {"u8": 255},
        "my.i64": {"i64": -1},
        "my.f64": {"f64": 0.1},
        "my.list": {"i16": [1, -2]},
        "llama.expert_count": {"u32": 8},
    }))
    .unwrap();
    let mut metadata = model();
    file.merge_into(&mut metadata).unwrap();
    let expected: Metadata = [
        ("general.architecture", Value::from("llama")),
        ("general.sampling.top_k", 40i32.into()),
        ("general.name", "Name".into()),
        ("general.license", "Apache-2.0 OR MIT".into()),
        ("llama.context_length", 4096u32.into()),
        ("llama.rope.freq_base", 5e5f32.into()),
        ("llama.attention.head_count_kv", vec![4u32, 4].into()),
        ("tokenizer.ggml.add_bos_token", false.into()),
        ("my.text", "x".into()),
        ("my.texts", vec!["x".to_owned(), "y".to_owned()].into()),
        ("my.flag", true.into()),
        ("my.u8", 255u8.into()),
        ("my.i64", (-1i64).into()),
        ("my.f64", 0.1f64.into()),
        ("my.list", Value::Array(Array::I16(vec![1, -2]))),
        ("llama.expert_count", 8u32.into()),
    ]
    .into_iter()
    .collect();
    assert_eq!(show(&metadata), show(&expected));
}

#[test]
fn every_key_that_is_wrong_is_named_at_once() {
    assert_eq!(
        problems(&json!({
            "general.licence": "mit",
            "general.tag": null,
            "general.base_model.0.name": "x",
            "general.top_k": 3,
            "general.name": 3,
            "general.license": "mine",
            "general.doi": "x",
            "general.tags": "chat",
            "general.sampling.top_k": 0.5,
            "general.sampling.temp": 1e300,
            "general.sampling.min_p": {"f64": 0.1},
            "general.author": "a\u{0}b",
            "general.version": "a\nb",
            "general.base_models": {"name": "x"},
            "general.datasets": [{"name": "x", "nam": "y"}],
            "general.file_type": 7,
            "general.alignment": -32,
            "a key": 1,
            "": 1,
        })),
        [
            "key `general.licence` does not exist; nearest: general.license, general.license.name, general.license.link",
            "key `general.tag` does not exist; nearest: general.tags, general.type, general.name",
            "key `general.base_model.0.name` does not exist; nearest: general.base_models",
            "key `general.top_k` does not exist; nearest: general.type, general.sampling.top_k, general.doi",
            "key `general.name` is 3, expected a text",
            "key `general.license`: licence \"mine\" is neither an SPDX expression nor an id of Hugging Face (unknown \
             term); for one of your own, \"other\" with a name (with_custom_license)",
            "key `general.doi`: DOI \"x\": expected the form 10.1234/suffix, with or without https://doi.org/ before it",
            "key `general.tags` is \"chat\", expected a list of texts",
            "key `general.sampling.top_k` is 0.5, expected an integer within the range of i32",
            "key `general.sampling.temp` is 1e+300, expected a number within the range of f32",
            "key `general.sampling.min_p` is {\"f64\":0.1}, expected a number within the range of f32",
            "key `general.author` is \"a\\u0000b\", expected a text",
            "key `general.version`: general.version: the value holds the control character '\\n'; take it out",
            "key `general.base_models` is {\"name\":\"x\"}, expected a list of objects",
            "key `general.datasets[0].nam` does not exist; nearest: name, author, version, organization, description, \
             url, doi, uuid, repo_url",
            "key `general.file_type` cannot be set here: it follows from the types of the tensors",
            "key `general.alignment` is -32, expected an integer from 0 to 4294967295",
            "key \"a key\": keys are made of ASCII letters, digits and punctuation",
            "key \"\": keys are made of ASCII letters, digits and punctuation",
        ]
    );
    assert_eq!(
        problems(&json!({
            "general.architecture": "qwen2",
            "llama.context_length": "long",
            "llama.attention.head_count_kv": [1, -2],
            "tokenizer.ggml.add_bos_token": 1,
            "new.number": 3,
            "new.object": {"a": 3},
            "new.mixed": ["a", 3],
        })),
        [
            "key `general.architecture` cannot be changed: tensors and keys of the model are those of llama",
            "key `llama.context_length` is \"long\", expected an integer from 0 to 4294967295",
            "key `llama.attention.head_count_kv` is [1,-2], expected a list of integers within the range of the key's type",
            "key `tokenizer.ggml.add_bos_token` is 1, expected true or false",
            "key `new.number` is not in the model, and 3 does not tell a type: write it as {\"u32\": …}, {\"f32\": …}",
            "key `new.object` is not in the model, and {\"a\":3} does not tell a type: write it as {\"u32\": …}, {\"f32\": …}",
            "key `new.mixed` is [\"a\",3], expected a list of texts",
        ]
    );
    assert_eq!(
        problems(&json!({"general.datasets": [{"u\u{1b}[2Jrl": "x"}], "general.name": ["\u{9b}2J\u{202e}"]})),
        [
            "key `general.datasets[0].u\\u{1b}[2Jrl` does not exist; nearest: name, author, version, organization, \
             description, url, doi, uuid, repo_url",
            "key `general.name` is [\"\\u{9b}2J\\u{202e}\"], expected a text",
        ]
    );
    assert_eq!(
        problems(&json!({"new.u8": {"u8": 256}})),
        ["key `new.u8` is 256, expected an integer from 0 to 255"]
    );
}

#[test]
fn files_that_are_none() {
    let said = |bytes: &[u8]| MetadataFile::parse(bytes, "over.json").unwrap_err().to_string();
    assert_eq!(said(b"[1]"), "over.json: is [1], expected an object of metadata keys");
    assert!(said(b"{").starts_with("over.json: not valid JSON: EOF"));
    assert!(said(&[b'['; 100_000]).contains("recursion limit"));
    let deep = format!("{{\"a\":{}", "[".repeat(1 << 20));
    assert!(said(deep.as_bytes()).starts_with("over.json: not valid JSON: recursion limit exceeded"));
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("over.json");
    std::fs::File::create(&large).unwrap().set_len(1 << 40).unwrap();
    let error = MetadataFile::open(&large).unwrap_err().to_string();
    assert_eq!(error, format!("{}: 1099511627776 bytes, expected at most 4194304", large.display()));
    let keys =
        |from: usize, to: usize| (from..to).map(|n| format!("\"k{n}\": true")).collect::<Vec<_>>().join(",");
    assert!(MetadataFile::parse(format!("{{{}}}", keys(0, 4096)).as_bytes(), "over.json").is_ok());
    let said_of_keys = said(format!("{{{}}}", keys(0, 4097)).as_bytes());
    assert_eq!(said_of_keys, "over.json: the file has 4097 entries, expected at most 4096");
    let list = format!("{{\"general.datasets\": [{}]}}", ["{}"; 4097].join(","));
    let expected = "over.json: general.datasets has 4097 entries, expected at most 4096";
    assert_eq!(said(list.as_bytes()), expected);
    let wrong = (0..40).map(|n| format!("\"general.k{n}\": 1")).collect::<Vec<_>>().join(",");
    let said_of_wrong = said(format!("{{{wrong}}}").as_bytes());
    assert!(said_of_wrong.ends_with("; and 30 more"), "{said_of_wrong}");
    assert_eq!(said_of_wrong.matches("does not exist").count(), 10);
    let error = MetadataFile::open("/nowhere/over.json").unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/over.json: cannot read: No such file"), "{error}");
}

#[test]
fn a_key_can_be_left_to_others() {
    let file =
        file(&json!({"general.name": "Theirs", "general.author": "Them"})).unwrap().without("general.name");
    let mut metadata = model();
    file.merge_into(&mut metadata).unwrap();
    assert_eq!(metadata.get("general.name"), Some(&"Name".into()));
    assert_eq!(metadata.get("general.author"), Some(&"Them".into()));
}
