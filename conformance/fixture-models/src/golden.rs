//! Golden files: what the peers wrote for a model, all eight file types in one JSON file.
//!
//! Metadata are the same for all types but `general.file_type`, so they are stored once; digests are stored once each
//! and tensors point to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::FILE_TYPES;
use crate::error::Error;
use crate::folder::model;
use crate::summary::{Pair, Summary, Tensor, tensor_type, value_type};

/// The one key whose value depends on the file type.
const FILE_TYPE: &str = "general.file_type";

/// The form on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    /// Peer → version.
    made_by: BTreeMap<String, String>,
    /// What a reader must know.
    note: String,
    /// Key, type, value.
    metadata: Vec<(String, String, String)>,
    digests: Vec<String>,
    /// Name, dimensions, type in each file type, digest in each file type.
    tensors: Vec<(String, Vec<u64>, String, Vec<usize>)>,
    /// In the order of [`FILE_TYPES`].
    files: Vec<StoredFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredFile {
    file_type: String,
    /// The value of `general.file_type`.
    id: String,
    sha256: String,
    length: u64,
}

/// What the peers wrote for one model as one file type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Golden {
    /// The peers' file.
    pub expected: Summary,
    /// Who wrote it: peer → version.
    pub made_by: BTreeMap<String, String>,
    /// How the peers were run, where that is not plain.
    pub note: String,
}

fn path(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{model}.json"))
}

/// What the peers wrote for the model `name` as `file_type` (one of [`FILE_TYPES`]).
///
/// # Errors
/// An unknown model or file type; a golden file that is absent or damaged.
pub fn golden(name: &str, file_type: &str) -> Result<Golden, Error> {
    model(name)?;
    let path = path(name);
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    let stored: Stored = serde_json::from_str(&text).map_err(|e| Error::malformed(&path, e.to_string()))?;
    stored.golden(file_type).map_err(|what| Error::malformed(&path, what))
}

impl Stored {
    fn golden(self, file_type: &str) -> Result<Golden, String> {
        let column = self.files.iter().position(|f| f.file_type == file_type);
        let column = column.ok_or_else(|| format!("no file type {file_type:?}"))?;
        let file = self.files.get(column).ok_or("no such file")?;
        let metadata = self
            .metadata
            .into_iter()
            .map(|(key, ty, value)| {
                let ty = value_type(&ty).ok_or_else(|| format!("{key}: value type {ty}"))?;
                let value = if key == FILE_TYPE { file.id.clone() } else { value };
                Ok(Pair { key, ty, value })
            })
            .collect::<Result<_, String>>()?;
        let tensors = self
            .tensors
            .into_iter()
            .map(|(name, dims, types, digests)| {
                let ty = types.split(' ').nth(column).and_then(tensor_type);
                let ty = ty.ok_or_else(|| format!("{name}: types {types:?}"))?;
                let digest = digests.get(column).and_then(|&i| self.digests.get(i)).cloned();
                let digest = digest.ok_or_else(|| format!("{name}: no digest"))?;
                Ok(Tensor { name, dims, ty, digest })
            })
            .collect::<Result<_, String>>()?;
        let expected = Summary { sha256: file.sha256.clone(), length: file.length, metadata, tensors };
        Ok(Golden { expected, made_by: self.made_by, note: self.note })
    }

    /// `files`: a summary for each of [`FILE_TYPES`], in that order.
    fn of(files: &[Summary], made_by: BTreeMap<String, String>, note: String) -> Result<Self, String> {
        let [first, ..] = files else { return Err("no files".to_owned()) };
        if files.len() != FILE_TYPES.len() {
            return Err(format!("{} files instead of {}", files.len(), FILE_TYPES.len()));
        }
        let id = |file: &Summary| {
            let pair = file.metadata.iter().find(|p| p.key == FILE_TYPE);
            pair.map(|p| p.value.clone()).ok_or("no general.file_type")
        };
        let apart = |file: &Summary| -> Vec<Pair> {
            let value = |p: &Pair| if p.key == FILE_TYPE { String::new() } else { p.value.clone() };
            file.metadata.iter().map(|p| Pair { value: value(p), ..p.clone() }).collect()
        };
        let shapes = |file: &Summary| -> Vec<(String, Vec<u64>)> {
            file.tensors.iter().map(|t| (t.name.clone(), t.dims.clone())).collect()
        };
        for (file, name) in files.iter().zip(FILE_TYPES) {
            if apart(file) != apart(first) || shapes(file) != shapes(first) {
                return Err(format!("{name} differs from {} in more than its file type", FILE_TYPES[0]));
            }
        }
        let mut digests = Vec::new();
        let tensors = first.tensors.iter().enumerate().map(|(i, t)| {
            let columns: Vec<&Tensor> = files.iter().filter_map(|f| f.tensors.get(i)).collect();
            let types = columns.iter().map(|t| t.ty).collect::<Vec<_>>().join(" ");
            let indices = columns.iter().map(|t| {
                digests.iter().position(|d| d == &t.digest).unwrap_or_else(|| {
                    digests.push(t.digest.clone());
                    digests.len() - 1
                })
            });
            (t.name.clone(), t.dims.clone(), types, indices.collect())
        });
        let tensors = tensors.collect();
        let files = files.iter().zip(FILE_TYPES).map(|(f, name)| {
            Ok(StoredFile {
                file_type: name.to_owned(),
                id: id(f)?,
                sha256: f.sha256.clone(),
                length: f.length,
            })
        });
        let metadata = apart(first).into_iter().map(|p| (p.key, p.ty.to_owned(), p.value)).collect();
        let files = files.collect::<Result<_, String>>()?;
        Ok(Self { made_by, note, metadata, digests, tensors, files })
    }

    /// JSON with one line a pair, digest and tensor: small, and a change shows as the lines it touches.
    fn text(&self) -> Result<String, serde_json::Error> {
        fn lines<T: Serialize>(items: &[T]) -> Result<String, serde_json::Error> {
            let lines = items.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[\n{}\n]", lines.join(",\n")))
        }
        Ok(format!(
            "{{\n\"made_by\": {:#},\n\"note\": {},\n\"metadata\": {},\n\"digests\": {},\n\"tensors\": {},\n\"files\": {}\n}}\n",
            serde_json::to_value(&self.made_by)?,
            serde_json::to_string(&self.note)?,
            lines(&self.metadata)?,
            lines(&self.digests)?,
            lines(&self.tensors)?,
            lines(&self.files)?,
        ))
    }
}

/// Stores what the peers wrote for a model: `files` has a summary for each of [`FILE_TYPES`], in that order. For
/// `cargo xtask fixtures`; never call it with our own files.
///
/// # Errors
/// When the files do not belong together, or what the operating system says.
pub fn store(
    name: &str,
    files: &[Summary],
    made_by: BTreeMap<String, String>,
    note: &str,
) -> Result<(), Error> {
    let path = path(name);
    let stored = Stored::of(files, made_by, note.to_owned()).map_err(|what| Error::malformed(&path, what))?;
    let text = stored.text().map_err(|e| Error::malformed(&path, e.to_string()))?;
    std::fs::write(&path, text).map_err(Error::io(&path))
}

impl Golden {
    /// How a file differs from the peers', a line each; empty when nothing does. See [`differences`].
    #[must_use]
    pub fn differences(&self, found: &Summary) -> Vec<String> {
        differences(&self.expected, found)
    }

    /// Whether a file is the peers', byte for byte.
    #[must_use]
    pub fn is_identical(&self, found: &Summary) -> bool {
        self.expected.sha256 == found.sha256
    }
}

/// How `found` differs from `expected`, a line each: tensors by name, order, type, dimensions and bytes; metadata by
/// type and value. Keys under `entrenar.` may be there in addition, others may not.
#[must_use]
pub fn differences(expected: &Summary, found: &Summary) -> Vec<String> {
    let mut out = Vec::new();
    for want in &expected.tensors {
        let Some(have) = found.tensors.iter().find(|t| t.name == want.name) else {
            out.push(format!("tensor {} is missing", want.name));
            continue;
        };
        if (have.ty, &have.dims) != (want.ty, &want.dims) {
            let form = |t: &Tensor| format!("{} {:?}", t.ty, t.dims);
            out.push(format!("tensor {}: {} instead of {}", want.name, form(have), form(want)));
        } else if have.digest != want.digest {
            out.push(format!("tensor {} ({}): other bytes", want.name, want.ty));
        }
    }
    for have in found.tensors.iter().filter(|t| expected.tensors.iter().all(|w| w.name != t.name)) {
        out.push(format!("tensor {} should not be there", have.name));
    }
    if out.is_empty() && !expected.tensors.iter().map(|t| &t.name).eq(found.tensors.iter().map(|t| &t.name)) {
        out.push("the tensors are in another order".to_owned());
    }
    for want in &expected.metadata {
        match found.metadata.iter().find(|p| p.key == want.key) {
            None => out.push(format!("{} is missing: {} {}", want.key, want.ty, want.value)),
            Some(have) if (have.ty, &have.value) != (want.ty, &want.value) => out.push(format!(
                "{}: {} {} instead of {} {}",
                want.key, have.ty, have.value, want.ty, want.value
            )),
            Some(_) => {}
        }
    }
    let by_design = |p: &Pair| p.key.starts_with("entrenar.") || END_TOKENS.contains(&p.key.as_str());
    let known = |p: &Pair| by_design(p) || expected.metadata.iter().any(|w| w.key == p.key);
    for have in found.metadata.iter().filter(|p| !known(p)) {
        out.push(format!("{} should not be there: {} {}", have.key, have.ty, have.value));
    }
    out
}

/// Keys that may be ours alone: of a list of end tokens the converter writes none.
const END_TOKENS: [&str; 3] =
    ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(file_type: &str, ty: &'static str) -> Summary {
        let pair = |key: &str, ty, value: &str| Pair { key: key.to_owned(), ty, value: value.to_owned() };
        let tensor = |name: &str, digest: &str| Tensor {
            name: name.to_owned(),
            dims: vec![256, 2],
            ty,
            digest: format!("{digest}-{ty}"),
        };
        Summary {
            sha256: ty.to_owned(),
            length: 9,
            metadata: vec![pair("general.name", "str", "\"x\""), pair(FILE_TYPE, "u32", file_type)],
            tensors: vec![tensor("a", "1"), tensor("b", "2")],
        }
    }

    const TYPES: [&str; 8] = ["F32", "F16", "Q8_0", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K"];

    fn eight() -> Vec<Summary> {
        TYPES.iter().enumerate().map(|(i, ty)| summary(&i.to_string(), ty)).collect()
    }

    #[test]
    fn what_is_stored_comes_back() {
        let text = Stored::of(&eight(), BTreeMap::new(), String::new()).expect("belong together").text();
        for (name, expected) in FILE_TYPES.iter().zip(eight()) {
            let stored: Stored = serde_json::from_str(text.as_ref().expect("JSON")).expect("JSON");
            assert_eq!(stored.golden(name).expect("there").expected, expected);
        }
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused() {
        let mut files = eight();
        files[3].metadata[0].value = "\"y\"".to_owned();
        let error = Stored::of(&files, BTreeMap::new(), String::new()).expect_err("a different name");
        assert!(error.contains("Q6_K"), "{error}");
        assert!(Stored::of(&files[..7], BTreeMap::new(), String::new()).is_err());
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let expected = summary("7", "Q8_0");
        let changed = |change: fn(&mut Summary)| {
            let mut found = expected.clone();
            change(&mut found);
            differences(&expected, &found).join("\n")
        };
        assert_eq!(changed(|_| {}), "");
        assert_eq!(changed(|f| f.tensors[0].digest.clear()), "tensor a (Q8_0): other bytes");
        assert_eq!(changed(|f| f.tensors[0].ty = "F16"), "tensor a: F16 [256, 2] instead of Q8_0 [256, 2]");
        assert_eq!(changed(|f| f.tensors[0].dims[1] = 3), "tensor a: Q8_0 [256, 3] instead of Q8_0 [256, 2]");
        assert_eq!(
            changed(|f| f.tensors[0].name = "c".to_owned()),
            "tensor a is missing\ntensor c should not be there"
        );
        assert_eq!(changed(|f| f.tensors.reverse()), "the tensors are in another order");
        assert_eq!(
            changed(|f| f.metadata[1].value = "8".to_owned()),
            "general.file_type: u32 8 instead of u32 7"
        );
        assert_eq!(changed(|f| f.metadata[1].ty = "i32"), "general.file_type: i32 7 instead of u32 7");
        assert_eq!(
            changed(|f| f.metadata[0].key = "general.nom".to_owned()),
            "general.name is missing: str \"x\"\ngeneral.nom should not be there: str \"x\""
        );
        assert_eq!(
            changed(|f| {
                let key = "entrenar.run_id".to_owned();
                f.metadata.push(Pair { key, ..f.metadata[0].clone() });
            }),
            ""
        );
    }

    #[test]
    fn every_model_has_a_golden_file_of_every_type() {
        for model in crate::all() {
            for file_type in FILE_TYPES {
                let golden = golden(model.name, file_type).expect("a golden file");
                assert!(golden.expected.tensors.len() > 9, "{} {file_type}", model.name);
                assert!(golden.made_by.contains_key("llama_model_quantize"), "{}", model.name);
            }
        }
    }
}
