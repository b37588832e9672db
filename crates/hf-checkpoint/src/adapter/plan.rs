//! From adapters to weights that are merged as they are read.

use std::collections::{BTreeMap, BTreeSet};

use gguf_format::GgmlType;
use safetensors::Dtype;

use super::config::AdapterConfig;
use super::lookup::Lookup;
use super::merged::{Merged, Update};
use super::names::{self, Role};
use super::update::{Maker, Module};
use super::{Adapter, open};
use crate::arch::Family;
use crate::bounded::Folder;
use crate::config::Config;
use crate::error::Error;
use crate::header::Entry;
use crate::limits::Limits;
use crate::options::Options;
use crate::packed::Part;
use crate::weights::{Weight, Weights};

/// The tensors of an adapter, sorted out.
struct Opened {
    config: AdapterConfig,
    scale: f64,
    /// What the folder is called.
    name: String,
    modules: BTreeMap<(String, usize), Module>,
    /// Weights that are there as a whole: name, whether the base's own, tensor.
    saved: Vec<(String, Role, Entry)>,
    shard: usize,
    problems: Vec<String>,
}

/// What happens to a weight.
#[derive(Default)]
struct Change {
    /// The weight in its place, and the adapter that it is from.
    saved: Option<(usize, Weight)>,
    updates: Vec<Update>,
    /// Tokens that have new rows.
    tokens: Vec<u64>,
}

/// See [`super::merge`].
pub(super) fn merge(
    weights: &mut Weights,
    options: &Options,
    mut model: Option<(&'static Family, &mut Config)>,
) -> Result<Vec<String>, Error> {
    let mut opened = Vec::new();
    for adapter in &options.adapters {
        opened.push(Opened::new(adapter, &options.limits, weights)?);
    }
    let mut notes = Vec::new();
    if let Some((family, config)) = &mut model {
        notes.extend(untie(&opened, weights, family, config));
    }
    let model = model.map(|(family, config)| (family, &*config));
    let mut changes = BTreeMap::<usize, Change>::new();
    let mut next = 0;
    for (number, adapter) in opened.iter().enumerate() {
        let lookup = Lookup::new(weights, model);
        let (mut merged, mut replaced) = (BTreeSet::new(), 0);
        let mut problems = adapter.problems.clone();
        for (name, role, entry) in &adapter.saved {
            match adapter.saved(&lookup, name, *role, entry, number, &mut changes)? {
                Ok(()) => replaced += usize::from(*role == Role::Saved),
                Err(problem) => problems.push(problem),
            }
        }
        let (config, scale) = (&adapter.config, adapter.scale);
        let mut maker = Maker { lookup: &lookup, config, scale, next, problems };
        for ((name, depth), tensors) in &adapter.modules {
            for (weight, update) in maker.module(name, *depth, tensors)? {
                let change = changes.entry(weight).or_default();
                if let Err(problem) = change.add(update, number, name) {
                    maker.problems.push(problem);
                }
                merged.insert(weight);
            }
        }
        next = maker.next;
        let problems = maker.problems;
        if !problems.is_empty() {
            let path = adapter.config.path().parent().unwrap_or(adapter.config.path()).to_owned();
            return Err(Error::Adapter { path, problems });
        }
        let replaced = if replaced > 0 { format!(", {replaced} replaced") } else { String::new() };
        let scale = if adapter.scale == 1.0 { String::new() } else { format!(" at scale {}", adapter.scale) };
        let merged = merged.len();
        notes.push(format!("adapter {}{scale}: {merged} weights merged{replaced}", adapter.name));
    }
    let mut unpacked = BTreeMap::<GgmlType, usize>::new();
    for (number, change) in changes {
        let Some(base) = weights.list().get(number).cloned() else { continue };
        let base = match change.saved {
            Some((_, saved)) => saved,
            None => base,
        };
        if change.updates.is_empty() {
            weights.replace(number, base);
            continue;
        }
        if let Some(blocks) = base.block_type() {
            *unpacked.entry(blocks).or_default() += 1;
        }
        weights.replace(number, merged_weight(base, change.updates));
    }
    notes.extend(unpacked.into_iter().map(|(blocks, n)| {
        let weights =
            if n == 1 { "1 merged weight is".to_owned() } else { format!("{n} merged weights are") };
        format!(
            "{weights} {blocks} blocks in the checkpoint: sums are plain values, and get the type asked for"
        )
    }));
    Ok(notes)
}

/// The weight of the base with these updates.
fn merged_weight(base: Weight, updates: Vec<Update>) -> Weight {
    let mut dims = base.shape.iter().rev().copied();
    let cols = dims.next().unwrap_or(1);
    let rows = dims.next().unwrap_or(1);
    Weight::merged(Merged { base, rows, cols, updates })
}

/// Makes the head a weight of its own where the config says that it is the embeddings, but an adapter has one or the other
/// by itself: as its own weights, as peft does then, or as a product with the head's, as peft tells its users to.
fn untie(
    adapters: &[Opened],
    weights: &mut Weights,
    family: &'static Family,
    config: &mut Config,
) -> Option<String> {
    if !config.flag("tie_word_embeddings") {
        return None;
    }
    let lookup = Lookup::new(weights, Some((family, config)));
    let (head, embeddings) = lookup.ends()?;
    let apart = adapters.iter().any(|adapter| {
        let saved = |(name, role, _): &(String, Role, Entry)| {
            *role == Role::Saved && (lookup.is(name, &head) || lookup.is(name, &embeddings))
        };
        let adapted = |((name, _), tensors): (&(String, usize), &Module)| {
            tensors.contains_key(&Role::A) && lookup.is(&format!("{name}.weight"), &head)
        };
        adapter.saved.iter().any(saved) || adapter.modules.iter().any(adapted)
    });
    if !apart {
        return None;
    }
    let number = |name: &str| lookup.find(name).ok()?.whole();
    let (old, mut weight) = (number(&head), lookup.weight(number(&embeddings)?)?.clone());
    weight.name = head;
    match old {
        Some(old) => weights.replace(old, weight),
        None => weights.push(weight),
    }
    config.untie();
    Some("the adapter has the head or the embeddings by itself: they are two tensors now".to_owned())
}

impl Opened {
    fn new(adapter: &Adapter, limits: &Limits, weights: &mut Weights) -> Result<Self, Error> {
        let folder = Folder { path: &adapter.folder, limits };
        let config = AdapterConfig::read(folder)?;
        let (file, entries) = open(folder)?;
        let shard = weights.add_file(file);
        let name = crate::folder::name(&adapter.folder);
        let mut opened = Self {
            config,
            scale: adapter.scale,
            name,
            modules: BTreeMap::new(),
            saved: Vec::new(),
            shard,
            problems: Vec::new(),
        };
        for entry in entries {
            opened.take(entry);
        }
        Ok(opened)
    }

    /// Puts a tensor where it belongs.
    fn take(&mut self, entry: Entry) {
        if !matches!(entry.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            let name = entry.name.escape_debug();
            self.problems.push(format!("{name}: dtype {}, expected F16, BF16 or F32", entry.dtype));
            return;
        }
        match names::parse(&entry.name) {
            Some((name, _, role @ (Role::Saved | Role::Base))) => self.saved.push((name, role, entry)),
            Some((name, depth, role)) => {
                let part = Part::new(&entry, self.shard);
                if let Some(first) = self.modules.entry((name, depth)).or_default().insert(role, part) {
                    self.problems.push(format!("{} and {}: are the same tensor", first.name, entry.name));
                }
            }
            None => self.problems.push(format!("{}: is no tensor of LoRA's", entry.name.escape_debug())),
        }
    }

    /// Puts a whole weight in the base's place; the inner error is a problem of the adapter's.
    fn saved(
        &self,
        lookup: &Lookup<'_>,
        name: &str,
        role: Role,
        entry: &Entry,
        number: usize,
        changes: &mut BTreeMap<usize, Change>,
    ) -> Result<Result<(), String>, Error> {
        let whole = lookup.find(name)?.whole();
        let Some((place, base)) = whole.and_then(|n| Some((n, lookup.weight(n)?))) else {
            return Ok(Err(format!("{}: the base has no {name}", entry.name)));
        };
        if base.shape != entry.shape {
            return Ok(Err(format!(
                "{}: shape {:?}, expected {:?} of the base's {}",
                entry.name, entry.shape, base.shape, base.name
            )));
        }
        let change = changes.entry(place).or_default();
        // The base's own weight is the same in every adapter that has it.
        if role == Role::Saved && (change.saved.is_some() || !change.updates.is_empty()) {
            return Ok(Err(format!("{}: another adapter changes the same weight", entry.name)));
        }
        if change.saved.is_none() {
            let owner = if role == Role::Saved { number } else { usize::MAX };
            change.saved = Some((owner, Weight::plain(base.name.clone(), entry, self.shard)));
        }
        Ok(Ok(()))
    }
}

impl Change {
    fn add(&mut self, update: Update, adapter: usize, module: &str) -> Result<(), String> {
        if self.saved.as_ref().is_some_and(|(owner, _)| *owner != usize::MAX && *owner != adapter) {
            return Err(format!("{module}: another adapter replaces the same weight"));
        }
        if let Update::Rows { rows, .. } = &update {
            let tokens = rows.iter().map(|(token, _)| *token);
            if let Some(token) = tokens.clone().find(|t| self.tokens.contains(t)) {
                return Err(format!("{module}: another adapter has a row for token {token}, too"));
            }
            self.tokens.extend(tokens);
        }
        self.updates.push(update);
        Ok(())
    }
}
