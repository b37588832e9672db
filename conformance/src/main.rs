//! `cargo xtask conformance`: see conformance/README.md.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use conformance::report::{Outcome, Report};
use conformance::{
    cards, classes, file_types, fixtures, kernels, logits, lora, memory, mutated, options, real, splits,
    two_step,
};
use fixture_models::Workbench;

/// Compares ours with llama.cpp and its converter, and prints a line for every check.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask conformance")]
struct Arguments {
    /// Only what needs no Python: the kernels on fewer weights, and the fixture models.
    #[arg(long)]
    quick: bool,
    /// Only checks whose name contains this.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Weights a type that the kernels are compared on [default: 20 million, with --quick 1 million].
    #[arg(long, value_name = "N")]
    weights: Option<u64>,
    /// Seed of those weights.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Make the golden files of the kernels' tests again.
    KernelGolden,
    /// Time the whole export beside convert_hf_to_gguf and llama-quantize, and compare the files.
    TwoStep(two_step::Options),
    /// Quantize a GGUF file with llama.cpp: the second step, as a program of its own.
    Quantize { input: PathBuf, output: PathBuf, quant: String, threads: u16 },
    /// Run NAME.gguf in FOLDER with llama.cpp and compare its outputs: the checks `logits`, as a program of its own.
    Outputs { folder: PathBuf, name: String },
    /// Run a model with an adapter's file and the merged model, and compare: a part of the check `lora file`.
    Adapted { folder: PathBuf },
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let bench = Workbench::new();
    match &arguments.other {
        None => checks(arguments, &bench),
        Some(Other::KernelGolden) => {
            let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/kquant/tests/golden");
            kernels::golden::write(&golden).map(|()| true)
        }
        Some(Other::TwoStep(options)) => two_step::run(&bench, options).map(|()| true),
        Some(Other::Outputs { folder, name }) => logits::compare(folder, name).map(|()| true),
        Some(Other::Adapted { folder }) => lora::run_adapted(folder).map(|()| true),
        Some(Other::Quantize { input, output, quant, threads }) => {
            two_step::quantize(input, output, quant, *threads).map(|()| true)
        }
    }
}

fn checks(arguments: &Arguments, bench: &Workbench) -> Result<bool, Box<dyn std::error::Error>> {
    let dir = bench.folder("out")?;
    let mut report = Report::new(arguments.filter.clone());
    println!("peers: {}; {}\n", peer::ggml::version(), peer::llama::VERSION);

    let weights = arguments.weights.unwrap_or(if arguments.quick { 1_000_000 } else { 20_000_000 });
    report.check("kernels", || kernels_alike(weights, arguments.seed));
    if !arguments.quick {
        report.check("kernels on every float", every_float);
    }
    fixtures::run(&mut report, &dir);
    file_types::fixtures(&mut report, &dir, arguments.quick);
    options::run(&mut report, &dir);
    mutated::run(&mut report, &dir, arguments.quick);
    if arguments.quick {
        println!(
            "not run with --quick: file types of most models, classes, logits, splits, adapters, real models, answers, embeddings, other readers, memory"
        );
    } else {
        file_types::architectures(&mut report, &dir);
        cards::run(&mut report, bench);
        classes::run(&mut report, bench);
        logits::run(&mut report, bench);
        splits::run(&mut report, bench, &dir);
        lora::run(&mut report, bench, &dir);
        real::run(&mut report, bench, &dir);
        file_types::real(&mut report, bench, &dir);
        memory::run(&mut report, &dir);
    }
    Ok(report.conclude())
}

fn kernels_alike(weights: u64, seed: u64) -> Outcome {
    let found = kernels::run(weights, seed)?;
    println!("{found}");
    if found.passed() {
        Ok(format!("{} blocks, byte for byte", found.blocks()))
    } else {
        Err("blocks differ: see the table above".into())
    }
}

fn every_float() -> Outcome {
    match kernels::every_float()? {
        0 => Ok("F16 and BF16 of all 2^32 floats".to_owned()),
        differ => Err(format!("{differ} floats differ").into()),
    }
}
