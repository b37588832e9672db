//! Files that are wrong: each gives an error that names it.

use std::fs;

use serde_json::{Value, json};

use super::super::{TokenizerError, TokenizerInput, TokenizerKind, read};
use super::{golden, read_folder};
use crate::bounded::Folder;
use crate::limits::Limits;

/// Each wrong file gives one line that names file, key, found and expected.
#[test]
fn bad_files_are_named() {
    let bpe = r#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}"#;
    let many = format!(r#"{{"model": {{"type": "BPE", "vocab": {{"a": {}}}, "merges": []}}}}"#, u32::MAX);
    let deep = format!("{{\"normalizer\": {}{}}}", "[".repeat(500), "]".repeat(500));
    let cases: &[(&str, &[u8], &str)] = &[
        ("tokenizer.json", b"{", "tokenizer.json: not the JSON expected: EOF while parsing"),
        ("tokenizer.json", b"{\"model\": {}}", "missing field `vocab`"),
        ("tokenizer.json", br#"{"model": {"vocab": {"a": -1}}}"#, "expected u32"),
        ("tokenizer.json", br#"{"model": {"vocab": {}, "merges": [["a"]]}}"#, "expected two tokens"),
        (
            "tokenizer.json",
            br#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}}}"#,
            "expected an id for each token",
        ),
        ("tokenizer.json", many.as_bytes(), "found id 4294967295 for \"a\", expected ids under 10"),
        (
            "tokenizer.json",
            br#"{"model": {"type": "Unigram", "vocab": [["a", -1.5]]}}"#,
            "model.type: found \"Unigram\", expected \"BPE\"",
        ),
        (
            "tokenizer.json",
            br#"{"model": {"type": "Unigram", "vocab": [["a"]]}}"#,
            "expected a tuple of size 2",
        ),
        ("tokenizer.json", br#"{"model": {"type": "Unigram", "vocab": [["a", 1e39]]}}"#, "beyond F32"),
        ("tokenizer.json", br#"{"model": {"type": "Unigram", "vocab": [["a", "b"]]}}"#, "expected f64"),
        (
            "tokenizer.json",
            br#"{"model": {"type": "WordPiece", "vocab": {"a": 0}}}"#,
            "model.type: found \"WordPiece\", expected \"BPE\"",
        ),
        (
            "tokenizer.json",
            b"{\"model\": {\"vocab\": {\"\xff\": 0}}}",
            "not the JSON expected: invalid unicode",
        ),
        ("tokenizer.json", deep.as_bytes(), "not the JSON expected: recursion limit"),
        ("tokenizer.model", b"\xff\xff\xff", "tokenizer.model: not a SentencePiece model"),
        (
            "tokenizer.model",
            b"",
            "tokenizer.model: pieces: found none, expected a vocabulary of 1 to 2097152",
        ),
        // A piece that claims more bytes than there are.
        ("tokenizer.model", b"\x0a\xff\xff\xff\xff\x0f", "tokenizer.model: not a SentencePiece model"),
        ("chat_template.jinja", b"\xff", "chat_template.jinja: text: found bytes at 0, expected UTF-8"),
    ];
    for (file, content, expected) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("tokenizer.json"), bpe).expect("written");
        fs::write(folder.path().join(file), content).expect("written");
        let config = json!({"vocab_size": 10});
        let input = TokenizerInput {
            folder: Folder { path: folder.path(), limits: &Limits::new() },
            kind: TokenizerKind::Any,
            config: &config,
            vocab_size: Some(10),
            token_types: 1,
            fixed: &[],
            pre: Some("gpt-2"),
        };
        let message = read(&input).expect_err(expected).to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{message} should tell {expected}");
        let huge = TokenizerInput { vocab_size: Some(u64::MAX), ..input };
        fs::write(folder.path().join(file), if *file == "tokenizer.json" { bpe } else { "" })
            .expect("written");
        if *file == "tokenizer.json" {
            let message = read(&huge).expect_err("too many").to_string();
            assert!(
                message.ends_with("vocab_size: found 18446744073709551615, expected 1 to 2097152"),
                "{message}"
            );
        }
    }
    let empty = tempfile::tempdir().expect("a folder");
    let message = read_folder(empty.path(), None).expect_err("nothing").to_string();
    assert!(
        message.ends_with(
            "no tokenizer: expected tokenizer.model, tokenizer.json, or vocab.json and merges.txt"
        ),
        "{message}"
    );
}

/// Folders from before tokenizer.json that lack a part, or say of themselves what no class reads.
#[test]
fn old_folders_are_checked() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("old-llama", "merges.txt", "#version: 0.2\n", "merges.txt: merges: found none"),
        ("old-llama", "merges.txt", "", "merges.txt: merges: found none"),
        ("old-llama", "vocab.json", "[]", "vocab.json: vocabulary: found a list, expected a map"),
        ("old-llama", "vocab.json", "{\"a\": -1}", "vocab.json: not the JSON expected: "),
        (
            "old-llama",
            "tokenizer_config.json",
            "{}",
            "vocab.json: no tokenizer.json beside it, and no class named that reads it: name one of Qwen2Tokenizer, ",
        ),
        (
            "old-llama",
            "tokenizer_config.json",
            "{\"tokenizer_class\": \"LlamaTokenizer\"}",
            "and its class LlamaTokenizer is not known to read it: ",
        ),
        (
            "old-llama",
            "tokenizer_config.json",
            "{\"tokenizer_class\": \"BertTokenizerFast\"}",
            "no tokenizer: expected vocab.txt",
        ),
        (
            "old-llama",
            "tokenizer_config.json",
            "{\"tokenizer_class\": \"GPT2Tokenizer\", \"add_prefix_space\": 1}",
            "tokenizer_config.json: add_prefix_space: found 1, expected true, false or null",
        ),
        (
            "old-bert",
            "tokenizer_config.json",
            "{\"do_lower_case\": \"no\"}",
            "tokenizer_config.json: do_lower_case: found \"no\", expected true, false or null",
        ),
        (
            "old-bert",
            "config.json",
            "{\"architectures\": [\"BertModel\"], \"model_type\": \"bert\", \"vocab_size\": 7}",
            ", expected ids under 7, the vocab_size of config.json",
        ),
    ];
    for (name, file, content, expected) in cases {
        let folder = copy_of(name);
        fs::write(folder.path().join(file), content).expect("written");
        let message = read_folder(folder.path(), None).expect_err(expected).to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{message} should tell {expected}");
    }
    let folder = copy_of("old-bert");
    fs::write(folder.path().join("vocab.txt"), b"[PAD]\n\xff\n").expect("written");
    let message = read_folder(folder.path(), None).expect_err("no text").to_string();
    assert!(message.ends_with("vocab.txt: text: found bytes at 6, expected UTF-8"), "{message}");
    let folder = copy_of("old-llama");
    fs::remove_file(folder.path().join("merges.txt")).expect("removed");
    let message = read_folder(folder.path(), None).expect_err("no merges").to_string();
    assert!(message.ends_with("no tokenizer: expected vocab.json and merges.txt"), "{message}");
}

/// One of the golden folders with one file changed.
fn changed(name: &str, file: &str, content: &[u8]) -> Result<(), TokenizerError> {
    let folder = copy_of(name);
    fs::write(folder.path().join(file), content).expect("written");
    read_folder(folder.path(), None).map(drop)
}

fn copy_of(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(golden().join(name)).expect("a folder") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("copied");
    }
    folder
}

/// Broken in whatever way, a file gives an error or a tokenizer, and never more memory than it is worth.
#[test]
fn broken_files_are_survived() {
    for (name, file) in
        [("t5-spm", "spiece.model"), ("xlmr-json", "tokenizer.json"), ("gemma4", "tokenizer.json")]
    {
        let whole = fs::read(golden().join(name).join(file)).expect("a file");
        let folder = copy_of(name);
        let is_wrong = |content: &[u8]| {
            fs::write(folder.path().join(file), content).expect("written");
            usize::from(read_folder(folder.path(), None).is_err())
        };
        let mut errors = 0;
        let step = whole.len() / 97 + 1;
        for at in (0..whole.len()).step_by(step) {
            errors += is_wrong(&whole[..at]);
            for bit in [0, 3, 7] {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                errors += is_wrong(&flipped);
            }
        }
        assert!(errors > 97, "{name}: {errors}");
    }
}

/// Mistral's own file.
#[test]
fn tekken_files_are_checked() {
    let whole = fs::read(golden().join("tekken-v7/tekken.json")).expect("a file");
    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    let message = |change: &dyn Fn(&mut Value)| {
        let mut json = whole.clone();
        change(&mut json);
        changed("tekken-v7", "tekken.json", json.to_string().as_bytes()).expect_err("wrong").to_string()
    };
    type Case<'c> = (&'c str, &'c dyn Fn(&mut Value));
    let cases: &[Case<'_>] = &[
        ("missing field `config`", &|json| drop(json.as_object_mut().map(|o| o.remove("config")))),
        ("config.default_vocab_size: found 4294967295", &|json| {
            json["config"]["default_vocab_size"] = json!(u32::MAX);
        }),
        ("config.default_vocab_size: found 9,", &|json| json["config"]["default_vocab_size"] = json!(9)),
        ("special_tokens: found 21, expected at most 20", &|json| {
            json["config"]["default_num_special_tokens"] = json!(20);
            json["config"]["default_vocab_size"] = json!(284);
        }),
        ("found rank 7 for \"<s>\", expected rank 1", &|json| json["special_tokens"][1]["rank"] = json!(7)),
        ("special_tokens: found none, expected a list", &|json| {
            json["special_tokens"] = Value::Null;
            json["config"]["version"] = json!("v11");
        }),
        ("found no </s>", &|json| json["special_tokens"][2]["token_str"] = json!("<end>")),
        ("vocab[257]: found rank 3", &|json| json["vocab"][257]["rank"] = json!(3)),
        ("vocab[65]: found token_bytes \"Qg==\"", &|json| json["vocab"][65]["token_bytes"] = json!("Qg==")),
        ("vocab[257]: found token_bytes", &|json| {
            json["vocab"][257]["token_bytes"] = json!("QUFB".repeat(400));
        }),
        ("expected a token made of two others", &|json| json["vocab"][257]["token_bytes"] = json!("/w==")),
    ];
    for (expected, change) in cases {
        let message = message(change);
        assert!(message.contains(expected), "{message} should tell {expected}");
    }
}

/// Files beside the tokenizer's own.
#[test]
fn what_older_and_other_files_say_is_not_guessed_at() {
    for name in ["t5-spm", "xlmr-json"] {
        let message =
            changed(name, "added_tokens.json", br#"{"<b>": 7, "<a>": 7}"#).expect_err(name).to_string();
        assert!(
            message.ends_with(
                "added_tokens.json: id 7: found \"<a>\" and \"<b>\", expected one token of each id"
            ),
            "{message}"
        );
    }
    // Templates that cannot be listed.
    let folder = copy_of("t5-spm");
    fs::write(folder.path().join("chat_template.jinja"), "{{ x }}").expect("written");
    fs::write(folder.path().join("tokenizer_config.json"), r#"{"a": 1}"#).expect("written");
    std::os::unix::fs::symlink("additional_chat_templates", folder.path().join("additional_chat_templates"))
        .expect("a link to itself");
    let message = read_folder(folder.path(), None).expect_err("a loop").to_string();
    assert!(message.contains("additional_chat_templates: cannot read"), "{message}");
    // A template that is none.
    let folder = copy_of("t5-spm");
    fs::write(folder.path().join("tokenizer_config.json"), r#"{"chat_template": 5}"#).expect("written");
    let notes = read_folder(folder.path(), None).expect("goes on without").notes;
    assert!(notes.iter().any(|n| n.contains("chat_template is 5, a text or a list expected")), "{notes:?}");
}

/// Small files that would become large ones.
#[test]
fn no_file_grows_without_bounds() {
    // Two bytes a piece.
    let pieces: Vec<u8> = std::iter::repeat_n([0x0a, 0x00], (1 << 21) + 1).flatten().collect();
    let message = changed("t5-spm", "spiece.model", &pieces).expect_err("too many").to_string();
    assert!(message.contains("pieces: found 2097153, expected a vocabulary of 1 to 2097152"), "{message}");
    // A map of characters that is longer than itself; one in no base64.
    for (map, expected) in [("/////w==", "double array takes 4294967295"), ("?", "expected bytes in base64")]
    {
        let path = golden().join("xlmr-json/tokenizer.json");
        let mut json: Value = serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
        json["normalizer"]["precompiled_charsmap"] = json!(map);
        let message =
            changed("xlmr-json", "tokenizer.json", json.to_string().as_bytes()).expect_err(expected);
        assert!(message.to_string().contains(expected), "{message}");
        assert!(message.to_string().contains("tokenizer.json: "), "{message}");
    }
    // Each entry of a template has all ids of its token.
    let ids = json!({"id": "<s>", "ids": vec![1; 1000], "tokens": []});
    let entry = json!({"SpecialToken": {"id": "<s>", "type_id": 0}});
    let json = json!({
        "normalizer": {"type": "Prepend", "prepend": "a".repeat(1 << 20)},
        "post_processor": {"type": "TemplateProcessing", "single": vec![entry; 100_000], "special_tokens": {"<s>": ids}},
        "model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]},
    });
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).expect("written");
    assert!(read_folder(folder.path(), None).is_err());
    // Each part doubles the text, or the token.
    let doubling = |kind: &str, key: &str| {
        let double = json!({"type": "Replace", "pattern": {"Regex": "(?s)."}, "content": "aa"});
        let double = if key == "decoders" {
            json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"})
        } else {
            double
        };
        json!({"type": kind, key: vec![double; 60]})
    };
    let bytes = json!({"type": "Sequence", "pretokenizers": vec![json!({"type": "ByteLevel"}); 60]});
    let json = json!({
        "added_tokens": [{"id": 1, "content": "<a>", "normalized": false}],
        "normalizer": doubling("Sequence", "normalizers"), "pre_tokenizer": bytes,
        "decoder": doubling("Sequence", "decoders"),
        "model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]},
    });
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).expect("written");
    let message = read_folder(folder.path(), None).expect_err("no known structure").to_string();
    assert!(message.contains("pre-tokenizer not recognised"), "{message}");
    assert!(read_folder(folder.path(), Some("gpt-2")).is_ok());
}
