//! Seeds that are files of Hugging Face folders: a line that says whose file it is, then the file.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Inputs, files_of};
use crate::targets;

/// Large vocabularies make slow inputs.
const MAX_FILE: usize = 16_000;

/// A seed for what a target takes as `MODEL/FILE`.
fn insert(seeds: &mut Inputs, model: &str, file: &str, content: &[u8], name: &str) {
    if content.len() <= MAX_FILE {
        let mut input = format!("{model}/{file}\n").into_bytes();
        input.extend(content);
        seeds.insert(name.to_owned(), input);
    }
}

/// Seeds for those files of the fixture models that a target takes.
fn fixtures(seeds: &mut Inputs, wanted: &[&str]) {
    for model in fixture_models::all().iter().filter(|model| !model.name.starts_with("llama-rows")) {
        for (file, content) in files_of(&format!("conformance/fixture-models/models/{}", model.folder)) {
            if wanted.contains(&file.as_str()) {
                insert(seeds, model.name, &file, &content, &format!("{}-{file}", model.name));
            }
        }
    }
}

/// The folders within a folder of the repository.
fn folders_of(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(crate::root().join(folder)).expect("a folder of the repository");
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let path = entry.ok().filter(|e| e.path().is_dir())?.path();
            Some(path.file_name()?.to_str()?.to_owned())
        })
        .collect();
    names.sort();
    names
}

/// The configs of every class, of all that packs weights, cards, an index, what sentence transformers have.
pub(super) fn config() -> Inputs {
    let files = &targets::config::FILES;
    let mut seeds = Inputs::new();
    fixtures(&mut seeds, files);
    for (name, text) in files_of("crates/hf-checkpoint/tests/golden/classes") {
        let Some(model) = name.strip_suffix(".json") else { continue };
        let description: Value = serde_json::from_slice(&text).expect("a golden description");
        let config = description["files"]["config.json"].to_string();
        insert(&mut seeds, model, "config.json", config.as_bytes(), &format!("class-{model}"));
    }
    let packed = "crates/hf-checkpoint/tests/golden/packed";
    for model in folders_of(packed) {
        if let Some(config) = files_of(&format!("{packed}/{model}")).get("config.json") {
            insert(&mut seeds, &model, "config.json", config, &format!("packed-{model}"));
        }
    }
    let cards = "crates/hf-checkpoint/tests/golden/cards";
    for card in folders_of(cards) {
        for (file, content) in files_of(&format!("{cards}/{card}")) {
            if ["README.md", "generation_config.json"].contains(&file.as_str()) {
                insert(&mut seeds, "llama", &file, &content, &format!("card-{card}-{file}"));
            }
        }
    }
    let weights = json!({"model.norm.weight": "model-00001-of-00003.safetensors"});
    let index = json!({"metadata": {"total_size": 1}, "weight_map": weights}).to_string();
    insert(&mut seeds, "llama-sharded", "model.safetensors.index.json", index.as_bytes(), "index");
    let quantization =
        json!({"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": null}}).to_string();
    insert(&mut seeds, "modelopt-fp8", "hf_quant_config.json", quantization.as_bytes(), "hf-quant-config");
    seeds
}

/// The tokenizers of the fixture models, and hf-checkpoint's golden ones, each in a model that has that kind.
pub(super) fn tokenizer() -> Inputs {
    let files = &targets::tokenizer::FILES;
    let mut seeds = Inputs::new();
    fixtures(&mut seeds, files);
    let golden = "crates/hf-checkpoint/tests/golden/tokenizer";
    for folder in folders_of(golden) {
        let model = match folder.split_once('-').map_or(folder.as_str(), |(kind, _)| kind) {
            "bert" => "bert",
            "t5" => "t5",
            "xlmr" => "xlm-roberta",
            "nomic" => "nomic-moe",
            "gemma4" => "gemma4",
            "tekken" => "mistral",
            "spm" | "code" => "llama-spm",
            "granite" => "granite",
            "llama" => "mistral",
            "class" => "llama",
            "trimmed" => continue,
            _ => "qwen2",
        };
        for (file, content) in files_of(&format!("{golden}/{folder}")) {
            if files.contains(&file.as_str()) {
                insert(&mut seeds, model, &file, &content, &format!("{folder}-{file}"));
            }
        }
    }
    for (file, content) in files_of(&format!("{golden}/trimmed")) {
        let name = Path::new(&file).file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        let model = if name == "minilm" { "bert" } else { "qwen3" };
        if !["names", "splits", "tekken"].contains(&name) {
            insert(&mut seeds, model, "tokenizer.json", &content, &format!("trimmed-{name}"));
        }
    }
    for (name, tokenizer) in components() {
        insert(
            &mut seeds,
            "qwen3",
            "tokenizer.json",
            tokenizer.to_string().as_bytes(),
            &format!("parts-{name}"),
        );
    }
    seeds
}

/// Small tokenizers with every component that is read, each with every setting that it has.
fn components() -> [(&'static str, Value); 3] {
    let replace =
        |pattern: Value, content| json!({"type": "Replace", "pattern": pattern, "content": content});
    let normalizers = json!({"type": "Sequence", "normalizers": [
        {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"}, {"type": "Prepend", "prepend": "▁"},
        replace(json!({"String": " "}), "▁"), replace(json!({"Regex": "▁{2,}"}), "_"),
        {"type": "Strip", "strip_left": true, "strip_right": true},
        {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
    ]});
    let split = |pattern: Value, behavior| json!({"type": "Split", "pattern": pattern, "behavior": behavior, "invert": false});
    let pre_tokenizers = json!({"type": "Sequence", "pretokenizers": [
        split(json!({"Regex": r"\p{L}+|\s+(?!\S)"}), "Isolated"), split(json!({"String": "a"}), "MergedWithPrevious"),
        split(json!({"String": "b"}), "MergedWithNext"), split(json!({"Regex": r"\d"}), "Contiguous"),
        split(json!({"String": "q"}), "Removed"), {"type": "Digits", "individual_digits": true},
        {"type": "Punctuation", "behavior": "Isolated"}, {"type": "Whitespace"}, {"type": "WhitespaceSplit"},
        {"type": "BertPreTokenizer"}, {"type": "ByteLevel", "add_prefix_space": true, "use_regex": true},
    ]});
    let decoders = json!({"type": "Sequence", "decoders": [
        replace(json!({"String": "▁"}), " "), {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 1}, {"type": "WordPiece", "prefix": "##", "cleanup": true},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}, {"type": "BPEDecoder", "suffix": "</w>"},
        {"type": "ByteLevel"},
    ]});
    let template = json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [4], "tokens": ["<s>"]}}});
    let processors = json!({"type": "Sequence", "processors": [{"type": "ByteLevel"}, template,
        {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 4]}]});
    let added = |id: u32, content: &str, normalized: bool| {
        json!({"id": id, "content": content, "single_word": normalized, "lstrip": true, "rstrip": true,
               "normalized": normalized, "special": !normalized})
    };
    let with = |key: &str, component: &Value| {
        let mut json = json!({
            "added_tokens": [added(4, "<s>", false), added(5, " Ab▁</w>", true), added(6, "<0x41>", false)],
            "post_processor": processors,
            "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "abab": 3}, "merges": ["a b", ["ab", "ab"]]},
        });
        json[key] = component.clone();
        json
    };
    [
        ("normalizers", with("normalizer", &normalizers)),
        ("pre-tokenizers", with("pre_tokenizer", &pre_tokenizers)),
        ("decoders", with("decoder", &decoders)),
    ]
}

/// Golden adapters.
pub(super) fn adapter() -> Inputs {
    let mut seeds = Inputs::new();
    let golden = "crates/hf-checkpoint/tests/golden/lora";
    for model in folders_of(golden) {
        for (file, content) in files_of(&format!("{golden}/{model}/0")) {
            if targets::adapter::FILES.contains(&file.as_str()) {
                insert(&mut seeds, &model, &file, &content, &format!("{model}-{file}"));
            }
        }
    }
    seeds
}

/// A file with a tensor of every type, one for each type, and small golden ones.
pub(super) fn safetensors() -> Inputs {
    const TYPES: [(&str, usize); 18] = [
        ("BOOL", 1),
        ("U8", 1),
        ("I8", 1),
        ("F8_E5M2", 1),
        ("F8_E4M3", 1),
        ("F8_E8M0", 1),
        ("I16", 2),
        ("U16", 2),
        ("F16", 2),
        ("BF16", 2),
        ("I32", 4),
        ("U32", 4),
        ("F32", 4),
        ("F64", 8),
        ("I64", 8),
        ("U64", 8),
        ("C64", 8),
        ("F4", 1),
    ];
    let mut seeds = Inputs::new();
    let mut all = Map::new();
    let mut end = 0;
    for (ty, size) in TYPES {
        let len = 6 * size;
        let tensor =
            |start: usize| json!({"dtype": ty, "shape": [2, 3], "data_offsets": [start, start + len]});
        let alone = json!({"__metadata__": {"format": "pt"}, "a.weight": tensor(0)});
        seeds.insert(ty.to_owned(), safetensors_file(&alone, len));
        if ty != "F4" {
            all.insert(format!("model.layers.{end}.{ty}"), tensor(end));
            end += len;
        }
    }
    seeds.insert("every-type".to_owned(), safetensors_file(&Value::Object(all), end));
    seeds.insert("nothing".to_owned(), safetensors_file(&json!({}), 0));
    let scalar = json!({"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
        "b": {"dtype": "F32", "shape": [0, 3], "data_offsets": [4, 4]}});
    seeds.insert("scalar-and-empty".to_owned(), safetensors_file(&scalar, 4));
    for model in ["three", "tokens", "bias"] {
        let golden = files_of(&format!("crates/hf-checkpoint/tests/golden/lora/{model}/0"));
        seeds.insert(format!("lora-{model}"), golden["adapter_model.safetensors"].clone());
    }
    seeds
}

/// A header and as many bytes as that.
fn safetensors_file(header: &Value, len: usize) -> Vec<u8> {
    let mut header = header.to_string();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend((0..len).map(|n| n as u8));
    file
}
