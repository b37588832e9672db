//! From the tensors of a module to what they do to a weight: shapes are held against each other here.

use std::collections::BTreeMap;

use super::config::AdapterConfig;
use super::factor::Factor;
use super::lookup::{Lookup, Meant, Spot};
use super::merged::{Block, LowRank, MAX_RANK, Magnitude, Update};
use super::names::Role;
use super::overlap::Overlap;
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
        let weight = format!("{name}.weight");
        let meant = self.lookup.find(&weight)?;
        self.without_use(tensors, depth == 0 && meant.whole().is_some());
        if depth == 0 && !meant.spots.is_empty() {
            updates.extend(self.product(name, &weight, &meant, tensors)?);
            if let Some(number) = meant.whole() {
                updates.extend(self.embedding(name, number, tensors)?);
                updates.extend(self.tokens(name, number, tensors)?);
            }
        } else if let Some((parameter, meant)) = self.parameter(name, depth)? {
            updates.extend(self.product(&parameter, &parameter, &meant, tensors)?);
        } else {
            let names: Vec<_> = tensors.values().map(|p| p.name.as_str()).collect();
            self.problems.push(format!("{}: the base has no weight {weight}", names.join(", ")));
            return Ok(updates);
        }
        updates.extend(self.bias(name, tensors)?);
        Ok(updates)
    }

    /// Notes tensors that nothing would be done with. `whole`: the module's weight is one of the base's as it is.
    fn without_use(&mut self, tensors: &Module, whole: bool) {
        let has = |roles: &[Role]| roles.iter().any(|r| tensors.contains_key(r));
        for (role, part) in tensors {
            let problem = match role {
                Role::EmbeddingA | Role::EmbeddingB | Role::Tokens if !whole => {
                    "the module is no embedding of the base's"
                }
                Role::EmbeddingA | Role::EmbeddingB if has(&[Role::A, Role::B]) => {
                    "the module has linear factors, too"
                }
                Role::BiasOfB if !has(&[Role::B]) => "without the factors of a product",
                Role::Magnitude if !has(&[Role::A, Role::EmbeddingA]) => "without the factors of a product",
                _ => continue,
            };
            self.problems.push(format!("{}: {problem}", part.name));
        }
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

    /// A product of A and B, of a module or a parameter. `name` is what patterns of the config are matched against, `weight`
    /// what the base might call it.
    fn product(
        &mut self,
        name: &str,
        weight: &str,
        meant: &Meant,
        tensors: &Module,
    ) -> Result<Updates, Error> {
        let Some(pair) = self.pair(tensors, (Role::A, Role::B)) else { return Ok(Vec::new()) };
        let (experts, rows, cols) = match *meant.shape {
            [rows, cols] => (None, rows, cols),
            [experts, rows, cols] if experts > 0 => (Some(experts), rows, cols),
            _ => (None, 0, 0),
        };
        let plain = (rows, cols) == (pair.outputs, pair.inputs);
        let turned = (rows, cols) == (pair.inputs, pair.outputs);
        if !(plain || turned) || rows == 0 || cols == 0 {
            self.shape_differs(&pair, weight, &meant.shape);
            return Ok(Vec::new());
        }
        let count = experts.unwrap_or(1);
        if !self.shapes_are_right(&meant.spots) || !self.rank_is(&pair, name, count)? {
            return Ok(Vec::new());
        }
        let turned = turned && (!plain || self.turned(weight));
        if experts.is_some() && (self.config.dora || tensors.contains_key(&Role::Magnitude)) {
            self.problems.push(format!("{name}: DoRA of a parameter, which peft does not have"));
            return Ok(Vec::new());
        }
        let (left, right) = pair.factors(count);
        let (left, right) = if turned { (right.turned(), left.turned()) } else { (left, right) };
        let mut updates = Vec::new();
        for spot in &meant.spots {
            let whole = Block { batches: 0..count, rows: 0..rows, cols: 0..cols };
            let (place, left, right) = match &spot.overlap {
                None => (whole, left.clone(), right.clone()),
                Some(overlap) => placed(overlap, left.clone(), right.clone()),
            };
            let magnitude = match (&spot.overlap, experts) {
                (_, Some(_)) => None,
                (None, None) => self.magnitude(name, tensors, pair.outputs, !turned),
                (Some(overlap), None) => {
                    let of_rows = (turned != overlap.meant.columns) == overlap.own.columns;
                    let all = if overlap.meant.columns { cols } else { rows };
                    let whole = overlap.meant.count == all && overlap.meant.step == 1;
                    if self.config.dora && !(whole && of_rows != overlap.own.columns) {
                        self.problems.push(format!("{name}: DoRA of what the base has in parts"));
                    }
                    self.magnitude(name, tensors, pair.outputs, of_rows)
                }
            };
            updates.push((
                spot.weight,
                self.low_rank(name, place, (left, right), pair.rank / count, magnitude)?,
            ));
        }
        Ok(updates)
    }

    /// Notes weights that have not the shape that their form has in the family's table.
    fn shapes_are_right(&mut self, spots: &[Spot]) -> bool {
        let mut right = true;
        for spot in spots {
            let found = self.lookup.weight(spot.weight);
            if let (Some(overlap), Some(weight)) = (&spot.overlap, found)
                && weight.shape != overlap.shape
            {
                let (name, found, expected) = (&weight.name, &weight.shape, &overlap.shape);
                self.problems.push(format!("the base's {name}: shape {found:?}, expected {expected:?}"));
                right = false;
            }
        }
        right
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
            let shape = shape.unwrap_or_default().to_owned();
            self.shape_differs(&pair, &format!("{name}.weight"), &shape);
            return Ok(None);
        }
        if !self.rank_is(&pair, name, 1)? {
            return Ok(None);
        }
        let magnitude = self.magnitude(name, tensors, pair.outputs, false);
        let (left, right) = pair.factors(1);
        let place = Block { batches: 0..1, rows: 0..pair.inputs, cols: 0..pair.outputs };
        let factors = (right.turned(), left.turned());
        Ok(Some((number, self.low_rank(name, place, factors, pair.rank, magnitude)?)))
    }

    /// Whether a weight that is as wide as it is high has its inputs first: peft asks the module's class, which is what
    /// the family's table knows; else the adapter's config says.
    fn turned(&self, name: &str) -> bool {
        self.lookup.turned(name).unwrap_or(self.config.fan_in_fan_out)
    }

    fn low_rank(
        &mut self,
        name: &str,
        place: Block,
        (left, right): (Factor, Factor),
        rank: u64,
        magnitude: Option<Magnitude>,
    ) -> Result<Update, Error> {
        let id = self.next;
        self.next += 1;
        let scale = self.scale(name)?;
        Ok(Update::LowRank(Box::new(LowRank { id, place, left, right, rank, scale, magnitude })))
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
        let number = self.lookup.find(&format!("{name}.bias"))?.whole();
        let found = number.and_then(|n| Some((n, self.lookup.weight(n)?)));
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
        let shape = self.lookup.weight(number).map(|w| w.shape.as_slice()).unwrap_or_default();
        let &[rows, cols] = shape else {
            self.problems
                .push(format!("{}: the base's {name}.weight has shape {shape:?}, no rows", part.name));
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

    /// The parameter that factors of a module without a weight are of, by its whole name.
    fn parameter(&self, module: &str, depth: usize) -> Result<Option<(String, Meant)>, Error> {
        let Some(parameter) = self.config.parameter(module, depth) else { return Ok(None) };
        let name = format!("{module}.{parameter}");
        let meant = self.lookup.find(&name)?;
        Ok((!meant.spots.is_empty()).then_some((name, meant)))
    }

    fn shape_differs(&mut self, pair: &Pair, weight: &str, shape: &[u64]) {
        self.problems.push(format!(
            "{} and {}: a product of shape {:?}, expected {shape:?} of the base's {weight}",
            pair.a.name,
            pair.b.name,
            [pair.outputs, pair.inputs],
        ));
    }
}

/// Where a part of a product goes, and the factors of that part.
fn placed(overlap: &Overlap, left: Factor, right: Factor) -> (Block, Factor, Factor) {
    let Overlap { shape: _, matrices, first, meant, own } = overlap;
    let (lines, along) = if meant.columns { (right.turned(), left.turned()) } else { (left, right) };
    let lines = lines.after_batches(*first).every_outer(meant.first, meant.step);
    let along = along.after_batches(*first);
    let (of_lines, of_along) = (own.first..own.first.saturating_add(own.count), 0..own.len);
    let batches = matrices.clone();
    if own.columns {
        (Block { batches, rows: of_along, cols: of_lines }, along.turned(), lines.turned())
    } else {
        (Block { batches, rows: of_lines, cols: of_along }, lines, along)
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
