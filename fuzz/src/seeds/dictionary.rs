//! Dictionaries: words that a fuzzer puts into inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use gguf_format::{GgmlType, keys};
use serde_json::Value;

use super::Inputs;

/// Words of a format.
type Words = BTreeSet<Vec<u8>>;

/// Longer words are no use: libFuzzer takes 64 bytes.
const MAX_WORD: usize = 60;

/// The most words that are taken from seeds: those that most seeds have.
const MAX_WORDS: usize = 700;

/// The words for a target.
pub(super) fn of(target: &str, seeds: &Inputs) -> Words {
    match target {
        "gguf_reader" | "split_set" | "imatrix" => gguf(),
        "safetensors" | "adapter" | "config" | "tokenizer" | "folder" | "export" | "metadata_file" => {
            let mut words = json();
            words.extend(of_documents(seeds));
            words
        }
        "template" => JINJA.iter().map(|word| word.as_bytes().to_vec()).collect(),
        _ => Words::new(),
    }
}

/// Delimiters, statements, filters, and names out of the sandbox.
const JINJA: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{%-",
    "-%}",
    "{#",
    "#}",
    "{% raw %}",
    "{% endraw %}",
    "{% set ",
    "{% if ",
    "{% elif ",
    "{% else %}",
    "{% endif %}",
    "{% for ",
    " in ",
    "{% endfor %}",
    "{% macro ",
    "{% endmacro %}",
    "{% call",
    "{% endcall %}",
    "{% filter ",
    "{% include ",
    "{% import ",
    "{% extends ",
    "{% block ",
    "{% generation %}",
    "not ",
    " and ",
    " or ",
    " is ",
    "none",
    "true",
    "namespace(",
    "messages",
    ".content",
    "['content']",
    ".items()",
    ".get(",
    ".split(",
    ".startswith(",
    ".format(",
    ".replace(",
    ".lower()",
    "|attr(",
    "|join",
    "|map(",
    "|selectattr(",
    "|replace(",
    "|format(",
    "|reverse",
    "|tojson",
    "|trim",
    "|length",
    "|list",
    "__class__",
    "__",
    "\\x5f",
    "\\u005f",
    "\\137",
    "[::-1]",
    " ~ ",
    " + ",
    " * ",
    "**",
    "//",
    "https://",
    "\u{202e}",
    "\u{200b}",
    "\u{e0041}",
];

/// What libFuzzer reads: a quoted word a line.
pub(super) fn text(words: &Words) -> String {
    let mut text = String::from("# Written by `cargo xtask fixtures fuzz`.\n");
    for word in words {
        text.push('"');
        for byte in word {
            match byte {
                b'"' | b'\\' => {
                    text.push('\\');
                    text.push(char::from(*byte));
                }
                0x20..=0x7e => text.push(char::from(*byte)),
                // Writing to a string does not fail.
                _ => drop(write!(text, "\\x{byte:02x}")),
            }
        }
        text.push_str("\"\n");
    }
    text
}

/// Magic, keys, numbers of types, numbers that are too large.
fn gguf() -> Words {
    let mut words = Words::new();
    let texts = [
        "GGUF",
        "FUGG",
        "GGML",
        keys::GENERAL_ALIGNMENT,
        keys::GENERAL_FILE_TYPE,
        keys::GENERAL_QUANTIZATION_VERSION,
        keys::SPLIT_NO,
        keys::SPLIT_COUNT,
        keys::SPLIT_TENSORS_COUNT,
        "general.architecture",
        "general.type",
        "imatrix",
        "imatrix.datasets",
        "imatrix.chunk_count",
        "imatrix.chunk_size",
        "blk.0.ffn_down.weight",
        ".in_sum2",
        ".counts",
    ];
    words.extend(texts.map(Vec::from));
    for number in (0..13).chain(GgmlType::ALL.iter().map(|ty| ty.id())) {
        words.insert(number.to_le_bytes().to_vec());
        words.insert(number.to_be_bytes().to_vec());
    }
    for number in
        [u64::MAX, 1 << 63, i64::MAX as u64, 1 << 42, (1 << 42) + 1, 1 << 32, 1 << 31, 1 << 30, 64, 1, 0]
    {
        words.insert(number.to_le_bytes().to_vec());
        words.insert(number.to_be_bytes().to_vec());
    }
    words
}

/// What JSON has, and values that readers stumble over.
fn json() -> Words {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "null",
        "true",
        "false",
        "\"\"",
        "{}",
        "[]",
        "[[",
        "-1",
        "0",
        "1.5",
        "1e400",
        "-1e400",
        "2147483648",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "1e-400",
        "\\u0000",
        "\\ud800",
        "\\u001b",
        "NaN",
        "Infinity",
        "\u{feff}",
        "\r\n",
    ];
    words.map(Vec::from).into()
}

/// The keys and short texts of the seeds' JSON.
fn of_documents(seeds: &Inputs) -> Words {
    let mut counts = BTreeMap::new();
    for input in seeds.values() {
        let start = input.iter().position(|b| *b == b'{').unwrap_or(input.len());
        // What follows a document, as tensors follow a header, is left alone.
        let mut documents = serde_json::Deserializer::from_slice(&input[start..]).into_iter::<Value>();
        if let Some(Ok(document)) = documents.next() {
            let mut words = Words::new();
            collect(&document, &mut words);
            words.into_iter().for_each(|word| *counts.entry(word).or_insert(0) += 1);
        }
    }
    let mut words: Vec<(Vec<u8>, usize)> = counts.into_iter().collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    words.into_iter().take(MAX_WORDS).map(|(word, _)| word).collect()
}

/// The words of a document, in quotes.
fn collect(value: &Value, words: &mut Words) {
    // A vocabulary is not what a format consists of.
    const MAX_MEMBERS: usize = 120;
    let mut add = |word: &str| {
        let word = Value::from(word).to_string();
        if word.len() <= MAX_WORD {
            words.insert(word.into_bytes());
        }
    };
    match value {
        Value::String(text) => add(text),
        Value::Array(values) if values.len() <= MAX_MEMBERS => values.iter().for_each(|v| collect(v, words)),
        Value::Object(members) if members.len() <= MAX_MEMBERS => {
            members.keys().for_each(|key| add(key));
            members.values().for_each(|v| collect(v, words));
        }
        _ => {}
    }
}
