//! Broken and hostile checkpoints: each an error of one line that names file, tensor or key, found and expected.
#![expect(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use std::fs;
use std::path::{Path, PathBuf};

use hf_checkpoint::{Checkpoint, Options};
use safetensors::Dtype;
use serde_json::{Value, json};

#[path = "common/folders.rs"]
#[expect(dead_code, reason = "each test uses a part of it")]
mod folders;
use folders::{Spec, folder, write_file};

/// A folder that opens, to be broken.
struct Case {
    _parent: tempfile::TempDir,
    path: PathBuf,
    config: Value,
    tensors: Vec<Spec>,
    base: &'static folders::Folder,
}

impl Case {
    fn new(name: &str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let base = folder(name);
        let config = (base.config)();
        let tensors = (base.tensors)(&config);
        let path = base.write(parent.path());
        Self { _parent: parent, path, config, tensors, base }
    }

    fn llama() -> Self {
        Self::new("llama3-rope")
    }

    fn bare() -> Self {
        Self::new("gte-qwen2-embed")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn rewrite(&self) {
        self.base.write_changed(self.path.parent().unwrap(), &self.config, self.tensors.clone());
    }

    fn error(&self) -> String {
        error(&self.path, &self.options())
    }

    fn options(&self) -> Options {
        let mut options = Options::new();
        options.pre_tokenizer = self.base.pre.map(str::to_owned);
        options
    }

    #[track_caller]
    fn fails(&self, parts: &[&str]) {
        check(&self.error(), parts);
    }
}

fn error(path: &Path, options: &Options) -> String {
    Checkpoint::open(path, options).map(|_| ()).unwrap_err().to_string()
}

#[track_caller]
fn check(message: &str, parts: &[&str]) {
    assert!(!message.contains('\n'), "{message}");
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

#[test]
fn folders_without_what_they_need() {
    let case = Case::bare();
    fs::remove_file(case.file("config.json")).unwrap();
    case.fails(&["gte-qwen2-embed: no config.json", "--raw"]);
    // The weights alone are fine then.
    let file = Checkpoint::open(&case.file("model.safetensors"), &Options::new()).unwrap();
    assert_eq!(file.architecture(), None);
    assert!(file.metadata().is_empty());

    let case = Case::bare();
    fs::rename(case.file("model.safetensors"), case.file("pytorch_model.bin")).unwrap();
    case.fails(&["no weights", "model.safetensors.index.json", "pytorch_model.bin is not read"]);
    check(&error(&case.file("pytorch_model.bin"), &Options::new()), &["not a checkpoint", "give a folder"]);
    check(&error(&case.file("nothing"), &Options::new()), &["nothing: cannot open", "No such file"]);
}

#[test]
fn indexes_and_shards_that_contradict_each_other() {
    let shard = "model-00002-of-00006.safetensors";
    let case = Case::llama();
    fs::remove_file(case.file(shard)).unwrap();
    case.fails(&[shard, "absent", "model.safetensors.index.json", "4 tensors"]);

    let index = case.file("model.safetensors.index.json");
    let original: Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let case = Case::llama();
        let mut index = original.clone();
        change(&mut index);
        fs::write(case.file("model.safetensors.index.json"), index.to_string()).unwrap();
        case.error()
    };
    let message = with(&|i| i["weight_map"]["ghost.weight"] = json!(shard));
    check(&message, &[shard, "lacks 1 tensor", "index.json says it holds: ghost.weight"]);
    let message = with(&|i| {
        i["weight_map"].as_object_mut().unwrap().remove("model.norm.weight");
    });
    check(&message, &["holds 1 tensor that", "does not place there: model.norm.weight"]);
    let message = with(&|i| i["weight_map"]["model.norm.weight"] = json!("../../etc/passwd"));
    check(&message, &["file of `model.norm.weight` is `../../etc/passwd`", "expected the name of a file"]);
    let message = with(&|i| i["weight_map"] = json!([1]));
    check(&message, &["key `weight_map` is [1], expected an object"]);
    let message = with(&|i| *i = json!({}));
    check(&message, &["key `weight_map` is missing"]);
    let message = with(&|i| i["weight_map"]["x"] = json!(7));
    check(&message, &["`weight_map.x` is 7, expected a file name"]);

    // Without the index all files count, and one tensor may not be in two.
    let case = Case::llama();
    fs::remove_file(case.file("model.safetensors.index.json")).unwrap();
    Checkpoint::open(&case.path, &case.options()).unwrap();
    fs::copy(case.file(shard), case.file("model-extra.safetensors")).unwrap();
    case.fails(&["4 tensors in", shard, "and again in", "model-extra.safetensors"]);
}

/// A safetensors file with this header and so many bytes of data.
fn with_header(header: &str, data: usize) -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("x.safetensors");
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + data, 0);
    fs::write(&path, bytes).unwrap();
    (parent, path)
}

#[test]
fn headers_that_lie() {
    let t = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"t":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    let two = |second: &str| {
        format!(
            r#"{{"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}},"b":{{"dtype":"F32","shape":[2],"data_offsets":{second}}}}}"#
        )
    };
    for (header, data, parts) in [
        (t("F32", "[4]", "[0,16]"), 15, ["truncated: found 78 bytes", "expected 79"]),
        (t("F32", "[4]", "[0,16]"), 17, ["80 bytes long, expected 79", "nothing may follow"]),
        (
            t("F32", "[4]", "[0,12]"),
            12,
            ["tensor `t`: offsets 0..12", "expected 16 bytes for shape [4] of F32"],
        ),
        (t("F32", "[4]", "[16,0]"), 16, ["tensor `t`: offsets 16..0", "expected 16 bytes"]),
        (t("F32", "[4]", "[4,20]"), 20, ["tensor `t`: starts at 4, expected 0", "leaves a gap"]),
        (t("F32", "[4611686018427387904,4]", "[0,16]"), 16, ["tensor `t`: shape", "whole number of bytes"]),
        (
            t("F32", "[4]", "[18446744073709551599,18446744073709551615]"),
            16,
            ["tensor `t`", "go beyond 2^64"],
        ),
        (t("Q9", "[4]", "[0,16]"), 16, ["tensor `t`: dtype `Q9`", "expected one that safetensors"]),
        (t("F32", "[-1]", "[0,16]"), 16, ["tensor `t`", "invalid value"]),
        (t("F32", "7", "[0,16]"), 16, ["tensor `t`", "expected a sequence"]),
        (two("[4,12]"), 12, ["tensor `b`: starts at 4, expected 8", "overlaps"]),
        (two("[8,16]").replace("\"b\"", "\"a\""), 16, ["tensor `a` is there twice", "x.safetensors"]),
        ("[]".to_owned(), 0, ["header: invalid type", "expected an object of tensors"]),
        ("{\"a\"".to_owned(), 0, ["header: tensor `a`: EOF", "x.safetensors"]),
        ("{} x".to_owned(), 0, ["header: trailing characters", "x.safetensors"]),
        (
            t("F8_E4M3", "[4]", "[0,4]"),
            4,
            ["tensor `t`: dtype F8_E4M3 is not read", "expected F16, BF16, F32"],
        ),
        (t("F32", "[1,1,1,1,1]", "[0,4]"), 4, ["tensor `t`: shape [1, 1, 1, 1, 1]", "1 to 4"]),
        (t("F32", "[0,3]", "[0,0]"), 0, ["tensor `t`: shape [0, 3]", "at least 1"]),
        (
            t("F32", "[1]", "[0,4]").replace("\"t\"", &format!("\"{}\"", "n".repeat(64))),
            4,
            ["name of 64 bytes", "expected 1 to 63"],
        ),
    ] {
        let (_parent, path) = with_header(&header, data);
        check(&error(&path, &Options::new()), &parts);
    }
    let (_parent, path) = with_header("", 0);
    fs::write(&path, [1, 2, 3]).unwrap();
    check(&error(&path, &Options::new()), &["truncated: found 3 bytes, expected 8"]);
    fs::write(&path, u64::MAX.to_le_bytes()).unwrap();
    check(
        &error(&path, &Options::new()),
        &["header of 18446744073709551615 bytes, expected at most 100000000"],
    );
    fs::write(&path, 1000u64.to_le_bytes()).unwrap();
    check(&error(&path, &Options::new()), &["truncated: found 8 bytes, expected 1008"]);
}

#[test]
fn every_truncation_of_a_file_is_an_error() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("x.safetensors");
    write_file(&path, &[("a".into(), vec![2, 3], Dtype::F16), ("b".into(), vec![1], Dtype::F32)]);
    let whole = fs::read(&path).unwrap();
    Checkpoint::open(&path, &Options::new()).unwrap();
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        check(&error(&path, &Options::new()), &["x.safetensors: truncated: found", "expected"]);
    }
}

#[test]
fn configs_that_are_broken_or_unknown() {
    let with = |key: &str, value: Value| {
        let mut case = Case::bare();
        case.config[key] = value;
        if case.config[key].is_null() {
            case.config.as_object_mut().unwrap().remove(key);
        }
        fs::write(case.file("config.json"), case.config.to_string()).unwrap();
        case.error()
    };
    let message = with("architectures", json!(["GemaForCausalLM"]));
    let nearest = "`GemaForCausalLM` is not supported; nearest of those that are: GemmaForCausalLM, ";
    check(&message, &["config.json: architecture", nearest, "--raw"]);
    check(&with("architectures", Value::Null), &["`architectures` is missing", "LlamaForCausalLM", "--raw"]);
    check(&with("architectures", json!([])), &["`architectures` is missing or empty"]);
    check(&with("architectures", json!([3])), &["`architectures` is 3, expected a list of class names"]);
    for key in ["hidden_size", "intermediate_size", "num_attention_heads", "vocab_size", "num_hidden_layers"]
    {
        check(&with(key, Value::Null), &["config.json", key, "is missing, expected a positive integer"]);
        check(&with(key, json!("x")), &[key, "is \"x\", expected an integer"]);
        check(&with(key, json!(-1)), &[key, "is -1, expected an integer"]);
        check(&with(key, json!(0)), &[key, "is 0, expected a positive integer"]);
        check(&with(key, json!(1u64 << 32)), &[key, "is 4294967296, expected an integer"]);
    }
    check(
        &with("num_hidden_layers", json!(4_000_000_000u32)),
        &["4000000000, expected no more than the checkpoint's 26"],
    );
    check(&with("rms_norm_eps", json!("tiny")), &["`rms_norm_eps` is \"tiny\", expected a number"]);
    check(&with("rms_norm_eps", json!(1e300)), &["`rms_norm_eps`", "within the range of F32"]);
    check(&with("max_position_embeddings", json!(1.5)), &["is 1.5, expected an integer"]);
    check(&with("rope_parameters", json!([])), &["`rope_parameters` is [], expected an object"]);
    let message = with("rope_parameters", json!({"rope_type": 3}));
    check(&message, &["rope rope_type` is 3, expected a string"]);
    check(
        &with("quantization_config", json!({"quant_method": "bitsandbytes"})),
        &["config.json: the weights are quantized", "(bitsandbytes)", "original model"],
    );

    let case = Case::bare();
    fs::write(case.file("config.json"), "{\"a\": }").unwrap();
    case.fails(&["config.json: not valid JSON", "line 1 column 7"]);
    fs::write(case.file("config.json"), "[1]").unwrap();
    case.fails(&["config.json: key `.` is [1], expected an object"]);
    let deep = "[".repeat(100_000);
    fs::write(case.file("config.json"), deep).unwrap();
    case.fails(&["config.json: not valid JSON", "recursion limit"]);
    for (modules, parts) in [
        (r#"[{"type": "a.Pooling", "path": "../.."}]"#, ["modules.json: key `path`", "folder within"]),
        (r#"[{"type": "a.Pooling", "path": "nope"}]"#, ["nope/config.json: cannot read", "No such file"]),
        (r#"{"type": 1}"#, ["modules.json: key `.`", "a list of modules"]),
    ] {
        let case = Case::bare();
        fs::write(case.file("modules.json"), modules).unwrap();
        case.fails(&parts);
    }
    let case = Case::bare();
    fs::write(case.file("1_Pooling/config.json"), r#"{"pooling_mode": "max"}"#).unwrap();
    case.fails(&["`pooling_mode` is \"max\", expected mean, cls or lasttoken"]);
}

#[test]
fn tensors_that_do_not_fit_the_config() {
    let change = |f: &dyn Fn(&mut Vec<Spec>)| {
        let mut case = Case::bare();
        f(&mut case.tensors);
        case.rewrite();
        case.error()
    };
    let at = |tensors: &mut Vec<Spec>, name: &str| tensors.iter().position(|t| t.0 == name).unwrap();
    let message = change(&|t| {
        let i = at(t, "layers.1.mlp.down_proj.weight");
        t[i].1 = vec![48, 32];
    });
    let name = "tensor `layers.1.mlp.down_proj.weight`: shape [48, 32], expected [32, 48]";
    check(&message, &["model.safetensors", name, "(hidden_size x intermediate_size)"]);
    let message = change(&|t| {
        let i = at(t, "layers.0.self_attn.k_proj.bias");
        t[i].1 = vec![1, 16];
    });
    check(&message, &["shape [1, 16], expected [16]", "num_key_value_heads*head_dim"]);
    let message = change(&|t| {
        let i = at(t, "embed_tokens.weight");
        t[i].2 = Dtype::I32;
    });
    check(&message, &["tensor `embed_tokens.weight`: dtype I32 is not read, expected F16, BF16, F32 or F64"]);
    let message = change(&|t| {
        t.retain(|t| t.0 != "layers.1.self_attn.q_proj.bias" && t.0 != "norm.weight");
    });
    check(&message, &["2 tensors missing that qwen2 needs: norm.weight, layers.1.self_attn.q_proj.bias"]);
    let message = change(&|t| {
        for name in [
            "layers.2.mlp.up_proj.weight",
            "layers.00.mlp.up_proj.weight",
            "extra",
            "layers.0.mlp.up_proj.bias",
        ] {
            t.push((name.into(), vec![1], Dtype::F32));
        }
    });
    let list = "extra, layers.0.mlp.up_proj.bias, layers.00.mlp.up_proj.weight, layers.2.mlp.up_proj.weight";
    check(&message, &["4 tensors unknown to qwen2", list]);
    let message = change(&|t| t.push(("model.norm.weight".into(), vec![32], Dtype::F32)));
    check(&message, &["`model.norm.weight` and `norm.weight` are both `norm.weight`"]);

    // A head whose halves are not whole.
    let mut case = Case::llama();
    case.config["head_dim"] = json!(3);
    case.tensors = (case.base.tensors)(&case.config);
    for file in fs::read_dir(&case.path).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "safetensors") {
            fs::remove_file(path).unwrap();
        }
    }
    case.rewrite();
    case.fails(&["shape [12, 32], expected one that has axis 0 in num_attention_heads x 2"]);
    // A bias that the config promises.
    let mut case = Case::new("acme-Tiny-LLaMa-7b1-128k-chat-q4_k_v2.1");
    case.tensors.retain(|t| t.0 != "layers.0.mlp.gate_proj.bias");
    case.rewrite();
    case.fails(&["1 tensor missing that llama needs: layers.0.mlp.gate_proj.bias"]);
}
