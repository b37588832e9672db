//! Which weights of the base an adapter means: by name, and by the other names that the family's table knows.

use std::collections::BTreeMap;

use crate::arch::{Family, Row, Source, Start, Step};
use crate::config::Config;
use crate::error::Error;
use crate::weights::{Weight, Weights};

/// The weights of the base by name.
pub(super) struct Lookup<'a> {
    list: &'a [Weight],
    exact: BTreeMap<&'a str, usize>,
    /// Under the names that the family's rows have.
    plain: BTreeMap<String, usize>,
    model: Option<(&'static Family, &'a Config)>,
}

/// A weight that is meant, or is part of what is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// The weight's number.
    pub weight: usize,
    /// Where the parameter that is meant is one for all experts and the weight is one expert's: which expert, and the
    /// row of the parameter that is the weight's first.
    pub expert: Option<(u64, u64)>,
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

    /// What a name means; empty if nothing.
    ///
    /// # Errors
    /// If the config lacks what the table asks.
    pub(super) fn find(&self, name: &str) -> Result<Vec<Spot>, Error> {
        let whole = |weight| vec![Spot { weight, expert: None }];
        if let Some(number) = self.exact.get(name) {
            return Ok(whole(*number));
        }
        let Some((family, config)) = self.model else { return Ok(Vec::new()) };
        let name = plain(family, config, name);
        if let Some(number) = self.plain.get(&name) {
            return Ok(whole(*number));
        }
        let mut spots = Vec::new();
        for row in family.rows.iter().flat_map(|r| *r) {
            let sources = || std::iter::once(&row.from).chain(row.or);
            let meant = sources().find_map(|s| Some((s, place_of(s, &name)?)));
            let Some((meant, (block, None))) = meant else { continue };
            for other in sources() {
                spots.extend(self.other_form(meant, other, block, config)?);
            }
        }
        Ok(spots)
    }

    /// The weights that hold the same as a source's in another form of the same row.
    fn other_form(
        &self,
        meant: &Source,
        other: &Source,
        block: u64,
        config: &Config,
    ) -> Result<Vec<Spot>, Error> {
        let name = |expert: u64| {
            let name = other.name.replace("{}", &block.to_string()).replace("{e}", &expert.to_string());
            if other.bare { name } else { format!("{name}.weight") }
        };
        if !other.name.contains("{e}") {
            // One weight for one: only as it is.
            let found = self.plain.get(&name(0)).filter(|_| meant.parts.is_empty() && other.parts.is_empty());
            return Ok(found.map(|n| Spot { weight: *n, expert: None }).into_iter().collect());
        }
        let first_row = match meant.parts {
            [] => 0,
            [[Step::Slice(1, Start::First, _)]] => 0,
            [[Step::Slice(1, Start::After(before), _)]] => config.dim_of(*before, block)?,
            _ => return Ok(Vec::new()),
        };
        let numbers = (0..).map_while(|e| Some((e, *self.plain.get(&name(e))?)));
        Ok(numbers.map(|(e, weight)| Spot { weight, expert: Some((e, first_row)) }).collect())
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
