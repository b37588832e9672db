//! `entrenar export` and `entrenar inspect`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::place::{Place, listing, says, text};

#[test]
fn export_and_inspect() {
    let place = Place::new();
    let output = place.run(&["export", place.model(), "out.gguf", "--quant", "Q4_K_M"]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(said.lines().count(), 1, "{said}");
    says(&said, &["out.gguf: Q4_K_M, ", "tensors", "bits per weight"]);

    let output = place.run(&["inspect", "out.gguf"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    says(&shown, &["general.architecture", "llama", "tokenizer.ggml.tokens", "Q4_K", "Q6_K"]);
    for line in shown.lines() {
        assert!(line.chars().count() <= 100, "{} characters: {line}", line.chars().count());
    }
}

#[test]
fn the_pre_tokenizers_rule_is_said_when_asked_and_overruled_by_name() {
    let place = Place::new();
    let said = |args: &[&str]| {
        let output = place.run(&[&["export", place.model(), "--dry-run"], args].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let verbose = said(&["-v"]);
    says(
        &verbose,
        &["info: tokenizer gpt2: ", "info: pre-tokenizer llama-bpe: by how it splits text", r"\p{N}{1,3}"],
    );
    assert!(!said(&[]).contains("pre-tokenizer"));
    says(&said(&["--verbose", "--pre", "qwen2"]), &["info: pre-tokenizer qwen2: asked for"]);
    let message = place.fails(&["export", place.model(), "--dry-run", "--pre", "qwen-2"]);
    says(
        &message,
        &[r#"pre-tokenizer "qwen-2""#, "llama.cpp has none of that name", "near ones: qwen2, qwen35"],
    );
}

#[test]
fn results_for_machines() {
    let place = Place::new();
    let output = place.run(&["export", place.model(), "out.gguf", "-q", "q6k", "--json", "--quiet"]);
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["output"], "out.gguf");
    assert_eq!(result["quantization"], "Q6_K");
    assert_eq!(result["bytes"], fs::metadata(place.path("out.gguf")).unwrap().len());

    let output = place.run(&["inspect", "out.gguf", "--json"]);
    let file: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(file["metadata"]["general.architecture"]["value"], "llama");
    assert_eq!(file["metadata"]["general.file_type"]["type"], "u32");
    let tensors = file["tensors"].as_array().unwrap();
    assert_eq!(tensors.len(), result["tensors"].as_array().unwrap().len());
    assert_eq!(tensors[0]["name"], result["tensors"][0]["name"]);
}

#[test]
fn a_dry_run_says_the_exact_size_and_writes_nothing() {
    let place = Place::new();
    let before = listing(place.folder.path());
    let output = place.run(&["export", place.model(), "out.gguf", "--dry-run", "--json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown = text(&place.run(&["export", place.model(), "--dry-run"]).stdout);
    assert_eq!(listing(place.folder.path()), before);
    assert!(place.run(&["export", place.model(), "out.gguf"]).status.success());
    let len = fs::metadata(place.path("out.gguf")).unwrap().len();
    assert_eq!(plan["bytes"], len);
    says(&shown, &["token_embd.weight", &format!("{len} bytes")]);
    for line in shown.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn an_output_that_exists_needs_force() {
    let place = Place::new();
    fs::write(place.path("out.gguf"), "old").unwrap();
    says(&place.fails(&["export", place.model(), "out.gguf"]), &["out.gguf", "exists", "--force"]);
    assert_eq!(fs::read(place.path("out.gguf")).unwrap(), b"old");
    assert!(place.run(&["export", place.model(), "out.gguf", "--force"]).status.success());
    assert!(fs::metadata(place.path("out.gguf")).unwrap().len() > 1000);
}

#[test]
fn the_output_has_a_name_if_none_is_given() {
    let place = Place::new();
    assert!(place.run(&["export", place.model(), "-q", "Q8_0"]).status.success());
    let name = format!("{}-Q8_0.gguf", place.model.file_name().unwrap().to_str().unwrap());
    assert!(place.path(&name).is_file());
}

#[test]
fn provenance_and_names_go_into_the_file() {
    let place = Place::new();
    let provenance = r#"{"experiment_id": "exp-001", "run_id": "run-9", "timestamp": "2024-01-15T10:30:00Z",
        "base_model": "acme/base-7b", "metrics": {"final_loss": 0.123}}"#;
    fs::write(place.path("run.json"), provenance).unwrap();
    let args = ["export", place.model(), "out.gguf", "--name", "My Model", "--author", "Ada", "--license"];
    let output = place.run(&[&args[..], &["Apache-2.0", "--provenance", "run.json"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let file: Value = serde_json::from_slice(&place.run(&["inspect", "--json", "out.gguf"]).stdout).unwrap();
    for (key, value) in [
        ("general.name", "My Model"),
        ("general.author", "Ada"),
        ("general.license", "Apache-2.0"),
        ("general.base_model.0.organization", "Acme"),
        ("entrenar.experiment_id", "exp-001"),
        ("entrenar.timestamp", "2024-01-15T10:30:00Z"),
        ("entrenar.metric.final_loss", "0.123"),
    ] {
        assert_eq!(file["metadata"][key]["value"], value, "{key}");
    }

    fs::write(place.path("run.json"), "{\"experiment_id\": 3}").unwrap();
    says(&place.fails(&["export", place.model(), "x.gguf", "--provenance", "run.json"]), &["run.json"]);
    says(&place.fails(&["export", place.model(), "x.gguf", "--license", "no such"]), &["no such", "SPDX"]);
}

#[test]
fn wrong_usage_has_status_two() {
    let place = Place::new();
    for (args, part) in [
        (&["export", "model", "out.gguf", "--quant", "Q9_Z"][..], "Q4_K_M"),
        (&["export"], "INPUT"),
        (&["export", "model", "out.gguf", "--threads", "0"], "--threads"),
        (&["frobnicate"], "frobnicate"),
    ] {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        says(&text(&output.stderr), &[part]);
    }
}

/// Something done to a model's folder before it is exported, and what the error must name.
type Damage = (&'static str, fn(&Path), &'static [&'static str]);

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from:?} is not in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn truncate(path: &Path, by: u64) {
    let len = fs::metadata(path).unwrap().len();
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(len - by).unwrap();
}

/// Changes the last weight of the file's data to a NaN (BF16).
fn spoil(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let len = bytes.len();
    bytes[len - 2..].copy_from_slice(&0x7fc0u16.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_model_is_an_error_that_says_where_and_leaves_nothing() {
    let damages: &[Damage] = &[
        (
            "truncated",
            |m| truncate(&m.join("model.safetensors"), 100),
            &["model.safetensors", "truncated", "found", "expected"],
        ),
        ("empty", |m| fs::write(m.join("model.safetensors"), "").unwrap(), &["model.safetensors"]),
        ("no weights", |m| fs::remove_file(m.join("model.safetensors")).unwrap(), &["model.safetensors"]),
        ("no config", |m| fs::remove_file(m.join("config.json")).unwrap(), &["config.json", "--raw"]),
        ("bad JSON", |m| fs::write(m.join("config.json"), "{").unwrap(), &["config.json", "line 1"]),
        (
            "missing key",
            |m| edit(&m.join("config.json"), "\"num_hidden_layers\"", "\"number_of_layers\""),
            &["config.json", "num_hidden_layers"],
        ),
        (
            "wrong shape",
            |m| edit(&m.join("config.json"), "\"intermediate_size\": 512", "\"intermediate_size\": 520"),
            &["mlp", "512", "520"],
        ),
        (
            "unknown class",
            |m| edit(&m.join("config.json"), "LlamaForCausalLM", "LlamaxForCausalLM"),
            &["`LlamaxForCausalLM`", " LlamaForCausalLM", "--raw"],
        ),
        ("bad tokenizer", |m| fs::write(m.join("tokenizer.json"), "[]").unwrap(), &["tokenizer.json"]),
        ("NaN", |m| spoil(&m.join("model.safetensors")), &["tensor", "element", "NaN", "finite"]),
    ];
    for (what, damage, parts) in damages {
        let place = Place::new();
        damage(&place.model);
        let message = place.fails(&["export", place.model(), "out.gguf", "--threads", "2", "--quiet"]);
        println!("{what}: {message}");
        says(&message, parts);
        fs::write(place.path("out.gguf"), "old").unwrap();
        place.fails(&["export", place.model(), "out.gguf", "--force", "--quiet"]);
        assert_eq!(fs::read(place.path("out.gguf")).unwrap(), b"old", "{what}");
    }
}

#[test]
fn a_damaged_index_is_an_error_that_says_where() {
    const INDEX: &str = "model.safetensors.index.json";
    let place = Place::with("llama-sharded");
    let shard = "model-00002-of-00003.safetensors";
    let whole = fs::read(place.model.join(shard)).unwrap();
    fs::remove_file(place.model.join(shard)).unwrap();
    says(&place.fails(&["export", place.model(), "out.gguf"]), &[shard]);
    fs::write(place.model.join(shard), &whole[..whole.len() - 8]).unwrap();
    says(&place.fails(&["export", place.model(), "out.gguf"]), &[shard]);
    fs::write(place.model.join(shard), &whole).unwrap();
    edit(&place.model.join(INDEX), shard, "model-00009-of-00003.safetensors");
    says(&place.fails(&["export", place.model(), "out.gguf"]), &["model-00009-of-00003.safetensors"]);
}

#[test]
fn places_that_cannot_be_written() {
    let place = Place::new();
    says(&place.fails(&["export", place.model(), "no/such/out.gguf"]), &["no/such"]);
    says(&place.fails(&["export", "no-such-model", "out.gguf"]), &["no-such-model"]);
    let weights = place.model.join("model.safetensors");
    for own in ["model.safetensors", "config.json", "tokenizer.json"] {
        let own = place.model.join(own);
        let own = own.to_str().unwrap();
        says(&place.fails(&["export", place.model(), own, "--force"]), &[own, "read from"]);
    }
    let link = place.path("link.gguf");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&weights, &link).unwrap();
        says(&place.fails(&["export", place.model(), "link.gguf", "--force"]), &["read from"]);
    }
    // An input that is not a model at all.
    fs::write(place.path("words.txt"), "hello").unwrap();
    says(&place.fails(&["export", "words.txt", "out.gguf"]), &["words.txt", "safetensors"]);
    says(&place.fails(&["inspect", "words.txt"]), &["words.txt", "GGUF"]);
}

#[test]
fn a_lone_file_is_exported_under_its_own_names() {
    let place = Place::new();
    fs::copy(place.model.join("model.safetensors"), place.path("lone.safetensors")).unwrap();
    let output = place.run(&["export", "lone.safetensors", "lone.gguf", "-q", "Q8_0"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = place.run(&["inspect", "lone.gguf", "--tensors"]);
    says(&text(&output.stdout), &["model.embed_tokens.weight", "Q8_0"]);

    // The same of a folder whose architecture is not known.
    edit(&place.model.join("config.json"), "LlamaForCausalLM", "LlamaxForCausalLM");
    let output = place.run(&["export", place.model(), "raw.gguf", "-q", "Q8_0", "--raw"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_strangers_file_cannot_drive_the_terminal() {
    let place = Place::new();
    let output = place.run(&["export", place.model(), "out.gguf", "--name", "plain"]);
    assert!(output.status.success());
    let bytes = fs::read(place.path("out.gguf")).unwrap();
    // Same length, so that the file stays whole.
    let at = bytes.windows(8).position(|w| w == b"Instruct").unwrap();
    let mut changed = bytes.clone();
    changed[at..at + 4].copy_from_slice(b"\x1b[2J");
    fs::write(place.path("evil.gguf"), changed).unwrap();
    let output = place.run(&["inspect", "evil.gguf"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!output.stdout.contains(&0x1b), "{}", text(&output.stdout));
}

/// Tensors of a plan by name, with their types.
fn planned(place: &Place, args: &[&str]) -> Vec<(String, String)> {
    let output = place.run(&[&["export"], args, &["--dry-run", "--json", "--quiet"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tensors = plan["tensors"].as_array().unwrap().iter();
    tensors.map(|tensor| (text(&tensor["name"]), text(&tensor["to"]))).collect()
}

#[test]
fn options_of_llama_quantize_decide_types() {
    let place = Place::new();
    let model = place.model();
    let ty = |args: &[&str], name: &str| {
        let all = planned(&place, &[&[model], args].concat());
        all.into_iter().find(|(tensor, _)| tensor == name).unwrap().1
    };
    let (value, key) = ("blk.0.attn_v.weight", "blk.0.attn_k.weight");
    assert_eq!(ty(&["--quant", "iq4_xs"], key), "IQ4_XS");
    assert_eq!(ty(&["--quant", "14"], key), "Q4_K");
    let has_q6 =
        |args: &[&str]| planned(&place, &[&[model], args].concat()).iter().any(|(_, ty)| ty == "Q6_K");
    assert!(has_q6(&["--quant", "Q4_K_M"]));
    assert!(!has_q6(&["--quant", "Q4_K_M", "--pure"]));
    assert_eq!(ty(&["--tensor-type", "ATTN_V=q8_0"], value), "Q8_0");
    assert_eq!(ty(&["--token-embedding-type", "f16"], "token_embd.weight"), "F16");
    assert_eq!(ty(&["--quant", "copy"], value), ty(&["--quant", "copy"], key));

    for (args, said) in [
        (&["--tensor-type", "nothing=q8_0"][..], "matches no tensor"),
        (&["--quant", "copy", "--pure"], "exclude each other"),
        (&["--quant", "IQ2_XXS"], "needs importance"),
        (&["--prune-layers", "99"], "layer 99"),
        (&["--imatrix", "missing.gguf"], "missing.gguf"),
    ] {
        let error = place.fails(&[&["export", model, "out.gguf"], args].concat());
        assert!(error.contains(said), "{error}");
    }
    for args in [["--tensor-type", "nothing"], ["--override-kv", "a=b"], ["--include-weights", "a"]] {
        let output = place.run(&[&["export", model, "out.gguf"], &args[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn files_are_quantized_again_only_where_that_is_allowed() {
    let place = Place::new();
    assert!(place.run(&["export", place.model(), "m-Q8_0.gguf", "-q", "Q8_0"]).status.success());
    let error = place.fails(&["export", "m-Q8_0.gguf", "-q", "Q4_K_M"]);
    assert!(error.contains("Q8_0") && error.contains("allow requantizing"), "{error}");
    let output = place.run(&["export", "m-Q8_0.gguf", "-q", "Q4_K_M", "--allow-requantize"]);
    assert!(output.status.success());
    assert!(place.path("m-Q4_K_M.gguf").exists(), "named after the model");
    // A copy of a file in canonical order is the file.
    assert!(place.run(&["export", "m-Q4_K_M.gguf", "copy.gguf", "-q", "COPY"]).status.success());
    assert_eq!(fs::read(place.path("copy.gguf")).unwrap(), fs::read(place.path("m-Q4_K_M.gguf")).unwrap());
    let error = place.fails(&["export", "m-Q4_K_M.gguf", "m-Q4_K_M.gguf", "-q", "COPY", "--force"]);
    assert!(error.contains("belongs to the model"), "{error}");
}

#[test]
fn layers_go_and_metadata_are_set() {
    let place = Place::new();
    let args = ["-q", "F16", "--prune-layers", "0", "--override-kv", "general.author=str:me"];
    assert!(place.run(&[&["export", place.model(), "out.gguf"], &args[..]].concat()).status.success());
    let output = place.run(&["inspect", "out.gguf", "--json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let file: Value = serde_json::from_str(&said).unwrap();
    let whole = planned(&place, &[place.model()]).len();
    let left = file["tensors"].as_array().unwrap().len();
    assert!(left < whole && left > 2, "{left} of {whole}");
    assert!(said.contains("\"me\""), "{said}");
}

#[test]
fn a_file_of_metadata_goes_over_the_model_and_flags_go_over_the_file() {
    let place = Place::new();
    let file = r#"{
        "general.name": "From File", "general.author": "Filed", "general.license": "apache-2.0",
        "general.version": "v7", "general.base_models": [{"name": "Base"}], "llama.context_length": 99
    }"#;
    fs::write(place.path("over.json"), file).unwrap();
    let args = [
        "-q",
        "F16",
        "--metadata",
        "over.json",
        "--author",
        "Flagged",
        "--override-kv",
        "general.version=str:v8",
    ];
    let output = place.run(&[&["export", place.model(), "out.gguf"], &args[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = place.run(&["inspect", "out.gguf", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let value = |key: &str| said["metadata"][key]["value"].clone();
    assert_eq!(value("general.name"), "From File");
    assert_eq!(value("general.author"), "Flagged");
    assert_eq!(value("general.license"), "apache-2.0");
    assert_eq!(value("general.version"), "v8");
    assert_eq!(value("general.base_model.0.name"), "Base");
    assert_eq!(value("llama.context_length"), 99);
    assert_eq!(said["metadata"]["llama.context_length"]["type"], "u32");

    // A GGUF file as input.
    fs::write(place.path("over.json"), r#"{"general.author": null, "general.tags": ["x"]}"#).unwrap();
    let output = place.run(&["export", "out.gguf", "again.gguf", "-q", "COPY", "--metadata", "over.json"]);
    assert!(output.status.success());
    let output = place.run(&["inspect", "again.gguf", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said["metadata"]["general.author"].is_null());
    assert!(said["metadata"]["general.tags"].is_object());

    fs::write(place.path("over.json"), r#"{"general.licence": "mit", "llama.context_length": "long"}"#)
        .unwrap();
    let error = place.fails(&["export", place.model(), "o.gguf", "--metadata", "over.json"]);
    assert!(
        error.contains("over.json: key `general.licence` does not exist; nearest: general.license,"),
        "{error}"
    );
    let error = place.fails(&["export", place.model(), "o.gguf", "--metadata", "nothing.json"]);
    assert!(error.starts_with("nothing.json: cannot read: No such file"), "{error}");
}

#[test]
fn inspect_tells_what_is_in_chat_templates() {
    let place = Place::new();
    let template = "{% for m in messages %}\n{% if 'bank' in m.content %}{{ m.__class__ }}{% endif %}\n\
                    {{ m.content.split('</think>')[-1] if '</think>' in m.content }}{% endfor %}";
    fs::write(place.model.join("chat_template.jinja"), template).unwrap();
    let config = place.model.join("tokenizer_config.json");
    let mut value: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    value.as_object_mut().unwrap().remove("chat_template");
    fs::write(&config, value.to_string()).unwrap();
    assert!(place.run(&["export", place.model(), "m.gguf", "-q", "q8_0"]).status.success());
    let shown = text(&place.run(&["inspect", "m.gguf"]).stdout);
    says(
        &shown,
        &[
            "chat templates: 2 dangers, 1 note\n",
            "  default:2: danger: \"__class__\" leads to Python's internals\n",
            "  default:2: danger: \"bank\" is looked for in what a message says\n",
            "  default:3: note: \"</think>\" is looked for in what a message says\n",
        ],
    );
    let json: Value = serde_json::from_slice(&place.run(&["inspect", "m.gguf", "--json"]).stdout).unwrap();
    let expected = serde_json::json!(
        {"template": "default", "line": 2, "level": "danger", "issue": "content_branch", "found": "bank"}
    );
    let findings = json["template_findings"].as_array().unwrap();
    assert_eq!(findings.len(), 3);
    assert!(findings.contains(&expected), "{findings:?}");
    // Without findings nothing is said.
    fs::write(place.model.join("chat_template.jinja"), "{{ messages[0].content }}").unwrap();
    assert!(place.run(&["export", place.model(), "m.gguf", "-q", "q8_0", "--force"]).status.success());
    assert!(!text(&place.run(&["inspect", "m.gguf"]).stdout).contains("chat templates"));
}

#[test]
fn notes_and_messages_are_no_longer_than_a_person_reads() {
    let place = Place::with("llama-spm");
    let beyond: serde_json::Map<String, Value> =
        (0..2_000).map(|n| (format!("<{n}>"), (100_000 + n).into())).collect();
    fs::write(place.model.join("added_tokens.json"), Value::from(beyond).to_string()).unwrap();
    let output = place.run(&["export", place.model(), "--dry-run"]);
    assert!(output.status.success());
    let said = text(&output.stderr);
    assert!(said.lines().count() == 51 && said.contains("id 100000 left out"), "{said}");
    assert!(said.lines().last().unwrap().starts_with("note: and 19"), "{said}");
    let json = place.run(&["export", place.model(), "--dry-run", "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(json["notes"].as_array().unwrap().len() >= 2_000);

    let name = "x".repeat(1 << 20);
    fs::write(place.model.join("config.json"), format!("{{\"architectures\": [{name:?}]}}")).unwrap();
    let said = place.fails(&["export", place.model(), "--dry-run"]);
    assert!(said.len() < 3_000 && said.contains("config.json: architecture `xxx"), "{said}");
    assert!(said.contains("x…x") && said.contains("is not supported; nearest"), "{said}");
}
