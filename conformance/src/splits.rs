//! Split, merge and keep-split: our shards beside llama-gguf-split's and llama-quantize's, and each put together by the
//! other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use entrenar_ecosystem::{GgufExporter, QuantizationType};
use fixture_models::Workbench;
use peer::llama;
use peer::quantize::{Settings, Target, quantize_model_with};

use crate::architectures;
use crate::report::Report;
use crate::watch;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Ways to cut, as both tools take them. Sizes are thousands of thousands of bytes, so the larger models meet them.
const CUTS: [&[&str]; 5] = [
    &["--split-max-tensors", "3"],
    &["--split-max-tensors", "7", "--no-tensor-first-split"],
    &["--split-max-tensors", "100000"],
    &["--split-max-size", "60M"],
    &["--split-max-size", "20M", "--no-tensor-first-split"],
];

/// Makes the checks, a line for each model; they need llama-gguf-split, which `setup.sh` builds.
pub fn run(report: &mut Report, bench: &Workbench, dir: &Path) {
    for architecture in architectures::ALL.iter().filter(|a| ["qwen3moe", "gemma2"].contains(&a.name)) {
        let input = || {
            let file = dir.join(format!("{}.splits.gguf", architecture.name));
            fs::write(&file, architecture.gguf()?)?;
            Ok(file)
        };
        check(report, bench, dir, architecture.name, &input);
    }
    let real = || {
        let file = dir.join("smollm2.splits.gguf");
        GgufExporter::new(QuantizationType::F16).export(bench.join("models/SmolLM2-135M-Instruct"), &file)?;
        Ok(file)
    };
    check(report, bench, dir, "smollm2", &real);
}

fn check(
    report: &mut Report,
    bench: &Workbench,
    dir: &Path,
    name: &str,
    input: &dyn Fn() -> Result<PathBuf>,
) {
    report.check(format!("splits {name}"), || {
        let theirs = bench.join("llama.cpp-build/bin/llama-gguf-split");
        if !theirs.exists() {
            return Err(format!("{} is not built: run conformance/scripts/setup.sh", theirs.display()).into());
        }
        let input = input()?;
        let mut shards = Vec::new();
        for cut in CUTS {
            let count = one_cut(&theirs, &input, dir, cut).map_err(|e| format!("{}: {e}", cut.join(" ")))?;
            shards.push(count.to_string());
        }
        Ok(format!("{} shards: the same; merged by the other, too; kept when quantized", shards.join(", ")))
    });
}

/// Splits with both, merges what the other wrote, and quantizes shard by shard; gives the number of shards.
fn one_cut(tool: &Path, input: &Path, dir: &Path, cut: &[&str]) -> Result<usize> {
    let (ours, theirs) = (fresh(dir, "splits.ours")?, fresh(dir, "splits.theirs")?);
    succeed(watch::entrenar()?.arg("split").arg(input).arg(ours.join("part")).args(cut).arg("--quiet"))?;
    succeed(Command::new(tool).arg("--split").args(cut).arg(input).arg(theirs.join("part")))?;
    let shards = same_folders(&theirs, &ours)?;

    let (by_us, by_them) = (dir.join("splits.by-us.gguf"), dir.join("splits.by-them.gguf"));
    let first = |folder: &Path| folder.join(format!("part-00001-of-{:05}.gguf", shards.len()));
    let _ = fs::remove_file(&by_them);
    succeed(watch::entrenar()?.arg("merge").arg(first(&theirs)).arg(&by_us).args(["--force", "--quiet"]))?;
    succeed(Command::new(tool).arg("--merge").arg(first(&ours)).arg(&by_them))?;
    if fs::read(&by_us)? != fs::read(&by_them)? {
        return Err("merged files differ".into());
    }
    succeed(
        watch::entrenar()?
            .arg("merge")
            .arg(first(&theirs))
            .arg(&by_us)
            .args(["--force", "--quiet"])
            .arg("--drop-split-keys"),
    )?;
    if fs::read(&by_us)? != fs::read(input)? {
        return Err("split and merged without the split's keys is not the file it was".into());
    }
    drop(llama::Model::load(&first(&ours))?);

    // llama-quantize --keep-split; a copy of each shard is what there is to compare with.
    let kept = [fresh(dir, "splits.kept.ours")?, fresh(dir, "splits.kept.theirs")?];
    succeed(
        watch::entrenar()?
            .args(["export", "--quant", "Q4_K_M", "--keep-split", "--quiet"])
            .arg(first(&theirs))
            .arg(kept[0].join("part.gguf")),
    )?;
    let settings = Settings { keep_split: true, ..Settings::default() };
    let file_type = QuantizationType::Q4KM.file_type().ok_or("Q4_K_M has a file type")?;
    quantize_model_with(
        &first(&theirs),
        &kept[1].join("part"),
        Target::FileType(file_type.id()),
        2,
        &settings,
    )?;
    same_folders(&kept[1], &kept[0])?;
    Ok(shards.len())
}

/// An empty folder of this name.
fn fresh(dir: &Path, name: &str) -> Result<PathBuf> {
    let folder = dir.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn succeed(command: &mut Command) -> Result<()> {
    let said = command.output()?;
    if said.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&said.stderr);
    Err(format!("{}: {}", command.get_program().display(), errors.trim()).into())
}

/// The names of the files, if both folders have the same ones with the same bytes.
fn same_folders(theirs: &Path, ours: &Path) -> Result<Vec<String>> {
    let (expected, found) = (names(theirs)?, names(ours)?);
    if expected != found || expected.is_empty() {
        return Err(format!("they wrote {}, we {}", expected.join(" "), found.join(" ")).into());
    }
    for name in &expected {
        if fs::read(theirs.join(name))? != fs::read(ours.join(name))? {
            return Err(format!("{name} differs").into());
        }
    }
    Ok(expected)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
