//! One tensor of the GGUF file: its name, the weights that make it, its shape and type.

use gguf_format::GgmlType;
use safetensors::Dtype;

use super::layout::{self, Part};
use super::{Named, can_be_named, dims, sizes};
use crate::arch::{Presence, Row, Source};
use crate::config::Config;
use crate::element::{self, Element};
use crate::error::Error;
use crate::json;
use crate::problem::Problem;
use crate::sizes::{Dim, terms};
use crate::tensor::Tensor;
use crate::transform::{Changes, Origin, View};
use crate::weights::Weight;

/// What convert_hf_to_gguf keeps in F32 whatever it is asked for, besides vectors, norms, and what is no weight
/// (`ModelBase.prepare_tensors`): the ends of names.
const ALWAYS_F32: &[&str] = &[
    "_norm.weight",
    ".ffn_gate_inp.weight",
    ".ffn_gate_inp_shexp.weight",
    ".ssm_conv1d.weight",
    ".shortconv.conv.weight",
    ".altup_correct_coef.weight",
    ".altup_predict_coef.weight",
    ".indexer.proj.weight",
];
/// Whole names that it keeps in F32.
const ALWAYS_F32_NAMES: &[&str] = &["position_embd.weight", "token_types.weight"];

/// A tensor that a row asks for.
pub(super) struct Place {
    pub row: &'static Row,
    pub presence: Presence,
    pub block: u64,
    pub bias: bool,
    /// What the names in the checkpoint begin with.
    pub prefix: &'static str,
}

/// A tensor with where it comes from, and the number of its first weight.
type Filled = (usize, Tensor, Origin);

impl Place {
    /// The tensor, if its weights are there.
    pub(super) fn fill(
        &self,
        config: &Config,
        named: &mut Named<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Filled>, Error> {
        let needed = match self.presence {
            Presence::Never => return Ok(None),
            Presence::Optional => false,
            Presence::Needed => true,
            Presence::If(setting) => config.flag(setting),
            Presence::Where(is) => is(config, self.block),
        };
        let mut lacking = Vec::new();
        let mut chosen = None;
        for source in std::iter::once(&self.row.from).chain(self.row.or) {
            let names = self.names(source, config, named, needed)?;
            let (found, absent): (Vec<_>, Vec<_>) =
                names.into_iter().partition(|n| named.numbers.contains_key(n));
            if absent.is_empty() && !found.is_empty() {
                let numbers: Vec<usize> =
                    found.iter().filter_map(|n| named.numbers.get(n)).copied().collect();
                // Several forms may have the same names: the one that fits is meant, else the preferred.
                if self.fits(source, &numbers, config, named) {
                    chosen = Some((source, numbers));
                    break;
                }
                chosen = chosen.or(Some((source, numbers)));
                continue;
            }
            // The form that is there in part is the one that is meant; else the preferred.
            if !found.is_empty() {
                lacking = absent;
                break;
            }
            if needed && lacking.is_empty() {
                lacking = absent;
            }
        }
        if let Some((source, numbers)) = chosen {
            for number in &numbers {
                named.left.remove(number);
            }
            if self.row.copies {
                for name in std::iter::once(&self.row.from).chain(self.row.or).map(|s| self.whole(s)) {
                    if let Some(number) = named.numbers.get(&name) {
                        named.left.remove(number);
                    }
                }
            }
            return self.tensor(source, &numbers, config, named, problems);
        }
        problems.extend(
            lacking.into_iter().map(|name| Problem::Missing { tensor: format!("{}{name}", self.prefix) }),
        );
        Ok(None)
    }

    /// Whether the first of these weights has the shape of this form.
    fn fits(&self, source: &Source, numbers: &[usize], config: &Config, named: &Named<'_>) -> bool {
        let dims = if self.bias { source.shape.get(..1).unwrap_or(source.shape) } else { source.shape };
        let first = numbers.first().and_then(|n| named.weight(*n));
        sizes(config, dims, self.block).is_ok_and(|shape| first.is_some_and(|w| w.shape == shape))
    }

    /// The names of the weights of one form.
    fn names(
        &self,
        source: &Source,
        config: &Config,
        named: &Named<'_>,
        needed: bool,
    ) -> Result<Vec<String>, Error> {
        let name = self.whole(source);
        if !name.contains("{e}") {
            return Ok(vec![name]);
        }
        // Where the first is not there the others need not be asked for: a config may claim any number of them.
        let first = name.replace("{e}", "0");
        if !named.numbers.contains_key(&first) {
            return Ok(if needed { vec![first] } else { Vec::new() });
        }
        let count = config.dim_of(source.count, self.block)?;
        let most = named.weights.list().len() as u64;
        // Of all blocks together there cannot be more than tensors, either; several forms may have the same names.
        let asked = named.experts.get().saturating_add(count);
        if count > most || asked > most.saturating_mul(8) {
            let expected = format!("no more than the checkpoint's {most} tensors");
            return Err(json::bad_key(config.path(), &source.count.name(), &count.into(), &expected));
        }
        named.experts.set(asked);
        Ok((0..count).map(|e| name.replace("{e}", &e.to_string())).collect())
    }

    /// The name of a form's weight, or weights, in this block.
    fn whole(&self, source: &Source) -> String {
        let suffix = match (source.bare, self.bias) {
            (true, _) => "",
            (false, true) => ".bias",
            (false, false) => ".weight",
        };
        format!("{}{suffix}", source.name.replace("{}", &self.block.to_string()))
    }

    fn target(&self) -> String {
        let name = self.row.target.replace("{}", &self.block.to_string());
        let suffix = match (self.row.from.bare, self.bias) {
            (true, _) => "",
            (false, true) => ".bias",
            (false, false) => ".weight",
        };
        name + suffix
    }

    /// The tensor made of these weights; none if there is a problem.
    fn tensor(
        &self,
        source: &Source,
        numbers: &[usize],
        config: &Config,
        named: &Named<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Filled>, Error> {
        let weights: Vec<&Weight> = numbers.iter().filter_map(|n| named.weight(*n)).collect();
        let (Some(first), Some(number)) = (weights.first(), numbers.first()) else { return Ok(None) };
        let stacked = source.name.contains("{e}");
        let of_bias = |dims: &'static [Dim]| if self.bias { dims.get(..1).unwrap_or(dims) } else { dims };
        let expected = sizes(config, of_bias(source.shape), self.block)?;
        let before = problems.len();
        for weight in &weights {
            // A row of one is a vector, too.
            if weight.shape != expected {
                problems.push(Problem::Shape {
                    path: named.weights.path_of(weight),
                    tensor: weight.name.clone(),
                    found: weight.shape.clone(),
                    expected: expected.clone(),
                    terms: terms(of_bias(source.shape)),
                });
            } else if Element::float(weight.dtype).is_none() {
                problems.push(Problem::Dtype {
                    path: named.weights.path_of(weight),
                    tensor: weight.name.clone(),
                    dtype: weight.dtype.to_string(),
                    expected: element::FLOATS,
                });
            }
        }
        if problems.len() > before {
            return Ok(None);
        }
        let mut shape = if self.row.to.is_empty() {
            expected.clone()
        } else {
            sizes(config, of_bias(self.row.to), self.block)?
        };
        if stacked && self.row.to.is_empty() {
            shape.insert(0, numbers.len() as u64);
        }
        let dims = match dims(&shape) {
            Ok(dims) => dims,
            Err(source) => {
                let path = named.weights.path_of(first);
                problems.push(Problem::Dims { path, tensor: first.name.clone(), found: shape, source });
                return Ok(None);
            }
        };
        let parts = layout::of(source, &expected, config, self.block)?;
        let half = weights.iter().all(|w| w.dtype == Dtype::F16);
        let views: Vec<View> = numbers
            .iter()
            .flat_map(|n| parts.iter().flatten().map(|part| (*n, part.clone())))
            .map(|(weight, Part { start, axes, changes })| {
                let changes = Changes { list: changes, half };
                View { weight, start, axes, changes }
            })
            .collect();
        let elements: u64 = views.iter().map(View::elements).sum();
        let whole = dims.iter().product::<u64>();
        let fits = elements == whole || self.row.zeros_after && elements < whole;
        if views.is_empty() || !fits {
            // The config's numbers contradict each other.
            let steps: Vec<_> = source.parts.iter().flat_map(|p| *p).map(layout::terms).collect();
            problems.push(Problem::Layout {
                path: named.weights.path_of(first),
                tensor: first.name.clone(),
                found: first.shape.clone(),
                expected: steps.join(", "),
            });
            return Ok(None);
        }
        let name = self.target();
        if !can_be_named(&name) {
            problems.push(Problem::Name { name });
            return Ok(None);
        }
        let changed = views.iter().any(|v| !v.changes.list.is_empty());
        let element = if changed { GgmlType::F32 } else { self.element(&name, dims.len(), source, &weights) };
        let block = element.block_len() as u64;
        let views = match block {
            1 => views,
            // Blocks are the elements; weights that keep theirs are taken whole.
            _ => views.iter().map(|v| View::whole(v.weight, v.elements() / block)).collect(),
        };
        let origin = Origin::Parts(views);
        Ok(Some((*number, Tensor { name, dims, element, source: first.name.clone() }, origin)))
    }

    /// The type of the tensor's bytes.
    fn element(&self, name: &str, dims: usize, source: &Source, weights: &[&Weight]) -> GgmlType {
        let f32 = dims <= 1
            || !name.ends_with(".weight")
            || ALWAYS_F32.iter().any(|end| name.ends_with(end))
            || ALWAYS_F32_NAMES.contains(&name);
        if f32 {
            return GgmlType::F32;
        }
        let of = |weight: &Weight| match weight
            .block_type()
            .filter(|_| self.row.blocks && source.parts.is_empty())
        {
            Some(block) => Some(block),
            None => Element::float(weight.dtype).map(Element::lossless),
        };
        let mut types = weights.iter().map(|w| of(w));
        let first = types.next().flatten();
        // Mixed types have only F32 in common.
        first.filter(|first| types.all(|t| t == Some(*first))).unwrap_or(GgmlType::F32)
    }
}
