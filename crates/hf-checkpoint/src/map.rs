//! Which tensor of the checkpoint is which tensor of the GGUF file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use gguf_format::{Dims, GgmlType, MAX_TENSOR_NAME_BYTES};

use crate::arch::{Change, Family, Generated, Presence, Row};
use crate::config::Config;
use crate::element::{self, Element};
use crate::error::Error;
use crate::json;
use crate::rope;
use crate::sizes::Dim;
use crate::tensor::Tensor;
use crate::transform::{Moved, Order, Origin};
use crate::weights::{Weight, Weights};

/// The tensors of a GGUF file, where each comes from, and what a user should know of it.
#[derive(Debug, Default)]
pub(crate) struct Map {
    pub tensors: Vec<Tensor>,
    pub origins: Vec<Origin>,
    pub notes: Vec<String>,
}

impl Map {
    fn push(&mut self, tensor: Tensor, origin: Origin) {
        self.tensors.push(tensor);
        self.origins.push(origin);
    }
}

/// Every tensor under its own name, with its own shape.
pub(crate) fn raw(weights: &Weights) -> Result<Map, Error> {
    let mut map = Map::default();
    for (number, weight) in weights.list().iter().enumerate() {
        let from =
            Element::number(weight.dtype).ok_or_else(|| weights.dtype_error(weight, element::NUMBERS))?;
        let dims = dims(weights, weight)?;
        let element = if dims.len() <= 1 { GgmlType::F32 } else { from.lossless() };
        let name = checked_name(weight.name.clone())?;
        let tensor = Tensor { name, dims, element, source: weight.name.clone() };
        map.push(tensor, Origin::Moved(Moved { weight: number, order: Order::AsIs, unit: 1 }));
    }
    Ok(map)
}

/// Every tensor as the family's table has it.
pub(crate) fn by_table(
    family: &'static Family,
    class: &str,
    config: &Config,
    weights: &Weights,
    folder: &Path,
) -> Result<Map, Error> {
    let blocks = config.dim(Dim::Blocks)?;
    let count = weights.list().len() as u64;
    if blocks > count {
        let found = serde_json::Value::from(blocks);
        let expected = format!("no more than the checkpoint's {count} tensors");
        return Err(json::bad_key(config.path(), Dim::Blocks.name(), &found, &expected));
    }
    let rows: HashMap<&str, &'static Row> = family.rows.iter().map(|r| (r.source, r)).collect();
    let labelled = config.labels()?.is_some();
    let mut map = Map::default();
    let (mut unknown, mut skipped) = (Vec::new(), Vec::new());
    let mut taken = BTreeMap::<String, &str>::new();
    for (number, weight) in weights.list().iter().enumerate() {
        let name = &weight.name;
        let plain = family.names.plain(name);
        if family.skip.iter().flat_map(|s| *s).any(|s| s.matches(name) || s.matches(&plain)) {
            skipped.push(name.clone());
            continue;
        }
        let Some(place) = Place::of(&plain, &rows, blocks) else {
            unknown.push(name.clone());
            continue;
        };
        let target = place.target(labelled);
        if let Some(first) = taken.insert(target.clone(), name) {
            return Err(Error::SameTensor {
                path: folder.to_owned(),
                first: first.to_owned(),
                second: name.clone(),
                target,
            });
        }
        let (tensor, origin) = place.tensor(target, config, weights, (number, weight))?;
        map.push(tensor, origin);
    }
    if !unknown.is_empty() {
        return Err(Error::UnknownTensors {
            path: folder.to_owned(),
            architecture: family.architecture,
            tensors: unknown,
        });
    }
    let missing = missing(family, config, blocks, &taken, labelled);
    if !missing.is_empty() {
        return Err(Error::MissingTensors {
            path: folder.to_owned(),
            architecture: family.architecture,
            tensors: missing,
        });
    }
    if !skipped.is_empty() {
        map.notes.push(format!(
            "{} of the checkpoint have no place in a GGUF file and were left out: {}",
            if skipped.len() == 1 { "1 tensor".to_owned() } else { format!("{} tensors", skipped.len()) },
            skipped.join(", ")
        ));
    }
    let tied = config.flag("tie_word_embeddings");
    if family.headed.contains(&class) && !tied && !taken.contains_key("output.weight") {
        map.notes.push(
            "no output head (lm_head.weight), though tie_word_embeddings is off: llama.cpp will use the embeddings"
                .to_owned(),
        );
    }
    for generated in family.generated {
        generate(*generated, config, &mut map)?;
    }
    Ok(map)
}

impl crate::arch::Names {
    /// The name in the form that the rows have.
    fn plain(&self, name: &str) -> String {
        let mut plain = name.to_owned();
        for part in self.remove {
            plain = plain.replace(part, "");
        }
        if let Some(rest) = self.strip.iter().find_map(|p| plain.strip_prefix(p)) {
            plain = rest.to_owned();
        }
        let suffix = self.suffixes.iter().find_map(|(old, new)| Some((plain.strip_suffix(old)?, new)));
        if let Some((stem, new)) = suffix {
            plain = format!("{stem}{new}");
        }
        plain
    }
}

/// A row of the table and which of its tensors a tensor is.
struct Place {
    row: &'static Row,
    block: Option<u64>,
    bias: bool,
}

impl Place {
    fn of(plain: &str, rows: &HashMap<&str, &'static Row>, blocks: u64) -> Option<Self> {
        let (stem, bias) = match plain.strip_suffix(".weight") {
            Some(stem) => (stem, false),
            None => (plain.strip_suffix(".bias")?, true),
        };
        // The first part that is a number is the block's.
        let number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let digits = stem.split('.').find(number);
        let (pattern, block) = match digits {
            Some(digits) => {
                let block: u64 = digits.parse().ok()?;
                // `00` would be taken for block 0 a second time.
                if block >= blocks || block.to_string() != digits {
                    return None;
                }
                let parts = stem.split('.').scan(false, |done, part| {
                    let first = !*done && part == digits;
                    *done |= first;
                    Some(if first { "{}" } else { part })
                });
                (parts.collect::<Vec<_>>().join("."), Some(block))
            }
            None => (stem.to_owned(), None),
        };
        let row = *rows.get(pattern.as_str())?;
        let presence = if bias { row.bias } else { row.weight };
        (!matches!(presence, Presence::Never)).then_some(Self { row, block, bias })
    }

    fn target(&self, labelled: bool) -> String {
        full_name(self.row.target_of(labelled), self.block, self.bias)
    }

    fn tensor(
        &self,
        name: String,
        config: &Config,
        weights: &Weights,
        weight: (usize, &Weight),
    ) -> Result<(Tensor, Origin), Error> {
        let (number, weight) = weight;
        let from =
            Element::float(weight.dtype).ok_or_else(|| weights.dtype_error(weight, element::FLOATS))?;
        let terms = if self.bias { self.row.shape.get(..1) } else { None }.unwrap_or(self.row.shape);
        let expected = terms.iter().map(|d| config.dim(*d)).collect::<Result<Vec<_>, _>>()?;
        if weight.shape != expected {
            return Err(Error::Shape {
                path: weights.path_of(weight),
                tensor: weight.name.clone(),
                found: weight.shape.clone(),
                expected,
                terms: terms.iter().map(|d| d.name()).collect::<Vec<_>>().join(" x "),
            });
        }
        let dims = dims(weights, weight)?;
        let name = checked_name(name)?;
        // What convert_hf_to_gguf keeps in F32: vectors, norms, what is no weight, and what the table says.
        let f32 =
            dims.len() <= 1 || name.ends_with("_norm.weight") || !name.ends_with(".weight") || self.row.f32;
        let element = if f32 { GgmlType::F32 } else { from.lossless() };
        let order = match self.row.change {
            Change::None => Order::AsIs,
            Change::Interleave(heads) => {
                let heads = config.dim(heads)?;
                let rows = weight.shape.first().copied().unwrap_or_default();
                let head_rows = rows / heads;
                if head_rows == 0 || !head_rows.is_multiple_of(2) || head_rows * heads != rows {
                    let found = serde_json::Value::from(head_rows);
                    return Err(json::bad_key(
                        config.path(),
                        Dim::HeadWidth.name(),
                        &found,
                        "a positive even number",
                    ));
                }
                Order::Interleave { head_rows }
            }
        };
        let unit = if self.bias { 1 } else { dims.first().copied().unwrap_or(1) };
        let origin = Origin::Moved(Moved { weight: number, order, unit });
        Ok((Tensor { name, dims, element, source: weight.name.clone() }, origin))
    }
}

impl Row {
    fn target_of(&self, labelled: bool) -> &'static str {
        self.labelled.filter(|_| labelled).unwrap_or(self.target)
    }
}

fn full_name(pattern: &str, block: Option<u64>, bias: bool) -> String {
    let suffix = if bias { ".bias" } else { ".weight" };
    match block {
        Some(block) => pattern.replace("{}", &block.to_string()) + suffix,
        None => format!("{pattern}{suffix}"),
    }
}

/// The names in the checkpoint of the tensors that are needed and not there.
fn missing(
    family: &Family,
    config: &Config,
    blocks: u64,
    taken: &BTreeMap<String, &str>,
    labelled: bool,
) -> Vec<String> {
    let prefix = family.names.strip.first().copied().unwrap_or_default();
    // The prefix that the tensors of this checkpoint have.
    let prefixed = !prefix.is_empty() && taken.values().any(|name| name.starts_with(prefix));
    let prefix = if prefixed { prefix } else { "" };
    let mut missing = Vec::new();
    let mut seen = HashSet::new();
    let per_block = family.rows.iter().filter(|r| r.source.contains("{}"));
    let places = family
        .rows
        .iter()
        .filter(|r| !r.source.contains("{}"))
        .map(|r| (r, None))
        .chain((0..blocks).flat_map(|b| per_block.clone().map(move |r| (r, Some(b)))));
    for (row, block) in places {
        for (presence, bias) in [(row.weight, false), (row.bias, true)] {
            let needed = match presence {
                Presence::Never | Presence::Optional => false,
                Presence::Needed => true,
                Presence::If(setting) => config.flag(setting),
            };
            let target = full_name(row.target_of(labelled), block, bias);
            if needed && !taken.contains_key(&target) && seen.insert(target) {
                missing.push(format!("{prefix}{}", full_name(row.source, block, bias)));
            }
        }
    }
    missing
}

fn generate(generated: Generated, config: &Config, map: &mut Map) -> Result<(), Error> {
    match generated {
        Generated::RopeFactors => {
            if let Some(bytes) = rope::llama3_factors(config, config.dim(Dim::HeadWidth)?)? {
                let tensor = Tensor {
                    name: "rope_freqs.weight".to_owned(),
                    dims: vec![bytes.len() as u64 / 4],
                    element: GgmlType::F32,
                    source: String::new(),
                };
                map.push(tensor, Origin::Generated(bytes));
            }
            Ok(())
        }
    }
}

/// The shape in ggml's order; a single number becomes a row of one.
fn dims(weights: &Weights, weight: &Weight) -> Result<Vec<u64>, Error> {
    let mut dims: Vec<u64> = weight.shape.iter().rev().copied().collect();
    if dims.is_empty() {
        dims.push(1);
    }
    match Dims::new(&dims) {
        Ok(_) => Ok(dims),
        Err(source) => Err(Error::Dims {
            path: weights.path_of(weight),
            tensor: weight.name.clone(),
            found: weight.shape.clone(),
            source,
        }),
    }
}

fn checked_name(name: String) -> Result<String, Error> {
    if name.is_empty() || name.len() > MAX_TENSOR_NAME_BYTES || name.contains('\0') {
        return Err(Error::Name { name });
    }
    Ok(name)
}
