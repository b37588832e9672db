//! `general.*`: what a model is called, what it was made from, how it should be sampled.
//!
//! The rules are those of gguf-py's `Metadata` (llama.cpp as vendored by llama-cpp-python 0.3.36): the model card
//! first, then `_name_or_path` of config.json, then the folder's name.

mod card;
mod model_id;
mod related;
mod sampling;
mod size_label;

pub(crate) use size_label::Count;

use gguf_format::Metadata;
use serde_json::Value;

use self::card::Card;
use self::model_id::{ModelId, title};
use self::related::Related;
use crate::bounded::Folder;
use crate::error::Error;

/// What the heuristics look at.
pub(crate) struct Input<'a> {
    pub folder: Folder<'a>,
    /// The folder's own name.
    pub folder_name: &'a str,
    /// config.json as it is in the file.
    pub config: &'a Value,
    /// The name that the user gives the model.
    pub model_name: Option<&'a str>,
    /// Elements of all tensors of the GGUF file.
    pub parameters: Count,
}

/// The fields that name a model, as far as they are known.
#[derive(Debug, Default)]
struct Naming {
    name: Option<String>,
    organization: Option<String>,
    basename: Option<String>,
    finetune: Option<String>,
    version: Option<String>,
    size_label: Option<String>,
}

impl Naming {
    /// Fills what is still unknown from a model's id or a folder's name.
    fn fill(&mut self, id: &str, parameters: i64) {
        let id = ModelId::parse(id, parameters);
        fill(&mut self.name, Some(title(&id.full_name)));
        fill(&mut self.organization, id.organization.as_deref().map(title));
        fill(&mut self.basename, id.basename);
        fill(&mut self.finetune, id.finetune);
        fill(&mut self.version, id.version);
        fill(&mut self.size_label, id.size_label);
    }
}

fn fill(field: &mut Option<String>, value: Option<String>) {
    if field.is_none() {
        *field = value;
    }
}

/// Writes a string, but no empty one: gguf-py leaves those out.
fn put(pairs: &mut Metadata, key: impl Into<String>, value: &str) {
    if !value.is_empty() {
        pairs.insert(key, value);
    }
}

fn put_some(pairs: &mut Metadata, key: impl Into<String>, value: Option<&str>) {
    if let Some(value) = value {
        put(pairs, key, value);
    }
}

fn put_list(pairs: &mut Metadata, key: &str, values: Vec<String>) {
    if !values.is_empty() {
        pairs.insert(key, values);
    }
}

/// Writes the pairs, in gguf-py's order.
pub(crate) fn write(input: &Input<'_>, pairs: &mut Metadata, notes: &mut Vec<String>) -> Result<(), Error> {
    let card = Card::read(input.folder, notes);
    let mut naming = Naming {
        name: card.text(&["name", "model_name"]),
        organization: card.text(&["organization", "model_organization"]),
        basename: card.text(&["basename", "model_basename", "model_type"]),
        finetune: card.text(&["finetune", "model_finetune"]),
        version: card.text(&["version", "model_version"]),
        size_label: card.text(&["size_label", "model_size_label"]),
    };
    // A path on somebody's disk has more than one slash, a model's id at most one.
    if let Some(id) = input.config.get("_name_or_path").and_then(Value::as_str)
        && id.matches('/').count() <= 1
    {
        naming.fill(id, input.parameters.signed());
    }
    naming.fill(input.folder_name, input.parameters.signed());
    if input.parameters.signed() > 0 {
        fill(&mut naming.size_label, Some(input.parameters.label()));
    }
    if let Some(name) = input.model_name {
        naming.name = Some(name.to_owned());
    }

    sampling::write(input.folder, pairs, notes)?;
    put_some(pairs, "general.name", naming.name.as_deref());
    put_some(pairs, "general.author", card.text(&["author", "model_author", "model_creator"]).as_deref());
    put_some(pairs, "general.version", naming.version.as_deref());
    put_some(pairs, "general.organization", naming.organization.as_deref());
    put_some(pairs, "general.finetune", naming.finetune.as_deref());
    put_some(pairs, "general.basename", naming.basename.as_deref());
    put_some(pairs, "general.description", card.text(&["description", "model_description"]).as_deref());
    put_some(pairs, "general.size_label", naming.size_label.as_deref());
    put_some(pairs, "general.license", card.joined("license", ",").as_deref());
    put_some(pairs, "general.license.name", card.text(&["license_name"]).as_deref());
    put_some(pairs, "general.license.link", card.text(&["license_link"]).as_deref());
    for (key, names) in [
        ("url", ["url", "model_url"]),
        ("doi", ["doi", "model_doi"]),
        ("uuid", ["uuid", "model_uuid"]),
        ("repo_url", ["repo_url", "model_repo_url"]),
    ] {
        put_some(pairs, format!("general.source.{key}"), card.text(&names).as_deref());
    }
    for (what, keys) in [
        ("base_model", ["base_model", "base_models", "base_model_sources"]),
        ("dataset", ["datasets", "dataset", "dataset_sources"]),
    ] {
        if let Some(entries) = card.entries(&keys) {
            related::write(what, &Related::all(&entries, input.parameters.signed()), pairs);
        }
    }
    put_list(pairs, "general.tags", card.list(&["tags", "pipeline_tag"]));
    put_list(pairs, "general.languages", card.list(&["languages", "language"]));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use gguf_format::{Array, Value as GgufValue};
    use serde_json::json;

    use super::*;
    use crate::limits::Limits;

    /// `tests/golden/cards`: folders, and what gguf-py (llama.cpp as vendored by llama-cpp-python 0.3.36) writes of them.
    #[test]
    fn folders_are_described_as_gguf_py_describes_them() {
        let cards = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cards");
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(cards).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        assert!(folders.len() > 10);
        let limits = Limits::new();
        for folder in folders {
            let config = crate::json::read_if_there(&folder.join("config.json"), &limits).unwrap();
            let mut parameters = Count::default();
            parameters.total = 1_234_567_890;
            let input = Input {
                folder: Folder { path: &folder, limits: &limits },
                folder_name: folder.file_name().unwrap().to_str().unwrap(),
                config: &config.unwrap_or_default(),
                model_name: None,
                parameters,
            };
            let mut pairs = Metadata::new();
            pairs.insert("general.architecture", "llama");
            pairs.insert("general.type", "model");
            write(&input, &mut pairs, &mut Vec::new()).unwrap();
            let ours: Vec<String> = pairs.iter().map(|(key, value)| line(key, value)).collect();
            let golden = std::fs::read_to_string(folder.join("expected")).unwrap();
            let theirs: Vec<Value> = golden.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            let theirs: Vec<String> = theirs.iter().map(Value::to_string).collect();
            assert_eq!(ours, theirs, "{}", folder.display());
        }
    }

    /// As `conformance/scripts/metadata_golden.py` writes a pair.
    fn line(key: &str, value: &GgufValue) -> String {
        let shown = match value {
            GgufValue::String(text) => json!(text.as_str().unwrap()),
            GgufValue::U32(number) => json!(number),
            GgufValue::I32(number) => json!(number),
            GgufValue::F32(number) => json!(f64::from(*number)),
            GgufValue::Array(Array::String(list)) => {
                list.iter().map(|text| text.as_str().unwrap()).collect::<Value>()
            }
            other => panic!("{key} is {other:?}"),
        };
        json!([key, value.value_type().name(), shown]).to_string()
    }
}
