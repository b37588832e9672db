//! (c), (d), (f): real models, converted and quantized by the peers and exported by us, compared, run and read.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use entrenar_ecosystem::{GgufExporter, QuantizationType};
use fixture_models::{Conversion, FILE_TYPES, Summary, Workbench};
use peer::llama;
use peer::quantize::{Target, quantize_model};

use crate::export::{compare, export, file_type_id};
use crate::report::{Outcome, Report};

type Error = Box<dyn std::error::Error>;

/// A real model that `scripts/setup.sh` puts into the work folder's `models`.
pub(crate) struct Real {
    pub(crate) name: &'static str,
    /// Its folder, which peers and we take its name from.
    pub(crate) folder: &'static str,
    pub(crate) outtype: &'static str,
}

pub(crate) const MODELS: [Real; 2] = [
    Real { name: "smollm2", folder: "SmolLM2-135M-Instruct", outtype: "bf16" },
    Real { name: "minilm", folder: "all-MiniLM-L6-v2", outtype: "f32" },
];

/// The files that these checks share. Each is made when it is first asked for, once a run, whatever is filtered.
struct Files<'a> {
    bench: &'a Workbench,
    dir: &'a Path,
    made: RefCell<BTreeSet<PathBuf>>,
}

impl Files<'_> {
    fn once(&self, path: PathBuf, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<PathBuf, Error> {
        if !self.made.borrow().contains(&path) {
            make(&path)?;
            self.made.borrow_mut().insert(path.clone());
        }
        Ok(path)
    }

    fn folder(&self, real: &Real) -> PathBuf {
        self.bench.join("models").join(real.folder)
    }

    fn converted(&self, real: &Real) -> PathBuf {
        self.dir.join(format!("{}.gguf", real.name))
    }

    /// The converter's file.
    fn intermediate(&self, real: &Real) -> Result<PathBuf, Error> {
        self.once(self.converted(real), |_| self.convert().map(drop))
    }

    /// Our file.
    fn ours(&self, real: &Real, file_type: &str) -> Result<PathBuf, Error> {
        let path = self.dir.join(format!("{}.{file_type}.ours.gguf", real.name));
        self.once(path, |path| export(&self.folder(real), path, file_type))
    }

    /// Converts all models in one run of Python.
    fn convert(&self) -> Outcome {
        let jobs: Vec<Conversion> = MODELS
            .iter()
            .map(|real| Conversion {
                folder: self.folder(real),
                out: self.converted(real),
                outtype: real.outtype.into(),
                pre: None,
            })
            .collect();
        let versions = self.bench.convert(&jobs)?;
        self.made.borrow_mut().extend(jobs.into_iter().map(|job| job.out));
        Ok(versions.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", "))
    }

    fn file_type(&self, real: &Real, file_type: &str) -> Outcome {
        let theirs = self.dir.join(format!("{}.{file_type}.theirs.gguf", real.name));
        let target = Target::FileType(file_type_id(file_type)?);
        quantize_model(&self.intermediate(real)?, &theirs, target, 2)?;
        compare(&Summary::read(theirs)?, &Summary::read(self.ours(real, file_type)?)?)
    }

    /// gguf-py must read the same things out of our file as our own reader does, and llama.cpp's COPY must leave the
    /// file as it is.
    fn read_by_others(&self, real: &Real) -> Outcome {
        let ours = self.ours(real, "Q4_K_M")?;
        let output = self.bench.python("read_gguf.py")?.arg(&ours).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!("gguf-py: {}", error.lines().last().unwrap_or_default()).into());
        }
        let summary = Summary::read(&ours)?;
        let tensors =
            summary.tensors.iter().map(|t| format!("{} {} {:?} {}", t.name, t.ty, t.dims, t.digest));
        let expected: Vec<String> =
            summary.metadata.iter().map(|p| format!("{} {}", p.key, p.ty)).chain(tensors).collect();
        if let Some((want, have)) = expected.iter().zip(text.lines()).find(|(a, b)| a.as_str() != *b) {
            return Err(format!("gguf-py reads {have:?} where we read {want:?}").into());
        }
        if text.lines().count() != expected.len() {
            return Err(
                format!("gguf-py reads {} things, we {}", text.lines().count(), expected.len()).into()
            );
        }
        let copy = self.dir.join(format!("{}.copy.gguf", real.name));
        quantize_model(&ours, &copy, Target::Copy, 2)?;
        if Summary::read(&copy)?.sha256 != summary.sha256 {
            return Err("llama-quantize COPY changes the file".into());
        }
        Ok(format!("{} things read alike; COPY keeps the sha256", expected.len()))
    }

    /// What gguf-py turns around must give the same file: a model of floats, and one that is quantized already.
    fn big_endian(&self, real: &Real) -> Outcome {
        let big = self.dir.join(format!("{}.big.gguf", real.name));
        let from_big = self.dir.join(format!("{}.from-big.gguf", real.name));
        // The tool turns few quantized types.
        let (q4, q8) = (self.ours(real, "Q4_K_M")?, self.ours(real, "Q8_0")?);
        for (input, quantization, quantized) in [
            (self.intermediate(real)?, QuantizationType::Q4KM, &q4),
            (q8.clone(), QuantizationType::Copy, &q8),
        ] {
            std::fs::copy(&input, &big)?;
            let said = self.bench.python("turn_gguf.py")?.arg(&big).output()?;
            if !said.status.success() {
                let error = String::from_utf8_lossy(&said.stderr);
                return Err(format!("gguf-py: {}", error.lines().last().unwrap_or_default()).into());
            }
            GgufExporter::new(quantization).export(&big, &from_big)?;
            if std::fs::read(&from_big)? != std::fs::read(quantized)? {
                return Err(format!("{quantization} of the big-endian file is another file").into());
            }
        }
        Ok("Q4_K_M of a big-endian file, and a copy of a big-endian Q8_0: the same file".to_owned())
    }
}

/// Makes all these checks; they need the Python peers and the real models.
pub fn run(report: &mut Report, bench: &Workbench, dir: &Path) {
    let files = Files { bench, dir, made: RefCell::default() };
    let [smollm2, minilm] = &MODELS;
    report.check("real convert_hf_to_gguf", || files.convert());
    for real in &MODELS {
        for file_type in FILE_TYPES {
            report.check(format!("real {} {file_type}", real.name), || files.file_type(real, file_type));
        }
    }
    report.check("answer of smollm2 Q4_K_M", || {
        let model = llama::Model::load(&files.ours(smollm2, "Q4_K_M")?)?;
        let answer = model.generate("The capital of France is", 12)?;
        if answer.contains("Paris") { Ok(format!("{answer:?}")) } else { Err(format!("{answer:?}").into()) }
    });
    report.check("embeddings of minilm Q8_0", || embeddings(&files, minilm));
    for real in &MODELS {
        report.check(format!("read by others: {}", real.name), || files.read_by_others(real));
        report.check(format!("big-endian {}", real.name), || files.big_endian(real));
    }
}

const SENTENCES: [&str; 6] = [
    "The capital of France is Paris.",
    "A cat sits on the mat.",
    "Quantization makes a model smaller.",
    "How do I reset my password?",
    "Die Straße ist nass, weil es geregnet hat.",
    "0.1 + 0.2 is not 0.3 in binary floating point.",
];

/// The cosine between embeddings from our Q8_0 file and from our F32 file, which equals the peers' byte for byte.
fn embeddings(files: &Files<'_>, minilm: &Real) -> Outcome {
    let exact = llama::Model::load(&files.ours(minilm, "F32")?)?;
    let ours = llama::Model::load(&files.ours(minilm, "Q8_0")?)?;
    let mut lowest = f64::INFINITY;
    for sentence in SENTENCES {
        lowest = lowest.min(cosine(&exact.embed(sentence)?, &ours.embed(sentence)?));
    }
    let detail = format!("lowest cosine {lowest:.6} over {} sentences, 0.999 wanted", SENTENCES.len());
    // NaN must fail as well.
    if lowest >= 0.999 { Ok(detail) } else { Err(detail.into()) }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot =
        |x: &[f32], y: &[f32]| -> f64 { x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum() };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
