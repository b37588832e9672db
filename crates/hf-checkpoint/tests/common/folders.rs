//! Hugging Face folders of a few thousand weights, written by the tests, each with its own turn.
//!
//! Tokenizers are those of the fixture models; configuration and weights are made here.
#![expect(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize_to_file};
use serde_json::{Value, json};

/// A tensor of a folder: name, shape (outermost first), dtype.
pub(crate) type Spec = (String, Vec<usize>, Dtype);

/// A folder that the real converter takes, too.
pub(crate) struct Folder {
    pub(crate) name: &'static str,
    /// The fixture model whose tokenizer it has.
    pub(crate) tokenizer: &'static str,
    /// The converter's `--outtype` that loses nothing.
    pub(crate) outtype: &'static str,
    /// What the converter is told of the pre-tokenizer, which it cannot look up for a small vocabulary.
    pub(crate) pre: Option<&'static str>,
    pub(crate) config: fn() -> Value,
    pub(crate) tensors: fn(&Value) -> Vec<Spec>,
    /// Other files.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Tensors a shard; 0: one file.
    pub(crate) shard: usize,
}

const LLAMA3: &str = "Tiny-Llama-3.2-1M-Instruct";
const SENTENCE_PIECE: &str = "spm-llama";
const QWEN2: &str = "qwen2.5-mini-chat";
const QWEN3: &str = "Qwen3-0.001B-Thinking-2507";
const BERT: &str = "all-tiny-L2-v2";

fn decoder_config(changes: &Value) -> Value {
    let mut config = json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 456,
        "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "bos_token_id": 448, "eos_token_id": 449,
    });
    merge(&mut config, changes);
    config
}

fn bert_config(changes: &Value) -> Value {
    let mut config = json!({
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 511, "max_position_embeddings": 24,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0,
    });
    merge(&mut config, changes);
    config
}

/// Sets keys; null takes one out.
fn merge(config: &mut Value, changes: &Value) {
    let (Some(config), Some(changes)) = (config.as_object_mut(), changes.as_object()) else { return };
    for (key, value) in changes {
        if value.is_null() {
            config.remove(key);
        } else {
            config.insert(key.clone(), value.clone());
        }
    }
}

fn size(config: &Value, key: &str) -> Option<usize> {
    Some(config[key].as_u64()? as usize)
}

/// A decoder's tensors; `head_dim` and `kv` where the config does not say them itself.
fn decoder(config: &Value, dtype: Dtype, norm: Dtype, prefix: &str, extras: &[&str]) -> Vec<Spec> {
    let get = |key| size(config, key);
    let (hidden, ffn, vocab) =
        (get("hidden_size").unwrap(), get("intermediate_size").unwrap(), get("vocab_size").unwrap());
    let heads = get("num_attention_heads").unwrap();
    let default_dim = if config["model_type"] == "qwen3" { 128 } else { hidden / heads };
    let dim = get("head_dim").unwrap_or(default_dim);
    let default_kv = if config["model_type"] == "mistral" { 8 } else { heads };
    let keys = get("num_key_value_heads").unwrap_or(default_kv) * dim;
    let (queries, has) = (heads * dim, |what| extras.contains(&what));
    let mut out: Vec<Spec> = Vec::new();
    let mut add =
        |name: String, shape: &[usize], dtype| out.push((format!("{prefix}{name}"), shape.to_vec(), dtype));
    add("embed_tokens.weight".into(), &[vocab, hidden], dtype);
    add("norm.weight".into(), &[hidden], norm);
    for i in 0..get("num_hidden_layers").unwrap() {
        let linear = [
            ("self_attn.q_proj", queries, hidden, has("qkv_bias")),
            ("self_attn.k_proj", keys, hidden, has("qkv_bias")),
            ("self_attn.v_proj", keys, hidden, has("qkv_bias")),
            ("self_attn.o_proj", hidden, queries, has("o_bias")),
            ("mlp.gate_proj", ffn, hidden, has("mlp_bias")),
            ("mlp.up_proj", ffn, hidden, has("mlp_bias")),
            ("mlp.down_proj", hidden, ffn, has("mlp_bias")),
        ];
        for (name, rows, columns, bias) in linear {
            add(format!("layers.{i}.{name}.weight"), &[rows, columns], dtype);
            if bias {
                add(format!("layers.{i}.{name}.bias"), &[rows], dtype);
            }
        }
        for name in ["input_layernorm", "post_attention_layernorm"] {
            add(format!("layers.{i}.{name}.weight"), &[hidden], norm);
        }
        if has("qk_norm") {
            for name in ["q_norm", "k_norm"] {
                add(format!("layers.{i}.self_attn.{name}.weight"), &[dim], norm);
            }
        }
        if has("inv_freq") {
            add(format!("layers.{i}.self_attn.rotary_emb.inv_freq"), &[dim / 2], Dtype::F32);
        }
    }
    if has("lm_head") {
        out.push(("lm_head.weight".into(), vec![vocab, hidden], dtype));
    }
    out
}

fn bert(config: &Value, dtype: Dtype, prefix: &str, old_names: bool) -> Vec<Spec> {
    let get = |key| size(config, key).unwrap();
    let (hidden, ffn) = (get("hidden_size"), get("intermediate_size"));
    let (weight, bias) = if old_names { ("gamma", "beta") } else { ("weight", "bias") };
    let mut out: Vec<Spec> = Vec::new();
    let mut add =
        |name: String, shape: &[usize], dtype| out.push((format!("{prefix}{name}"), shape.to_vec(), dtype));
    for (name, rows) in [
        ("word", get("vocab_size")),
        ("position", get("max_position_embeddings")),
        ("token_type", get("type_vocab_size")),
    ] {
        add(format!("embeddings.{name}_embeddings.weight"), &[rows, hidden], dtype);
    }
    add("embeddings.position_ids".into(), &[1, get("max_position_embeddings")], Dtype::I64);
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for i in 0..get("num_hidden_layers") {
        let layer = format!("encoder.layer.{i}");
        for (name, rows, columns) in [
            ("attention.self.query", hidden, hidden),
            ("attention.self.key", hidden, hidden),
            ("attention.self.value", hidden, hidden),
            ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", ffn, hidden),
            ("output.dense", hidden, ffn),
        ] {
            add(format!("{layer}.{name}.weight"), &[rows, columns], dtype);
            add(format!("{layer}.{name}.bias"), &[rows], dtype);
        }
        norms.extend([format!("{layer}.attention.output.LayerNorm"), format!("{layer}.output.LayerNorm")]);
    }
    for norm in norms {
        add(format!("{norm}.{weight}"), &[hidden], dtype);
        add(format!("{norm}.{bias}"), &[hidden], dtype);
    }
    add("pooler.dense.weight".into(), &[hidden, hidden], dtype);
    add("pooler.dense.bias".into(), &[hidden], dtype);
    out
}

const CARD: &str = "---
license: other
license_name: acme-license
license_link: https://example.com/license
language:
- en
- no
tags:
- chat
- 'two words'
pipeline_tag: text-generation
base_model:
- acme/Base-Llama-7b-v1.5
- https://huggingface.co/acme/Other-Model-v2
- https://example.com/model
- name: By Hand
  author: Someone
  version: '3'
datasets: acme/some-data-v1
model_creator: Acme Inc.
description: A card with everything.
repo_url: https://example.com/repo
---
# A model
";

/// The folders, each for something.
pub(crate) static FOLDERS: &[Folder] = &[
    // The bare model: names without prefix, biases everywhere, an old form of rope scaling, a name full of hints.
    Folder {
        name: "acme-Tiny-LLaMa-7b1-128k-chat-q4_k_v2.1",
        tokenizer: LLAMA3,
        outtype: "f16",
        pre: Some("llama-bpe"),
        config: || {
            decoder_config(&json!({
                "architectures": ["LlamaModel"], "attention_bias": true, "mlp_bias": true, "torch_dtype": "float16",
                "rope_scaling": {"type": "linear", "factor": 2}, "rope_theta": 12345,
                "_name_or_path": "some-org/Some-Base-3B-instruct",
            }))
        },
        tensors: |c| decoder(c, Dtype::F16, Dtype::F16, "", &["qkv_bias", "o_bias", "mlp_bias"]),
        files: &[],
        shard: 0,
    },
    // Frequency factors, heads wider than hidden / heads, an output head beside tied embeddings, a full card.
    Folder {
        name: "llama3-rope",
        tokenizer: LLAMA3,
        outtype: "bf16",
        pre: Some("llama-bpe"),
        config: || {
            decoder_config(&json!({
                "head_dim": 64, "rope_theta": 500000.0, "tie_word_embeddings": true, "rope_scaling": {
                    "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                    "original_max_position_embeddings": 8192, "rope_type": "llama3"},
            }))
        },
        tensors: |c| decoder(c, Dtype::BF16, Dtype::F32, "model.", &["lm_head", "inv_freq"]),
        files: &[
            ("README.md", CARD),
            (
                "generation_config.json",
                r#"{"temperature": 1, "top_p": 0.95, "top_k": 40, "min_p": 0.05, "repetition_penalty": 1.1,
                    "mirostat": 2, "mirostat_tau": 5.0, "mirostat_eta": 0.1, "penalty_last_n": 64,
                    "sequence": "k;p", "xtc_probability": 0.5, "xtc_threshold": 0.1, "max_length": 10}"#,
            ),
        ],
        shard: 4,
    },
    // A config that transformers does not know: nothing is filled in.
    Folder {
        name: "no model type 1B",
        tokenizer: SENTENCE_PIECE,
        outtype: "f32",
        pre: None,
        config: || {
            decoder_config(&json!({
                "model_type": null, "vocab_size": 488, "rope_theta": 10000.5, "rope_scaling": {
                    "type": "yarn", "factor": 2.5, "original_max_position_embeddings": 256, "attn_factor": 1.25,
                    "beta_fast": 32, "beta_slow": 1, "extrapolation_factor": 0.5},
            }))
        },
        tensors: |c| decoder(c, Dtype::F32, Dtype::F32, "model.", &["lm_head"]),
        files: &[("README.md", "No front matter\n"), ("generation_config.json", "not json")],
        shard: 0,
    },
    // Hidden size no multiple of the heads: transformers refuses the config, the converter takes it as it stands.
    Folder {
        name: "-uneven--heads-",
        tokenizer: SENTENCE_PIECE,
        outtype: "bf16",
        pre: None,
        config: || {
            decoder_config(&json!({
                "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 6, "vocab_size": 488,
                "rope_parameters": {"rope_type": "default", "rope_theta": 3000.0}, "dtype": "bfloat16",
            }))
        },
        tensors: |c| decoder(c, Dtype::BF16, Dtype::BF16, "model.", &["lm_head"]),
        files: &[],
        shard: 0,
    },
    // Mistral's defaults: eight key heads, no context length, no epsilon, no rope parameters; norms in F64.
    Folder {
        name: "Mistral-8x-small-v0.1",
        tokenizer: LLAMA3,
        outtype: "bf16",
        pre: Some("llama-bpe"),
        config: || {
            decoder_config(&json!({
                "architectures": ["MistralForCausalLM"], "model_type": "mistral", "num_attention_heads": 16,
                "num_key_value_heads": null, "max_position_embeddings": null, "rms_norm_eps": null,
                "hidden_size": 64, "sliding_window": 4096, "_name_or_path": "",
            }))
        },
        tensors: |c| decoder(c, Dtype::BF16, Dtype::F64, "model.", &["lm_head"]),
        files: &[],
        shard: 0,
    },
    // Qwen2 as an embedding model, a config as transformers 5 writes it.
    Folder {
        name: "gte-qwen2-embed",
        tokenizer: QWEN2,
        outtype: "bf16",
        pre: Some("qwen2"),
        config: || {
            decoder_config(&json!({
                "architectures": ["Qwen2Model"], "model_type": "qwen2", "is_causal": false,
                "vocab_size": 512, "bos_token_id": 432, "eos_token_id": 434, "dtype": "bfloat16",
                "rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e6},
            }))
        },
        tensors: |c| decoder(c, Dtype::BF16, Dtype::BF16, "", &["qkv_bias"]),
        files: &[
            (
                "modules.json",
                r#"[{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
                    {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]"#,
            ),
            ("1_Pooling/config.json", r#"{"pooling_mode_lasttoken": true, "pooling_mode_cls_token": false}"#),
        ],
        shard: 0,
    },
    // Qwen3 with the default width of heads, biases, and rope parameters by kind of layer.
    Folder {
        name: "qwen3-nested-rope-0.0M-base",
        tokenizer: QWEN3,
        outtype: "f16",
        pre: Some("qwen2"),
        config: || {
            decoder_config(&json!({
                "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "attention_bias": true,
                "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 448, "bos_token_id": 436,
                "eos_token_id": 438, "tie_word_embeddings": true, "layer_types": ["full_attention", "full_attention"],
                "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 3.0, "rope_theta": 777.0}},
            }))
        },
        tensors: |c| decoder(c, Dtype::F16, Dtype::F16, "model.", &["qkv_bias", "o_bias", "qk_norm"]),
        files: &[(
            "README.md",
            "---\nname: Qwen Three\ntags: [a, b]\nlicense: [mit, apache-2.0]\nlanguage: fr\n---\n",
        )],
        shard: 0,
    },
    // A classifier of three classes in BERT's first spelling; F16, so that some tensors change type.
    Folder {
        name: "bert-classifier-L2",
        tokenizer: BERT,
        outtype: "f16",
        pre: Some("jina-v2-en"),
        config: || {
            bert_config(&json!({
                "architectures": ["BertForSequenceClassification"],
                "id2label": {"0": "no", "2": "yes", "1": "maybe"}, "label2id": {"no": 0, "maybe": 1, "yes": 2},
            }))
        },
        tensors: |c| {
            let mut tensors = bert(c, Dtype::F16, "bert.", true);
            tensors.push(("classifier.weight".into(), vec![3, 32], Dtype::F16));
            tensors.push(("classifier.bias".into(), vec![3], Dtype::F16));
            tensors
        },
        files: &[
            ("modules.json", r#"[{"path": "pool", "type": "x.Pooling"}]"#),
            ("pool/config.json", r#"{"pooling_mode": "cls"}"#),
        ],
        shard: 0,
    },
    // The head of pre-training, and the two classes that transformers makes up.
    Folder {
        name: "bert-masked-lm",
        tokenizer: BERT,
        outtype: "bf16",
        pre: Some("jina-v2-en"),
        config: || {
            bert_config(&json!({
                "architectures": ["BertForMaskedLM"], "type_vocab_size": null, "layer_norm_eps": null,
                "classifier_pooling": "mean",
            }))
        },
        tensors: |c| {
            let mut config = c.clone();
            merge(&mut config, &json!({"type_vocab_size": 2}));
            let mut tensors = bert(&config, Dtype::BF16, "bert.", false);
            tensors.push(("cls.predictions.bias".into(), vec![511], Dtype::BF16));
            tensors.push(("cls.seq_relationship.weight".into(), vec![2, 32], Dtype::BF16));
            tensors.push(("classifier.weight".into(), vec![2, 32], Dtype::BF16));
            tensors.push(("classifier.bias".into(), vec![2], Dtype::BF16));
            tensors
        },
        files: &[],
        shard: 0,
    },
];

/// The folder of that name.
pub(crate) fn folder(name: &str) -> &'static Folder {
    FOLDERS.iter().find(|f| f.name == name).unwrap()
}

impl Folder {
    /// Writes it within `parent` and gives its path.
    pub(crate) fn write(&self, parent: &Path) -> PathBuf {
        let config = (self.config)();
        self.write_changed(parent, &config, (self.tensors)(&config))
    }

    /// Writes it with another config or other tensors.
    pub(crate) fn write_changed(&self, parent: &Path, config: &Value, tensors: Vec<Spec>) -> PathBuf {
        let out = parent.join(self.name);
        fs::create_dir_all(&out).unwrap();
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixture-models/models");
        for file in [
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "vocab.txt",
            "tokenizer.model",
        ] {
            let from = models.join(self.tokenizer).join(file);
            if from.is_file() {
                fs::copy(from, out.join(file)).unwrap();
            }
        }
        fs::write(out.join("config.json"), config.to_string()).unwrap();
        for (name, text) in self.files {
            let path = out.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        write_weights(&out, tensors, self.shard);
        out
    }
}

/// Writes one `model.safetensors`, or shards of so many tensors with their index.
pub(crate) fn write_weights(out: &Path, mut tensors: Vec<Spec>, shard: usize) {
    if shard == 0 {
        return write_file(&out.join("model.safetensors"), &tensors);
    }
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let mut map = serde_json::Map::new();
    let count = tensors.len().div_ceil(shard);
    for (i, part) in tensors.chunks(shard).enumerate() {
        let file = format!("model-{:05}-of-{count:05}.safetensors", i + 1);
        map.extend(part.iter().map(|(name, ..)| (name.clone(), Value::from(file.clone()))));
        write_file(&out.join(file), part);
    }
    let index = json!({"metadata": {}, "weight_map": map});
    fs::write(out.join("model.safetensors.index.json"), index.to_string()).unwrap();
}

/// Writes a safetensors file.
pub(crate) fn write_file(path: &Path, tensors: &[Spec]) {
    let data: Vec<_> = tensors.iter().map(|(name, shape, dtype)| bytes(name, shape, *dtype)).collect();
    let views = tensors.iter().zip(&data).map(|((name, shape, dtype), data)| {
        (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    serialize_to_file(views, None, path).unwrap();
}

/// Values that every float type holds: whole numbers and quarters, different for each tensor.
fn bytes(name: &str, shape: &[usize], dtype: Dtype) -> Vec<u8> {
    let mut state =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut out = Vec::new();
    for i in 0..shape.iter().product::<usize>() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let v = ((state >> 40) % 255) as f32 / 4.0 - 32.0;
        match dtype {
            Dtype::F32 => out.extend(v.to_le_bytes()),
            Dtype::F64 => out.extend(f64::from(v).to_le_bytes()),
            Dtype::F16 => out.extend(half::f16::from_f32(v).to_le_bytes()),
            Dtype::BF16 => out.extend(half::bf16::from_f32(v).to_le_bytes()),
            Dtype::I64 => out.extend((i as i64).to_le_bytes()),
            other => out.resize(out.len() + other.bitsize() / 8, 1),
        }
    }
    out
}
