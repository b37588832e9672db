//! Adapters of LoRA, merged while exporting, against peft's own merge; and adapters by themselves against
//! convert_lora_to_gguf.

use std::path::{Path, PathBuf};
use std::process::Command;

use entrenar_ecosystem::{GgufExporter, QuantizationType, Recipe};
use fixture_models::Workbench;
use gguf_format::GgufSet;
use peer::llama::Model;
use peer::outputs::Output;

use crate::report::{Outcome, Report, first_few};

/// How far a merged weight may be from peft's, as a part of the largest weight of its tensor: in which order the products
/// over the rank are added is free, and so is whether they are rounded once or twice.
const TOLERANCE: f32 = 2e-6;

/// How far logits may be apart, as a part of the largest: products of factors and sums of weights are rounded differently,
/// and a GELU is looked up in a table of F16.
const LOGITS: f32 = 1e-2;

/// Makes peft's models and compares all of them.
pub fn run(report: &mut Report, bench: &Workbench, dir: &Path) {
    if !report.wants("lora") {
        return;
    }
    let folder = dir.join("lora");
    let cases = match models(bench, &folder) {
        Ok(cases) => cases,
        Err(error) => {
            report.check("lora", || Err(error));
            return;
        }
    };
    for case in &cases {
        report.check(format!("lora {case}"), || merged(&folder.join(case)));
    }
    match converted(bench, &folder) {
        Ok(converted) => {
            for case in cases.iter().filter(|c| !NO_FILE.contains(&c.as_str())) {
                let theirs = converted.contains(case);
                report.check(format!("lora file {case}"), || file(&folder.join(case), case, theirs));
            }
        }
        Err(error) => report.check("lora file", || Err(error)),
    }
}

/// Adapters that are no files of factors alone, or whose file llama.cpp could not use (`tied`: with that of the converter it
/// ends with a failed assertion), which ours says; and that of a base whose values are not in its file as they are, but whose
/// adapter's file is that of `gpt-oss`.
const NO_FILE: &[&str] = &[
    "bf16-adapter",
    "bias",
    "bias-all",
    "deepseek-experts",
    "dora",
    "ends-dora",
    "gpt-oss-mxfp4",
    "gpt2-dora",
    "qwen3moe-experts-dora",
    "qwen3moe-patterns",
    "saved",
    "three",
    "tied",
    "tied-embeddings",
    "tied-head",
    "tokens",
    "two",
    "two-dora",
];

/// Adapters of which the converter's file is not what peft computes: it takes alpha / rank for every scale, and turns the
/// factors of weights that GPT-2 stores turned.
const BY_DESIGN: &[&str] = &["rslora", "patterns", "patterns-rslora", "gpt2", "qwen3moe-one-by-one"];

/// Runs peft; gives the names of the cases.
fn models(bench: &Workbench, folder: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let tokenizers = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixture-models/models");
    let mut command = bench.python("lora_models.py")?;
    let output = command.arg(tokenizers).arg(folder).output()?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("lora_models.py: {}", errors.lines().last().unwrap_or_default()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Runs llama.cpp's converter of adapters; gives the names of the cases that it took.
fn converted(bench: &Workbench, folder: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (_, source) = bench.converter()?;
    let output = bench.python("convert_lora.py")?.arg(source).arg(folder).output()?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("convert_lora.py: {}", errors.lines().last().unwrap_or_default()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Our file of an adapter: beside the converter's, and applied as llama.cpp does, beside peft's merge.
fn file(case: &Path, name: &str, theirs: bool) -> Outcome {
    let output = case.join("adapter.gguf");
    let exporter = GgufExporter::new(QuantizationType::F32).with_adapter_base(case.join("base"));
    exporter.export(case.join("0"), &output)?;
    let ours = GgufSet::open(&output)?;
    let alike = match (theirs, BY_DESIGN.contains(&name)) {
        (true, false) => same(&ours, &GgufSet::open(case.join("converted.gguf"))?)?,
        (true, true) => "not the converter's, which is not peft's".to_owned(),
        (false, _) => "the converter does not take it".to_owned(),
    };
    let scales = std::fs::read_to_string(case.join("scales"))?;
    let scale: f32 = scales.trim().parse()?;
    let base = GgufSet::open(case.join("base.gguf"))?;
    let peft = GgufSet::open(case.join("peft.gguf"))?;
    let worst = applied(&ours, &base, &peft, scale)?;
    // A process of its own: llama.cpp ends it where an assertion fails.
    let said = Command::new(std::env::current_exe()?).arg("adapted").arg(case).output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).trim().to_owned().into());
    }
    let ran = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    Ok(format!("{alike}; applied, within {worst:.1e} of peft's merge; {ran}"))
}

/// Runs the base with the adapter's file and the merged model with llama.cpp, and holds their logits against each other.
///
/// # Errors
/// llama.cpp refuses a file, or the logits differ.
pub fn run_adapted(case: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let scales = std::fs::read_to_string(case.join("scales"))?;
    let tokens: Vec<i32> = (3..35).collect();
    let adapter = case.join("adapter.gguf");
    let adapted = Model::load(&case.join("base.gguf"))?.outputs_with(
        Some((&adapter, scales.trim().parse()?)),
        &tokens,
        Output::Logits,
    )?;
    let plain = Model::load(&case.join("base.gguf"))?.outputs(&tokens, Output::Logits)?;
    let merged = Model::load(&case.join("ours.gguf"))?.outputs(&tokens, Output::Logits)?;
    let off = |outputs: &[Vec<f32>]| {
        let pairs = outputs.iter().flatten().zip(merged.iter().flatten());
        let largest = merged.iter().flatten().fold(0f32, |m, v| m.max(v.abs()));
        let larger = |m: f32, d: f32| if d.is_nan() || d > m { d } else { m };
        pairs.map(|(a, b)| (a - b).abs()).fold(0f32, larger) / largest
    };
    let (off, without) = (off(&adapted), off(&plain));
    let detail = format!("llama.cpp's logits {off:.1e} from the merged model's, {without:.1e} without it");
    println!("{detail}");
    // What is checked is that the adapter does what the merge does, not how llama.cpp rounds: a wrong scale is off by
    // about as much as no adapter.
    if off < without / 100.0 && off < LOGITS { Ok(()) } else { Err(detail.into()) }
}

/// Whether two files have the same pairs, and tensors of the same types, dimensions and bytes.
fn same(ours: &GgufSet, theirs: &GgufSet) -> Outcome {
    if ours.to_metadata() != theirs.to_metadata() {
        return Err("not the same metadata".into());
    }
    let mut others: Vec<_> = theirs.tensors().enumerate().collect();
    for (number, tensor) in ours.tensors().enumerate() {
        let tensor = tensor.tensor;
        let Some(place) = others.iter().position(|(_, t)| t.tensor.name() == tensor.name()) else {
            return Err(format!("{}: not in the converter's file", tensor.name()).into());
        };
        let (other, of) = others.swap_remove(place);
        let alike = of.tensor.dims() == tensor.dims() && of.tensor.ty() == tensor.ty();
        if !alike || values(ours, number)? != values(theirs, other)? {
            return Err(format!("{}: not as in the converter's file", tensor.name()).into());
        }
    }
    if others.is_empty() {
        Ok(format!("{} tensors and all metadata as the converter's", ours.tensors().count()))
    } else {
        Err(format!("{} tensors more in the converter's file", others.len()).into())
    }
}

/// How far base + alpha / rank x B x A is from peft's merge, as a part of each tensor's largest weight; an error beyond
/// [`TOLERANCE`].
fn applied(
    adapter: &GgufSet,
    base: &GgufSet,
    peft: &GgufSet,
    scale: f32,
) -> Result<f32, Box<dyn std::error::Error>> {
    let alpha = adapter.to_metadata().get("adapter.lora.alpha").and_then(|v| match v {
        gguf_format::Value::F32(alpha) => Some(*alpha),
        _ => None,
    });
    let alpha = alpha.ok_or("no adapter.lora.alpha")?;
    let find = |set: &GgufSet, name: &str| set.tensors().position(|t| t.tensor.name() == name);
    let mut worst = 0f32;
    for (number, tensor) in base.tensors().enumerate() {
        let name = tensor.tensor.name();
        let mut weights = values(base, number)?;
        let expected = values(peft, find(peft, name).ok_or("not in peft's")?)?;
        if let Some(b) = find(adapter, &format!("{name}.lora_b")) {
            let a = find(adapter, &format!("{name}.lora_a")).ok_or("no lora_a")?;
            let dims =
                |number: usize| adapter.tensor(number).map(|t| t.tensor.dims()).ok_or("no such tensor");
            let rank = dims(b)?.as_slice().first().copied().unwrap_or(1) as usize;
            let cols = tensor.tensor.dims().as_slice().first().copied().unwrap_or(1) as usize;
            let experts = dims(a)?.as_slice().get(2).copied().unwrap_or(1) as usize;
            let looked_up = name == "token_embd.weight";
            let (a, b) = (values(adapter, a)?, values(adapter, b)?);
            let rows = weights.len() / cols / experts;
            let scale = alpha / rank as f32 * scale;
            for (at, weight) in weights.iter_mut().enumerate() {
                let (expert, row, col) = (at / cols / rows, at / cols % rows, at % cols);
                let sum: f32 = (0..rank)
                    .map(|k| match looked_up {
                        true => a[row * rank + k] * b[col * rank + k],
                        false => a[(expert * rank + k) * cols + col] * b[(expert * rows + row) * rank + k],
                    })
                    .sum();
                *weight += sum * scale;
            }
        }
        let (largest, distance) = distance(&weights, &expected);
        if distance.is_nan() || distance > TOLERANCE * largest {
            return Err(format!(
                "{name}: applied, {distance:e} from peft's, the largest weight is {largest:e}"
            )
            .into());
        }
        worst = worst.max(distance / largest);
    }
    Ok(worst)
}

/// Our merge of one case, on one thread and on three, and our export of what peft merged.
fn merged(case: &Path) -> Outcome {
    let export = |threads: usize, folder: &str, adapters: &[f64], to: &str| {
        let mut exporter =
            GgufExporter::new(QuantizationType::F32).with_threads(threads).with_pre_tokenizer("default");
        for (number, scale) in adapters.iter().enumerate() {
            exporter = exporter.with_lora(case.join(number.to_string()), *scale);
        }
        let output = case.join(to);
        exporter.export(case.join(folder), &output)?;
        Ok::<_, Box<dyn std::error::Error>>(output)
    };
    let scales = std::fs::read_to_string(case.join("scales"))?;
    let scales: Vec<f64> = scales.lines().map(str::parse).collect::<Result<_, _>>()?;
    let ours = export(1, "base", &scales, "ours.gguf")?;
    let on_three = export(3, "base", &scales, "ours3.gguf")?;
    if std::fs::read(&ours)? != std::fs::read(on_three)? {
        return Err("one thread and three give different files".into());
    }
    let (ours, peft, base) = (
        GgufSet::open(&ours)?,
        GgufSet::open(&export(2, "merged", &[], "peft.gguf")?)?,
        // What the base has in blocks is in blocks in its file.
        GgufSet::open(&kept(&case.join("base"), &case.join("base.gguf"))?)?,
    );
    compare(&ours, &peft, &base)
}

/// Exports a folder with every tensor in the type that it has.
fn kept(folder: &Path, output: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    GgufExporter::with_recipe(Recipe::copy()).with_pre_tokenizer("default").export(folder, output)?;
    Ok(output.to_owned())
}

/// The values of the tensors; of a tensor in blocks whatever its bytes are, for nothing merged is one.
fn compare(ours: &GgufSet, peft: &GgufSet, base: &GgufSet) -> Outcome {
    let (mut changed, mut untouched, mut worst, mut problems) = (0, 0, 0f32, Vec::new());
    let names = |set: &GgufSet| set.tensors().map(|t| t.tensor.name().to_string()).collect::<Vec<_>>();
    if names(ours) != names(peft) {
        return Err("not the same tensors".into());
    }
    let unmerged = names(base);
    for (number, (o, p)) in ours.tensors().zip(peft.tensors()).enumerate() {
        let name = o.tensor.name().to_string();
        if o.tensor.dims() != p.tensor.dims() {
            problems.push(format!(
                "{name}: dimensions {:?}, expected {:?}",
                o.tensor.dims(),
                p.tensor.dims()
            ));
            continue;
        }
        let (o, p) = (values(ours, number)?, values(peft, number)?);
        let before = unmerged.iter().position(|n| *n == name);
        let before = before.map(|n| values(base, n)).transpose()?;
        if before.as_ref() == Some(&p) {
            untouched += 1;
            if o != p {
                problems.push(format!("{name}: not touched by peft, but by us"));
            }
            continue;
        }
        changed += 1;
        if before.as_ref() == Some(&o) {
            problems.push(format!("{name}: not merged"));
            continue;
        }
        let (largest, distance) = distance(&o, &p);
        worst = worst.max(distance / largest);
        if distance.is_nan() || distance > TOLERANCE * largest {
            problems.push(format!("{name}: {distance:e} away, the largest weight is {largest:e}"));
        }
    }
    if !problems.is_empty() {
        return Err(first_few(&problems).into());
    }
    if changed == 0 {
        return Err("peft changed nothing".into());
    }
    Ok(format!(
        "{changed} merged tensors within {worst:.1e} of the largest weight, {untouched} untouched byte-equal, same on 1 and 3 threads"
    ))
}

/// The largest value of the second, and the largest difference.
fn distance(ours: &[f32], peft: &[f32]) -> (f32, f32) {
    let largest = peft.iter().fold(0f32, |m, v| m.max(v.abs()));
    let pairs = ours.iter().zip(peft);
    // NaN stays.
    let larger = |m: f32, d: f32| if d.is_nan() || d > m { d } else { m };
    let distance = pairs.map(|(a, b)| (a - b).abs()).fold(0f32, larger);
    (largest, distance)
}

fn values(set: &GgufSet, number: usize) -> Result<Vec<f32>, Box<dyn std::error::Error>> {
    let tensor = set.tensor(number).ok_or("no such tensor")?.tensor;
    let mut bytes = vec![0; usize::try_from(tensor.byte_len())?];
    set.read_tensor_at(number, 0, &mut bytes)?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
}
