//! Every file type from GGUF files, with importance and without, ours beside llama.cpp's `llama_model_quantize`.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use entrenar_ecosystem::{GgufExporter, ImportanceMatrix, QuantizationType};
use fixture_models::{Conversion, Summary, Workbench};
use gguf_format::{GgmlType, Metadata};
use peer::activations::Activations;
use peer::llama::{self, Refused};
use peer::quantize::{Override, Settings, Target, quantize_model_with};

use crate::architectures;
use crate::export::compare;
use crate::gguf::{self, Tensor};
use crate::real::MODELS;
use crate::report::{Outcome, Report, first_few};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the models read to tell what matters; the number of its parts.
const TEXT: &str = include_str!("../scripts/corpus.txt");
const CHUNKS: u32 = 1;

/// An importance matrix in both formats, and as llama.cpp takes it.
pub(crate) struct Matrix {
    pub(crate) files: [PathBuf; 2],
    pub(crate) importance: Vec<(CString, Vec<f32>)>,
}

/// Models that between them have every kind of tensor and of fallback: enough for a quick run.
const QUICK: [&str; 3] = ["llama", "bert", "llama-rows-32"];

/// Makes the checks on fixture models, a line for each and each kind of importance; on a few of them if it has to be quick.
pub fn fixtures(report: &mut Report, dir: &Path, quick: bool) {
    for model in fixture_models::all().iter().filter(|model| !quick || QUICK.contains(&model.name)) {
        let input = || {
            let folder = fixture_models::write(model.name, dir)?;
            let file = dir.join(format!("{}.F32.gguf", model.name));
            GgufExporter::new(QuantizationType::F32).export(&folder, &file)?;
            Ok(file)
        };
        check(report, dir, model.name, &input);
    }
}

/// Makes the checks on tiny models of other architectures.
pub fn architectures(report: &mut Report, dir: &Path) {
    for architecture in architectures::ALL {
        let input = || {
            let file = dir.join(format!("{}.arch.gguf", architecture.name));
            fs::write(&file, architecture.gguf()?)?;
            Ok(file)
        };
        check(report, dir, architecture.name, &input);
    }
}

/// Makes the checks on real models.
pub fn real(report: &mut Report, bench: &Workbench, dir: &Path) {
    for real in &MODELS {
        let mut outtypes = vec!["f32", real.outtype];
        outtypes.dedup();
        for outtype in outtypes {
            let input = || {
                let file = dir.join(format!("{}.{outtype}.in.gguf", real.name));
                if !file.exists() {
                    let folder = bench.join("models").join(real.folder);
                    bench.convert(&[Conversion {
                        folder,
                        out: file.clone(),
                        outtype: outtype.into(),
                        pre: None,
                    }])?;
                }
                Ok(file)
            };
            check(report, dir, &format!("{} {outtype}", real.name), &input);
        }
    }
}

fn check(report: &mut Report, dir: &Path, name: &str, input: &dyn Fn() -> Result<PathBuf>) {
    report.check(format!("file types {name}"), || every_type(&input()?, dir, None));
    report.check(format!("file types {name} imatrix"), || {
        let input = input()?;
        let matrix = matrix(&input, dir)?;
        every_type(&input, dir, Some(&matrix))
    });
}

fn every_type(input: &Path, dir: &Path, matrix: Option<&Matrix>) -> Outcome {
    let (mut equal, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    let all = QuantizationType::ALL.iter().chain([&QuantizationType::Copy]).copied();
    // Nothing counts where nothing is rounded: a copy and a matrix exclude each other.
    for quantization in all.filter(|q| matrix.is_none() || *q != QuantizationType::Copy) {
        match one_type(input, dir, quantization, matrix) {
            Ok(true) => equal += 1,
            Ok(false) => refused.push(quantization.to_string()),
            Err(error) => wrong.push(format!("{quantization}: {error}")),
        }
    }
    if !wrong.is_empty() {
        return Err(format!("{} differ: {}", wrong.len(), first_few(&wrong)).into());
    }
    let formats = if matrix.is_some() { ", from either format of the matrix" } else { "" };
    let refused = if refused.is_empty() { "none".to_owned() } else { refused.join(" ") };
    Ok(format!("{equal} whole files the same{formats}\nrefused by both: {refused}"))
}

/// Whether both wrote the same file; `false` if both refused.
fn one_type(
    input: &Path,
    dir: &Path,
    quantization: QuantizationType,
    matrix: Option<&Matrix>,
) -> Result<bool> {
    let theirs = dir.join("types.theirs.gguf");
    let target = quantization.file_type().map_or(Target::Copy, |file_type| Target::FileType(file_type.id()));
    let mut settings = Settings::default();
    let mut exporters = vec![GgufExporter::new(quantization)];
    if let Some(matrix) = matrix {
        settings.importance.clone_from(&matrix.importance);
        settings.metadata = told(matrix.importance.len());
        exporters.clear();
        for file in &matrix.files {
            let read = ImportanceMatrix::open(file)?;
            exporters.push(GgufExporter::new(quantization).with_importance_matrix(read, file));
        }
    }
    let their_result = quantize_model_with(input, &theirs, target, 2, &settings);
    let mut written = true;
    for exporter in &exporters {
        written = alike(exporter, input, dir, &theirs, &their_result)?;
    }
    Ok(written)
}

/// Whether we write what llama.cpp wrote; `false` if both refused.
fn alike(
    exporter: &GgufExporter,
    input: &Path,
    dir: &Path,
    theirs: &Path,
    their_result: &std::result::Result<(), Refused>,
) -> Result<bool> {
    let ours = dir.join("types.ours.gguf");
    match (exporter.export(input, &ours), their_result) {
        (Ok(_), Ok(())) => {
            if fs::read(theirs)? == fs::read(&ours)? {
                return Ok(true);
            }
            compare(&Summary::read(theirs)?, &Summary::read(&ours)?)?;
            Err("the same things in another order".into())
        }
        (Err(_), Err(_)) => Ok(false),
        (Ok(_), Err(theirs)) => Err(format!("llama.cpp alone refuses: {theirs}").into()),
        (Err(ours), Ok(())) => Err(format!("we alone refuse: {ours}").into()),
    }
}

/// What a matrix's file is called; both formats, so that both lead to the same metadata.
const MATRIX: &str = "corpus.imatrix";

/// What llama-quantize writes about a matrix; of the path, as we do, only the name.
pub(crate) fn told(entries: usize) -> Vec<(String, Override)> {
    vec![
        ("quantize.imatrix.file".to_owned(), Override::Str(MATRIX.to_owned())),
        ("quantize.imatrix.dataset".to_owned(), Override::Str("corpus.txt".to_owned())),
        ("quantize.imatrix.entries_count".to_owned(), Override::Int(entries as i64)),
        ("quantize.imatrix.chunks_count".to_owned(), Override::Int(CHUNKS.into())),
    ]
}

/// Lets llama.cpp run the model, and writes down what met its matrices.
pub(crate) fn matrix(input: &Path, dir: &Path) -> Result<Matrix> {
    let model = llama::Model::load(input)?;
    let is_bert = input.to_string_lossy().contains("bert") || input.to_string_lossy().contains("minilm");
    let found = model.activations(TEXT, is_bert)?;
    if found.is_empty() {
        return Err("no matrix met anything".into());
    }
    let files = ["imatrix-gguf", "imatrix-dat"].map(|format| dir.join(format).join(MATRIX));
    for folder in files.iter().filter_map(|file| file.parent()) {
        fs::create_dir_all(folder)?;
    }
    fs::write(&files[0], as_gguf(&found)?)?;
    fs::write(&files[1], as_dat(&found)?)?;
    let importance =
        found.iter().map(|(name, columns)| Ok((CString::new(name.as_str())?, columns.importance())));
    Ok(Matrix { files, importance: importance.collect::<Result<_>>()? })
}

/// As llama-imatrix writes it today.
fn as_gguf(found: &Activations) -> Result<Vec<u8>> {
    let mut metadata = Metadata::new();
    metadata.insert("general.type", "imatrix");
    metadata.insert("imatrix.datasets", vec!["corpus.txt".to_owned()]);
    metadata.insert("imatrix.chunk_count", CHUNKS);
    metadata.insert("imatrix.chunk_size", 256u32);
    let mut tensors: Vec<Tensor> = Vec::new();
    for (name, columns) in found {
        let matrices = columns.counts.len() as u64;
        let width = columns.sums.len() as u64 / matrices;
        let sums = columns.sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        tensors.push((format!("{name}.in_sum2"), vec![width, matrices], GgmlType::F32, sums));
        let counts = columns.counts.iter().flat_map(|&count| (count as f32).to_le_bytes()).collect();
        tensors.push((format!("{name}.counts"), vec![1, matrices], GgmlType::F32, counts));
    }
    gguf::file(metadata, tensors)
}

/// As it used to: counts, names and numbers one after the other. A tensor has one count there, by which its numbers are
/// divided; with several matrices it is 1, and the numbers are the means.
fn as_dat(found: &Activations) -> Result<Vec<u8>> {
    let number = |n: usize| i32::try_from(n).map(i32::to_le_bytes);
    let mut bytes = number(found.len())?.to_vec();
    for (name, columns) in found {
        bytes.extend(number(name.len())?);
        bytes.extend(name.as_bytes());
        let (count, values) = match columns.counts[..] {
            [count] => (count, columns.sums.clone()),
            _ => (1, columns.importance()),
        };
        bytes.extend(count.to_le_bytes());
        bytes.extend(number(values.len())?);
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    bytes.extend(CHUNKS.to_le_bytes());
    bytes.extend(number("corpus.txt".len())?);
    bytes.extend(b"corpus.txt");
    Ok(bytes)
}
