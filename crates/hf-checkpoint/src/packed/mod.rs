//! Weights that a quantization method has packed, seen as the plain weights of the model's class.
//!
//! What a method stores is told by `quantization_config`: [`methods`] is the table. Values are those of
//! convert_hf_to_gguf's `dequant_model` (as vendored by llama-cpp-python 0.3.36), bit by bit in F32.

mod columns;
mod fp4;
mod grouped;
mod methods;
mod part;
mod scaled;
mod ternary;
mod tile;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::error::Error;
use crate::shards::{Shards, Stored};
pub(crate) use part::Part;

pub(crate) use tile::{Unpack, read};

impl dyn Unpack {
    /// The shard that most of it is in.
    pub(crate) fn shard(&self) -> usize {
        self.main().shard
    }
}

/// A weight made of packed tensors.
#[derive(Debug)]
pub(crate) struct Made {
    pub name: String,
    /// Outermost dimension first.
    pub shape: Vec<u64>,
    pub unpack: Arc<dyn Unpack>,
}

/// What a checkpoint's packed tensors make.
#[derive(Debug, Default)]
pub(crate) struct Unpacked {
    pub made: Vec<Made>,
    /// The tensors that belong to the packing, and are no weights of the model.
    pub taken: BTreeSet<String>,
    /// Those of them that make no weight.
    pub left_out: BTreeSet<String>,
}

/// Finds the packed weights of a checkpoint.
///
/// # Errors
/// If the method is not read; or, in one error, all tensors whose companions are missing or misshapen.
pub(crate) fn find(config: &Path, quantization: &Value, shards: &Shards) -> Result<Unpacked, Error> {
    let text = |key: &str| quantization.get(key).and_then(Value::as_str);
    let method = match text("quant_method") {
        Some(method) => method,
        // bitsandbytes' first form.
        None if quantization.get("load_in_4bit").is_some() => "bitsandbytes",
        None => "no quant_method",
    };
    let refused = |method: String| Error::Quantized { path: config.to_owned(), method };
    let read = methods::METHODS.iter().find(|(name, _)| *name == method);
    let (_, read) = read.ok_or_else(|| refused(method.to_owned()))?;
    let tensors = shards.tensors().map(|s| (s.entry.name.as_str(), s)).collect();
    let mut plan =
        Plan { quantization, shards, tensors, unpacked: Unpacked::default(), problems: Vec::new() };
    read(&mut plan)?.map_err(|detail| refused(format!("{method}: {detail}")))?;
    plan.forgotten();
    if !plan.problems.is_empty() {
        plan.problems.sort();
        let problems = plan.problems;
        return Err(Error::Packed { path: config.to_owned(), method: method.to_owned(), problems });
    }
    Ok(plan.unpacked)
}

/// The work of finding.
struct Plan<'a> {
    quantization: &'a Value,
    shards: &'a Shards,
    tensors: BTreeMap<&'a str, &'a Stored>,
    unpacked: Unpacked,
    problems: Vec<String>,
}

impl<'a> Plan<'a> {
    /// A whole number of the configuration.
    fn int(&self, key: &str) -> Option<i64> {
        self.quantization.get(key).and_then(Value::as_i64)
    }

    /// Names that end in `suffix`, without it.
    fn stems(&self, suffix: &str) -> Vec<String> {
        self.tensors.keys().filter_map(|n| n.strip_suffix(suffix)).map(str::to_owned).collect()
    }

    /// The tensor of this name, if it is there; it then belongs to the packing.
    fn optional(&mut self, name: &str) -> Option<Part> {
        let stored = self.tensors.get(name)?;
        self.unpacked.taken.insert(name.to_owned());
        Some(Part::of(stored))
    }

    /// The tensor of this name, which must be there.
    fn needed(&mut self, name: &str) -> Option<Part> {
        let part = self.optional(name);
        if part.is_none() {
            self.problems.push(format!("{name} is missing"));
        }
        part
    }

    /// Leaves out what ends so: scales of activations and caches, which a GGUF file has no use for.
    fn leave_out(&mut self, suffixes: &[&str]) {
        let names = self.tensors.keys().filter(|n| suffixes.iter().any(|s| n.ends_with(s)));
        let names: Vec<String> = names.map(|&n| n.to_owned()).collect();
        self.unpacked.left_out.extend(names.iter().cloned());
        self.unpacked.taken.extend(names);
    }

    /// The value of a tensor that is one number; `None` with a problem.
    fn number(&mut self, part: &Part) -> Result<Option<f32>, Error> {
        if part.elements() != 1 || !methods::SCALES.contains(&part.dtype) {
            let (name, dtype, shape) = (&part.name, part.dtype, &part.shape);
            self.problems.push(format!("{name} is {dtype} {shape:?}, expected one float"));
            return Ok(None);
        }
        Ok(part.floats(self.shards, 0, 1)?.first().copied())
    }

    fn make(&mut self, name: String, shape: Vec<u64>, unpack: impl Unpack + 'static) {
        self.unpacked.made.push(Made { name, shape, unpack: Arc::new(unpack) });
    }

    /// Notes a shape or type that is not the expected one.
    fn expect(&mut self, part: &Part, dtypes: &[safetensors::Dtype], shape: &[u64]) -> bool {
        let good = dtypes.contains(&part.dtype) && part.shape == shape;
        if !good {
            let names: Vec<_> = dtypes.iter().map(ToString::to_string).collect();
            self.problems.push(format!(
                "{} is {} {:?}, expected {} {shape:?}",
                part.name,
                part.dtype,
                part.shape,
                names.join(" or ")
            ));
        }
        good
    }

    /// Weights of eight-bit floats that no scale was found for.
    fn forgotten(&mut self) {
        use safetensors::Dtype::{F8_E4M3, F8_E5M2};
        for (name, stored) in &self.tensors {
            let float8 = matches!(stored.entry.dtype, F8_E4M3 | F8_E5M2);
            if float8 && !self.unpacked.taken.contains(*name) {
                self.problems.push(format!("{name} is {} and has no scale", stored.entry.dtype));
            }
        }
    }
}
