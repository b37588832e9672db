//! Text of strangers: whatever field of whatever file it stands in, no control character of it reaches the terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use entrenar::ecosystem::is_hidden;
use serde_json::{Map, Value};

use crate::gguf::{Pair, gguf};
use crate::place::{Place, text};

/// An escape sequence, a bell, C1, DEL, a bidirectional override, a zero-width space, a tag, line breaks.
const EVIL: &str =
    "x\u{1b}[31m\u{7}\u{9b}2J\u{85}\u{7f}\u{202e}\u{200b}\u{e0041}\r\nnote: all is well\u{0}\u{b}";

/// Asserts that what a command printed is text, in which nothing is hidden but that lines end; and that it is JSON, if it
/// was to be.
fn assert_clean(output: &Output, what: &str, json: bool) {
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let said = std::str::from_utf8(bytes).unwrap();
        let hidden = said.chars().find(|c| is_hidden(*c) && *c != '\n');
        assert_eq!(hidden, None, "{what}: {stream}: {said:?}");
        let forged = said.lines().any(|line| line.starts_with("note: all is well"));
        assert!(!forged, "{what}: a line of the file's own: {said:?}");
        assert!(!said.contains("panicked"), "{what}: {said}");
    }
    assert!(matches!(output.status.code(), Some(0..=2)), "{what}: {:?}", output.status);
    if json && output.status.success() {
        let value: Result<Value, _> = serde_json::from_slice(&output.stdout);
        assert!(value.is_ok(), "{what}: {value:?}");
    }
}

/// Every way to put the text into a JSON value: in place of each string, at the end of each, at the end of each key; of long
/// lists, the first and the last elements only.
fn mutants(value: &Value) -> Vec<(String, Value)> {
    const LONG: usize = 4;
    let mut all = Vec::new();
    let few = |len: usize| (0..len).filter(move |i| len <= LONG || *i < 2 || i + 1 == len);
    match value {
        Value::String(text) => {
            all.push(("=".to_owned(), Value::from(EVIL)));
            all.push(("+".to_owned(), Value::from(format!("{text}{EVIL}"))));
        }
        Value::Array(list) => {
            for i in few(list.len()) {
                for (path, mutant) in mutants(&list[i]) {
                    let mut list = list.clone();
                    list[i] = mutant;
                    all.push((format!("[{i}]{path}"), list.into()));
                }
            }
        }
        Value::Object(map) => {
            for i in few(map.len()) {
                let (key, inner) = map.iter().nth(i).unwrap();
                for (path, mutant) in mutants(inner) {
                    let mut map = map.clone();
                    map.insert(key.clone(), mutant);
                    all.push((format!(".{key}{path}"), map.into()));
                }
                let renamed = |(j, (k, v)): (usize, (&String, &Value))| {
                    (if i == j { format!("{k}{EVIL}") } else { k.clone() }, v.clone())
                };
                let renamed: Map<_, _> = map.iter().enumerate().map(renamed).collect();
                all.push((format!(".{key} as a key"), renamed.into()));
            }
        }
        // A word where a number should be.
        _ => all.push(("=".to_owned(), Value::from(EVIL))),
    }
    all
}

/// Objects whose keys are no words of a vocabulary, and so each a field of its own, are looked at whole.
fn fields(value: &Value) -> Vec<(String, Value)> {
    let Value::Object(map) = value else { return mutants(value) };
    let mut all = Vec::new();
    for (key, inner) in map {
        for (path, mutant) in fields(inner) {
            let mut map = map.clone();
            map.insert(key.clone(), mutant);
            all.push((format!(".{key}{path}"), map.into()));
        }
    }
    all.extend(mutants(value).into_iter().filter(|(path, _)| path.ends_with("as a key")));
    all
}

/// Runs the commands over every mutant of a JSON file.
fn every_field(place: &Place, file: &Path, whole: bool, commands: &[&[&str]]) -> usize {
    let bytes = fs::read(file).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    let mutants = if whole { fields(&value) } else { mutants(&value) };
    assert!(!mutants.is_empty());
    for args in commands {
        let output = place.run(args);
        assert!(output.status.success(), "{args:?}, before anything is wrong: {}", text(&output.stderr));
    }
    for (path, mutant) in &mutants {
        fs::write(file, mutant.to_string()).unwrap();
        for args in commands {
            let what = format!("{}{path:?}: {args:?}", file.display());
            assert_clean(&place.run(args), &what, args.contains(&"--json"));
        }
    }
    // Not JSON, and not text.
    for broken in [format!("{{\"{EVIL}"), format!("{EVIL}{{}}")] {
        fs::write(file, &broken).unwrap();
        assert_clean(&place.run(commands[0]), &broken, false);
    }
    fs::write(file, [b"{\"a\": \"\x1b\xff\x9b\"}".as_slice(), &bytes].concat()).unwrap();
    assert_clean(&place.run(commands[0]), "bytes", false);
    fs::write(file, bytes).unwrap();
    mutants.len()
}

#[test]
fn of_a_models_folder() {
    let place = Place::new();
    let plan = ["export", place.model(), "--dry-run", "-v"];
    let json = ["export", place.model(), "--dry-run", "--json"];
    for (file, whole) in [
        ("config.json", true),
        ("tokenizer_config.json", true),
        ("generation_config.json", true),
        ("tokenizer.json", false),
    ] {
        let commands: &[&[&str]] = if whole { &[&plan, &json] } else { &[&plan] };
        every_field(&place, &place.model.join(file), whole, commands);
    }
    let card = place.model.join("README.md");
    for text in [
        format!("---\nlicense: \"{}\"\n---\n", EVIL.escape_default()),
        format!("---\nlicense: {EVIL}\nbase_model: [{EVIL}]\n---\n{EVIL}"),
        "---\ntags: [\"\\e[31m\\x9b\\N\\u202e\"]\nmodel_name: \"\\e\\a\"\n---\n".to_owned(),
    ] {
        fs::write(&card, text).unwrap();
        assert_clean(&place.run(&plan), "the model card", false);
        assert_clean(&place.run(&json), "the model card", true);
    }
    fs::remove_file(card).unwrap();
    fs::write(place.model.join("chat_template.jinja"), EVIL).unwrap();
    assert_clean(
        &place.run(&["export", place.model(), "template.gguf", "-q", "q8_0", "--json"]),
        "template",
        true,
    );
    for args in [["inspect", "template.gguf", "--tensors"], ["inspect", "template.gguf", "--json"]] {
        let output = place.run(&args);
        assert!(output.status.success());
        assert_clean(&output, "template", args[2] == "--json");
    }
}

#[test]
fn of_headers_of_safetensors_files_and_their_index() {
    let place = Place::with("llama-sharded");
    let folder = place.model.clone();
    let plan = ["export", folder.to_str().unwrap(), "--dry-run"];
    let raw = ["export", folder.to_str().unwrap(), "--dry-run", "--raw", "--json"];
    every_field(&place, &folder.join("model.safetensors.index.json"), false, &[&plan, &raw]);
    // A tensor by its name, its type, its shape; and the file's own words.
    let shard = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
    let shard = shard.into_iter().find(|path| path.extension().is_some_and(|e| e == "safetensors")).unwrap();
    let bytes = fs::read(&shard).unwrap();
    let len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + len]).unwrap();
    for (path, mutant) in mutants(&header) {
        let header = mutant.to_string();
        let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes[8 + len..]].concat();
        fs::write(&shard, file).unwrap();
        for args in [&plan[..], &raw] {
            assert_clean(&place.run(args), &format!("header{path:?} {args:?}"), args.contains(&"--json"));
        }
    }
}

#[test]
fn of_adapters_and_of_files_that_are_given() {
    let place = Place::new();
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../hf-checkpoint/tests/golden/lora/patterns-rslora");
    for folder in ["0", "base"] {
        fs::create_dir(place.path(folder)).unwrap();
        for entry in fs::read_dir(golden.join(folder)).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, place.path(folder).join(from.file_name().unwrap())).unwrap();
        }
    }
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(place.model.join(file), place.path("base").join(file)).unwrap();
    }
    let merge = ["export", "base", "--dry-run", "--lora", "0", "-v", "--pre", "llama-bpe"];
    let alone = ["export", "0", "--dry-run", "--base", "base", "--json"];
    every_field(&place, &place.path("0/adapter_config.json"), true, &[&merge, &alone]);

    let metadata = r#"{"general.name": "n", "general.license": "mit", "a.b": ["x", "y"], "general.tags": ["t"], "general.doi": "10.1/x"}"#;
    fs::write(place.path("m.json"), metadata).unwrap();
    let with = ["export", place.model(), "--dry-run", "--metadata", "m.json"];
    every_field(&place, &place.path("m.json"), true, &[&with]);
    let provenance = r#"{"experiment_id": "e", "run_id": "r", "timestamp": "2024-01-15T10:30:00Z", "metrics": {"loss": 1.0}, "custom": {"a": "b"}, "base_model": "a/b"}"#;
    fs::write(place.path("p.json"), provenance).unwrap();
    let with = ["export", place.model(), "--dry-run", "--provenance", "p.json"];
    every_field(&place, &place.path("p.json"), true, &[&with]);

    for list in [format!("{EVIL}=q8_0"), format!("a={EVIL}"), format!("({EVIL}=q8_0"), EVIL.to_owned()] {
        fs::write(place.path("types"), &list).unwrap();
        let args = ["export", place.model(), "--dry-run", "--tensor-type-file", "types"];
        assert_clean(&place.run(&args), &list, false);
        // As an argument, which has no NUL.
        let list = list.replace('\0', "");
        assert_clean(
            &place.run(&["export", place.model(), "--dry-run", "--tensor-type", &list]),
            &list,
            false,
        );
    }
}

/// GGUF files of one tensor, with the text in each place that has one.
#[test]
fn of_gguf_files_and_matrices() {
    let place = Place::new();
    assert!(place.run(&["export", place.model(), "m.gguf", "-q", "q8_0"]).status.success());
    let plain = |key: &str| Pair::text(key.as_bytes(), b"v");
    let (evil, bytes) = (EVIL.as_bytes(), b"\xff\x1b[31m\x9b\xc2".as_slice());
    let mut cases: Vec<(&str, Vec<u8>)> = Vec::new();
    for text in [evil, bytes] {
        let arch = Pair::text(b"general.architecture", text);
        cases.extend([
            ("an architecture", gguf(&[arch], b"t")),
            ("a key", gguf(&[Pair::text(text, b"v"), plain("general.architecture")], b"t")),
            ("a key twice", gguf(&[Pair::text(text, b"v"), Pair::text(text, b"v")], b"t")),
            ("a value", gguf(&[plain("general.architecture"), Pair::text(b"general.name", text)], b"t")),
            ("a list", gguf(&[Pair::texts(b"tokenizer.ggml.tokens", &[text, text])], b"t")),
            ("a number that is text", gguf(&[Pair::text(b"split.count", text)], b"t")),
            ("an alignment that is text", gguf(&[Pair::text(b"general.alignment", text)], b"t")),
            ("a tensor", gguf(&[plain("general.architecture")], text)),
            ("a template", gguf(&[Pair::text(b"tokenizer.chat_template", text)], b"t")),
            (
                "a name of a template",
                gguf(&[Pair::text(&[b"tokenizer.chat_template.", text].concat(), b"{{x.__class__}}")], b"t"),
            ),
            (
                "code of a template",
                gguf(
                    &[Pair::text(
                        b"tokenizer.chat_template",
                        &[b"{{'__class__", text, b"'}}{% ", text].concat(),
                    )],
                    b"t",
                ),
            ),
            (
                "a matrix",
                gguf(
                    &[Pair::text(b"general.type", b"imatrix"), Pair::texts(b"imatrix.datasets", &[text])],
                    text,
                ),
            ),
        ]);
    }
    for (what, file) in &cases {
        fs::write(place.path("evil.gguf"), file).unwrap();
        for args in [
            &["inspect", "evil.gguf", "--tensors"][..],
            &["inspect", "evil.gguf", "--json"],
            &["export", "evil.gguf", "--dry-run"],
            &["export", "evil.gguf", "out.gguf", "-q", "copy", "--json", "--force"],
            &["split", "evil.gguf", "part", "--dry-run", "--json"],
            &["split", "evil.gguf", "part", "--force"],
            &["merge", "evil.gguf", "out.gguf", "--force"],
            &["export", "m.gguf", "--dry-run", "--allow-requantize", "--imatrix", "evil.gguf"],
        ] {
            assert_clean(&place.run(args), &format!("{what}: {args:?}"), args.contains(&"--json"));
        }
    }
    // The older form of a matrix: entries, then the name's length, the name, calls, values.
    let mut dat = 1_u32.to_le_bytes().to_vec();
    dat.extend((EVIL.len() as u32).to_le_bytes());
    dat.extend(evil);
    dat.extend([1_u32, 1, 0x3f80_0000].iter().flat_map(|n| n.to_le_bytes()));
    fs::write(place.path("evil.dat"), dat).unwrap();
    let args = ["export", "m.gguf", "--dry-run", "--allow-requantize", "--imatrix", "evil.dat"];
    assert_clean(&place.run(&args), "an old matrix", false);
}

#[cfg(unix)]
#[test]
fn of_names_of_files_and_folders() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    let place = Place::new();
    let names = [b"a\x1b[31m\x9b\n\x7f".as_slice(), b"a\xff\x1b\xc2", "a\u{202e}\u{200b}\u{9b}".as_bytes()];
    for name in names {
        let at = |end: &str| -> PathBuf {
            place.folder.path().join(OsStr::from_bytes(&[name, end.as_bytes()].concat()))
        };
        let folder = at("");
        fs::rename(&place.model, &folder).unwrap();
        let run = |args: &[&OsStr]| {
            Command::new(env!("CARGO_BIN_EXE_entrenar"))
                .args(args)
                .current_dir(place.folder.path())
                .output()
                .unwrap()
        };
        let (file, shards) = (at(".gguf"), at("-part"));
        let word = OsStr::new;
        let all: [&[&OsStr]; 14] = [
            &[word("export"), folder.as_os_str(), word("--dry-run"), word("-v")],
            &[word("export"), folder.as_os_str(), word("--quiet"), word("--json")],
            &[word("export"), folder.as_os_str(), file.as_os_str()],
            &[word("export"), folder.as_os_str(), file.as_os_str()],
            &[word("export"), folder.as_os_str(), file.as_os_str(), word("--force"), word("--json")],
            &[word("inspect"), file.as_os_str()],
            &[word("inspect"), file.as_os_str(), word("--json")],
            &[word("split"), file.as_os_str(), shards.as_os_str(), word("--split-max-tensors"), word("9")],
            &[word("split"), file.as_os_str(), shards.as_os_str(), word("--dry-run"), word("--json")],
            &[word("merge"), file.as_os_str(), file.as_os_str()],
            &[word("inspect"), folder.as_os_str()],
            &[word("export"), folder.as_os_str(), folder.as_os_str(), word("--lora"), folder.as_os_str()],
            &[word("export"), folder.as_os_str(), word("--imatrix"), folder.as_os_str()],
            &[folder.as_os_str(), file.as_os_str()],
        ];
        for args in all {
            let json = args.contains(&word("--json"));
            assert_clean(&run(args), &format!("{args:?}"), json);
        }
        fs::rename(&folder, &place.model).unwrap();
    }
}

#[test]
fn of_what_is_typed() {
    let place = Place::new();
    let evil = EVIL.replace('\0', "");
    for flag in [
        "--quant",
        "--threads",
        "--lora",
        "--base",
        "--name",
        "--license",
        "--metadata",
        "--provenance",
        "--pre",
        "--imatrix",
        "--output-tensor-type",
        "--token-embedding-type",
        "--tensor-type",
        "--tensor-type-file",
        "--prune-layers",
        "--override-kv",
        "--split-max-size",
        "--split-max-tensors",
        "--no-such-flag",
    ] {
        let equal = format!("{flag}={evil}");
        assert_clean(&place.run(&["export", place.model(), "--dry-run", &equal]), flag, false);
    }
    assert_clean(&place.run(&[&evil]), "a command", false);
}
