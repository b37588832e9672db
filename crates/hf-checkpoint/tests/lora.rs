//! Adapters merged while the base is read, against what peft made of them (tests/golden/lora), and adapters that do not
//! fit.
#![expect(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gguf_format::GgmlType;
use hf_checkpoint::{Checkpoint, Error, Options};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

const CASES: &[&str] = &[
    "patterns-rslora",
    "ends-dora",
    "tied-head",
    "three",
    "gpt2-dora",
    "mixtral",
    "gpt-oss",
    "tokens",
    "bias",
    "gpt-oss-mxfp4",
    "mixtral-one-by-one",
    "qwen3moe-patterns",
    "qwen3moe-experts-dora",
];

/// How far a merged weight may be from peft's, as a part of its tensor's largest: the order of sums is free.
const TOLERANCE: f32 = 2e-6;

fn golden(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lora").join(case)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// One of the folders of a case that is a model, with its tokenizer.
fn model(parent: &Path, case: &str, folder: &str) -> PathBuf {
    let out = parent.join(case).join(folder);
    copy(&golden(case).join(folder), &out);
    let tokenizer = fs::read_to_string(golden(case).join("tokenizer")).unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixture-models/models");
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(models.join(tokenizer.trim()).join(file), out.join(file)).unwrap();
    }
    out
}

fn options() -> Options {
    Options::new().with_pre_tokenizer("llama-bpe")
}

/// The base of a case with its adapters.
fn merged(parent: &Path, case: &str) -> Checkpoint {
    let scales = fs::read_to_string(golden(case).join("scales")).unwrap();
    let mut options = options();
    for (number, scale) in scales.lines().enumerate() {
        options = options.with_adapter(golden(case).join(number.to_string()), scale.parse().unwrap());
    }
    Checkpoint::open(&model(parent, case, "base"), &options).unwrap()
}

/// The values of a tensor; none if it is in blocks.
fn values(checkpoint: &Checkpoint, number: usize) -> Vec<f32> {
    let tensor = &checkpoint.tensors()[number];
    if tensor.element != GgmlType::F32 {
        assert_eq!(tensor.element, GgmlType::MXFP4);
        return Vec::new();
    }
    let n = tensor.elements();
    let mut bytes = vec![0; n as usize * 4];
    checkpoint.read_elements(number, 0..n, &mut bytes).unwrap();
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn all(checkpoint: &Checkpoint) -> BTreeMap<String, Vec<f32>> {
    let tensors = checkpoint.tensors().iter().enumerate();
    tensors.map(|(number, tensor)| (tensor.name.clone(), values(checkpoint, number))).collect()
}

#[test]
fn merged_weights_are_what_peft_merges() {
    let parent = tempfile::tempdir().unwrap();
    for case in CASES {
        let ours = all(&merged(parent.path(), case));
        let of = |folder| all(&Checkpoint::open(&model(parent.path(), case, folder), &options()).unwrap());
        let (base, peft) = (of("base"), of("merged"));
        assert!(ours.keys().eq(peft.keys()), "{case}: {:?}", ours.keys());
        let mut changed = 0;
        for (name, expected) in &peft {
            let found = &ours[name];
            if base.get(name) == Some(expected) {
                assert!(found == expected, "{case}: {name} was not touched by peft");
                continue;
            }
            changed += 1;
            assert!(base.get(name) != Some(found), "{case}: {name} was not merged");
            let largest = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
            for (found, expected) in found.iter().zip(expected) {
                let distance = (found - expected).abs();
                assert!(distance <= TOLERANCE * largest, "{case}: {name}: {found}, peft has {expected}");
            }
        }
        assert!(changed > 0, "{case}");
    }
}

#[test]
fn every_cut_gives_the_values_of_the_whole() {
    let parent = tempfile::tempdir().unwrap();
    for case in CASES {
        let checkpoint = merged(parent.path(), case);
        for (number, tensor) in checkpoint.tensors().iter().enumerate() {
            let n = tensor.elements();
            let mut whole = vec![0; n as usize * 4];
            checkpoint.read_elements(number, 0..n, &mut whole).unwrap();
            for step in [1, 5, 8, 13, 1000] {
                // One element at a time is slow on a long tensor: there the first hundreds only.
                for start in (0..if step == 1 { n.min(100) } else { n.min(5000) }).step_by(step) {
                    let stop = (start + step as u64).min(n);
                    let mut piece = vec![0; (stop - start) as usize * 4];
                    checkpoint.read_elements(number, start..stop, &mut piece).unwrap();
                    let expected = &whole[start as usize * 4..stop as usize * 4];
                    assert!(piece == expected, "{case}: {} {start}..{stop}", tensor.name);
                }
            }
        }
    }
}

#[test]
fn blocks_are_given_up_where_something_is_merged_only_and_the_user_is_told() {
    let parent = tempfile::tempdir().unwrap();
    let types = |checkpoint: &Checkpoint, end: &str| -> Vec<GgmlType> {
        checkpoint.tensors().iter().filter(|t| t.name.ends_with(end)).map(|t| t.element).collect()
    };
    let told = |checkpoint: &Checkpoint| {
        checkpoint.notes().iter().any(|n| n.contains("3 merged weights are MXFP4 blocks"))
    };
    let base = Checkpoint::open(&model(parent.path(), "gpt-oss-mxfp4", "base"), &options()).unwrap();
    assert_eq!(types(&base, "_exps.weight"), [GgmlType::MXFP4; 3]);
    assert!(!told(&base));
    let all = merged(parent.path(), "gpt-oss-mxfp4");
    assert_eq!(types(&all, "_exps.weight"), [GgmlType::F32; 3]);
    assert!(told(&all), "{:?}", all.notes());
    // Experts that no adapter changes stay as they are.
    let adapter = Adapter::of("gpt-oss-mxfp4")
        .set("target_parameters", json!([]))
        .without("model.layers.0.mlp.experts.base_layer.lora_A.weight")
        .without("model.layers.0.mlp.experts.base_layer.lora_B.weight")
        .without("model.layers.0.mlp.experts.lora_A.weight")
        .without("model.layers.0.mlp.experts.lora_B.weight");
    let attention = adapter.open_on(adapter.case, false).unwrap();
    assert_eq!(types(&attention, "_exps.weight"), [GgmlType::MXFP4; 3]);
    assert_eq!(types(&attention, "attn_q.weight"), [GgmlType::F32]);
    assert!(!told(&attention));
}

#[test]
fn experts_of_an_adapter_must_fit_those_of_the_base() {
    let expert = "model.layers.0.block_sparse_moe.experts";
    let wrong = Adapter::of("mixtral-one-by-one")
        .tensor(&format!("{expert}.4.w1.lora_A.weight"), &[4, 8])
        .tensor(&format!("{expert}.4.w1.lora_B.weight"), &[12, 4])
        .tensor(&format!("{expert}.1.w3.lora_B.weight"), &[11, 4]);
    wrong.fails(&[
        "experts.4.w1.lora_B.weight: the base has no weight",
        "experts.1.w3.lora_B.weight: a product of shape [11, 8], expected [12, 8]",
    ]);
    // A base that is not what its config says.
    let mut narrow = Adapter::of("mixtral-one-by-one");
    narrow.case = "qwen3moe-patterns";
    narrow.fails(&["experts.0.w1.lora_B.weight: the base has no weight"]);
}

/// An adapter that can be changed before it is written.
struct Adapter {
    parent: tempfile::TempDir,
    case: &'static str,
    config: Value,
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

impl Adapter {
    fn of(case: &'static str) -> Self {
        let folder = golden(case).join("0");
        let config = serde_json::from_slice(&fs::read(folder.join("adapter_config.json")).unwrap()).unwrap();
        let bytes = fs::read(folder.join("adapter_model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = tensors
            .iter()
            .map(|(name, t)| (name.to_owned(), (t.dtype(), t.shape().to_vec(), t.data().to_vec())))
            .collect();
        Self { parent: tempfile::tempdir().unwrap(), case, config, tensors }
    }

    fn llama() -> Self {
        Self::of("patterns-rslora")
    }

    fn set(mut self, key: &str, value: Value) -> Self {
        self.config[key] = value;
        self
    }

    /// Zeros of this shape.
    fn tensor(mut self, name: &str, shape: &[usize]) -> Self {
        let bytes = vec![0; shape.iter().product::<usize>() * 4];
        self.tensors.insert(format!("base_model.model.{name}"), (Dtype::F32, shape.to_vec(), bytes));
        self
    }

    fn without(mut self, name: &str) -> Self {
        assert!(self.tensors.remove(&format!("base_model.model.{name}")).is_some());
        self
    }

    fn open_on(&self, base: &str, raw: bool) -> Result<Checkpoint, Error> {
        let folder = self.parent.path().join("adapter");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("adapter_config.json"), self.config.to_string()).unwrap();
        let views = self.tensors.iter().map(|(name, (dtype, shape, bytes))| {
            (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        safetensors::serialize_to_file(views, None, &folder.join("adapter_model.safetensors")).unwrap();
        let base = model(self.parent.path(), base, "base");
        Checkpoint::open(&base, &options().with_raw(raw).with_adapter(folder, 1.0))
    }

    #[track_caller]
    fn fails(&self, parts: &[&str]) {
        let error = self.open_on(self.case, false).map(|_| ()).unwrap_err().to_string();
        check(&error, parts);
    }
}

#[track_caller]
fn check(error: &str, parts: &[&str]) {
    assert!(!error.contains('\n'), "{error}");
    for part in parts {
        assert!(error.contains(part), "no `{part}` in: {error}");
    }
}

#[test]
fn an_adapter_for_another_base_is_refused_with_all_that_does_not_fit() {
    let error = Adapter::llama().open_on("gpt2-dora", false).map(|_| ()).unwrap_err().to_string();
    check(&error, &["adapter: the adapter does not fit the base model", "the base has no weight"]);
    for module in ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] {
        check(&error, &[&format!("{module}.lora_A.weight"), &format!("{module}.lora_B.weight")]);
    }
    // The same names in other sizes.
    let layer = "model.layers.0.self_attn";
    let narrow = Adapter::llama()
        .tensor(&format!("{layer}.q_proj.lora_A.weight"), &[4, 6])
        .tensor(&format!("{layer}.k_proj.lora_B.weight"), &[3, 4]);
    narrow.fails(&[
        "q_proj.lora_A.weight and",
        "shape [8, 6], expected [8, 8]",
        "shape [3, 8], expected [4, 8]",
    ]);
    check(
        &Adapter::of("ends-dora")
            .tensor("lm_head.weight", &[2, 8])
            .open_on("ends-dora", false)
            .unwrap_err()
            .to_string(),
        &["lm_head.weight: shape [2, 8], expected [456, 8]"],
    );
}

#[test]
fn factors_and_lengths_that_are_missing_or_too_many_are_named() {
    let q = "model.layers.0.self_attn.q_proj";
    let half = Adapter::llama().without(&format!("{q}.lora_B.weight"));
    half.fails(&["q_proj.lora_A.weight: without the other factor"]);
    Adapter::llama()
        .tensor("model.norm.lora_C.weight", &[1])
        .fails(&["lora_C.weight: is no tensor of LoRA's"]);
    Adapter::llama()
        .tensor("model.extra.weight", &[1])
        .fails(&["model.extra.weight: the base has no model.extra.weight"]);
    Adapter::llama().tensor(&format!("{q}.lora_A.default.weight"), &[4, 8]).fails(&["are the same tensor"]);
    Adapter::llama().tensor(&format!("{q}.lora_magnitude_vector"), &[8]).fails(&["use_dora is off"]);
    Adapter::llama()
        .tensor(&format!("{q}.lora_B.bias"), &[8])
        .fails(&["the base has no model.layers.0.self_attn.q_proj.bias"]);
    Adapter::llama().set("use_dora", json!(true)).fails(&["q_proj: without lora_magnitude_vector"]);
    let long = Adapter::of("ends-dora").tensor("lm_head.lora_magnitude_vector", &[7]);
    long.fails(&["lm_head.lora_magnitude_vector: shape [7], expected a length for each of 456 outputs"]);
    // What nothing would be done with.
    let lengths =
        Adapter::llama().set("use_dora", json!(true)).tensor("model.norm.lora_magnitude_vector", &[8]);
    lengths.fails(&["model.norm.lora_magnitude_vector: without the factors"]);
    Adapter::llama()
        .tensor("model.layers.0.mlp.up_proj.lora_embedding_A", &[4, 12])
        .tensor("model.layers.0.mlp.up_proj.lora_embedding_B", &[8, 4])
        .fails(&["up_proj.lora_embedding_A: the module has linear factors, too"]);
    Adapter::of("bias")
        .without(&format!("{q}.lora_A.weight"))
        .without(&format!("{q}.lora_B.weight"))
        .fails(&["q_proj.lora_B.bias: without the factors"]);
    Adapter::of("mixtral")
        .set("trainable_token_indices", json!([1]))
        .tensor("model.layers.0.mlp.experts.token_adapter.trainable_tokens_delta", &[1, 8])
        .fails(&["trainable_tokens_delta: the module is no embedding of the base's"]);
    Adapter::of("mixtral").set("use_dora", json!(true)).fails(&["gate_up_proj: DoRA of a parameter"]);
    Adapter::of("patterns-rslora")
        .set("trainable_token_indices", json!([1]))
        .tensor("model.norm.token_adapter.trainable_tokens_delta", &[1, 8])
        .fails(&["trainable_tokens_delta: the base's model.norm.weight has shape [8], no rows"]);
    let mut whole = Adapter::llama();
    whole.tensors.values_mut().next().unwrap().0 = Dtype::I32;
    whole.fails(&["dtype I32, expected F16, BF16 or F32"]);
}

#[test]
fn ranks_must_be_those_of_the_config() {
    let error = Adapter::llama().set("r", json!(5));
    error.fails(&[
        "q_proj.lora_A.weight: rank 4, expected 5 by adapter_config.json",
        "down_proj.lora_A.weight: rank 4",
    ]);
    Adapter::of("mixtral")
        .set("rank_pattern", json!({}))
        .fails(&["rank 32, expected 4 for each of 4 experts"]);
    Adapter::llama()
        .set("r", json!(1u64 << 40))
        .fails(&["key `r` is 1099511627776, expected a positive integer"]);
    let q = "model.layers.0.self_attn.q_proj";
    let rank = 300_000;
    let huge = Adapter::llama()
        .set("rank_pattern", json!({"q_proj": rank}))
        .tensor(&format!("{q}.lora_A.weight"), &[rank, 8])
        .tensor(&format!("{q}.lora_B.weight"), &[8, rank]);
    huge.fails(&["rank 300000, expected at most 262144"]);
}

#[test]
fn configs_that_are_not_understood_are_refused() {
    Adapter::llama()
        .set("peft_type", json!("LOHA"))
        .fails(&["adapter_config.json: key `peft_type` is \"LOHA\", expected \"LORA\""]);
    Adapter::llama().set("lora_alpha", json!("6")).fails(&["key `lora_alpha` is \"6\", expected a number"]);
    Adapter::llama().set("lora_alpha", json!(1e300)).fails(&["lora_alpha", "within the range of F32"]);
    Adapter::llama()
        .set("alpha_pattern", json!({"(": 1}))
        .fails(&["key `alpha_pattern` is \"(\", expected a regular"]);
    Adapter::llama().set("rank_pattern", json!({"q_proj": 0})).fails(&["key `rank_pattern.q_proj` is 0"]);
    Adapter::llama().set("init_lora_weights", json!("pissa_niter_4")).fails(&["pissa", "path_initial_model"]);
    Adapter::llama()
        .set("init_lora_weights", json!("lora_ga"))
        .fails(&["\"lora_ga\"", "leaves the base as it is"]);
    Adapter::llama().set("use_qalora", json!(true)).fails(&["key `use_qalora` is true", "is not read"]);
    let tokens = Adapter::of("tokens").set("trainable_token_indices", json!({"embed_tokens": [3, 456, 7]}));
    tokens.fails(&["trainable_tokens_delta: shape [3, 8] for 3 tokens", "below 456"]);
    let tokens = Adapter::of("tokens").set("trainable_token_indices", json!({"other": [3]}));
    tokens.fails(&["key `trainable_token_indices`", "a list of tokens"]);
}

#[test]
fn a_scale_that_is_not_finite_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let base = model(parent.path(), "three", "base");
    let options = options().with_adapter(golden("three").join("0"), f64::NAN);
    check(
        &Checkpoint::open(&base, &options).unwrap_err().to_string(),
        &["q_proj: scale NaN, expected a finite"],
    );
}

#[test]
fn two_adapters_may_not_change_what_one_replaces() {
    let parent = tempfile::tempdir().unwrap();
    let base = model(parent.path(), "tied-head", "base");
    let adapter = golden("tied-head").join("0");
    let options = options().with_adapter(&adapter, 1.0).with_adapter(&adapter, 1.0);
    check(
        &Checkpoint::open(&base, &options).unwrap_err().to_string(),
        &["lm_head.weight: another adapter changes the same weight"],
    );
}

#[test]
fn an_adapter_cut_short_or_garbled_is_an_error_of_one_line() {
    let parent = tempfile::tempdir().unwrap();
    let base = model(parent.path(), "three", "base");
    let folder = parent.path().join("adapter");
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        copy(&golden("three").join("1"), &folder);
        let whole = fs::read(folder.join(file)).unwrap();
        for cut in (0..whole.len()).step_by(97) {
            fs::write(folder.join(file), &whole[..cut]).unwrap();
            let error =
                Checkpoint::open(&base, &options().with_adapter(&folder, 1.0)).unwrap_err().to_string();
            check(&error, &[file]);
        }
        // One byte of another value: an error, or another adapter; never a panic.
        for place in (0..whole.len()).step_by(31) {
            let mut garbled = whole.clone();
            garbled[place] ^= 0x41;
            fs::write(folder.join(file), &garbled).unwrap();
            if let Err(error) = Checkpoint::open(&base, &options().with_adapter(&folder, 1.0)) {
                check(&error.to_string(), &["adapter"]);
            }
        }
    }
}

#[test]
fn an_adapter_alone_says_what_to_do_with_it() {
    let folder = golden("three").join("0");
    let error = Checkpoint::open(&folder, &Options::new()).unwrap_err().to_string();
    check(&error, &["an adapter, not a model", "--lora"]);
    // A folder without an adapter, or without its tensors.
    let parent = tempfile::tempdir().unwrap();
    let base = model(parent.path(), "three", "base");
    let error = Checkpoint::open(&base, &options().with_adapter(parent.path(), 1.0)).unwrap_err().to_string();
    check(&error, &["adapter_config.json", "No such file"]);
    fs::copy(folder.join("adapter_config.json"), parent.path().join("adapter_config.json")).unwrap();
    let error = Checkpoint::open(&base, &options().with_adapter(parent.path(), 1.0)).unwrap_err().to_string();
    check(&error, &["no adapter_model.safetensors", "adapter_model.bin is not read"]);
}

/// The adapter of a case as a file of its own.
fn file(case: &str) -> Result<Checkpoint, Error> {
    Checkpoint::open(&golden(case).join("0"), &Options::new().with_base(golden(case).join("base")))
}

#[test]
fn an_adapter_file_applied_as_llama_cpp_does_gives_what_peft_merges() {
    let parent = tempfile::tempdir().unwrap();
    for (case, alpha) in [("patterns-rslora", 12.0), ("mixtral", 6.0), ("gpt-oss", 6.0)] {
        let adapter = file(case).unwrap();
        let (key, value) = adapter.metadata().iter().last().unwrap();
        assert_eq!((key, value), ("adapter.lora.alpha", &gguf_format::Value::F32(alpha)), "{case}");
        let factors = all(&adapter);
        let dims: BTreeMap<_, _> =
            adapter.tensors().iter().map(|t| (t.name.as_str(), t.dims.as_slice())).collect();
        let of = |folder| Checkpoint::open(&model(parent.path(), case, folder), &options()).unwrap();
        let (base, peft) = (of("base"), all(&of("merged")));
        for (number, tensor) in base.tensors().iter().enumerate() {
            let (a, b) = (format!("{}.lora_a", tensor.name), format!("{}.lora_b", tensor.name));
            let Some(left) = factors.get(&b) else { continue };
            let (right, rank) = (&factors[&a], dims[b.as_str()][0] as usize);
            let (cols, rows) = (tensor.dims[0] as usize, tensor.dims[1] as usize);
            assert_eq!(dims[a.as_str()][..2], [cols as u64, rank as u64], "{case}: {a}");
            assert_eq!(dims[b.as_str()][1], rows as u64, "{case}: {b}");
            let expected = &peft[&tensor.name];
            let largest = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
            for (at, weight) in values(&base, number).into_iter().enumerate() {
                let (matrix, row, col) = (at / cols / rows, at / cols % rows, at % cols);
                let product =
                    |k| right[(matrix * rank + k) * cols + col] * left[(matrix * rows + row) * rank + k];
                let sum: f32 = (0..rank).map(product).sum();
                let distance = (weight + sum * alpha / rank as f32 - expected[at]).abs();
                assert!(distance <= TOLERANCE * largest, "{case}: {} {at}", tensor.name);
            }
        }
    }
}

#[test]
fn what_no_adapter_file_can_tell_is_named() {
    let error = |case| file(case).map(|_| ()).unwrap_err().to_string();
    check(&error("ends-dora"), &["cannot be told as an adapter file: DoRA", "--lora"]);
    check(&error("tied-head"), &["base_model.model.lm_head.weight: is no factor", "--lora"]);
    let ranks = error("qwen3moe-patterns");
    check(&ranks, &["experts.1.gate_proj: rank 4, model.layers.0.mlp.experts.0.gate_proj has 3", "--lora"]);
    check(&error("bias"), &["q_proj.lora_B.bias: is no factor", "v_proj.lora_B.bias"]);
    // Embeddings that are the head, too.
    let parent = tempfile::tempdir().unwrap();
    copy(&golden("ends-dora").join("base"), parent.path());
    let config = parent.path().join("config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"))
        .unwrap();
    let options = Options::new().with_base(parent.path());
    let tied = Checkpoint::open(&golden("ends-dora").join("0"), &options).unwrap_err().to_string();
    check(&tied, &["embed_tokens: head and embeddings are one tensor", "lm_head: head and embeddings"]);
    // For another base: everything is named.
    let options = Options::new().with_base(golden("gpt2-dora").join("base"));
    let other = Checkpoint::open(&golden("patterns-rslora").join("0"), &options).unwrap_err().to_string();
    check(&other, &["self_attn.q_proj.weight: no weight of gpt2", "mlp.down_proj.weight: no weight of gpt2"]);
    // For a base whose config speaks of sizes that no weight has.
    let huge = tempfile::tempdir().unwrap();
    copy(&golden("gpt-oss").join("base"), huge.path());
    let config = huge.path().join("config.json");
    let mut raw: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    for key in ["hidden_size", "intermediate_size"] {
        raw[key] = json!(u32::MAX);
    }
    fs::write(&config, raw.to_string()).unwrap();
    let options = Options::new().with_base(huge.path());
    let error = Checkpoint::open(&golden("gpt-oss").join("0"), &options).map(|_| ()).unwrap_err().to_string();
    check(&error, &["mlp.experts.gate_up_proj", "contradicts itself"]);
    // What is no adapter has no base.
    let base = golden("bias").join("base");
    let error = Checkpoint::open(&base, &Options::new().with_base(&base)).unwrap_err().to_string();
    check(&error, &["no adapter_config.json", "for an adapter only"]);
    // An adapter cannot be merged into an adapter.
    let adapter = golden("three").join("0");
    let options = Options::new().with_base(golden("three").join("base")).with_adapter(&adapter, 1.0);
    check(&Checkpoint::open(&adapter, &options).unwrap_err().to_string(), &["merged into models only"]);
}

#[test]
fn tensors_as_they_are_can_be_merged_by_their_exact_names() {
    let adapter = Adapter::llama();
    let checkpoint = adapter.open_on(adapter.case, true).unwrap();
    let raw = all(&checkpoint);
    let mapped = all(&adapter.open_on(adapter.case, false).unwrap());
    assert_eq!(raw["model.layers.0.mlp.up_proj.weight"], mapped["blk.0.ffn_up.weight"]);
}
