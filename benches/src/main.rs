//! `cargo xtask bench kernels`: every kernel beside ggml's and a copy, in a table or as JSON.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use entrenar_benches::measure::{Line, measure};
use entrenar_benches::memory::Memory;
use entrenar_benches::{Input, Work, headers, threads};
use kquant::Isa;
use peer::ggml;
use serde_json::json;

/// Times our kernels and ggml's in turn, one thread, in one process, and compares what they make.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench kernels")]
struct Arguments {
    /// Only work of this name, such as "encode Q4_K", or whose name contains it, such as "importance".
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Only this instruction set: scalar, portable, avx2, avx512 [default: avx512 and avx2, as far as there].
    #[arg(long, value_name = "NAME")]
    isa: Vec<Isa>,
    /// Seconds for each line.
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    seconds: f64,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Opens this GGUF file instead of running kernels; it is made if it is not there.
    #[arg(long, value_name = "FILE")]
    header: Option<PathBuf>,
}

/// Work that is as fast as memory is timed on 64 MB of weights, the searches on what the cache holds.
const ROWS_LARGE: usize = 8192;
const ROWS_SMALL: usize = 128;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all bars are met.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    if let Some(file) = &arguments.header {
        if !file.exists() {
            headers::write(file)?;
        }
        let [ours, theirs] = headers::measure(file, Duration::from_secs_f64(arguments.seconds))?;
        println!(
            "opening a header: ours {ours:.2} ms, llama.cpp's {theirs:.2} ms, {:.1} times",
            theirs / ours
        );
        return Ok(true);
    }
    let isas: Vec<Isa> = match arguments.isa.as_slice() {
        [] => [Isa::Avx512, Isa::Avx2].into_iter().filter(|isa| isa.is_available()).collect(),
        some => some.to_vec(),
    };
    let (large, small) = (Input::new(ROWS_LARGE), Input::new(ROWS_SMALL));
    let mut lines = Vec::new();
    if !arguments.json {
        println!("{}; rows of {}; one thread; medians of turns", ggml::version(), small.row_len);
        println!("{}\n", Memory::measure());
        println!(
            "| work | on | Mw/s | ggml's Mw/s | x ggml | x copy | bar | met |\n|---|---|---|---|---|---|---|---|"
        );
    }
    let exact = Work::all().iter().any(|work| work.to_string() == arguments.filter);
    let wanted =
        |name: String| if exact { name == arguments.filter } else { name.contains(&arguments.filter) };
    for work in Work::all().into_iter().filter(|work| wanted(work.to_string())) {
        let input = if is_memory_bound(work) { &large } else { &small };
        for line in measure(work, &isas, input, Duration::from_secs_f64(arguments.seconds))? {
            if !arguments.json {
                print(&line);
            }
            lines.push(line);
        }
    }
    let mut pairs = Vec::new();
    if let (Some(&isa), true) = (isas.first(), "threads".contains(&arguments.filter)) {
        if !arguments.json {
            println!(
                "\n| threads | on | one: Mw/s | two: Mw/s | x one | bar | met |\n|---|---|---|---|---|---|---|"
            );
        }
        for &ty in threads::TYPES {
            let line = threads::measure(ty, isa, &large, Duration::from_secs_f64(4.0 * arguments.seconds))?;
            if !arguments.json {
                let threads::Line { work, one, two, times_one, met } = &line;
                let (bar, met) = (threads::BAR, yes_or_no(*met));
                println!("| {work} | {isa} | {one:.1} | {two:.1} | {times_one:.2} | {bar} | {met} |");
            }
            pairs.push(line);
        }
    }
    let missed = lines.iter().filter(|line| line.met == Some(false)).count();
    let bars = lines.iter().filter(|line| line.met.is_some()).count();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&json!({ "kernels": lines, "threads": pairs }))?);
    } else {
        println!("\n{} of {bars} bars met", bars - missed);
    }
    let all = pairs.iter().all(|line| line.met);
    Ok(missed == 0 && all && !(lines.is_empty() && pairs.is_empty()))
}

fn yes_or_no(met: bool) -> &'static str {
    if met { "yes" } else { "NO" }
}

fn is_memory_bound(work: Work) -> bool {
    match work {
        Work::Decode { .. } => true,
        Work::Encode { ty, importance } => {
            let is_float = !ty.is_quantized();
            let plain = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "TQ1_0", "TQ2_0", "Q1_0", "Q2_0", "MXFP4"];
            is_float || plain.contains(&ty.name()) && !(importance && kquant::uses_importance(ty))
        }
    }
}

fn print(line: &Line) {
    let Line { work, isa, ours, ggml, times_ggml, times_copy, bar, met } = line;
    let met = met.map_or("", yes_or_no);
    println!(
        "| {work} | {isa} | {ours:.1} | {ggml:.1} | {times_ggml:.2} | {times_copy:.2} | {bar} | {met} |"
    );
}
