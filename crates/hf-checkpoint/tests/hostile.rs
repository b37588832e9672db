//! Files of a checkpoint made to break a reader: a table of them, each with the report that it answers to and what is
//! said. Memory is watched: it stays within so many times the file. One test, so that the peak is its own.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::fs::{self, File};
use std::path::Path;

use hf_checkpoint::{Checkpoint, Options};
use peak_alloc::PeakAlloc;
use serde_json::{Value, json};

#[path = "common/folders.rs"]
#[expect(dead_code, reason = "each test uses a part of it")]
mod folders;
use folders::{folder, write_file};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// A file in place of the model's own.
struct Case {
    /// The report, or what it is about.
    id: &'static str,
    file: &'static str,
    content: Content,
    /// How the error goes on after the file's path, or the note; empty if the model is read without a word.
    said: String,
}

enum Content {
    Bytes(Vec<u8>),
    /// A terabyte that is not there.
    Terabyte,
}

impl Case {
    fn new(
        id: &'static str,
        file: &'static str,
        content: impl Into<Vec<u8>>,
        said: impl Into<String>,
    ) -> Self {
        Self { id, file, content: Content::Bytes(content.into()), said: said.into() }
    }
}

/// The model whose files are replaced: a Llama of two layers with a `tokenizer.json` and an index of shards.
const MODEL: &str = "llama3-rope";
/// Another, with a `tokenizer.model` and all weights in one file.
const OTHER_MODEL: &str = "-uneven--heads-";
/// Its tensors.
const TENSORS: &str = "no more than the checkpoint's 23 tensors";

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    sizes(&mut cases);
    depth(&mut cases);
    values(&mut cases);
    config(&mut cases);
    tokenizer(&mut cases);
    header(&mut cases);
    adapter(&mut cases);
    time(&mut cases);
    cases
}

/// Files of absurd size.
fn sizes(cases: &mut Vec<Case>) {
    let limits = [
        ("config.json", "1099511627776 bytes, expected at most 16777216 of such a file"),
        ("tokenizer.json", "1099511627776 bytes, at most 134217728 expected of a tokenizer's file"),
        ("tokenizer.model", "1099511627776 bytes, at most 134217728 expected of a tokenizer's file"),
        ("tokenizer_config.json", "1099511627776 bytes, at most 16777216 expected of a tokenizer's file"),
        ("model.safetensors.index.json", "1099511627776 bytes, expected at most 67108864 of such a file"),
        (
            "generation_config.json",
            "1099511627776 bytes, expected at most 16777216 of such a file; sampling settings were left out",
        ),
        ("README.md", "1099511627776 bytes, at most 16777216 expected; the model card was left out"),
        (
            "model.safetensors",
            "not a valid safetensors file: header: EOF while parsing a value at line 1 column 0",
        ),
    ];
    for (file, said) in limits {
        cases.push(Case { id: "a terabyte", file, content: Content::Terabyte, said: said.to_owned() });
    }
}

/// gguf-py #28880 and its like in JSON, YAML and protobuf.
fn depth(cases: &mut Vec<Case>) {
    let deep = "[".repeat(1 << 20);
    let in_key = |key: &str| format!("{{\"{key}\":{deep}");
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"] {
        let kind = if file.starts_with("tokenizer") { "not the JSON expected" } else { "not valid JSON" };
        let said = format!("{kind}: recursion limit exceeded at line 1 column ");
        cases.push(Case::new("gguf-py #28880", file, in_key("normalizer"), said));
    }
    let said =
        "not valid JSON: recursion limit exceeded at line 1 column 128; sampling settings were left out";
    cases.push(Case::new("gguf-py #28880", "generation_config.json", deep.clone(), said));
    let yaml = format!("---\na: {deep}\n---\n");
    cases.push(Case::new("gguf-py #28880", "README.md", yaml, "front matter is not valid YAML: "));
    // Each line is ten times the one before.
    let mut laughs = "---\na0: &a0 [lol]\n".to_owned();
    for i in 1..20 {
        let last = i - 1;
        laughs.push_str(&format!("a{i}: &a{i} [{}]\n", format!("*a{last},").repeat(10)));
    }
    cases.push(Case::new("billion laughs", "README.md", laughs, "front matter is not valid YAML: "));
    let mut header = (deep.len() as u64 + 12).to_le_bytes().to_vec();
    header.extend_from_slice(in_key("__metadata__").as_bytes());
    let said = "not a valid safetensors file: ";
    cases.push(Case::new("gguf-py #28880", "model.safetensors", header, said));
    // Groups within groups.
    let groups = vec![0x0b; 1 << 20];
    cases.push(Case::new("gguf-py #28880", "tokenizer.model", groups, "not a SentencePiece model: "));
}

/// Two bytes of a file that are seventy in memory.
fn values(cases: &mut Vec<Case>) {
    let many = format!("{{\"decoder\":[{}0]}}", "0,".repeat(1 << 21));
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"] {
        let kind = if file.starts_with("tokenizer") { "not the JSON expected" } else { "not valid JSON" };
        let said = format!("{kind}: more than 1048576 values at line 1 column 20971");
        cases.push(Case::new("many values", file, many.clone(), said));
    }
}

/// Numbers of a config that are no model's.
fn config(cases: &mut Vec<Case>) {
    let mut row = |id, key: &str, value: Value, said: &str| {
        let mut config = (folder(MODEL).config)();
        config[key] = value;
        cases.push(Case::new(id, "config.json", config.to_string(), said));
    };
    for blocks in [513u64, 1 << 31, u32::MAX.into()] {
        let said = format!("key `num_hidden_layers` is {blocks}, expected {TENSORS}");
        row("llama.cpp #25513", "num_hidden_layers", json!(blocks), &said);
    }
    for (blocks, said) in [
        (json!(1u64 << 32), "4294967296, expected"),
        (json!(u64::MAX), "18446744073709551615, expected"),
        (json!(1e30), "1e+30, expected"),
        (json!(-1), "-1, expected"),
        (json!("2"), "\"2\", expected"),
        (json!([2]), "[2], expected"),
    ] {
        let said = format!("key `num_hidden_layers` is {said} an integer from 0 to 4294967295");
        row("llama.cpp #26051", "num_hidden_layers", blocks, &said);
    }
    for (key, others) in [
        ("hidden_size", " or n_embd or dim or d_model"),
        ("num_attention_heads", " or n_head or n_heads"),
        ("num_key_value_heads", " or n_kv_heads or num_kv_heads"),
        ("vocab_size", ""),
    ] {
        let said = format!("key `{key}{others}` is 0, expected a positive integer");
        row("CVE-2024-21802", key, json!(0), &said);
        let said = format!("key `{key}` is 9223372036854775808, expected an integer from 0 to 4294967295");
        row("CVE-2024-21802", key, json!(1u64 << 63), &said);
    }
}

fn tokenizer(cases: &mut Vec<Case>) {
    // A piece of type BYTE (6) with this text.
    let piece = |text: &str| {
        let mut piece = vec![0x0a, text.len() as u8];
        piece.extend_from_slice(text.as_bytes());
        piece.extend_from_slice(&[0x18, 6]);
        let mut model = vec![0x0a, piece.len() as u8];
        model.extend_from_slice(&piece);
        model
    };
    for text in ["<0x-1>", "<0x1FF>", "<0x>", "<0xGG>", "", "<0x0", "a"] {
        let said = format!("pieces[0]: found {text:?} of type BYTE, expected <0x00> to <0xFF>");
        cases.push(Case::new("llama.cpp #25969 #27226", "tokenizer.model", piece(text), said));
    }
    let said = "not a SentencePiece model: ";
    cases.push(Case::new("ollama #17032", "tokenizer.model", [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], said));
}

/// The length of a header, and what it says of tensors.
fn header(cases: &mut Vec<Case>) {
    for len in [u64::MAX, 1 << 63, (1 << 63) - 1, 100_000_001] {
        let said = format!("not a valid safetensors file: header of {len} bytes, expected at most 100000000");
        cases.push(Case::new("CVE-2024-23496", "model.safetensors", len.to_le_bytes(), said));
    }
    let said = "truncated: found 8 bytes, expected 100000008";
    cases.push(Case::new("CVE-2024-23496", "model.safetensors", 100_000_000u64.to_le_bytes(), said));
}

/// Files of an adapter that is merged into the model.
fn adapter(cases: &mut Vec<Case>) {
    let file = "adapter/adapter_config.json";
    let said = "1099511627776 bytes, expected at most 16777216 of such a file".to_owned();
    cases.push(Case { id: "a terabyte", file, content: Content::Terabyte, said });
    let deep = format!("{{\"r\":{}", "[".repeat(1 << 20));
    let said = "not valid JSON: recursion limit exceeded at line 1 column ";
    cases.push(Case::new("gguf-py #28880", file, deep, said));
    let many = format!("{{\"r\":[{}0]}}", "0,".repeat(1 << 21));
    cases.push(Case::new(
        "many values",
        file,
        many,
        "not valid JSON: more than 1048576 values at line 1 column ",
    ));
    for rank in [json!(0), json!(-1), json!((1u64 << 32) + 1), json!(u64::MAX), json!(1e30)] {
        let config = json!({"peft_type": "LORA", "r": rank, "lora_alpha": 8});
        let rank = if rank.is_f64() { "1e+30".to_owned() } else { rank.to_string() };
        let said = format!("key `r` is {rank}, expected a positive integer");
        cases.push(Case::new("CVE-2024-21802", file, config.to_string(), said));
    }
    // Each step of it multiplies what it may match.
    let pattern = "(((a{1,1000}){1,1000}){1,1000}){1,1000}";
    let config = json!({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "rank_pattern": {pattern: 4}});
    let said = format!("key `rank_pattern` is \"{pattern}\", expected a regular expression of ordinary size");
    cases.push(Case::new("a regular expression", file, config.to_string(), said));
    let file = "adapter/adapter_model.safetensors";
    for len in [u64::MAX, 1 << 63, 100_000_001] {
        let said = format!("not a valid safetensors file: header of {len} bytes, expected at most 100000000");
        cases.push(Case::new("CVE-2024-23496", file, len.to_le_bytes(), said));
    }
}

/// Lists of which each entry might look through all others, and what takes long for each of its bytes: minutes each, if they
/// did.
fn time(cases: &mut Vec<Case>) {
    let list = |line: fn(usize) -> String, n| (0..n).map(line).collect::<String>();
    let card = format!("---\ndatasets:\n{}---\n", list(|n| format!("- o{n}/d{n}\n"), 100_000));
    cases.push(Case::new("pairs of metadata", "README.md", card, ""));
    let templates: Vec<Value> =
        (0..100_000).map(|n| json!({"name": format!("t{n}"), "template": "{{ x }}"})).collect();
    let config = json!({"chat_template": templates}).to_string();
    cases.push(Case::new("pairs of metadata", "tokenizer_config.json", config, ""));
    let tokenizer = |key: &str, component: Value| {
        json!({key: component, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}).to_string()
    };
    let said = |key: &str| {
        format!("{key}: found more, expected at most 256 parts, with at most 16384 bytes of expressions")
    };
    let regex = list(|n| format!("a{n}(?!b)|"), 100_000);
    let split =
        json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false});
    let tokenizer_json = tokenizer("pre_tokenizer", split);
    cases.push(Case::new("a regular expression", "tokenizer.json", tokenizer_json, said("pre_tokenizer")));
    for (key, parts, part) in [
        ("normalizer", "normalizers", json!({"type": "Lowercase"})),
        ("decoder", "decoders", json!({"type": "Fuse"})),
    ] {
        let nested = json!({"type": "Sequence", parts: vec![part; 60]});
        let nested = json!({"type": "Sequence", parts: vec![nested; 60]});
        cases.push(Case::new("parts of parts", "tokenizer.json", tokenizer(key, nested), said(key)));
    }
}

/// A LoRA of rank 4 for one module of either model.
fn write_adapter(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let config = json!({"peft_type": "LORA", "r": 4, "lora_alpha": 8});
    fs::write(folder.join("adapter_config.json"), config.to_string()).unwrap();
    let factor = |name: &str, shape: [usize; 2]| {
        let name = format!("base_model.model.model.layers.0.mlp.up_proj.lora_{name}.weight");
        (name, shape.to_vec(), safetensors::Dtype::F32)
    };
    write_file(&folder.join("adapter_model.safetensors"), &[factor("A", [4, 32]), factor("B", [48, 4])]);
}

/// Opens the model with the file of a case; gives what is not as it should be.
fn problem(case: &Case, parent: &Path) -> Option<String> {
    let path = folder(MODEL).write(parent);
    let (of_adapter, adapter) = (case.file.starts_with("adapter/"), path.join("adapter"));
    let path = match of_adapter || path.join(case.file).exists() {
        true => path,
        false => folder(OTHER_MODEL).write(parent),
    };
    write_adapter(&path.join("adapter"));
    let file = path.join(case.file);
    let len = match &case.content {
        Content::Bytes(bytes) => {
            fs::write(&file, bytes).unwrap();
            bytes.len()
        }
        Content::Terabyte => {
            File::create(&file).unwrap().set_len(1 << 40).unwrap();
            0
        }
    };
    let options = Options::new().with_pre_tokenizer("llama-bpe");
    let options = if of_adapter { options.with_adapter(adapter, 1.0) } else { options };
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage();
    let (read, said) = match Checkpoint::open(&path, &options) {
        Ok(checkpoint) => (true, checkpoint.notes().join("\n")),
        Err(error) => (false, error.to_string()),
    };
    let peak = ALLOCATED.peak_usage().saturating_sub(before);
    fs::remove_dir_all(&path).unwrap();
    let expected = format!("{}: {}", file.display(), case.said);
    // The model itself takes a tenth of this; a list that grows is there twice.
    let allowed = (4 << 20) + 90 * len;
    let as_expected = match case.said.is_empty() {
        true => read && !said.contains(&*file.to_string_lossy()),
        false => said.lines().any(|line| line.starts_with(&expected)),
    };
    if !as_expected {
        Some(format!("{}: {}\n  said     {said}\n  expected {expected}", case.id, case.file))
    } else if peak > allowed {
        Some(format!("{}: {}: {peak} bytes allocated, {allowed} allowed", case.id, case.file))
    } else {
        None
    }
}

#[test]
fn every_hostile_file_is_told_in_bounded_memory() {
    let parent = tempfile::tempdir().unwrap();
    let problems: Vec<String> = cases().iter().filter_map(|case| problem(case, parent.path())).collect();
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}
