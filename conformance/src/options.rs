//! The options of `llama-quantize`, given to our command under the same names, beside llama.cpp's quantizer: whole files.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use entrenar_ecosystem::{GgufExporter, QuantizationType, Recipe};
use fixture_models::Summary;
use gguf_format::GgmlType;
use peer::quantize::{Override, Settings, Target, quantize_model_with};

use crate::architectures;
use crate::export::compare;
use crate::file_types::{Matrix, matrix, told};
use crate::report::{Outcome, Report, first_few};
use crate::watch;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Options as our command takes them, and as llama.cpp does.
struct Case {
    arguments: &'static [&'static str],
    settings: Settings,
    with_matrix: bool,
}

/// Makes the checks, a line for each model.
pub fn run(report: &mut Report, dir: &Path) {
    for name in ["llama-10-layers", "bert"] {
        report.check(format!("options {name}"), || {
            let folder = fixture_models::write(name, dir)?;
            let file = dir.join(format!("{name}.options.gguf"));
            GgufExporter::new(QuantizationType::F32).export(&folder, &file)?;
            every_case(&file, dir)
        });
    }
    for architecture in architectures::ALL.iter().filter(|a| ["mixtral", "gemma2"].contains(&a.name)) {
        report.check(format!("options {}", architecture.name), || {
            let file = dir.join(format!("{}.options.gguf", architecture.name));
            fs::write(&file, architecture.gguf()?)?;
            every_case(&file, dir)
        });
    }
    report.check("options again", || again(dir));
}

fn every_case(input: &Path, dir: &Path) -> Outcome {
    let matrix = matrix(input, dir)?;
    let (mut equal, mut wrong) = (0, Vec::new());
    for case in cases() {
        match same(input, dir, &case, &matrix) {
            Ok(()) => equal += 1,
            Err(error) => wrong.push(format!("{}: {error}", case.arguments.join(" "))),
        }
    }
    if wrong.is_empty() {
        Ok(format!("{equal} sets of options, whole files the same"))
    } else {
        Err(format!("{} differ: {}", wrong.len(), first_few(&wrong)).into())
    }
}

fn same(input: &Path, dir: &Path, case: &Case, matrix: &Matrix) -> Result<()> {
    let (ours, theirs) = (dir.join("options.ours.gguf"), dir.join("options.theirs.gguf"));
    let mut settings = case.settings.clone();
    let mut command = watch::entrenar()?;
    command.arg("export").arg(input).arg(&ours).args(["--force", "--quiet"]).args(case.arguments);
    if case.with_matrix {
        settings.importance.clone_from(&matrix.importance);
        // llama-quantize puts its own behind what it was given.
        settings.metadata.extend(told(matrix.importance.len()));
        command.arg("--imatrix").arg(&matrix.files[0]);
    }
    let quant = case.arguments.iter().skip_while(|&&a| a != "--quant").nth(1).copied().unwrap_or("Q4_K_M");
    let quant = QuantizationType::parse(quant).and_then(QuantizationType::file_type);
    let target = quant.map_or(Target::Copy, |file_type| Target::FileType(file_type.id()));
    quantize_model_with(input, &theirs, target, 2, &settings)?;
    let said = command.output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).trim().into());
    }
    equal(&theirs, &ours)
}

fn equal(theirs: &Path, ours: &Path) -> Result<()> {
    if fs::read(theirs)? == fs::read(ours)? {
        return Ok(());
    }
    compare(&Summary::read(theirs)?, &Summary::read(ours)?)?;
    Err("the same things in another order".into())
}

fn pattern(text: &str, ty: GgmlType) -> Result<(CString, u32)> {
    Ok((CString::new(text)?, ty.id()))
}

fn cases() -> Vec<Case> {
    let case = |arguments, settings| Case { arguments, settings, with_matrix: false };
    let settings = Settings::default;
    let metadata =
        |key: &str, value| Settings { metadata: vec![(key.to_owned(), value)], ..Settings::default() };
    let types = |pairs: &[(&str, GgmlType)]| Settings {
        tensor_types: pairs.iter().filter_map(|(text, ty)| pattern(text, *ty).ok()).collect(),
        ..Settings::default()
    };
    let plain = vec![
        case(&["--quant", "q4_k_m"], settings()),
        case(&["--quant", "15"], settings()),
        case(&["--pure"], Settings { pure: true, ..settings() }),
        case(&["--pure", "--quant", "Q3_K_L"], Settings { pure: true, ..settings() }),
        case(&["--leave-output-tensor"], Settings { leave_output: true, ..settings() }),
        case(
            &["--output-tensor-type", "q8_0"],
            Settings { output_type: Some(GgmlType::Q8_0.id()), ..settings() },
        ),
        case(
            &["--token-embedding-type", "q5_1"],
            Settings { token_embedding_type: Some(GgmlType::Q5_1.id()), ..settings() },
        ),
        case(&["--tensor-type", "attn_v=q8_0"], types(&[("attn_v", GgmlType::Q8_0)])),
        case(
            &["--tensor-type", r"blk\.[01]\.ffn_.*=q6_K", "--tensor-type", "attn_q=bf16"],
            types(&[(r"blk\.[01]\.ffn_.*", GgmlType::Q6_K), ("attn_q", GgmlType::BF16)]),
        ),
        case(&["--prune-layers", "1"], Settings { prune: vec![1], ..settings() }),
        case(&["--prune-layers", "0", "--quant", "COPY"], Settings { prune: vec![0], ..settings() }),
        case(
            &["--override-kv", "general.name=str:another"],
            metadata("general.name", Override::Str("another".into())),
        ),
        case(&["--override-kv", "some.count=int:7"], metadata("some.count", Override::Int(7))),
        case(&["--override-kv", "some.share=float:0.25"], metadata("some.share", Override::Float(0.25))),
        case(&["--override-kv", "some.flag=bool:true"], metadata("some.flag", Override::Bool(true))),
    ];
    let weighed = [
        case(&["--quant", "IQ2_XXS"], settings()),
        case(&["--prune-layers", "1", "--quant", "IQ3_XXS"], Settings { prune: vec![1], ..settings() }),
        case(&["--pure", "--quant", "IQ4_XS"], Settings { pure: true, ..settings() }),
    ];
    plain.into_iter().chain(weighed.map(|case| Case { with_matrix: true, ..case })).collect()
}

/// Files that are quantized already, quantized again.
fn again(dir: &Path) -> Outcome {
    const FROM: [&str; 6] = ["Q8_0", "Q4_K_M", "IQ4_NL", "Q5_1", "IQ3_S", "Q2_K"];
    const TO: [&str; 5] = ["Q4_K_M", "Q2_K", "IQ4_XS", "Q8_0", "F16"];
    let folder = fixture_models::write("llama", dir)?;
    let (ours, theirs) = (dir.join("again.ours.gguf"), dir.join("again.theirs.gguf"));
    let mut pairs = 0;
    for from in FROM {
        let input: PathBuf = dir.join("again.gguf");
        let known = |name: &str| QuantizationType::parse(name).ok_or_else(|| format!("no type {name}"));
        GgufExporter::new(known(from)?).export(&folder, &input)?;
        for to in TO {
            let recipe: Recipe = known(to)?.recipe().with_requantizing(true);
            let id = recipe.file_type().ok_or("a copy")?.id();
            GgufExporter::with_recipe(recipe).export(&input, &ours)?;
            let settings = Settings { requantize: true, ..Settings::default() };
            quantize_model_with(&input, &theirs, Target::FileType(id), 2, &settings)?;
            equal(&theirs, &ours).map_err(|e| format!("{from} to {to}: {e}"))?;
            pairs += 1;
        }
    }
    Ok(format!("{pairs} pairs of types, whole files the same"))
}
