//! (b) The fixture models: against the golden files, against llama.cpp in this process, and run by it.

use std::path::{Path, PathBuf};

use fixture_models::{FILE_TYPES, Model, Summary};
use peer::llama;
use peer::quantize::{Target, quantize_model};

use crate::export::{compare, export, file_type_id};
use crate::report::{Outcome, Report, first_few};

/// All models, all types.
pub fn run(report: &mut Report, dir: &Path) {
    for model in fixture_models::all() {
        let names = ["golden", "live", "runs"].map(|what| format!("fixture {} {what}", model.name));
        if names.iter().all(|name| !report.wants(name)) {
            continue;
        }
        let files = Files { model, dir };
        let exported = files.export();
        let ready = || exported.as_ref().map(|_| ()).map_err(ToString::to_string);
        let [golden, live, runs] = names;
        report.check(golden, || ready().map_err(Into::into).and_then(|()| files.golden()));
        report.check(live, || ready().map_err(Into::into).and_then(|()| files.live()));
        report.check(runs, || ready().map_err(Into::into).and_then(|()| files.runs()));
    }
}

struct Files<'a> {
    model: &'a Model,
    dir: &'a Path,
}

impl Files<'_> {
    fn ours(&self, file_type: &str) -> PathBuf {
        self.dir.join(format!("{}.{file_type}.ours.gguf", self.model.name))
    }

    fn export(&self) -> Result<(), Box<dyn std::error::Error>> {
        let folder = fixture_models::write(self.model.name, self.dir)?;
        for file_type in FILE_TYPES {
            export(&folder, &self.ours(file_type), file_type).map_err(|e| format!("{file_type}: {e}"))?;
        }
        Ok(())
    }

    /// Every type against what the peers wrote when the golden file was made.
    fn golden(&self) -> Outcome {
        each(|file_type| {
            let golden = fixture_models::golden(self.model.name, file_type)?;
            compare(&golden.expected, &Summary::read(self.ours(file_type))?)
        })
    }

    /// Every type against llama.cpp's quantizer, now, on our own F32 file: F32 holds F16's and BF16's values exactly,
    /// so llama.cpp must come to the same file.
    fn live(&self) -> Outcome {
        each(|file_type| {
            let theirs = self.dir.join(format!("{}.{file_type}.theirs.gguf", self.model.name));
            let target = Target::FileType(file_type_id(file_type)?);
            quantize_model(&self.ours("F32"), &theirs, target, 2)?;
            compare(&Summary::read(&theirs)?, &Summary::read(self.ours(file_type))?)
        })
    }

    /// llama.cpp loads every type and one forward pass gives numbers.
    fn runs(&self) -> Outcome {
        each(|file_type| {
            let model = llama::Model::load(&self.ours(file_type))?;
            let text = "The capital of France is";
            let (what, numbers) = match self.model.name {
                "bert" => ("embedding", model.embed(text)?),
                _ => ("logits", model.logits(text)?),
            };
            let distinct = numbers.windows(2).any(|pair| matches!(pair, [a, b] if a != b));
            if !distinct || numbers.iter().any(|x| !x.is_finite()) {
                return Err(format!("{what} not finite or all the same").into());
            }
            Ok(format!("{} finite {what}", numbers.len()))
        })
    }
}

/// One check over the eight types: the last one's words, or all failures.
fn each(check: impl Fn(&str) -> Outcome) -> Outcome {
    let (mut failures, mut words) = (Vec::new(), String::new());
    for file_type in FILE_TYPES {
        match check(file_type) {
            Ok(text) => words = text,
            Err(error) => failures.push(format!("{file_type}: {error}")),
        }
    }
    if failures.is_empty() { Ok(format!("8 types; {words}")) } else { Err(first_few(&failures).into()) }
}
