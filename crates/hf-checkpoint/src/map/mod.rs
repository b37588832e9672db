//! Which weights of the checkpoint make which tensor of the GGUF file.

pub(crate) mod layout;
mod place;

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};

use gguf_format::{Dims, GgmlType, MAX_TENSOR_NAME_BYTES};

use crate::arch::{Family, Names, Scalar, Skip, Skipping};
use crate::config::Config;
use crate::element::{self, Element};
use crate::error::Error;
use crate::json;
use crate::problem::{self, Problem};
use crate::sizes::Dim;
use crate::tensor::Tensor;
use crate::transform::{Origin, View};
use crate::weights::{Weight, Weights};

/// The tensors of a GGUF file, where each comes from, and what a user should know of it.
#[derive(Debug, Default)]
pub(crate) struct Map {
    pub tensors: Vec<Tensor>,
    pub origins: Vec<Origin>,
    pub notes: Vec<String>,
    /// Arrays of metadata that are weights in the checkpoint, with their keys.
    pub scalars: Vec<(&'static str, Vec<f32>)>,
    /// What does not fit the family's table: a map with problems is no map.
    pub problems: Vec<Problem>,
}

impl Map {
    /// Adds tensors.
    pub(crate) fn extend(&mut self, tensors: impl IntoIterator<Item = (Tensor, Origin)>) {
        tensors.into_iter().for_each(|(tensor, origin)| self.push(tensor, origin));
    }

    fn push(&mut self, tensor: Tensor, origin: Origin) {
        self.tensors.push(tensor);
        self.origins.push(origin);
    }
}

/// Every tensor under its own name, with its own shape. What no GGUF file can hold is among the map's problems.
pub(crate) fn raw(weights: &Weights) -> Map {
    let mut map = Map::default();
    for (number, weight) in weights.list().iter().enumerate() {
        match as_it_is(weights, weight) {
            Ok(tensor) => {
                let origin = Origin::Parts(vec![View::whole(number, tensor.elements())]);
                map.push(tensor, origin);
            }
            Err(problem) => map.problems.push(problem),
        }
    }
    map
}

fn as_it_is(weights: &Weights, weight: &Weight) -> Result<Tensor, Problem> {
    let (path, name) = (|| weights.path_of(weight), weight.name.clone());
    let Some(from) = Element::number(weight.dtype) else {
        let dtype = weight.dtype.to_string();
        return Err(Problem::Dtype { path: path(), tensor: name, dtype, expected: element::NUMBERS });
    };
    let dims = match dims(&weight.shape) {
        Ok(dims) => dims,
        Err(source) => {
            return Err(Problem::Dims { path: path(), tensor: name, found: weight.shape.clone(), source });
        }
    };
    if !can_be_named(&name) {
        return Err(Problem::Name { name });
    }
    let element = if dims.len() <= 1 { GgmlType::F32 } else { from.lossless() };
    Ok(Tensor { name, dims, element, source: weight.name.clone() })
}

/// The weights under the names that a family's rows have.
struct Named<'a> {
    weights: &'a Weights,
    /// Numbers of weights.
    numbers: BTreeMap<String, usize>,
    /// Those that no row has taken.
    left: HashSet<usize>,
    /// Experts that were asked for one by one.
    experts: Cell<u64>,
}

impl<'a> Named<'a> {
    /// Leaves out what no GGUF file has, with a note of it.
    fn new(family: &Family, config: &Config, model: Skipping, weights: &'a Weights, map: &mut Map) -> Self {
        let mut named =
            Self { weights, numbers: BTreeMap::new(), left: HashSet::new(), experts: Cell::new(0) };
        let mut skipped = Vec::new();
        for (number, weight) in weights.list().iter().enumerate() {
            let plain = family.names.plain(&weight.name);
            let plain = match family.renamed {
                Some(rename) => rename(config, plain),
                None => plain,
            };
            let skip = |s: &Skip| s.matches(&weight.name, model) || s.matches(&plain, model);
            if family.skip.iter().flat_map(|s| *s).any(skip) {
                skipped.push(weight.name.as_str());
                continue;
            }
            match named.numbers.get(&plain).and_then(|n| weights.list().get(*n)) {
                Some(first) => map.problems.push(Problem::Twice {
                    first: first.name.clone(),
                    second: weight.name.clone(),
                    plain,
                }),
                None => {
                    named.numbers.insert(plain, number);
                    named.left.insert(number);
                }
            }
        }
        map.notes.extend(problem::left_out(&skipped));
        named
    }

    fn weight(&self, number: usize) -> Option<&'a Weight> {
        self.weights.list().get(number)
    }

    /// The prefix that the weights of this checkpoint have, for the names of those that are not there.
    fn prefix(&self, family: &Family) -> &'static str {
        let prefix = family.names.strip.first().copied().unwrap_or_default();
        let prefixed = self.numbers.values().filter_map(|n| self.weight(*n));
        if prefixed.into_iter().any(|w| w.name.starts_with(prefix)) { prefix } else { "" }
    }
}

/// Every tensor as the family's table has it.
///
/// # Errors
/// If the config does not say what the table asks. What does not fit the config is among the map's problems.
pub(crate) fn by_table(
    family: &'static Family,
    class: &str,
    config: &mut Config,
    weights: &Weights,
) -> Result<Map, Error> {
    for (key, prefix) in family.counts {
        config.set(key, count(family, prefix, weights));
    }
    let config = &*config;
    let blocks = block_count(config, family.blocks, weights)?;
    let mut map = Map::default();
    let tied = config.flag("tie_word_embeddings");
    let mut named = Named::new(family, config, Skipping { tied, blocks }, weights, &mut map);
    let prefix = named.prefix(family);
    let mut made = Vec::new();
    for row in family.rows.iter().flat_map(|r| *r) {
        if row.when.is_some_and(|when| !when(config)) {
            continue;
        }
        let all = match row.each {
            Some(each) => 0..block_count(config, each, weights)?,
            None if row.target.contains("{}") => 0..blocks,
            None => 0..1,
        };
        for block in all {
            let places = [(row.weight, false), (row.bias, true)];
            for (presence, bias) in places {
                let place = place::Place { row, presence, block, bias, prefix };
                made.extend(place.fill(config, &mut named, &mut map.problems)?);
            }
        }
    }
    for scalar in family.scalars {
        map.scalars.extend(scalars(scalar, blocks, &mut named, &mut map.problems)?);
    }
    // In the order of the checkpoint.
    made.sort_by_key(|(first, _, _)| *first);
    for (_, tensor, origin) in made {
        map.push(tensor, origin);
    }
    let mut unknown: Vec<_> = named.left.iter().filter_map(|n| named.weight(*n)).map(|w| &w.name).collect();
    unknown.sort_unstable();
    map.problems.extend(unknown.into_iter().map(|tensor| Problem::Unknown { tensor: tensor.clone() }));
    let head = map.tensors.iter().any(|t| t.name == "output.weight");
    if family.headed.contains(&class) && !tied && !head {
        map.notes.push(
            "no output head (lm_head.weight), though tie_word_embeddings is off: llama.cpp will use the embeddings"
                .to_owned(),
        );
    }
    for generate in family.generated {
        for made in generate(config)? {
            let dims = vec![made.values.len() as u64];
            let bytes = made.values.iter().flat_map(|v| v.to_le_bytes()).collect();
            let name = made.name.to_owned();
            let tensor = Tensor { name, dims, element: GgmlType::F32, source: String::new() };
            map.push(tensor, Origin::Generated(bytes));
        }
    }
    Ok(map)
}

/// How many blocks there are: no more than tensors.
fn block_count(config: &Config, blocks: Dim, weights: &Weights) -> Result<u64, Error> {
    let (found, count) = (config.dim(blocks)?, weights.list().len() as u64);
    if found > count {
        let expected = format!("no more than the checkpoint's {count} tensors");
        return Err(json::bad_key(config.path(), &blocks.name(), &found.into(), &expected));
    }
    Ok(found)
}

/// How many numbers there are after this in the names of weights.
fn count(family: &Family, prefix: &str, weights: &Weights) -> u64 {
    let number = |weight: &Weight| {
        let plain = family.names.plain(&weight.name);
        plain.strip_prefix(prefix)?.split('.').next()?.parse::<u64>().ok()
    };
    weights.list().iter().filter_map(number).collect::<HashSet<_>>().len() as u64
}

/// The numbers of all blocks; none if none of them is there.
fn scalars(
    scalar: &Scalar,
    blocks: u64,
    named: &mut Named<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Option<(&'static str, Vec<f32>)>, Error> {
    let name = |block: u64| scalar.source.replace("{}", &block.to_string());
    if !named.numbers.contains_key(&name(0)) {
        return Ok(None);
    }
    let mut values = Vec::new();
    for name in (0..blocks).map(name) {
        let found = named.numbers.get(&name).and_then(|n| Some((*n, named.weight(*n)?)));
        match found {
            Some((number, weight)) if weight.shape.iter().all(|n| *n == 1) => {
                let mut value = [0; 4];
                named.weights.read(number, GgmlType::F32, 0, &mut value)?;
                values.push(f32::from_le_bytes(value));
                named.left.remove(&number);
            }
            Some((number, weight)) => {
                problems.push(Problem::Shape {
                    path: named.weights.path_of(weight),
                    tensor: weight.name.clone(),
                    found: weight.shape.clone(),
                    expected: vec![1],
                    terms: "1".to_owned(),
                });
                named.left.remove(&number);
            }
            None => problems.push(Problem::Missing { tensor: name }),
        }
    }
    Ok(Some((scalar.key, values)))
}

impl Names {
    /// The name in the form that the rows have.
    pub(crate) fn plain(&self, name: &str) -> String {
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

/// The shape in ggml's order; a single number becomes a row of one.
fn dims(shape: &[u64]) -> Result<Vec<u64>, gguf_format::DimsError> {
    let mut dims: Vec<u64> = shape.iter().rev().copied().collect();
    if dims.is_empty() {
        dims.push(1);
    }
    Dims::new(&dims).map(|_| dims)
}

/// Whether llama.cpp takes a tensor of this name.
fn can_be_named(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_TENSOR_NAME_BYTES && !name.contains('\0')
}

/// The dimensions' values.
pub(crate) fn sizes(config: &Config, dims: &[Dim], block: u64) -> Result<Vec<u64>, Error> {
    dims.iter().map(|d| config.dim_of(*d, block)).collect()
}
