//! Whole Hugging Face folders: the committed files beside generated weights.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::family::{self, DECODER, FORWARD, MIXTURE, Part, Sizes, UNTIED};
use crate::models::{MODELS, Model};
use crate::safetensors::{self, Tensor};
use crate::weights::{self, Dtype, Kind};

/// Where the committed folders lie.
fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

/// All models, in the table's order.
#[must_use]
pub fn all() -> &'static [Model] {
    MODELS
}

/// The model of that name.
///
/// # Errors
/// [`Error::UnknownModel`], with the names there are.
pub fn model(name: &str) -> Result<&'static Model, Error> {
    MODELS.iter().find(|m| m.name == name).ok_or_else(|| Error::UnknownModel {
        name: name.to_owned(),
        known: MODELS.iter().map(|m| m.name).collect::<Vec<_>>().join(", "),
    })
}

/// Writes the model `name` as a Hugging Face folder within `parent` and returns the folder's path.
///
/// The folder is called as in [`Model::folder`]: peers and we read names and versions off it. What is there already is
/// overwritten.
///
/// # Errors
/// An unknown name, or what the operating system says.
pub fn write(name: &str, parent: impl AsRef<Path>) -> Result<PathBuf, Error> {
    let model = model(name)?;
    let out = parent.as_ref().join(model.folder);
    copy(&committed().join(model.folder), &out)?;
    safetensors::write(&out, &model.tensors(), model.shards)?;
    Ok(out)
}

impl Model {
    /// Its tensors, ready to be generated.
    fn tensors(&self) -> Vec<Tensor> {
        family::tensors(self.parts, &self.sizes)
            .into_iter()
            .map(|t| {
                let dtype = match t.kind {
                    Kind::Weight => self.dtype,
                    Kind::Norm | Kind::Bias => self.norm_dtype,
                    Kind::Positions => Dtype::I64,
                    Kind::InverseFrequencies => Dtype::F32,
                };
                let seeded_by = if self.same_blocks { t.template } else { t.name.as_str() };
                let seed = weights::seed(&format!("{}/{seeded_by}", self.name));
                Tensor { name: t.name, shape: t.shape, dtype, kind: t.kind, seed }
            })
            .collect()
    }

    /// Number of weights, of all tensors together.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.tensors().iter().map(Tensor::elements).sum()
    }
}

/// What a large synthetic model is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaled {
    /// A Llama: one feed-forward layer a block.
    Dense,
    /// A Mixtral: eight experts a block, all in one tensor.
    Mixture,
}

impl Scaled {
    fn parts(self) -> &'static [Part] {
        match self {
            Self::Dense => &[DECODER, FORWARD, UNTIED],
            Self::Mixture => &[DECODER, MIXTURE, UNTIED],
        }
    }
}

/// Writes a model of TinyLlama's width (hidden 2048, 32 heads, 4 key heads, feed-forward 5632, 32 000 tokens, own
/// head, BF16 in shards of about 1 GB) and at least `weights` weights as a Hugging Face folder within `parent`; returns
/// the folder and the number of weights. Memory stays at one small buffer.
///
/// # Errors
/// What the operating system says.
pub fn write_scaled(kind: Scaled, parent: impl AsRef<Path>, weights: u64) -> Result<(PathBuf, u64), Error> {
    let (sizes, total) = scaled(kind, weights);
    // A committed folder's tokenizer; the other 31 712 rows are the padding that the converter writes as well.
    let model = model("llama-10-layers")?;
    let out = parent.as_ref().join(format!("Scaled-{kind:?}-{}M", total / 1_000_000));
    copy(&committed().join(model.folder), &out)?;
    let path = out.join("config.json");
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    let mut config: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Error::malformed(&path, e.to_string()))?;
    for (key, value) in [
        ("hidden_size", 2048),
        ("intermediate_size", 5632),
        ("num_attention_heads", 32),
        ("num_key_value_heads", 4),
        ("num_hidden_layers", sizes.layers),
        ("vocab_size", 32_000),
    ] {
        config[key] = value.into();
    }
    if kind == Scaled::Mixture {
        config["architectures"] = serde_json::json!(["MixtralForCausalLM"]);
        config["model_type"] = "mixtral".into();
        config["num_local_experts"] = 8.into();
        config["num_experts_per_tok"] = 2.into();
    }
    std::fs::write(&path, format!("{config:#}\n")).map_err(Error::io(&path))?;

    let model = Model { name: "scaled", parts: kind.parts(), sizes, ..*model };
    let shards = (total * 2).div_ceil(1_000_000_000).max(1);
    safetensors::write(&out, &model.tensors(), shards as usize)?;
    Ok((out, total))
}

/// Writes a `DoRA` adapter of this rank, as peft saves them, for all projections of the model that [`write_scaled`] writes; returns
/// its folder.
///
/// # Errors
/// What the operating system says.
pub fn write_scaled_adapter(
    kind: Scaled,
    parent: impl AsRef<Path>,
    weights: u64,
    rank: u64,
) -> Result<PathBuf, Error> {
    let (sizes, total) = scaled(kind, weights);
    let model = Model { name: "scaled", parts: kind.parts(), sizes, ..*model("llama-10-layers")? };
    let mut tensors = Vec::new();
    for weight in model.tensors() {
        let (Some(module), &[outputs, inputs]) =
            (weight.name.strip_suffix("_proj.weight"), weight.shape.as_slice())
        else {
            continue;
        };
        for (end, shape, kind) in [
            ("lora_A.weight", vec![rank, inputs], Kind::Weight),
            ("lora_B.weight", vec![outputs, rank], Kind::Weight),
            ("lora_magnitude_vector", vec![outputs], Kind::Norm),
        ] {
            let name = format!("base_model.model.{module}_proj.{end}");
            let seed = weights::seed(&name);
            tensors.push(Tensor { name, shape, dtype: Dtype::F32, kind, seed });
        }
    }
    let out = parent.as_ref().join(format!("Adapter-{kind:?}-{}M", total / 1_000_000));
    std::fs::create_dir_all(&out).map_err(Error::io(&out))?;
    safetensors::write_file(&out.join("adapter_model.safetensors"), &tensors)?;
    let path = out.join("adapter_config.json");
    let config = serde_json::json!({ "peft_type": "LORA", "r": rank, "lora_alpha": rank, "use_dora": true });
    std::fs::write(&path, format!("{config:#}\n")).map_err(Error::io(&path))?;
    Ok(out)
}

/// The sizes of the scaled model with at least that many weights, and how many it has.
fn scaled(kind: Scaled, weights: u64) -> (Sizes, u64) {
    let sizes = |layers| Sizes {
        hidden: 2048,
        ffn: 5632,
        heads: 32,
        kv_heads: 4,
        head_dim: 64,
        vocab: 32_000,
        positions: 0,
        layers,
    };
    let count = |layers| -> u64 {
        family::tensors(kind.parts(), &sizes(layers)).iter().map(|t| t.shape.iter().product::<u64>()).sum()
    };
    let (none, block) = (count(0), count(1) - count(0));
    let layers = weights.saturating_sub(none).div_ceil(block).max(1);
    (sizes(layers), none + layers * block)
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(to).map_err(Error::io(to))?;
    for entry in std::fs::read_dir(from).map_err(Error::io(from))? {
        let entry = entry.map_err(Error::io(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            // `fs::copy` does not go on where a signal interrupts it, as in a fuzzer.
            let bytes = std::fs::read(&source).map_err(Error::io(&source))?;
            std::fs::write(&target, bytes).map_err(Error::io(&target))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapes and configuration are written in two places; they must say the same.
    #[test]
    fn tables_agree_with_the_configurations() {
        for model in all() {
            let path = committed().join(model.folder).join("config.json");
            let config: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(&path).expect("readable")).expect("JSON");
            let s = &model.sizes;
            let expected = [
                ("hidden_size", s.hidden),
                ("intermediate_size", s.ffn),
                ("num_attention_heads", s.heads),
                ("num_hidden_layers", s.layers),
                ("vocab_size", s.vocab),
            ];
            for (key, value) in expected {
                assert_eq!(config[key].as_u64(), Some(value), "{} {key}", model.name);
            }
            let kv = config.get("num_key_value_heads").and_then(serde_json::Value::as_u64).unwrap_or(s.heads);
            assert_eq!(kv, s.kv_heads, "{}", model.name);
            let head_dim =
                config.get("head_dim").and_then(serde_json::Value::as_u64).unwrap_or(s.hidden / s.heads);
            assert_eq!(head_dim, s.head_dim, "{}", model.name);
            if model.name != "bert" {
                let tied = config["tie_word_embeddings"].as_bool();
                let own_head = model.tensors().iter().any(|t| t.name == "lm_head.weight");
                assert_eq!(tied, Some(!own_head), "{}", model.name);
            }
        }
    }

    #[test]
    fn shards_hold_every_tensor_once_and_the_index_says_where() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let folder = write("llama-sharded", dir.path()).expect("written");
        let index: serde_json::Value = serde_json::from_str(
            &std::fs::read_to_string(folder.join("model.safetensors.index.json")).expect("an index"),
        )
        .expect("JSON");
        let map = index["weight_map"].as_object().expect("a map");
        let tensors = model("llama-sharded").expect("known").tensors();
        assert_eq!(map.len(), tensors.len());
        let mut bytes = 0;
        for i in 1..=3 {
            let file = format!("model-{i:05}-of-00003.safetensors");
            let data = std::fs::read(folder.join(&file)).expect("a shard");
            let n = u64::from_le_bytes(data[..8].try_into().expect("eight bytes")) as usize;
            let header: serde_json::Value = serde_json::from_slice(&data[8..8 + n]).expect("JSON");
            for (name, entry) in
                header.as_object().expect("a map").iter().filter(|(k, _)| *k != "__metadata__")
            {
                assert_eq!(map[name], file.as_str(), "{name}");
                let t = tensors.iter().find(|t| &t.name == name).expect("in the table");
                assert_eq!(entry["shape"], serde_json::json!(t.shape), "{name}");
            }
            bytes += data.len() - 8 - n;
        }
        assert_eq!(bytes as u64, tensors.iter().map(Tensor::bytes).sum::<u64>());
        assert_eq!(index["metadata"]["total_size"], bytes);
    }

    #[test]
    fn a_scaled_model_has_at_least_the_weights_asked_for() {
        let block = 2 * 2048 * 2048 + 2 * 256 * 2048 + 3 * 5632 * 2048 + 2 * 2048;
        let once = 2 * 32_000 * 2048 + 2048;
        assert_eq!(scaled(Scaled::Dense, 1).1, once + block);
        assert_eq!(scaled(Scaled::Dense, once + block).0.layers, 1);
        assert_eq!(scaled(Scaled::Dense, once + block + 1).0.layers, 2);
        assert!(scaled(Scaled::Dense, 1_350_000_000).1 >= 1_350_000_000);
        let experts = 8 * 3 * 5632 * 2048 + 8 * 2048;
        let block = 2 * 2048 * 2048 + 2 * 256 * 2048 + experts + 2 * 2048;
        assert_eq!(scaled(Scaled::Mixture, 1).1, once + block);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = write("gpt-9", "/nowhere").expect_err("unknown").to_string();
        assert!(message.contains("gpt-9") && message.contains("llama-spm"), "{message}");
    }
}
