//! The folders of `conformance/scripts/class_models.py`, from their descriptions: config, tokenizer, and tensors whose
//! values are a function of names and numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize_to_file};
use serde::Deserialize;
use serde_json::{Value, json};

/// A folder, described.
#[derive(Deserialize)]
pub(crate) struct Description {
    /// The fixture model whose tokenizer it has.
    tokenizer: String,
    /// Tokens that the tokenizer has in addition.
    added: Vec<String>,
    /// Other files.
    files: BTreeMap<String, Value>,
    /// Names and shapes of tensors, by dtype.
    tensors: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
}

impl Description {
    pub(crate) fn read(path: &Path) -> Self {
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Writes the folder within `parent` and gives its path.
    pub(crate) fn write(&self, parent: &Path, name: &str) -> PathBuf {
        let out = parent.join(name);
        fs::create_dir_all(&out).unwrap();
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixture-models/models");
        for file in [
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "vocab.txt",
            "added_tokens.json",
            "tokenizer.model",
            "spiece.model",
            "sentencepiece.bpe.model",
        ] {
            let from = models.join(&self.tokenizer).join(file);
            if from.is_file() {
                fs::copy(from, out.join(file)).unwrap();
            }
        }
        if !self.added.is_empty() {
            add_tokens(&out, &self.added);
        }
        for (name, content) in &self.files {
            fs::write(out.join(name), content.to_string()).unwrap();
        }
        let mut tensors = Vec::new();
        for (dtype, by_name) in &self.tensors {
            let dtype: Dtype = serde_json::from_value(json!(dtype)).unwrap();
            for (name, shape) in by_name {
                tensors.push((name, shape, dtype, values(name, dtype, shape)));
            }
        }
        let views = tensors.iter().map(|(name, shape, dtype, data)| {
            (name.as_str(), TensorView::new(*dtype, shape.to_vec(), data).unwrap())
        });
        serialize_to_file(views, None, &out.join("model.safetensors")).unwrap();
        out
    }
}

/// Appends added tokens to a tokenizer, as the script does.
fn add_tokens(folder: &Path, tokens: &[String]) {
    let [tokenizer, config] = ["tokenizer.json", "tokenizer_config.json"].map(|name| folder.join(name));
    let [mut document, mut settings]: [Value; 2] =
        [&tokenizer, &config].map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap());
    let ids = document["added_tokens"].as_array().unwrap().iter().map(|t| t["id"].as_u64().unwrap() + 1);
    let vocab = document["model"]["vocab"].as_object().unwrap().len() as u64;
    let first = ids.max().unwrap_or_default().max(vocab);
    for (id, content) in (first..).zip(tokens) {
        let mut token = json!({
            "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": true,
        });
        settings["added_tokens_decoder"][id.to_string()] = token.clone();
        token["id"] = json!(id);
        document["added_tokens"].as_array_mut().unwrap().push(token);
    }
    fs::write(tokenizer, document.to_string()).unwrap();
    fs::write(config, settings.to_string()).unwrap();
}

/// 64 bits for an element of a tensor: SplitMix64, seeded with the FNV-1a of the tensor's name.
fn bits(seed: u64, element: u64) -> u64 {
    let mut z = seed.wrapping_add(element.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A tensor's bytes, as `class_models.values` makes them.
fn values(name: &str, dtype: Dtype, shape: &[usize]) -> Vec<u8> {
    let seed =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let norm = name.to_lowercase().contains("norm") && shape.len() == 1 && name.ends_with("weight");
    let wide = if dtype == Dtype::F32 { 22 } else { 7 };
    let mut out = Vec::new();
    for i in 0..shape.iter().product::<usize>() as u64 {
        let z = bits(seed, i);
        let unit = (z >> (64 - wide)) as f32 / (1u32 << wide) as f32;
        let value = if norm {
            1.0 + unit
        } else if name.ends_with("A_log") {
            (z >> 58) as f32 / 32.0
        } else {
            (unit - 0.5) / 4.0
        };
        match dtype {
            Dtype::F32 => out.extend(value.to_le_bytes()),
            Dtype::F16 => out.extend(half::f16::from_f32(value).to_le_bytes()),
            Dtype::BF16 => out.extend(half::bf16::from_f32(value).to_le_bytes()),
            Dtype::I64 => out.extend(i.to_le_bytes()),
            Dtype::U8 if name.ends_with("_scales") => out.push(120 + (z >> 61) as u8),
            Dtype::U8 => out.push((z >> 56) as u8),
            Dtype::BOOL => out.push((z >> 56) as u8 % 2),
            other => out.resize(out.len() + other.bitsize() / 8, 1),
        }
    }
    out
}
