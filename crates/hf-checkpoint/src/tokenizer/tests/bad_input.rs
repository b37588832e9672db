//! Files that are wrong: each gives an error that names it.

use std::fs;

use serde_json::json;

use super::super::{TokenizerInput, TokenizerKind, read};
use super::read_folder;

/// Each wrong file gives one line that names file, key, found and expected.
#[test]
fn bad_files_are_named() {
    let bpe = r#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}"#;
    let many = format!(r#"{{"model": {{"type": "BPE", "vocab": {{"a": {}}}, "merges": []}}}}"#, u32::MAX);
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
            dir: folder.path(),
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
    assert!(message.ends_with("no tokenizer: expected tokenizer.model or tokenizer.json"), "{message}");
}
