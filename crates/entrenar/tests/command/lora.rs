//! `entrenar export` with adapters.

use std::fs;
use std::path::{Path, PathBuf};

use crate::place::{Place, says, text};

/// A base with an adapter that peft made.
fn golden(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../hf-checkpoint/tests/golden/lora/patterns-rslora")
        .join(folder)
}

/// A place with the base in `base`, and a tokenizer.
fn place() -> Place {
    let place = Place::new();
    let base = place.path("base");
    fs::create_dir(&base).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden("base").join(file), base.join(file)).unwrap();
    }
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixture-models/models");
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(models.join("Tiny-Llama-3.2-1M-Instruct").join(file), base.join(file)).unwrap();
    }
    place
}

#[test]
fn adapters_are_merged_by_name_and_scale() {
    let place = place();
    let adapter = golden("0").display().to_string();
    let half = format!("{adapter}=0.5");
    let export = |output: &str, threads: &str, lora: &[&str]| {
        let fixed = ["export", "base", output, "-q", "F32", "-t", threads, "--pre", "llama-bpe"];
        let output = place.run(&[&fixed[..], lora].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let said = export("two.gguf", "1", &["--lora", &half, "--lora", &half]);
    says(&said, &["adapter 0 at scale 0.5: 7 weights merged"]);
    export("three-threads.gguf", "3", &["--lora", &half, "--lora", &half]);
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    assert!(read("two.gguf") == read("three-threads.gguf"));
    let shown = text(&place.run(&["inspect", "two.gguf"]).stdout);
    says(&shown, &["entrenar.lora.0.name", "entrenar.lora.1.scale"]);
    assert!(!shown.contains("golden"), "a local path: {shown}");

    export("none.gguf", "2", &[]);
    export("zero.gguf", "2", &["--lora", &format!("{adapter}=0")]);
    // What no adapter changes is there as it was, and 0 changes nothing.
    let tail = |bytes: Vec<u8>| bytes[bytes.len() - 4096..].to_vec();
    assert!(tail(read("none.gguf")) == tail(read("zero.gguf")));

    let output = place.run(&["export", "base", "x.gguf", "--lora", &format!("{adapter}=much")]);
    assert_eq!(output.status.code(), Some(2));
    says(&text(&output.stderr), &["\"much\" is no finite number"]);
}

#[test]
fn adapters_that_do_not_fit_leave_nothing_behind() {
    let place = place();
    let adapter = golden("0").display().to_string();
    let message = place.fails(&["export", &adapter, "x.gguf"]);
    says(&message, &["an adapter, not a model", "--base", "--lora"]);
    let gpt2 = golden("../gpt2-dora/0").display().to_string();
    let message = place.fails(&["export", "base", "x.gguf", "--lora", &gpt2]);
    says(
        &message,
        &["the adapter does not fit the base model", "c_attn.lora_A.weight", "c_proj.lora_A.weight"],
    );
    let output = place.run(&["export", place.model(), "model.gguf", "-q", "F16"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(&place.fails(&["export", "model.gguf", "x.gguf", "--lora", &adapter]), &["is a GGUF file"]);
}

#[test]
fn an_adapter_that_is_not_finite_is_refused_by_tensor() {
    let place = place();
    let broken = place.path("broken");
    fs::create_dir(&broken).unwrap();
    fs::copy(golden("0").join("adapter_config.json"), broken.join("adapter_config.json")).unwrap();
    let mut bytes = fs::read(golden("0").join("adapter_model.safetensors")).unwrap();
    // The first tensor's first value: the last projection of the feed-forward part, by the order of the file.
    let at = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(broken.join("adapter_model.safetensors"), bytes).unwrap();
    let message = place.fails(&["export", "base", "x.gguf", "--lora", "broken", "--pre", "llama-bpe"]);
    says(&message, &["blk.0.ffn_down.weight", "NaN"]);
}

#[test]
fn an_adapter_becomes_a_file_of_its_own() {
    let place = place();
    let adapter = golden("0").display().to_string();
    let output = place.run(&["export", &adapter, "adapter.gguf", "--base", "base"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    says(&text(&output.stdout), &["adapter.gguf: F32, ", "14 tensors"]);
    let shown = text(&place.run(&["inspect", "adapter.gguf"]).stdout);
    says(&shown, &["general.type", "adapter", "adapter.lora.alpha"]);
    assert!(!shown.contains("general.file_type"), "{shown}");
    let message = place.fails(&["export", &adapter, "x.gguf", "--base", "base", "-q", "Q4_K_M"]);
    says(&message, &["an adapter: found Q4_K_M, expected F32, F16, BF16, Q8_0 or COPY"]);
}
