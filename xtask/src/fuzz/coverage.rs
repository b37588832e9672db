//! How many lines of the readers the inputs at hand run: the targets are built with the compiler's own counters, put
//! through seeds, corpus and regressions, and asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::inputs;
use crate::shell::{self, Error, Result, cargo, root};

/// The targets that read files.
const TARGETS: [&str; 10] = [
    "adapter",
    "config",
    "folder",
    "gguf_reader",
    "imatrix",
    "metadata_file",
    "safetensors",
    "split_set",
    "template",
    "tokenizer",
];

/// A reader: its name, and its files: paths within the repository begin with one of the first and with none of the others.
type Reader = (&'static str, &'static [&'static str], &'static [&'static str]);

const READERS: [Reader; 9] = [
    (
        "GGUF",
        &["crates/gguf-format/src/"],
        &[
            "crates/gguf-format/src/write.rs",
            "crates/gguf-format/src/layout.rs",
            "crates/gguf-format/src/shards.rs",
            "crates/gguf-format/src/error/layout.rs",
            "crates/gguf-format/src/error/shard.rs",
        ],
    ),
    (
        "importance matrix",
        &["crates/quant-recipe/src/imatrix"],
        &["crates/quant-recipe/src/imatrix/check.rs"],
    ),
    (
        "safetensors",
        &[
            "crates/hf-checkpoint/src/header.rs",
            "crates/hf-checkpoint/src/shards.rs",
            "crates/hf-checkpoint/src/positional.rs",
            "crates/hf-checkpoint/src/element.rs",
        ],
        &[],
    ),
    ("tokenizer", &["crates/hf-checkpoint/src/tokenizer/"], &[]),
    (
        "config and card",
        &[
            "crates/hf-checkpoint/src/config.rs",
            "crates/hf-checkpoint/src/defaults.rs",
            "crates/hf-checkpoint/src/json.rs",
            "crates/hf-checkpoint/src/rope.rs",
            "crates/hf-checkpoint/src/sizes.rs",
            "crates/hf-checkpoint/src/folder.rs",
            "crates/hf-checkpoint/src/arch/",
            "crates/hf-checkpoint/src/general/",
            "crates/hf-checkpoint/src/map/",
        ],
        &[],
    ),
    ("packed weights", &["crates/hf-checkpoint/src/packed/"], &[]),
    ("adapter", &["crates/hf-checkpoint/src/adapter/"], &[]),
    ("file of metadata", &["crates/provenance/src/metadata_file/"], &[]),
    ("chat template", &["crates/provenance/src/template/"], &[]),
];

/// Prints the table.
pub(super) fn print() -> Result {
    let tools = Tools::find()?;
    let dir = shell::target().join("fuzz-coverage");
    let binaries = build(&dir, &tools.host)?;
    let profile = tools.run(&dir, &binaries)?;
    let files = tools.lines(&profile, &binaries)?;
    println!("\nlines that seeds, corpus and regressions run\n");
    println!("| reader | lines | run | |\n|---|---|---|---|");
    let mut least = Vec::new();
    let mut total = (0, 0);
    for (name, within, without) in READERS {
        let of = |file: &&(String, u64, u64)| {
            let begins = |starts: &[&str]| starts.iter().any(|start| file.0.starts_with(start));
            begins(within) && !begins(without)
        };
        let files: Vec<_> = files.iter().filter(of).collect();
        let (all, run) = files.iter().fold((0, 0), |(all, run), file| (all + file.1, run + file.2));
        println!("{}", row(name, all, run));
        total = (total.0 + all, total.1 + run);
        least.extend(files);
    }
    println!("{}", row("all", total.0, total.1));
    least.sort_by_key(|file| std::cmp::Reverse(file.1 - file.2));
    println!("\nmost lines that none runs:");
    for (file, all, run) in least.iter().take(10) {
        println!("  {} of {all} in {file}", all - run);
    }
    Ok(())
}

fn row(name: &str, all: u64, run: u64) -> String {
    format!("| {name} | {all} | {run} | {:.1} % |", 100.0 * run as f64 / all.max(1) as f64)
}

/// The targets' programs with counters. The target must be named, else build scripts have them, too.
fn build(dir: &Path, host: &str) -> std::result::Result<Vec<(&'static str, PathBuf)>, Error> {
    let mut command = cargo(&["build", "--quiet", "-p", "entrenar-fuzz", "--target", host, "--target-dir"]);
    command.arg(dir).env("RUSTFLAGS", "-Cinstrument-coverage");
    // Kernels are no readers, and take long to compile well.
    command.args(["--config", "profile.dev.package.kquant.opt-level=0"]);
    command.args(TARGETS.iter().flat_map(|name| ["--bin", name]));
    shell::run(&mut command)?;
    let built = dir.join(host).join("debug");
    Ok(TARGETS.map(|name| (name, built.join(name))).into())
}

/// LLVM's programs for profiles, of the compiler's own version of LLVM.
struct Tools {
    profdata: PathBuf,
    cov: PathBuf,
    host: String,
}

impl Tools {
    fn find() -> std::result::Result<Self, Error> {
        let version = output(Command::new("rustc").arg("-vV"))?;
        let field = |name: &str| {
            let line = version.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::to_owned).ok_or_else(|| Error::Failed(format!("`rustc -vV` has no {name:?}")))
        };
        let host = field("host: ")?;
        let llvm = field("LLVM version: ")?;
        let major = llvm.split('.').next().unwrap_or_default();
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
        let beside = Path::new(sysroot.trim()).join("lib/rustlib").join(&host).join("bin");
        let tool = |name: &str| {
            let candidates = [beside.join(name), PathBuf::from(format!("{name}-{major}"))];
            let found =
                candidates.into_iter().find(|tool| Command::new(tool).arg("--version").output().is_ok());
            found.ok_or_else(|| {
                Error::Failed(format!(
                    "no {name} of LLVM {major}: `rustup component add llvm-tools`, or Debian's llvm-{major}"
                ))
            })
        };
        Ok(Self { profdata: tool("llvm-profdata")?, cov: tool("llvm-cov")?, host })
    }

    /// Puts every target's inputs through it and gives the merged profile.
    fn run(&self, dir: &Path, binaries: &[(&str, PathBuf)]) -> std::result::Result<PathBuf, Error> {
        let merged = dir.join("all.profdata");
        let mut merge = Command::new(&self.profdata);
        merge.args(["merge", "-sparse", "-o"]).arg(&merged);
        for (name, binary) in binaries {
            let profile = dir.join(format!("{name}.profraw"));
            let mut command = Command::new(binary);
            command.args(inputs(name).iter().filter(|folder| folder.is_dir()));
            output(command.env("LLVM_PROFILE_FILE", &profile))?;
            merge.arg(profile);
        }
        output(&mut merge)?;
        Ok(merged)
    }

    /// Of each file of the repository: its path there, its lines with code, those of them that ran.
    fn lines(
        &self,
        profile: &Path,
        binaries: &[(&str, PathBuf)],
    ) -> std::result::Result<Vec<(String, u64, u64)>, Error> {
        let mut export = Command::new(&self.cov);
        export.args(["export", "--summary-only", "--instr-profile"]).arg(profile);
        for (_, binary) in binaries {
            export.arg("--object").arg(binary);
        }
        let wrong = |what: String| Error::Failed(format!("llvm-cov: {what}"));
        let summary: Value = serde_json::from_str(&output(&mut export)?).map_err(|e| wrong(e.to_string()))?;
        let files = summary["data"][0]["files"].as_array().ok_or_else(|| wrong("no files".to_owned()))?;
        let top = fs::canonicalize(root()).map_err(|e| wrong(e.to_string()))?;
        let file = |file: &Value| {
            let path = Path::new(file["filename"].as_str()?).strip_prefix(&top).ok()?;
            let lines = &file["summary"]["lines"];
            Some((path.to_str()?.to_owned(), lines["count"].as_u64()?, lines["covered"].as_u64()?))
        };
        Ok(files.iter().filter_map(file).collect())
    }
}

/// What a program prints; its messages go with ours if it fails.
fn output(command: &mut Command) -> std::result::Result<String, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| Error::Failed(format!("`{name}` did not start: {e}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::Failed(format!("`{name}` ended with {}: {said}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
