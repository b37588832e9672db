//! Tokenizers against what convert_hf_to_gguf wrote for them (`tests/golden/tokenizer`).

mod bad_input;
mod pre;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gguf_format::{Array, Value as Gguf};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{TokenizerError, TokenizerInput, TokenizerKind, TokenizerOutput, read};
use crate::bounded::Folder;
use crate::limits::Limits;

/// Arrays of more elements stand in golden files as a digest.
const LONG: usize = 2000;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer")
}

fn json_file(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Reads a folder as the family of its config.json would.
fn read_folder(folder: &Path, pre: Option<&str>) -> Result<TokenizerOutput, TokenizerError> {
    let path = folder.join("config.json");
    let config = if path.exists() { json_file(&path) } else { json!({}) };
    let kind = match config["architectures"][0].as_str() {
        Some("BertModel") => TokenizerKind::WordPiece,
        Some(
            "GPT2LMHeadModel" | "PhiForCausalLM" | "GPTNeoXForCausalLM" | "CohereForCausalLM"
            | "RobertaModel",
        ) => TokenizerKind::ByteLevel,
        Some("Qwen2ForCausalLM" | "Qwen3ForCausalLM") => TokenizerKind::SentencePieceOrBpe,
        Some("T5ForConditionalGeneration") => TokenizerKind::T5,
        Some("XLMRobertaModel") => TokenizerKind::XlmRoberta,
        Some("Gemma4ForCausalLM") => TokenizerKind::Gemma4,
        Some("Phi3ForCausalLM") => TokenizerKind::Phi3,
        Some("NomicBertModel") => TokenizerKind::XlmRobertaMasked,
        _ => TokenizerKind::Any,
    };
    read(&TokenizerInput {
        token_types: config["type_vocab_size"].as_u64().map_or(1, |n| n as u32),
        fixed: &[],
        folder: Folder { path: folder, limits: &Limits::new() },
        kind,
        config: &config,
        vocab_size: config["vocab_size"].as_u64(),
        pre,
    })
}

/// A value as the golden files have it: its type and itself.
fn shown(value: &Gguf) -> (&'static str, Value) {
    match value {
        Gguf::U32(v) => ("u32", json!(v)),
        Gguf::Bool(v) => ("bool", json!(v)),
        Gguf::String(v) => ("str", json!(v.as_str())),
        Gguf::Array(Array::U8(v)) => ("[u8]", json!(v)),
        Gguf::Array(Array::I32(v)) => ("[i32]", json!(v)),
        Gguf::Array(Array::F32(v)) => ("[f32]", json!(v)),
        Gguf::Array(Array::String(v)) => {
            ("[str]", json!(v.iter().map(|s| s.as_str().expect("UTF-8")).collect::<Vec<_>>()))
        }
        other => panic!("a tokenizer has no value like {other:?}"),
    }
}

fn digested(kind: &str, value: Value) -> Value {
    match value.as_array() {
        Some(list) if list.len() > LONG => {
            let mut hash = Sha256::new();
            for element in list {
                match (kind, element.as_f64(), element.as_str()) {
                    ("[f32]", Some(v), _) => hash.update((v as f32).to_le_bytes()),
                    (_, _, Some(text)) => hash.update([text.as_bytes(), b"\0"].concat()),
                    _ => hash.update(format!("{element}\0")),
                }
            }
            let hex = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a String takes all");
                hex
            });
            json!({"len": list.len(), "sha256": hex})
        }
        _ => value,
    }
}

/// Every way in which ours differs from the peer's pairs: order, type, value.
fn differences(ours: &TokenizerOutput, peer: &[Value], digest: bool) -> Vec<String> {
    let keys = |pairs: &mut dyn Iterator<Item = &str>| pairs.map(str::to_owned).collect::<Vec<_>>();
    let our_keys = keys(&mut ours.pairs.iter().map(|(k, _)| k));
    let peer_keys = keys(&mut peer.iter().map(|p| p[0].as_str().expect("a key")));
    let mut found = Vec::new();
    if our_keys != peer_keys {
        found.push(format!("keys: ours {our_keys:?}, the peer's {peer_keys:?}"));
    }
    for pair in peer {
        let key = pair[0].as_str().expect("a key");
        let Some(value) = ours.pairs.get(key) else { continue };
        let (kind, mut value) = shown(value);
        if digest {
            value = digested(kind, value);
        }
        if pair[1] != kind {
            found.push(format!("{key}: type {kind}, the peer's {}", pair[1]));
        }
        match (&value, &pair[2]) {
            (Value::Array(a), Value::Array(b)) => {
                let same = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
                    // The peer's f32 scores were printed as f64.
                    (Some(a), Some(b)) => a as f32 == b as f32,
                    _ => a == b,
                };
                if a.len() != b.len() {
                    found.push(format!("{key}: {} elements, the peer's {}", a.len(), b.len()));
                }
                let at = a.iter().zip(b).position(|(a, b)| !same(a, b));
                found.extend(at.map(|i| format!("{key}[{i}]: {}, the peer's {}", a[i], b[i])));
            }
            (a, b) if a != b => found.push(format!("{key}: {a}, the peer's {b}")),
            _ => (),
        }
    }
    found
}

#[test]
fn tiny_tokenizers_equal_the_converters() {
    let cases = json_file(&golden().join("cases.json"));
    let mut differ = Vec::new();
    let cases = cases.as_object().expect("a map");
    assert!(cases.len() >= 10);
    for (name, pre) in cases {
        let folder = golden().join(name);
        let peer = json_file(&folder.join("peer.json"));
        // In folders from before tokenizer.json, what is known of special tokens depends on whether the converter knows the
        // vocabulary: to it, it was told.
        let pre = pre.as_str().filter(|_| name.starts_with("old-"));
        let ours = read_folder(&folder, pre).unwrap_or_else(|e| panic!("{e}"));
        let pairs = peer["pairs"].as_array().expect("a list");
        differ.extend(differences(&ours, pairs, true).into_iter().map(|d| format!("{name}: {d}")));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The converter reads T5's tokenizer from its SentencePiece file alone; its form in `tokenizer.json` gives the same,
/// with the added tokens besides.
#[test]
fn t5_in_json_is_t5_in_sentencepiece() {
    let read = |name: &str| read_folder(&golden().join(name), None).unwrap_or_else(|e| panic!("{e}"));
    let (json, spm) = (read("t5-json").pairs, read("t5-spm").pairs);
    for key in ["add_space_prefix", "remove_extra_whitespaces", "precompiled_charsmap", "model", "pre"] {
        let key = format!("tokenizer.ggml.{key}");
        assert_eq!(json.get(&key), spm.get(&key), "{key}");
    }
    let list = |key: &str| shown(json.get(&format!("tokenizer.ggml.{key}")).expect("a list")).1;
    let tokens = list("tokens");
    assert_eq!(tokens.as_array().expect("a list")[..4], ["<pad>", "</s>", "<unk>", "▁"]);
    let added = &tokens.as_array().expect("a list")[9..13];
    assert_eq!(added, ["<extra_id_1>", "<extra_id_0>", "<more>", "[PAD12]"]);
    assert_eq!(list("token_type"), json!([3, 3, 2, 1, 1, 1, 1, 1, 1, 3, 3, 4, 5, 5, 5, 5]));
    assert_eq!(list("scores")[4], json!(-3.25));
}

/// Later versions of Mistral's own file have no chat template by name: the folder's is taken, and a note says if there is none.
#[test]
fn later_tekken_files_have_the_folders_chat_template() {
    let source = golden().join("tekken-v13");
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["tekken.json", "config.json"] {
        fs::copy(source.join(file), folder.path().join(file)).expect("copied");
    }
    let read = || read_folder(folder.path(), None).unwrap_or_else(|e| panic!("{e}"));
    let without = read();
    assert_eq!(without.pairs.get("tokenizer.chat_template"), None);
    assert!(without.notes.iter().any(|note| note.ends_with("put one in chat_template.jinja")));
    fs::write(folder.path().join("chat_template.jinja"), "{{ messages }}").expect("written");
    let with = read();
    assert_eq!(with.pairs.get("tokenizer.chat_template").and_then(Gguf::as_str), Some("{{ messages }}"));
    assert!(with.notes.is_empty(), "{:?}", with.notes);
}

/// `conformance/scripts/tokenizer_live.py` prepares the folder and says how to run this.
#[test]
#[ignore = "needs real tokenizers, which conformance/scripts/tokenizer_live.py downloads"]
fn real_tokenizers_equal_the_converters() {
    let work = PathBuf::from(std::env::var_os("TOKENIZER_LIVE").expect("TOKENIZER_LIVE names the folder"));
    let peer = fs::read_to_string(work.join("peer.jsonl")).expect("peer.jsonl");
    let (mut differ, mut compared) = (Vec::new(), 0);
    for line in peer.split('\n').filter(|l| !l.is_empty()) {
        let peer: Value = serde_json::from_str(line).expect("JSON");
        let name = peer["folder"].as_str().expect("a name");
        let start = Instant::now();
        let ours = read_folder(&work.join("folders").join(name), None);
        let time = start.elapsed();
        let ours = match ours {
            Ok(ours) => ours,
            Err(e) if peer.get("error").is_some() => {
                println!("{name}\tneither knows it\t{e}");
                continue;
            }
            Err(e) => {
                differ.push(format!("{name}: {e}"));
                continue;
            }
        };
        let pre = ours.pairs.get("tokenizer.ggml.pre").and_then(Gguf::as_str).unwrap_or("").to_owned();
        let rule = ours.pre.as_ref().map_or(String::new(), |p| p.rule.to_string());
        let mut found = Vec::new();
        let verdict = if let Some(pairs) = peer["pairs"].as_array() {
            compared += 1;
            found = differences(&ours, pairs, false);
            format!("{} pairs", pairs.len())
        } else if let Some(expected) = peer["pre"].as_str() {
            compared += 1;
            if pre != expected {
                found.push(format!("pre {pre}, expected {expected}"));
            }
            "pre".to_owned()
        } else {
            "the peer does not know it".to_owned()
        };
        let equal = if found.is_empty() { "equal" } else { "DIFFERENT" };
        println!("{name}\t{equal}\t{verdict}\t{pre}\t{rule}\t{} tokens\t{time:.0?}", ours.vocab_size);
        differ.extend(found.into_iter().map(|d| format!("{name}: {d}")));
    }
    assert!(compared >= 30 && differ.is_empty(), "{compared} compared\n{}", differ.join("\n"));
}
