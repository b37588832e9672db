//! How many instructions a weight takes, and a header, ours and ggml's: what a timing on a busy machine cannot show.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::shell::{Error, Result, target};

/// Searches whose speed has a bar. valgrind has no AVX-512, so ours run on AVX2: half as many lanes.
const WORKS: &[&str] = &[
    "encode Q4_K",
    "encode Q4_K importance",
    "encode Q5_K",
    "encode Q2_K",
    "encode Q2_K importance",
    "encode Q6_K",
    "encode Q6_K importance",
    "encode Q3_K",
    "encode Q3_K importance",
    "encode Q4_0 importance",
    "encode Q5_0 importance",
    "encode Q4_1 importance",
    "encode IQ4_NL",
    "encode IQ2_XXS importance",
    "encode IQ2_S importance",
    "encode IQ3_S",
    "encode IQ1_S importance",
    "encode NVFP4",
];

/// What `bench kernels --seconds 0` encodes on each side: 128 rows of 2048, once to compare and in five turns.
const WEIGHTS: f64 = 128.0 * 2048.0 * 6.0;

/// Prints the table; the command runs the kernels' bench.
pub(crate) fn table(bench: impl Fn() -> Command) -> Result {
    println!("| work | instructions a weight | ggml's | ggml's to ours |\n|---|---|---|---|");
    for work in WORKS {
        let turn = ["--isa", "avx2", "--seconds", "0", "--filter", work].map(OsStr::new);
        let (ours, ggml) =
            count(&bench(), &turn, ["kquant::encode_rows_on", "peer::ggml::quantize_chunk_into"])?;
        let (ours, ggml) = (ours as f64 / WEIGHTS, ggml as f64 / WEIGHTS);
        println!("| {work} | {ours:.1} | {ggml:.1} | {:.1} |", ggml / ours);
    }
    let file = target().join("header.gguf");
    let turn = ["--seconds".as_ref(), "0".as_ref(), "--header".as_ref(), file.as_os_str()];
    // Made by another process: what the allocator does next depends on what was freed before.
    output(bench().args(turn))?;
    let (ours, theirs) = count(&bench(), &turn, ["headers::open_ours", "headers::open_theirs"])?;
    println!(
        "\nopening a header with 152 thousand tokens, and reading them: {ours} instructions, llama.cpp {theirs}"
    );
    Ok(())
}

/// Instructions within our call and within ggml's, by their names.
fn count(bench: &Command, turn: &[&OsStr], calls: [&str; 2]) -> std::result::Result<(u64, u64), Error> {
    let file = target().join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind"]).arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(bench.get_program()).args(turn);
    // A missed bar is an exit status too, so only what follows tells whether it ran.
    output(valgrind.stdout(Stdio::null()))?;
    let text = output(Command::new("callgrind_annotate").arg("--inclusive=yes").arg(&file))?;
    let of = |function: &str| {
        let line = text.lines().find(|line| line.contains(function));
        let number =
            line.and_then(|line| line.split_whitespace().next()).map(|number| number.replace(',', ""));
        number
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| Error::Failed(format!("{turn:?}: callgrind saw no call of {function}")))
    };
    let [ours, theirs] = calls;
    Ok((of(ours)?, of(theirs)?))
}

fn output(command: &mut Command) -> std::result::Result<String, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| Error::Failed(format!("`{name}` did not start: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
