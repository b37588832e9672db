//! What a tiny model of every class computes: transformers' logits beside those that llama.cpp gets from our F32 file.
//!
//! Equal tensors and metadata, which `classes` checks, leave open whether both the converter and we are wrong, and whether
//! llama.cpp takes the file at all.

use std::path::{Path, PathBuf};
use std::process::Command;

use entrenar_ecosystem::{GgufExporter, QuantizationType};
use fixture_models::Workbench;
use peer::llama;
use peer::outputs::Output;
use serde::Deserialize;

use crate::classes;
use crate::report::{Outcome, Report};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A line of `outputs.json`, which `scripts/class_logits.py` writes: what it computed, or why it could not.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Computed {
    Failed { name: String, error: String },
    Outputs(Expected),
}

/// Transformers' outputs for a model.
#[derive(Debug, Deserialize)]
struct Expected {
    /// The model's name and its folder's.
    name: String,
    /// What the outputs are.
    kind: Kind,
    /// The prompt.
    ids: Vec<i32>,
    /// Numbers a position; none where transformers has no such class.
    width: Option<usize>,
    /// What is on their way that loses accuracy.
    sums: Sums,
    /// How far they moved when transformers was made to compute what llama.cpp computes otherwise (`class_peer.py`), in
    /// standard deviations of all of them; none where there is nothing of the kind.
    moved: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sums {
    Plain,
    Delta,
    Gelu,
}

impl Sums {
    /// How far an output may be from transformers', in standard deviations of all of them.
    fn allowed(self) -> f64 {
        match self {
            // Both add up F32, in another order.
            Self::Plain => 1e-4,
            // The delta rule runs in chunks, which are not the same ones, over a state that errors stay in.
            Self::Delta => 1e-3,
            // Both look GELU up in a table of F16, but arguments that are one bit apart may lie on either side of a step, which
            // is 2^-11 of the value.
            Self::Gelu => 5e-2,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Logits,
    Embeddings,
}

/// Computes the outputs of the models that are asked for in one run of Python, and prints a line for each.
pub fn run(report: &mut Report, bench: &Workbench) {
    let names = match classes::names(bench) {
        Ok(names) => names,
        Err(error) => return report.check("logits", || Err(error)),
    };
    // Wide models are the same ones with larger sums: there rounding decides which expert or position wins.
    let narrow = names.iter().filter(|name| !name.ends_with("-wide"));
    let wanted: Vec<&String> = narrow.filter(|name| report.wants(&check_name(name))).collect();
    if wanted.is_empty() {
        return;
    }
    let computed = match compute(bench, &wanted) {
        Ok(computed) => computed,
        Err(error) => return report.check("logits", || Err(error)),
    };
    for computed in &computed {
        match computed {
            Computed::Failed { name, error } => {
                report.check(check_name(name), || Err(format!("transformers: {error}").into()));
            }
            Computed::Outputs(expected) => {
                report.check(check_name(&expected.name), || expected.check(bench));
            }
        }
    }
}

fn check_name(name: &str) -> String {
    format!("logits {name}")
}

fn folder(bench: &Workbench) -> Result<PathBuf> {
    Ok(bench.folder("logits")?)
}

fn list(folder: &Path) -> Result<Vec<Computed>> {
    Ok(serde_json::from_slice(&std::fs::read(folder.join("outputs.json"))?)?)
}

fn compute(bench: &Workbench, names: &[&String]) -> Result<Vec<Computed>> {
    let folder = folder(bench)?;
    let names = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
    let mut command = bench.python("class_logits.py")?;
    let said =
        command.arg(&folder).arg("--only").arg(names).arg("--npm").arg(bench.join("tokenizers")).output()?;
    if !said.status.success() {
        let error = String::from_utf8_lossy(&said.stderr);
        return Err(format!("class_logits.py: {}", error.lines().last().unwrap_or_default()).into());
    }
    list(&folder)
}

/// Loads `NAME.gguf` in `folder` with llama.cpp and compares its outputs with transformers': the work of a process of its
/// own, since llama.cpp ends the process where an assertion of it fails.
///
/// # Errors
/// The file is not read, or the outputs differ.
pub fn compare(folder: &Path, name: &str) -> Result<()> {
    let computed = list(folder)?;
    let expected = computed.iter().find_map(|c| match c {
        Computed::Outputs(expected) if expected.name == name => Some(expected),
        _ => None,
    });
    let detail = expected.ok_or("no such model")?.compare(folder)?;
    println!("{detail}");
    Ok(())
}

impl Expected {
    fn check(&self, bench: &Workbench) -> Outcome {
        let folder = folder(bench)?;
        // Blocks of a quantized checkpoint are plain F32 then, whose products lose nothing.
        let recipe = QuantizationType::F32.recipe().with_requantizing(true);
        GgufExporter::with_recipe(recipe).export(folder.join(&self.name), self.file(&folder))?;
        let said =
            Command::new(std::env::current_exe()?).arg("outputs").arg(&folder).arg(&self.name).output()?;
        let text = if said.status.success() { &said.stdout } else { &said.stderr };
        let text = String::from_utf8_lossy(text).trim().to_owned();
        if said.status.success() { Ok(text) } else { Err(format!("{text} ({})", said.status).into()) }
    }

    fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.gguf", self.name))
    }

    fn compare(&self, folder: &Path) -> Outcome {
        let (output, what) = match self.kind {
            Kind::Logits => (Output::Logits, "logits"),
            Kind::Embeddings => (Output::Embeddings, "hidden states"),
        };
        let ours = llama::Model::load(&self.file(folder))?.outputs(&self.ids, output)?;
        let Some(width) = self.width else {
            let all = ours.iter().flatten();
            return if ours.is_empty() || all.clone().any(|x| !x.is_finite()) {
                Err(format!("{what} that are no numbers").into())
            } else {
                Ok(format!("runs: {} {what}, all finite; transformers has no such class", all.count()))
            };
        };
        let bytes = std::fs::read(folder.join(format!("{}.outputs", self.name)))?;
        let (values, _) = bytes.as_chunks();
        let theirs: Vec<f64> = values.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect();
        if let Some(row) = ours.iter().find(|row| row.len() != width) {
            return Err(format!("{} {what} a position, transformers has {}", row.len(), width).into());
        }
        let ours: Vec<f64> = ours.into_iter().flatten().map(f64::from).collect();
        if ours.len() != theirs.len() || ours.is_empty() {
            return Err(format!("{} {what}, transformers has {}", ours.len(), theirs.len()).into());
        }
        let count = theirs.len() as f64;
        let mean = theirs.iter().sum::<f64>() / count;
        let spread = (theirs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        let off = |(a, b): (&f64, &f64)| if a.is_finite() { (a - b).abs() / spread } else { f64::INFINITY };
        let rows = ours.chunks(width).zip(theirs.chunks(width));
        let rows = rows.map(|(ours, theirs)| ours.iter().zip(theirs).map(off).fold(0.0, f64::max));
        let (position, most) =
            rows.enumerate().fold((0, 0.0), |most, row| if row.1 > most.1 { row } else { most });
        let allowed = self.sums.allowed();
        let moved = self.moved.map_or_else(String::new, |moved| {
            format!("; what llama.cpp computes otherwise moves them by {moved:.1e}")
        });
        let detail = format!(
            "{} x {} {what}, off by at most {most:.1e} of their spread, {allowed:.0e} allowed, at position \
             {position}{moved}",
            self.ids.len(),
            width,
        );
        if most <= allowed { Ok(detail) } else { Err(detail.into()) }
    }
}
