//! Tiny models of every class that is converted, and of every way to pack weights, from hf-checkpoint's golden files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::folders::copy;

/// A folder, described.
#[derive(Deserialize)]
struct Description {
    /// The fixture model whose tokenizer it has.
    tokenizer: String,
    /// Other files.
    files: BTreeMap<String, Value>,
    /// Names and shapes of tensors, by dtype.
    tensors: BTreeMap<String, BTreeMap<String, Vec<u64>>>,
}

/// Where the descriptions lie.
pub(crate) fn golden() -> PathBuf {
    crate::root().join("crates/hf-checkpoint/tests/golden/classes")
}

/// Where models of packed weights lie.
pub(crate) fn golden_packed() -> PathBuf {
    crate::root().join("crates/hf-checkpoint/tests/golden/packed")
}

/// Writes a model as a folder within `parent`; its weights are all zero. `None` if there is no such model.
pub(crate) fn write(name: &str, parent: &Path) -> Option<PathBuf> {
    let text = fs::read(golden().join(name).with_extension("json")).ok()?;
    let model: Description = serde_json::from_slice(&text).expect("a golden description");
    let out = parent.join(name);
    fs::create_dir_all(&out).expect("a folder");
    let models = crate::root().join("conformance/fixture-models/models");
    let other = ["config.json", "generation_config.json", "README.md", "peer.json"];
    copy(&models.join(&model.tokenizer), &out, |file| !other.contains(&file));
    for (file, content) in &model.files {
        fs::write(out.join(file), content.to_string()).expect("a file");
    }
    write_zeros(&out.join("model.safetensors"), &model.tensors);
    Some(out)
}

/// Writes a model of packed weights as a folder within `parent`; `None` if there is no such model.
pub(crate) fn write_packed(name: &str, parent: &Path) -> Option<PathBuf> {
    let golden = golden_packed().join(name);
    if !golden.join("config.json").is_file() {
        return None;
    }
    let out = parent.join(name);
    fs::create_dir_all(&out).expect("a folder");
    copy(&golden, &out, |file| ["config.json", "model.safetensors"].contains(&file));
    let models = crate::root().join("conformance/fixture-models/models");
    copy(&models.join("Tiny-Llama-3.2-1M-Instruct"), &out, |file| file.contains("token"));
    Some(out)
}

/// A safetensors file whose bytes are a hole.
fn write_zeros(path: &Path, tensors: &BTreeMap<String, BTreeMap<String, Vec<u64>>>) {
    let mut header = Map::new();
    let mut end = 0;
    for (dtype, by_name) in tensors {
        let size: u64 = match dtype.as_str() {
            "F64" | "I64" | "U64" => 8,
            "F32" | "I32" | "U32" => 4,
            "F16" | "BF16" | "I16" | "U16" => 2,
            _ => 1,
        };
        for (name, shape) in by_name {
            let start = end;
            end += shape.iter().product::<u64>() * size;
            header.insert(
                name.clone(),
                json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }),
            );
        }
    }
    let mut header = Value::Object(header).to_string();
    // Tensors of eight bytes an element come aligned, as the format's own writer has them.
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut file = File::create(path).expect("a file");
    file.write_all(&(header.len() as u64).to_le_bytes()).expect("a header");
    file.write_all(header.as_bytes()).expect("a header");
    file.set_len(8 + header.len() as u64 + end).expect("room");
}
