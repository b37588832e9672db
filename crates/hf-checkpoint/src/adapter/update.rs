//! From the tensors of a module to what they do to a weight: shapes are held against each other here.

use std::collections::BTreeMap;

use super::config::AdapterConfig;
use super::factor::Factor;
use super::lookup::{Lookup, Spot};
use super::merged::{LowRank, MAX_RANK, Magnitude, Update};
use super::names::Role;
use crate::error::Error;
use crate::packed::Part;

/// The tensors of a module.
pub(super) type Module = BTreeMap<Role, Part>;

/// Updates with the numbers of the weights that they are of.
pub(super) type Updates = Vec<(usize, Update)>;

/// Makes the updates of one adapter.
pub(super) struct Maker<'a> {
    pub lookup: &'a Lookup<'a>,
    pub config: &'a AdapterConfig,
    /// What all products are multiplied by.
    pub scale: f64,
    /// The number that the next product gets.
    pub next: usize,
    pub problems: Vec<String>,
}

/// Two factors whose rank agrees.
struct Pair {
    a: Part,
    b: Part,
    inputs: u64,
    outputs: u64,
    /// The rank stored: that of all experts together.
    rank: u64,
}

impl Maker<'_> {
    /// What a module's tensors do. `depth`: how many parameters of it are wrapped around the one that is adapted.
    pub(super) fn module(&mut self, name: &str, depth: usize, tensors: &Module) -> Result<Updates, Error> {
        let mut updates = Vec::new();
        let spots = self.lookup.find(&format!("{name}.weight"))?;
        let number = spots.first().filter(|s| s.expert.is_none()).map(|s| s.weight);
        match number {
            Some(number) if depth == 0 => {
                updates.extend(self.linear(name, number, tensors)?);
                updates.extend(self.embedding(name, number, tensors)?);
                updates.extend(self.tokens(name, number, tensors)?);
            }
            _ => match self.parameter(name, depth)? {
                Some((parameter, spots)) => updates.extend(self.experts(name, &parameter, &spots, tensors)?),
                None => {
                    let names: Vec<_> = tensors.values().map(|p| p.name.as_str()).collect();
                    self.problems.push(format!("{}: the base has no weight {name}.weight", names.join(", ")));
                    return Ok(updates);
                }
            },
        }
        updates.extend(self.bias(name, tensors)?);
        Ok(updates)
    }

    /// The factors of these roles; none if neither is there, or with a problem.
    fn pair(&mut self, tensors: &Module, roles: (Role, Role)) -> Option<Pair> {
        let (a, b) = match (tensors.get(&roles.0), tensors.get(&roles.1)) {
            (Some(a), Some(b)) => (a, b),
            (None, None) => return None,
            (Some(one), None) | (None, Some(one)) => {
                self.problems.push(format!("{}: without the other factor of the product", one.name));
                return None;
            }
        };
        match (a.matrix(), b.matrix()) {
            (Some((rank, inputs)), Some((outputs, other))) if rank == other && rank > 0 => {
                if rank > MAX_RANK {
                    self.problems.push(format!("{}: rank {rank}, expected at most {MAX_RANK}", a.name));
                    return None;
                }
                Some(Pair { a: a.clone(), b: b.clone(), inputs, outputs, rank })
            }
            _ => {
                self.problems.push(format!(
                    "{}: shape {:?} and {}: shape {:?} are no factors of a product",
                    a.name, a.shape, b.name, b.shape
                ));
                None
            }
        }
    }

    /// Notes a rank that is not the config's.
    fn rank_is(&mut self, pair: &Pair, name: &str, experts: u64) -> Result<bool, Error> {
        let expected = self.config.rank(name)?;
        let good = expected.checked_mul(experts) == Some(pair.rank);
        if !good {
            let of_experts =
                if experts == 1 { String::new() } else { format!(" for each of {experts} experts") };
            self.problems.push(format!(
                "{}: rank {}, expected {expected}{of_experts} by adapter_config.json",
                pair.a.name, pair.rank
            ));
        }
        Ok(good)
    }

    /// The whole scale of what has this name.
    fn scale(&mut self, name: &str) -> Result<f32, Error> {
        let scale = (self.config.scale(name)? * self.scale) as f32;
        if !scale.is_finite() {
            self.problems.push(format!("{name}: scale {scale}, expected a finite number"));
        }
        Ok(scale)
    }

    fn linear(
        &mut self,
        name: &str,
        number: usize,
        tensors: &Module,
    ) -> Result<Option<(usize, Update)>, Error> {
        let Some(pair) = self.pair(tensors, (Role::A, Role::B)) else { return Ok(None) };
        let Some(&[rows, cols]) = self.lookup.weight(number).map(|w| w.shape.as_slice()) else {
            self.shape_differs(&pair, number);
            return Ok(None);
        };
        let plain = (rows, cols) == (pair.outputs, pair.inputs);
        let turned = (rows, cols) == (pair.inputs, pair.outputs);
        if !(plain || turned) {
            self.shape_differs(&pair, number);
            return Ok(None);
        }
        if !self.rank_is(&pair, name, 1)? {
            return Ok(None);
        }
        let turned = turned && (!plain || self.turned(&format!("{name}.weight")));
        let magnitude = self.magnitude(name, tensors, pair.outputs, !turned);
        let (left, right) = pair.factors(1);
        let (left, right) = if turned { (right.turned(), left.turned()) } else { (left, right) };
        Ok(Some((number, self.low_rank(name, (left, right), pair.rank, 0..1, magnitude)?)))
    }

    fn embedding(
        &mut self,
        name: &str,
        number: usize,
        tensors: &Module,
    ) -> Result<Option<(usize, Update)>, Error> {
        let Some(pair) = self.pair(tensors, (Role::EmbeddingA, Role::EmbeddingB)) else { return Ok(None) };
        let shape = self.lookup.weight(number).map(|w| w.shape.as_slice());
        if shape != Some(&[pair.inputs, pair.outputs]) {
            self.shape_differs(&pair, number);
            return Ok(None);
        }
        if !self.rank_is(&pair, name, 1)? {
            return Ok(None);
        }
        let magnitude = self.magnitude(name, tensors, pair.outputs, false);
        let (left, right) = pair.factors(1);
        let factors = (right.turned(), left.turned());
        Ok(Some((number, self.low_rank(name, factors, pair.rank, 0..1, magnitude)?)))
    }

    /// Factors of a parameter that all experts are in.
    fn experts(
        &mut self,
        module: &str,
        parameter: &str,
        spots: &[Spot],
        tensors: &Module,
    ) -> Result<Updates, Error> {
        let Some(pair) = self.pair(tensors, (Role::A, Role::B)) else { return Ok(Vec::new()) };
        let name = format!("{module}.{parameter}");
        // Experts, and rows and columns of the parameter of one.
        let (mut experts, mut rows, mut cols) = (0, 0, None);
        for spot in spots {
            let shape = self.lookup.weight(spot.weight).map(|w| w.shape.as_slice());
            let (e, r, c) = match (spot.expert, shape) {
                (Some((expert, first)), Some(&[r, c])) => (expert + 1, first + r, c),
                (None, Some(&[e, r, c])) => (e, r, c),
                _ => {
                    self.shape_differs(&pair, spot.weight);
                    return Ok(Vec::new());
                }
            };
            (experts, rows) = (experts.max(e), rows.max(r));
            if *cols.get_or_insert(c) != c {
                self.shape_differs(&pair, spot.weight);
                return Ok(Vec::new());
            }
        }
        let cols = cols.unwrap_or_default();
        let plain = (rows, cols) == (pair.outputs, pair.inputs);
        let turned = (rows, cols) == (pair.inputs, pair.outputs);
        if experts == 0 || !(plain || turned) || !self.rank_is(&pair, &name, experts)? {
            if !(plain || turned) {
                self.problems.push(format!(
                    "{} and {}: shapes {:?} and {:?} do not fit {name} of {experts} experts, {rows} x {cols}",
                    pair.a.name, pair.b.name, pair.a.shape, pair.b.shape
                ));
            }
            return Ok(Vec::new());
        }
        let whole = spots.iter().all(|s| s.expert.is_none());
        let turned = turned && (!plain || (whole && self.turned(&name)));
        let (left, right) = pair.factors(experts);
        let (left, right) = if turned { (right.turned(), left.turned()) } else { (left, right) };
        let mut updates = Vec::new();
        for spot in spots {
            let rank = pair.rank / experts;
            let (left, right, batches) = match spot.expert {
                None => (left.clone(), right.clone(), 0..experts),
                Some((expert, row)) => (
                    left.clone().after_batches(expert).after_outer(row),
                    right.clone().after_batches(expert),
                    0..1,
                ),
            };
            updates.push((spot.weight, self.low_rank(&name, (left, right), rank, batches, None)?));
        }
        Ok(updates)
    }

    /// Whether a weight that is as wide as it is high has its inputs first: peft asks the module's class, which is what
    /// the family's table knows; else the adapter's config says.
    fn turned(&self, name: &str) -> bool {
        self.lookup.turned(name).unwrap_or(self.config.fan_in_fan_out)
    }

    fn low_rank(
        &mut self,
        name: &str,
        (left, right): (Factor, Factor),
        rank: u64,
        batches: std::ops::Range<u64>,
        magnitude: Option<Magnitude>,
    ) -> Result<Update, Error> {
        let id = self.next;
        self.next += 1;
        let scale = self.scale(name)?;
        Ok(Update::LowRank(Box::new(LowRank { id, batches, left, right, rank, scale, magnitude })))
    }

    /// The lengths of DoRA, if the adapter has them.
    fn magnitude(&mut self, name: &str, tensors: &Module, outputs: u64, of_rows: bool) -> Option<Magnitude> {
        let part = tensors.get(&Role::Magnitude);
        match (part, self.config.dora) {
            (Some(part), true) if part.elements() == outputs => {
                Some(Magnitude { lengths: part.clone(), of_rows, factors: std::sync::Mutex::default() })
            }
            (Some(part), true) => {
                self.problems.push(format!(
                    "{}: shape {:?}, expected a length for each of {outputs} outputs",
                    part.name, part.shape
                ));
                None
            }
            (Some(part), false) => {
                self.problems.push(format!("{}: use_dora is off in adapter_config.json", part.name));
                None
            }
            (None, true) => {
                self.problems.push(format!("{name}: without lora_magnitude_vector, which DoRA has"));
                None
            }
            (None, false) => None,
        }
    }

    fn bias(&mut self, name: &str, tensors: &Module) -> Result<Option<(usize, Update)>, Error> {
        let Some(part) = tensors.get(&Role::BiasOfB) else { return Ok(None) };
        let spots = self.lookup.find(&format!("{name}.bias"))?;
        let found = spots.first().and_then(|s| Some((s.weight, self.lookup.weight(s.weight)?)));
        match found {
            Some((number, weight)) if weight.shape == part.shape => {
                let scale = self.scale(name)?;
                Ok(Some((number, Update::Add { vector: part.clone(), scale })))
            }
            Some((_, weight)) => {
                self.problems.push(format!(
                    "{}: shape {:?}, expected {:?} of the base's {}",
                    part.name, part.shape, weight.shape, weight.name
                ));
                Ok(None)
            }
            None => {
                self.problems.push(format!("{}: the base has no {name}.bias", part.name));
                Ok(None)
            }
        }
    }

    fn tokens(
        &mut self,
        name: &str,
        number: usize,
        tensors: &Module,
    ) -> Result<Option<(usize, Update)>, Error> {
        let Some(part) = tensors.get(&Role::Tokens) else { return Ok(None) };
        let tokens = self.config.tokens(name)?;
        let Some(&[rows, cols]) = self.lookup.weight(number).map(|w| w.shape.as_slice()) else {
            return Ok(None);
        };
        let mut sorted: Vec<_> = tokens.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let twice = sorted.iter().zip(sorted.iter().skip(1)).any(|(a, b)| a.0 == b.0);
        if part.matrix() != Some((tokens.len() as u64, cols))
            || twice
            || sorted.last().is_some_and(|t| t.0 >= rows)
        {
            self.problems.push(format!(
                "{}: shape {:?} for {} tokens, expected {cols} values for each of them, all different and below {rows}",
                part.name,
                part.shape,
                tokens.len()
            ));
            return Ok(None);
        }
        Ok(Some((number, Update::Rows { rows: sorted, values: part.clone() })))
    }

    /// The parameter that factors of a module without a weight are of.
    fn parameter(&self, module: &str, depth: usize) -> Result<Option<(String, Vec<Spot>)>, Error> {
        let Some(parameter) = self.config.parameter(module, depth) else { return Ok(None) };
        let spots = self.lookup.find(&format!("{module}.{parameter}"))?;
        Ok((!spots.is_empty()).then(|| (parameter.to_owned(), spots)))
    }

    fn shape_differs(&mut self, pair: &Pair, number: usize) {
        let Some(weight) = self.lookup.weight(number) else { return };
        self.problems.push(format!(
            "{} and {}: a product of shape {:?}, expected {:?} of the base's {}",
            pair.a.name,
            pair.b.name,
            [pair.outputs, pair.inputs],
            weight.shape,
            weight.name
        ));
    }
}

impl Pair {
    /// B and A, so that rows of their product are outputs: of each of so many experts, whose ranks are stored side by
    /// side in A and one in turn after another in B (`ParamWrapper.get_delta_weight`).
    fn factors(&self, experts: u64) -> (Factor, Factor) {
        let of_one = self.rank / experts;
        let left = Factor { part: self.b.clone(), start: 0, batch: 1, outer: self.rank, inner: experts };
        let batch = of_one * self.inputs;
        let right = Factor { part: self.a.clone(), start: 0, batch, outer: self.inputs, inner: 1 };
        (left, right)
    }
}
