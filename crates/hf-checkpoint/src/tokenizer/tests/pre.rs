//! Pre-tokenizers: real ones, cut down, and every structure that llama.cpp has.

use std::fs;

use gguf_format::Value as Gguf;
use serde_json::{Map, Value, json};

use super::super::decode::BYTE_CHARS;
use super::super::pre::splitting_names;
use super::super::{TokenizerInput, TokenizerKind, read};
use super::{golden, json_file, read_folder};
use crate::bounded::Folder;
use crate::limits::Limits;

/// Real tokenizers, cut down to what the converter's text needs: the ids are the real ones, and so is the name that the
/// converter gave each.
fn trimmed() -> Vec<(String, String, Value)> {
    let names = json_file(&golden().join("trimmed/names.json"));
    let names = names.as_object().expect("a map").iter();
    let files: Vec<_> = names
        .map(|(file, name)| {
            let json = json_file(&golden().join("trimmed").join(format!("{file}.json")));
            (file.clone(), name.as_str().expect("a name").to_owned(), json)
        })
        .collect();
    assert!(files.len() >= 9);
    files
}

/// The pre-tokenizer of a tokenizer.json, and the rule that told it.
fn recognised(json: &Value) -> (String, String) {
    let word_piece = json["model"]["type"] == "WordPiece";
    recognised_as(json, if word_piece { TokenizerKind::WordPiece } else { TokenizerKind::Any })
}

fn recognised_as(json: &Value, kind: TokenizerKind) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).expect("written");
    let config = json!({});
    let input = TokenizerInput {
        folder: Folder { path: folder.path(), limits: &Limits::new() },
        kind,
        config: &config,
        vocab_size: Some(300_000),
        token_types: 1,
        fixed: &[],
        pre: None,
    };
    let pre = read(&input).unwrap_or_else(|e| panic!("{e}")).pre.expect("a pre-tokenizer");
    (pre.name.to_owned(), format!("{:?}", pre.rule))
}

fn add_token(json: &mut Value, id: u32, content: &str) {
    json["added_tokens"].as_array_mut().expect("a list").push(json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
        "special": false,
    }));
}

#[test]
fn real_pre_tokenizers_are_known_by_the_converters_text() {
    for (file, name, json) in trimmed() {
        assert_eq!(recognised(&json), (name, "Ids".into()), "{file}");
    }
}

#[test]
fn added_tokens_do_not_hide_a_pre_tokenizer() {
    for (file, name, mut json) in trimmed() {
        add_token(&mut json, 299_000, "<plan>");
        assert_eq!(recognised(&json), (name.clone(), "Ids".into()), "{file}: a token that the text has not");
        add_token(&mut json, 299_001, "apple");
        add_token(&mut json, 299_002, "\n\n\n");
        assert_eq!(recognised(&json), (name, "IdsOfBase".into()), "{file}: tokens that the text has");
    }
}

#[test]
fn another_token_before_texts_does_not_hide_a_pre_tokenizer() {
    for (file, name, mut json) in trimmed() {
        let name = match name.as_str() {
            // BERT's texts stand between two tokens.
            "jina-v2-en" => continue,
            // These have no token before texts; what has one has the other name of the same splits and vocabulary.
            "smaug-bpe" => "llama-bpe".to_owned(),
            "joyai-llm" => "deepseek-v3".to_owned(),
            _ => name,
        };
        add_token(&mut json, 299_000, "<start>");
        json["post_processor"] = json!({
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<start>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<start>": {"id": "<start>", "ids": [299_000], "tokens": ["<start>"]}},
        });
        assert_eq!(recognised(&json), (name, "IdsOfBase".into()), "{file}");
    }
}

/// A vocabulary of one's own: only the splits are left to tell the name by.
#[test]
fn splits_tell_the_pre_tokenizer_of_a_new_vocabulary() {
    for (file, _, mut json) in trimmed() {
        if json["model"]["type"] == "WordPiece" {
            continue;
        }
        make_vocabulary_new(&mut json);
        // Other names that split alike: joyai-llm is DeepSeek V3's, smaug-bpe Llama 3's.
        let expected = json_file(&golden().join("trimmed/splits.json"))[&file].clone();
        let (name, rule) = recognised(&json);
        assert_eq!((json!(name), rule.as_str()), (expected, "Splits"), "{file}");
    }
}

/// A tokenizer gets bytes alone for its vocabulary, and special tokens that no one else has.
fn make_vocabulary_new(json: &mut Value) {
    let bytes: Map<String, Value> =
        BYTE_CHARS.iter().zip(0..).map(|(c, id)| (c.to_string(), json!(id))).collect();
    json["model"]["vocab"] = bytes.into();
    json["model"]["merges"] = json!([]);
    json["post_processor"] = json!(null);
    json["added_tokens"] = json!([]);
    add_token(json, 256, "<|renamed_begin|>");
    add_token(json, 257, "apple");
    add_token(json, 258, "\n\n");
}

/// A tokenizer of a new vocabulary with these components.
fn with_components(normalizer: Value, pre_tokenizer: Value, ignore_merges: bool) -> Value {
    let mut json = json!({"decoder": {"type": "ByteLevel"}, "model": {"type": "BPE"}});
    json["normalizer"] = normalizer;
    json["pre_tokenizer"] = pre_tokenizer;
    json["model"]["ignore_merges"] = json!(ignore_merges);
    make_vocabulary_new(&mut json);
    json
}

fn split_of(regex: &str) -> Value {
    json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false})
}

fn byte_level(use_regex: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex})
}

fn sequence(parts: Vec<Value>) -> Value {
    let mut sequence = json!({"type": "Sequence"});
    sequence["pretokenizers"] = Value::Array(parts);
    sequence
}

/// llama.cpp's own way of splitting by each of its names, as a tokenizer.json: the name that comes out splits alike.
#[test]
fn every_way_of_splitting_is_recognised() {
    let names = splitting_names();
    assert_eq!(names.len(), 87, "all but those of raw text and of words");
    let mut last: Option<(&[&str], String)> = None;
    for (name, regexes) in &names {
        let found = match &last {
            // The names of one group stand together, and have one structure.
            Some((known, found)) if known == regexes => found.clone(),
            _ => {
                let parts = regexes.iter().map(|r| split_of(r)).chain([byte_level(false)]).collect();
                recognised(&with_components(json!(null), sequence(parts), true)).0
            }
        };
        let alike = names.iter().any(|(other, of_other)| *other == found && of_other == regexes);
        assert!(alike, "{name} was taken for {found}");
        last = Some((regexes, found));
    }
}

/// Structures as the models have them, where they are not llama.cpp's regular expressions word for word, and what
/// decides between names of one structure.
#[test]
fn structures_are_recognised_however_they_are_spelled() {
    let digits = |single| json!({"type": "Digits", "individual_digits": single});
    let nfc = || json!({"type": "NFC"});
    let gpt2 = || byte_level(true);
    let regex = |regex: &str| sequence(vec![split_of(regex), byte_level(false)]);
    let cl100k = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s*[\r\n]|\s+(?!\S)|\s+";
    let bailing = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
    let falcon = vec![
        json!({"type": "Punctuation", "behavior": "Contiguous"}),
        gpt2(),
        digits(false),
        split_of("[0-9][0-9][0-9]"),
    ];
    let bloom = r" ?[^(\s|[.,!?…。，、।۔،])]+";
    let cases = [
        ("gpt-2", json!(null), gpt2(), false),
        ("olmo", nfc(), gpt2(), false),
        ("smollm", json!(null), sequence(vec![digits(true), gpt2()]), false),
        ("command-r", nfc(), sequence(vec![digits(true), gpt2()]), false),
        ("falcon", json!(null), sequence(falcon), false),
        ("bloom", json!(null), regex(bloom), false),
        ("viking", json!(null), sequence(vec![split_of(bloom), digits(true), byte_level(false)]), false),
        ("llama-bpe", json!(null), regex(cl100k), true),
        ("dbrx", json!(null), regex(cl100k), false),
        ("bailingmoe", json!(null), regex(bailing), false),
        ("qwen2", json!(null), regex(&bailing.replace("?+", "?")), false),
        (
            "qwen2",
            json!({"type": "Sequence", "normalizers": [nfc()]}),
            regex(&bailing.replace("++", "+")),
            false,
        ),
    ];
    for (name, normalizer, pre_tokenizer, ignore_merges) in cases {
        let shown = pre_tokenizer.to_string();
        let found = recognised(&with_components(normalizer, pre_tokenizer, ignore_merges));
        assert_eq!(found, (name.to_owned(), "Splits".to_owned()), "{shown}");
    }
    let mut roberta = with_components(json!(null), gpt2(), false);
    roberta["post_processor"] = json!({"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]});
    assert_eq!(recognised(&roberta).0, "roberta-bpe");
}

/// BPE on the text itself: the name that llama.cpp runs without GPT-2's alphabet.
#[test]
fn bpe_without_an_alphabet_is_gemma_4s() {
    let mut json = json!({
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false},
        "model": {"type": "BPE", "byte_fallback": true, "vocab": {"▁": 0, "a": 1}, "merges": []},
    });
    let found = recognised_as(&json, TokenizerKind::ByteLevel);
    assert_eq!(found, ("gemma4".to_owned(), "Splits".to_owned()));
    json["normalizer"] = json!(null);
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).expect("written");
    assert!(read_folder(folder.path(), None).is_err());
}

#[test]
fn what_is_not_known_is_an_error_that_says_what_to_do() {
    let (_, _, mut json) = trimmed().into_iter().find(|(file, ..)| file == "qwen3").expect("Qwen3");
    json["pre_tokenizer"] = json!({"type": "Whitespace"});
    json["normalizer"] = json!({"type": "NFKC"});
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).expect("written");
    fs::write(folder.path().join("config.json"), r#"{"vocab_size": 151936}"#).expect("written");
    let message = read_folder(folder.path(), None).expect_err("unknown").to_string();
    let expected = "tokenizer.json: pre-tokenizer not recognised: normalizer NFKC, pre_tokenizer Whitespace, model BPE; \
                    name the one of llama.cpp that splits alike (option pre)";
    assert!(message.ends_with(expected) && !message.contains('\n'), "{message}");
    let ours = read_folder(folder.path(), Some("qwen2")).expect("told which");
    assert_eq!(ours.pairs.get("tokenizer.ggml.pre").and_then(Gguf::as_str), Some("qwen2"));
    let message = read_folder(folder.path(), Some("Qwen_2")).expect_err("no such name").to_string();
    assert_eq!(
        message,
        "pre-tokenizer \"Qwen_2\" asked for, but llama.cpp has none of that name; near ones: qwen2, qwen35"
    );
}
