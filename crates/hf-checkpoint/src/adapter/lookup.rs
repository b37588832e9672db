//! Which weights of the base an adapter means: by name, and by the other names and forms that the family's table knows.

use std::collections::BTreeMap;

use super::overlap::{self, Overlap};
use crate::arch::{Family, Row, Source, Step};
use crate::config::Config;
use crate::error::Error;
use crate::map;
use crate::weights::{Weight, Weights};

/// The weights of the base by name.
pub(super) struct Lookup<'a> {
    list: &'a [Weight],
    exact: BTreeMap<&'a str, usize>,
    /// Under the names that the family's rows have.
    plain: BTreeMap<String, usize>,
    model: Option<(&'static Family, &'a Config)>,
}

/// What a name means in the base.
#[derive(Clone, Debug, Default)]
pub(super) struct Meant {
    /// Its shape: in the family's table, where the base has it in another form.
    pub shape: Vec<u64>,
    /// The weights that have it; none if the base has nothing of the kind.
    pub spots: Vec<Spot>,
}

/// A weight that is meant, or has a part of what is meant.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// The weight's number.
    pub weight: usize,
    /// Which part; `None`: the weight is what is meant.
    pub overlap: Option<Overlap>,
}

impl Meant {
    /// The weight, if it is one, as it is.
    pub(super) fn whole(&self) -> Option<usize> {
        match self.spots.as_slice() {
            [Spot { weight, overlap: None }] => Some(*weight),
            _ => None,
        }
    }
}

impl<'a> Lookup<'a> {
    pub(super) fn new(weights: &'a Weights, model: Option<(&'static Family, &'a Config)>) -> Self {
        let list = weights.list();
        let exact = list.iter().enumerate().map(|(n, w)| (w.name.as_str(), n)).collect();
        let plain = match model {
            Some((family, config)) => {
                list.iter().enumerate().map(|(n, w)| (plain(family, config, &w.name), n)).collect()
            }
            None => BTreeMap::new(),
        };
        Self { list, exact, plain, model }
    }

    /// The weight of this number.
    pub(super) fn weight(&self, number: usize) -> Option<&'a Weight> {
        self.list.get(number)
    }

    /// What a name means.
    ///
    /// # Errors
    /// If the config lacks what the table asks.
    pub(super) fn find(&self, name: &str) -> Result<Meant, Error> {
        if let Some(number) = self.exact.get(name) {
            return Ok(self.as_it_is(*number));
        }
        let Some((family, config)) = self.model else { return Ok(Meant::default()) };
        let name = plain(family, config, name);
        if let Some(number) = self.plain.get(&name) {
            return Ok(self.as_it_is(*number));
        }
        let mut found = Meant::default();
        for row in family.rows.iter().flat_map(|r| *r) {
            let sources = || std::iter::once(&row.from).chain(row.or);
            let Some((meant, place)) = sources().find_map(|s| Some((s, place_of(s, &name)?))) else {
                continue;
            };
            for other in sources() {
                found.spots.extend(self.other_form((meant, place), other, config)?);
            }
            match found.spots.as_slice() {
                [] => {}
                [Spot { weight, overlap: None }, ..] => return Ok(self.as_it_is(*weight)),
                _ => found.shape = map::sizes(config, meant.shape, place.0)?,
            }
        }
        Ok(found)
    }

    fn as_it_is(&self, weight: usize) -> Meant {
        let shape = self.weight(weight).map(|w| w.shape.clone()).unwrap_or_default();
        Meant { shape, spots: vec![Spot { weight, overlap: None }] }
    }

    /// The weights that hold the same as a source's in another form of the same row.
    fn other_form(
        &self,
        (meant, (block, expert)): (&Source, (u64, Option<u64>)),
        other: &Source,
        config: &Config,
    ) -> Result<Vec<Spot>, Error> {
        let number = |expert: u64| {
            let name = other.name.replace("{}", &block.to_string()).replace("{e}", &expert.to_string());
            self.plain.get(&if other.bare { name } else { format!("{name}.weight") }).copied()
        };
        let stacked = other.name.contains("{e}");
        let numbers: Vec<(Option<u64>, usize)> = match (stacked, expert) {
            (false, _) => number(0).map(|n| (None, n)).into_iter().collect(),
            (true, Some(expert)) => number(expert).map(|n| (Some(expert), n)).into_iter().collect(),
            (true, None) => (0..).map_while(|e| Some((Some(e), number(e)?))).collect(),
        };
        if !stacked && expert.is_none() && meant.parts.is_empty() && other.parts.is_empty() {
            return Ok(numbers.into_iter().map(|(_, weight)| Spot { weight, overlap: None }).collect());
        }
        let mut spots = Vec::new();
        for (own, weight) in numbers {
            let overlap = overlap::between((meant, expert), (other, own), config, block)?;
            spots.extend(overlap.map(|overlap| Spot { weight, overlap: Some(overlap) }));
        }
        Ok(spots)
    }

    /// Whether the family's table turns the last two axes of a weight round; `None` if it does not have it.
    pub(super) fn turned(&self, name: &str) -> Option<bool> {
        let (family, config) = self.model?;
        let name = plain(family, config, name);
        let sources = family.rows.iter().flat_map(|r| *r).flat_map(|r| std::iter::once(&r.from).chain(r.or));
        sources.into_iter().find(|s| place_of(s, &name).is_some()).map(turns)
    }

    /// The names that the head and the embeddings have in the family's rows.
    pub(super) fn ends(&self) -> Option<(String, String)> {
        let (family, _) = self.model?;
        let of = |target| family.rows.iter().flat_map(|r| *r).find(|r| r.target == target);
        let name = |row: &Row| format!("{}.weight", row.from.name);
        Some((name(of("output")?), name(of("token_embd")?)))
    }

    /// Whether a name is this one of the family's rows.
    pub(super) fn is(&self, name: &str, row_name: &str) -> bool {
        self.model.is_some_and(|(family, config)| plain(family, config, name) == row_name)
    }
}

/// A weight's name as the family's rows have it.
pub(super) fn plain(family: &Family, config: &Config, name: &str) -> String {
    let plain = family.names.plain(name);
    match family.renamed {
        Some(rename) => rename(config, plain),
        None => plain,
    }
}

/// Whether a source's last two axes are turned round.
pub(super) fn turns(source: &Source) -> bool {
    let last = source.shape.len().saturating_sub(1);
    let turns = |step: &Step| matches!(step, Step::Swap(a, b) if a + 1 == last && *b == last);
    let splits = |step: &Step| matches!(step, Step::Split(..));
    source.parts.iter().any(|steps| steps.iter().take_while(|s| !splits(s)).any(turns))
}

/// The block that a name is in, and which expert it is of, if it is one of this source's.
pub(super) fn place_of(source: &Source, name: &str) -> Option<(u64, Option<u64>)> {
    /// The number at the start, and what is behind it.
    fn number(text: &str) -> Option<(u64, &str)> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        Some((digits.parse().ok()?, rest))
    }
    let name = if source.bare { name } else { name.strip_suffix(".weight")? };
    let (before, after) = match source.name.split_once("{}") {
        Some(parts) => parts,
        None => return (source.name == name).then_some((0, None)),
    };
    let (block, rest) = number(name.strip_prefix(before)?)?;
    match after.split_once("{e}") {
        None => (after == rest).then_some((block, None)),
        Some((before, after)) => {
            let (expert, rest) = number(rest.strip_prefix(before)?)?;
            (after == rest).then_some((block, Some(expert)))
        }
    }
}
