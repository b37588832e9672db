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
            let Some((meant, block)) = sources().find_map(|s| Some((s, block_of(s, &name)?))) else {
                continue;
            };
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
        let source = sources.into_iter().find(|s| block_of(s, &name).is_some())?;
        let last = source.shape.len().checked_sub(1)?;
        let turns = |step: &Step| matches!(step, Step::Swap(a, b) if a + 1 == last && *b == last);
        let splits = |step: &Step| matches!(step, Step::Split(..));
        let of = |steps: &&[Step]| steps.iter().take_while(|s| !splits(s)).any(turns);
        Some(source.parts.iter().any(of))
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

fn plain(family: &Family, config: &Config, name: &str) -> String {
    let plain = family.names.plain(name);
    match family.renamed {
        Some(rename) => rename(config, plain),
        None => plain,
    }
}

/// The block that a name is in, if it is one of this source's.
fn block_of(source: &Source, name: &str) -> Option<u64> {
    let name = if source.bare { name } else { name.strip_suffix(".weight")? };
    let Some((before, after)) = source.name.split_once("{}") else {
        return (source.name == name).then_some(0);
    };
    let (number, rest) = name.strip_prefix(before)?.split_once('.')?;
    (after.strip_prefix('.')? == rest).then_some(number.parse().ok()?)
}
