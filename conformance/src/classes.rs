//! A tiny model of every class, as transformers saves it: converted and quantized by the peers and exported by us.

use std::path::{Path, PathBuf};

use entrenar_ecosystem::QuantizationType;
use fixture_models::{Conversion, Summary, Workbench};
use peer::quantize::{Target, quantize_model};
use serde::Deserialize;

use crate::export::{compare, export};
use crate::report::{Outcome, Report, first_few};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A line of `jobs.json`, which `scripts/class_models.py` writes: what it made, or why it could not.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Made {
    Failed { name: String, error: String },
    Model(Model),
}

/// A model that it made.
#[derive(Debug, Deserialize)]
struct Model {
    /// Its name and its folder's.
    name: String,
    /// The model class.
    class: String,
    /// The converter's output type that loses nothing.
    outtype: String,
    /// What the converter is told of the pre-tokenizer of a small vocabulary.
    pre: Option<String>,
    /// What our file of the converter's output type is called.
    plain: String,
    /// The quantized type to compare; none if llama.cpp does not take the model.
    quantized: Option<String>,
}

/// Makes the models that are asked for in one run of Python, converts them in another, and prints a line for each.
pub fn run(report: &mut Report, bench: &Workbench) {
    let names = match names(bench) {
        Ok(names) => names,
        Err(error) => return report.check("classes", || Err(error)),
    };
    let wanted: Vec<String> = names.into_iter().filter(|name| report.wants(&check_name(name))).collect();
    if wanted.is_empty() {
        return;
    }
    let (dir, made) = match make(bench, &wanted) {
        Ok(made) => made,
        Err(error) => return report.check(check_name(&wanted.join(" ")), || Err(error)),
    };
    let models: Vec<&Model> = made.iter().filter_map(Made::model).collect();
    let said = convert(bench, &dir, &models).map_err(|e| e.to_string());
    let mut said = said.map(Vec::into_iter);
    for made in &made {
        let model = match made {
            Made::Failed { name, error } => {
                report.check(check_name(name), || Err(format!("transformers: {error}").into()));
                continue;
            }
            Made::Model(model) => model,
        };
        let converted = match &mut said {
            Ok(said) => said.next().unwrap_or_else(|| Err("was not converted".to_owned())),
            Err(error) => Err(error.clone()),
        };
        report.check(check_name(&model.name), || {
            converted.map_err(|error| format!("convert_hf_to_gguf: {error}"))?;
            model.compare(&dir)
        });
    }
}

/// A file's summary, in what the quantizer makes of it without changing it: tensors by name (the converter leaves them in the
/// checkpoint's order), and no dimension of 1 at the end.
fn read(path: &Path) -> Result<Summary> {
    let mut summary = Summary::read(path)?;
    summary.tensors.sort_by(|a, b| a.name.cmp(&b.name));
    for tensor in &mut summary.tensors {
        while tensor.dims.len() > 1 && tensor.dims.last() == Some(&1) {
            tensor.dims.pop();
        }
    }
    Ok(summary)
}

fn check_name(name: &str) -> String {
    format!("classes {name}")
}

/// The models of `scripts/class_table.py`.
pub(crate) fn names(bench: &Workbench) -> Result<Vec<String>> {
    let said = bench.python("class_models.py")?.arg("--list").output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into());
    }
    Ok(String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned).collect())
}

/// The folder with the models, and what `scripts/class_models.py` says of each.
fn make(bench: &Workbench, names: &[String]) -> Result<(PathBuf, Vec<Made>)> {
    let dir = bench.folder("classes")?;
    let mut command = bench.python("class_models.py")?;
    command.arg(&dir).arg("--only").arg(names.join(",")).arg("--npm").arg(bench.join("tokenizers"));
    let said = command.output()?;
    if !said.status.success() {
        let error = String::from_utf8_lossy(&said.stderr);
        return Err(format!("class_models.py: {}", error.lines().last().unwrap_or_default()).into());
    }
    let made = serde_json::from_slice(&std::fs::read(dir.join("jobs.json"))?)?;
    Ok((dir, made))
}

fn convert(bench: &Workbench, dir: &Path, models: &[&Model]) -> Result<Vec<std::result::Result<(), String>>> {
    let jobs: Vec<Conversion> = models
        .iter()
        .map(|model| Conversion {
            folder: dir.join(&model.name),
            out: model.file(dir, "theirs"),
            outtype: model.outtype.clone().into(),
            pre: model.pre.clone().map(Into::into),
        })
        .collect();
    Ok(bench.convert_each(&jobs)?)
}

impl Made {
    fn model(&self) -> Option<&Model> {
        match self {
            Self::Model(model) => Some(model),
            Self::Failed { .. } => None,
        }
    }
}

impl Model {
    fn file(&self, dir: &Path, what: &str) -> PathBuf {
        dir.join(format!("{}.{what}.gguf", self.name))
    }

    /// The converter's file against ours of the same type, then llama.cpp's quantization of it against ours.
    fn compare(&self, dir: &Path) -> Outcome {
        let theirs = self.file(dir, "theirs");
        let mut types = vec![self.plain.clone()];
        types.extend(self.quantized.clone());
        let (mut details, mut wrong) = (Vec::new(), Vec::new());
        for file_type in &types {
            let outcome = if self.quantized.as_ref() == Some(file_type) {
                let quantized = self.file(dir, &format!("theirs.{file_type}"));
                let done = quantize_model(&theirs, &quantized, Target::FileType(file_type_id(file_type)?), 2);
                done.map_err(Into::into).and_then(|()| self.alike(dir, file_type, &quantized))
            } else {
                self.alike(dir, file_type, &theirs)
            };
            match outcome {
                Ok(detail) => details.push(detail),
                Err(error) => {
                    wrong.extend(error.to_string().lines().map(|line| format!("{file_type}: {line}")));
                }
            }
        }
        if !wrong.is_empty() {
            return Err(format!("{}: {}", self.class, first_few(&wrong)).into());
        }
        let detail = details.first().map_or("", String::as_str);
        Ok(format!("{}, {}: {detail}", self.class, types.join(" and ")))
    }

    /// Our file of this type against theirs.
    fn alike(&self, dir: &Path, file_type: &str, theirs: &Path) -> Outcome {
        let file = self.file(dir, "ours");
        export(&dir.join(&self.name), &file, file_type)?;
        let (mut theirs, mut ours) = (read(theirs)?, read(&file)?);
        // The quantizer's to say: the converter leaves it out for some classes, and it is no other type's where we copy.
        let key = "general.file_type";
        if file_type == "COPY" || !theirs.metadata.iter().any(|pair| pair.key == key) {
            for summary in [&mut theirs, &mut ours] {
                summary.metadata.retain(|pair| pair.key != key);
            }
        }
        compare(&theirs, &ours)
    }
}

fn file_type_id(name: &str) -> Result<u32> {
    let parsed = QuantizationType::parse(name).and_then(QuantizationType::file_type);
    Ok(parsed.ok_or_else(|| format!("no type {name:?}"))?.id())
}
