//! An adapter as a GGUF file of its own: what convert_lora_to_gguf of llama.cpp makes (as vendored by llama-cpp-python
//! 0.3.36), for any architecture whose table only rearranges rows, or turns a weight round.
//!
//! llama.cpp adds alpha / rank x B x A with one alpha for the whole file, the rank being that of each tensor. Where scales are
//! others (rsLoRA, patterns), alpha is the one that is right for most of the file, and B is multiplied where it is not.

use std::collections::{BTreeMap, BTreeSet};

use gguf_format::{GgmlType, MAX_TENSOR_NAME_BYTES, Metadata};
use safetensors::Dtype;

use super::arranged::{Arranged, arranged};
use super::config::AdapterConfig;
use super::names::{self, Role};
use super::{TENSORS, lookup};
use crate::arch::{Change, Family, Row, Source};
use crate::bounded::Folder;
use crate::config::Config;
use crate::element::Element;
use crate::error::Error;
use crate::map::layout::{self, Part};
use crate::map::{self, Map};
use crate::shards::Shards;
use crate::tensor::Tensor;
use crate::transform::{Axis, Changes, Origin, View};
use crate::weights::Weights;

/// An adapter, seen as a GGUF file.
pub(crate) struct Standalone {
    pub weights: Weights,
    pub map: Map,
    /// What all products are multiplied by, times the rank.
    pub alpha: f32,
}

/// A weight of the base that has factors.
struct Adapted {
    /// What patterns of the config are matched against.
    name: String,
    /// A and B: their numbers.
    a: usize,
    b: usize,
    embedding: bool,
}

/// A matrix within a stored tensor, or one for each expert.
#[derive(Clone, Copy)]
struct Grid {
    weight: usize,
    /// Elements from one matrix, outer index, inner index to the next.
    batch: u64,
    outer: u64,
    inner: u64,
}

impl Grid {
    fn turned(self) -> Self {
        Self { outer: self.inner, inner: self.outer, ..self }
    }

    fn batches(self, experts: Option<u64>) -> Vec<Axis> {
        experts.map(|count| Axis { count, stride: self.batch }).into_iter().collect()
    }
}

/// A tensor's two factors: views, and the lengths of their rows and how many there are of them.
struct Factors {
    a: View,
    b: View,
    inputs: u64,
    outputs: u64,
}

impl Standalone {
    /// Opens the adapter in a folder for a base of this family.
    ///
    /// # Errors
    /// If it cannot be read, or, in one error, all that a GGUF file cannot tell of it.
    pub(crate) fn open(folder: Folder<'_>, family: &'static Family, base: &Config) -> Result<Self, Error> {
        let config = AdapterConfig::read(folder)?;
        if !folder.join(TENSORS).is_file() {
            return Err(Error::NoAdapterWeights { folder: folder.path.to_owned() });
        }
        let weights = Weights::new(Shards::open(vec![folder.join(TENSORS)], folder.limits)?);
        let mut problems = Vec::new();
        if config.dora {
            problems.push("DoRA's lengths depend on the base: merge it while exporting (--lora)".to_owned());
        }
        let adapted = adapted(&weights, &config, family, base, &mut problems);
        let mut maker =
            Maker { weights: &weights, config: &config, base, alpha: config.file_alpha(), problems };
        let mut map = Map::default();
        let mut left: BTreeSet<&str> = adapted.keys().map(String::as_str).collect();
        for row in family.rows.iter().flat_map(|r| *r).filter(|r| r.when.is_none_or(|when| when(base))) {
            for source in std::iter::once(&row.from).chain(row.or) {
                let mut blocks = BTreeMap::<u64, Vec<(Option<u64>, &Adapted)>>::new();
                for (name, adapted) in &adapted {
                    if let Some((block, expert)) = lookup::place_of(source, name) {
                        blocks.entry(block).or_default().push((expert, adapted));
                        left.remove(name.as_str());
                    }
                }
                for (block, members) in blocks {
                    map.extend(maker.tensors(row, source, block, members)?);
                }
            }
        }
        let mut problems = maker.problems;
        problems.extend(left.iter().map(|n| format!("{n}: no weight of {}", family.architecture)));
        if map.tensors.is_empty() && problems.is_empty() {
            problems.push("it has no tensors".to_owned());
        }
        if !problems.is_empty() {
            return Err(Error::NoAdapterFile { path: folder.path.to_owned(), problems });
        }
        Ok(Self { weights, map, alpha: config.file_alpha() as f32 })
    }

    /// The pairs that say what the file is, in the converter's order.
    pub(crate) fn kind(architecture: &str, pairs: &mut Metadata) {
        pairs.insert("general.architecture", architecture);
        pairs.insert("general.type", "adapter");
        pairs.insert("adapter.type", "lora");
    }
}

/// The weights that have factors, under the names that the family's rows have.
fn adapted(
    weights: &Weights,
    config: &AdapterConfig,
    family: &'static Family,
    base: &Config,
    problems: &mut Vec<String>,
) -> BTreeMap<String, Adapted> {
    let mut modules = BTreeMap::<(String, usize), BTreeMap<Role, usize>>::new();
    for (number, weight) in weights.list().iter().enumerate() {
        let mut wrong = |what: &str| problems.push(format!("{}: {what}", weight.name.escape_debug()));
        if !matches!(weight.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            wrong(&format!("dtype {}, expected F16, BF16 or F32", weight.dtype));
            continue;
        }
        match names::parse(&weight.name) {
            Some((_, _, Role::Base)) => {}
            Some((_, _, Role::Magnitude)) if config.dora => {}
            Some((module, depth, role @ (Role::A | Role::B | Role::EmbeddingA | Role::EmbeddingB))) => {
                if modules.entry((module, depth)).or_default().insert(role, number).is_some() {
                    wrong("is there under another name, too");
                }
            }
            Some(_) => {
                wrong(
                    "is no factor, which is all that an adapter file has: merge it while exporting (--lora)",
                );
            }
            None => wrong("is no tensor of LoRA's"),
        }
    }
    let mut found = BTreeMap::new();
    for ((module, depth), roles) in modules {
        let pair = |a, b| Some((*roles.get(&a)?, *roles.get(&b)?));
        let linear = pair(Role::A, Role::B).map(|p| (p, false));
        let Some(((a, b), embedding)) =
            linear.or_else(|| pair(Role::EmbeddingA, Role::EmbeddingB).map(|p| (p, true)))
        else {
            problems.push(format!("{module}: one factor of the product without the other"));
            continue;
        };
        let plain = |name: &str| lookup::plain(family, base, name);
        let known = |name: &str| {
            let sources =
                family.rows.iter().flat_map(|r| *r).flat_map(|r| std::iter::once(&r.from).chain(r.or));
            sources.into_iter().any(|s| lookup::place_of(s, name).is_some())
        };
        let weight = plain(&format!("{module}.weight"));
        let parameter = config.parameter(&module, depth).filter(|_| depth > 0 || !known(&weight));
        let (weight, name) = match parameter {
            Some(parameter) => (plain(&format!("{module}.{parameter}")), format!("{module}.{parameter}")),
            None => (weight, module),
        };
        found.insert(weight, Adapted { name, a, b, embedding });
    }
    found
}

/// Makes the tensors of one row.
struct Maker<'a> {
    weights: &'a Weights,
    config: &'a AdapterConfig,
    base: &'a Config,
    alpha: f64,
    problems: Vec<String>,
}

impl Maker<'_> {
    /// The two tensors of a row in one block; none with a problem.
    fn tensors(
        &mut self,
        row: &Row,
        source: &Source,
        block: u64,
        mut members: Vec<(Option<u64>, &Adapted)>,
    ) -> Result<Vec<(Tensor, Origin)>, Error> {
        let suffix = if row.from.bare { "" } else { ".weight" };
        let target = format!("{}{suffix}", row.target.replace("{}", &block.to_string()));
        members.sort_by_key(|(expert, _)| *expert);
        // llama.cpp has no head to adapt then, and one of the embeddings' factors the wrong way round for a head.
        let ends = ["output.weight", "token_embd.weight"];
        if ends.contains(&target.as_str()) && self.base.flag("tie_word_embeddings") {
            let problem = "head and embeddings are one tensor: merge it while exporting (--lora)";
            self.problems.push(format!("{}: {problem}", named(&members)));
            return Ok(Vec::new());
        }
        let stacked = source.name.contains("{e}");
        if stacked {
            let count = self.base.dim_of(source.count, block)?;
            let all = members.iter().map(|(e, _)| *e).eq((0..members.len() as u64).map(Some));
            if !all || members.len() as u64 != count {
                self.problems.push(format!("{target}: {} of {count} experts have factors", members.len()));
                return Ok(Vec::new());
            }
        }
        let expected = map::sizes(self.base, source.shape, block)?;
        let Some(parts) = layout::of(source, &expected, self.base, block)? else {
            let problem =
                format!("the base's config.json gives it a shape that contradicts itself: {expected:?}");
            self.problems.push(format!("{}: {problem}", named(&members)));
            return Ok(Vec::new());
        };
        let mut made = Vec::new();
        for (_, adapted) in &members {
            match self.factors(adapted, source, &expected, &parts)? {
                Ok(factors) => made.extend(factors),
                Err(problem) => {
                    self.problems.push(format!("{}: {problem}", adapted.name));
                    return Ok(Vec::new());
                }
            }
        }
        let Some(((_, first), inputs)) = members.first().zip(made.first().map(|f| f.inputs)) else {
            return Ok(Vec::new());
        };
        let fused = (expected.len() == 3).then(|| expected.first().copied().unwrap_or(1));
        let experts = if stacked { Some(members.len() as u64) } else { fused };
        let rank = self.config.rank(&first.name)?;
        for (_, other) in &members {
            let found = self.config.rank(&other.name)?;
            if found != rank {
                self.problems.push(format!(
                    "{}: rank {found}, {} has {rank}: experts of one file have one rank, merge it while exporting (--lora)",
                    other.name, first.name
                ));
                return Ok(Vec::new());
            }
        }
        // Several parts of one weight are stretches of rows: B's are laid one after another, A is the same.
        let outputs: u64 = if stacked {
            made.first().map_or(0, |f| f.outputs)
        } else {
            made.iter().map(|f| f.outputs).sum()
        };
        let mut a: Vec<View> = made.iter().map(|f| f.a.clone()).collect();
        let b: Vec<View> = made.into_iter().map(|f| f.b).collect();
        if !stacked {
            a.truncate(1);
        }
        let mut a_dims = if target == "token_embd.weight" { vec![rank, inputs] } else { vec![inputs, rank] };
        let mut b_dims = vec![rank, outputs];
        for dims in [&mut a_dims, &mut b_dims] {
            dims.extend(experts);
        }
        Ok(vec![self.tensor(&target, "lora_a", a_dims, a), self.tensor(&target, "lora_b", b_dims, b)]
            .into_iter()
            .flatten()
            .collect())
    }

    fn tensor(
        &mut self,
        target: &str,
        end: &str,
        dims: Vec<u64>,
        views: Vec<View>,
    ) -> Option<(Tensor, Origin)> {
        let name = format!("{target}.{end}");
        let elements: u64 = views.iter().map(View::elements).sum();
        let product = dims.iter().try_fold(1u64, |n, d| n.checked_mul(*d));
        if name.len() > MAX_TENSOR_NAME_BYTES || product != Some(elements) {
            self.problems.push(format!("{name}: {elements} elements for {dims:?}"));
            return None;
        }
        let stored = |view: &View| self.weights.list().get(view.weight);
        let mut types = views.iter().map(|v| {
            let element = stored(v).and_then(|w| Element::float(w.dtype)).map(Element::lossless);
            if v.changes.list.is_empty() { element } else { Some(GgmlType::F32) }
        });
        let first = types.next().flatten();
        let element = first.filter(|f| types.all(|t| t == Some(*f))).unwrap_or(GgmlType::F32);
        let source = views.first().and_then(stored).map(|w| w.name.clone()).unwrap_or_default();
        Some((Tensor { name, dims, element, source }, Origin::Parts(views)))
    }

    /// The factors of each part of a weight; the inner error is a problem.
    fn factors(
        &self,
        adapted: &Adapted,
        source: &Source,
        expected: &[u64],
        parts: &[Part],
    ) -> Result<Result<Vec<Factors>, String>, Error> {
        let shape = |number: usize| self.weights.list().get(number).map_or(&[][..], |w| &w.shape);
        let (&[stored, inputs], &[outputs, other]) = (shape(adapted.a), shape(adapted.b)) else {
            return Ok(Err("its factors are no matrices".to_owned()));
        };
        let (experts, rows, cols) = match *expected {
            [rows, cols] => (None, rows, cols),
            [experts, rows, cols] => (Some(experts), rows, cols),
            _ => return Ok(Err(format!("the base's weight has shape {expected:?}, which has no factors"))),
        };
        let rank = self.config.rank(&adapted.name)?;
        if stored != other || rank.checked_mul(experts.unwrap_or(1)) != Some(stored) {
            let of = experts.map(|e| format!(" for each of {e} experts")).unwrap_or_default();
            return Ok(Err(format!("rank {stored} and {other}, expected {rank}{of} by adapter_config.json")));
        }
        let plain = (rows, cols) == (outputs, inputs);
        let turned = (rows, cols) == (inputs, outputs);
        if !(plain || turned) {
            return Ok(Err(format!(
                "a product of shape {:?}, expected {:?}",
                [outputs, inputs],
                [rows, cols]
            )));
        }
        let n = experts.unwrap_or(1);
        let b = Grid { weight: adapted.b, batch: 1, outer: stored, inner: n };
        let a = Grid { weight: adapted.a, batch: rank * inputs, outer: inputs, inner: 1 };
        let turned = adapted.embedding || turned && (!plain || lookup::turns(source));
        let (left, right) = if turned { (a.turned(), b.turned()) } else { (b, a) };
        let scale = self.config.scale(&adapted.name)? * rank as f64 / self.alpha;
        let change = if scale == 1.0 { Vec::new() } else { vec![Change::Times(scale as f32)] };
        if adapted.embedding {
            // It is looked up: its first factor has a row for each token.
            let view = |grid: Grid, count: u64, list: Vec<Change>| View {
                weight: grid.weight,
                start: 0,
                axes: vec![Axis { count, stride: grid.outer }, Axis { count: rank, stride: grid.inner }],
                changes: Changes { list, half: false },
            };
            let (a, b) = (view(left, rows, Vec::new()), view(right.turned(), cols, change));
            let whole = source.parts.is_empty() && experts.is_none();
            let factors = Factors { a, b, inputs: rows, outputs: cols };
            return Ok(if whole { Ok(vec![factors]) } else { Err("a part of an embedding".to_owned()) });
        }
        let whole = [Part {
            start: 0,
            axes: experts
                .map(|count| Axis { count, stride: rows * cols })
                .into_iter()
                .chain([Axis { count: rows, stride: cols }, Axis { count: cols, stride: 1 }])
                .collect(),
            changes: Vec::new(),
        }];
        let parts = if source.parts.is_empty() { &whole } else { parts };
        if parts.len() > 1 && experts.is_some() {
            return Ok(Err("parts of weights of experts are no factors".to_owned()));
        }
        let cut = |part: &Part| {
            let arranged = arranged(part, experts, rows, cols)?;
            let change = with_changes(&part.changes, &change)?;
            let (outputs, first, of_outputs, of_inputs, width) = match arranged {
                Arranged::Rows(axes, first) => (axes, first, left, right, cols),
                Arranged::Turned(axes, first) => (axes, first, right.turned(), left.turned(), rows),
            };
            let mut b_axes = of_outputs.batches(experts);
            b_axes
                .extend(outputs.iter().map(|a| Axis { count: a.count, stride: a.stride * of_outputs.outer }));
            b_axes.push(Axis { count: rank, stride: of_outputs.inner });
            let mut a_axes = of_inputs.batches(experts);
            a_axes.push(Axis { count: rank, stride: of_inputs.outer });
            a_axes.push(Axis { count: width, stride: of_inputs.inner });
            let b = View {
                weight: of_outputs.weight,
                start: first * of_outputs.outer,
                axes: b_axes,
                changes: Changes { list: change, half: false },
            };
            let a = View { weight: of_inputs.weight, start: 0, axes: a_axes, changes: Changes::default() };
            let outputs = outputs.iter().map(|a| a.count).product();
            Some(Factors { a, b, inputs: width, outputs })
        };
        let mut made = Vec::new();
        for part in parts {
            match cut(part) {
                Some(factors) => made.push(factors),
                None => {
                    return Ok(Err(
                        "the file needs more of it than other rows, or all of it turned".to_owned()
                    ));
                }
            }
        }
        Ok(Ok(made))
    }
}

/// The changes of a part's values, as far as they are factors, and these.
fn with_changes(of_part: &[Change], more: &[Change]) -> Option<Vec<Change>> {
    let factors = of_part.iter().all(|c| matches!(c, Change::Times(_)));
    factors.then(|| of_part.iter().chain(more).copied().collect())
}

fn named(members: &[(Option<u64>, &Adapted)]) -> String {
    members.iter().map(|(_, a)| a.name.as_str()).collect::<Vec<_>>().join(", ")
}
