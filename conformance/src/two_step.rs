//! The whole job, ours beside llama.cpp's two steps: time, peak memory, bytes on disk. `cargo xtask bench export`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use fixture_models::{Conversion, Scaled, Summary, Workbench};
use peer::llama;
use peer::quantize::{Target, quantize_model};

use crate::export::{compare, file_type_id};
use crate::real::MODELS;
use crate::watch::{self, Run};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// TinyLlama's number of weights, of which a model of that shape is made.
const SCALED: u64 = 1_100_000_000;

/// What to compare.
#[derive(Debug, Args)]
pub struct Options {
    /// The type to export as.
    #[arg(long, value_name = "TYPE", default_value = "Q4_K_M")]
    quant: String,
    /// How often each side runs; they take turns, and the median counts.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// Threads of our export and of the quantizer.
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: u16,
    /// Only models whose name contains this: smollm2, minilm, scaled.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Our export reads the converted file, too: it is compared with the quantizer alone.
    #[arg(long)]
    from_gguf: bool,
}

struct Model {
    name: String,
    conversion: Conversion,
}

/// The second step as a program of its own, so that its memory can be told from ours.
///
/// # Errors
/// What llama.cpp says.
pub fn quantize(input: &Path, output: &Path, quant: &str, threads: u16) -> Result<()> {
    Ok(quantize_model(input, output, Target::FileType(file_type_id(quant)?), threads)?)
}

/// Compares, and prints a table.
///
/// # Errors
/// When a side fails, or they do not make the same file.
pub fn run(bench: &Workbench, options: &Options) -> Result<()> {
    let dir = bench.folder("two-step")?;
    println!(
        "{}; {}; {} threads; median of {} turns\n",
        llama::VERSION,
        options.quant,
        options.threads,
        options.rounds
    );
    let theirs = if options.from_gguf { "quantize" } else { "convert + quantize" };
    println!("| model | weights | ours | {theirs} | times as fast | peak memory | disk besides the file |");
    println!("|---|---|---|---|---|---|---|");
    for model in models(bench, &dir, &options.filter)? {
        compare_model(bench, &dir, &model, options)?;
    }
    Ok(())
}

fn models(bench: &Workbench, dir: &Path, filter: &str) -> Result<Vec<Model>> {
    let mut models: Vec<Model> = MODELS
        .iter()
        .filter(|real| real.name.contains(filter))
        .map(|real| Model {
            name: real.folder.to_owned(),
            conversion: Conversion {
                folder: bench.join("models").join(real.folder),
                out: dir.join("intermediate.gguf"),
                outtype: real.outtype.into(),
                pre: None,
            },
        })
        .collect();
    if "scaled".contains(filter) {
        let (folder, _) = fixture_models::write_scaled(Scaled::Dense, dir, SCALED)?;
        models.push(Model {
            name: "random, of TinyLlama's shape".to_owned(),
            conversion: Conversion {
                folder,
                out: dir.join("intermediate.gguf"),
                outtype: "bf16".into(),
                pre: fixture_models::model("llama-10-layers")?.pre.map(Into::into),
            },
        });
    }
    if models.is_empty() { Err(format!("no model has {filter:?} in its name").into()) } else { Ok(models) }
}

/// One side's runs.
#[derive(Default)]
struct Side {
    times: Vec<Duration>,
    peak: u64,
}

impl Side {
    fn add(&mut self, runs: &[Run]) {
        self.times.push(runs.iter().map(|run| run.time).sum());
        self.peak = runs.iter().map(|run| run.peak).fold(self.peak, u64::max);
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
    }
}

fn compare_model(bench: &Workbench, dir: &Path, model: &Model, options: &Options) -> Result<()> {
    let (ours, theirs) = (dir.join("ours.gguf"), dir.join("theirs.gguf"));
    let Conversion { folder, out: intermediate, .. } = &model.conversion;
    let (mut one, mut two, mut between) = (Side::default(), Side::default(), 0);
    let convert = || bench.converter_command(std::slice::from_ref(&model.conversion));
    if options.from_gguf {
        watch::run(&mut convert()?)?;
        read_once(intermediate)?;
    } else {
        read_once(folder)?;
    }
    for _ in 0..options.rounds.max(1) {
        let input = if options.from_gguf { intermediate } else { folder };
        let mut export = watch::entrenar()?;
        export.arg("export").arg(input).arg(&ours).args(["--quant", &options.quant, "--force", "--quiet"]);
        one.add(&[watch::run(export.arg("--threads").arg(options.threads.to_string()))?]);

        let mut second = Command::new(std::env::current_exe()?);
        second
            .arg("quantize")
            .arg(intermediate)
            .arg(&theirs)
            .arg(&options.quant)
            .arg(options.threads.to_string());
        let mut steps = Vec::new();
        if !options.from_gguf {
            steps.push(watch::run(&mut convert()?)?);
            between = std::fs::metadata(intermediate)?.len();
        }
        steps.push(watch::run(&mut second)?);
        two.add(&steps);
    }
    let (summary, expected) = (Summary::read(&ours)?, Summary::read(&theirs)?);
    compare(&expected, &summary)
        .map_err(|e| format!("{}: not the same file; timing it means nothing: {e}", model.name))?;
    let weights: u64 = summary.tensors.iter().map(|t| t.dims.iter().product::<u64>()).sum();
    println!(
        "| {} | {:.0} M | {:.2} s | {:.2} s | {:.1} | {:.0} MB, {:.0} MB | 0, {:.2} GB |",
        model.name,
        weights as f64 / 1e6,
        one.median(),
        two.median(),
        two.median() / one.median(),
        one.peak as f64 / 1e6,
        two.peak as f64 / 1e6,
        between as f64 / 1e9,
    );
    for file in [&ours, &theirs, intermediate] {
        std::fs::remove_file(file)?;
    }
    Ok(())
}

/// Reads a file, or every file of a folder, so that neither side pays for the disk.
fn read_once(path: &Path) -> Result<()> {
    if path.is_file() {
        std::io::copy(&mut std::fs::File::open(path)?, &mut std::io::sink())?;
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let path: PathBuf = entry?.path();
        if path.is_file() {
            read_once(&path)?;
        }
    }
    Ok(())
}
