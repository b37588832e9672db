//! The project's own commands: `cargo xtask COMMAND`. Light on purpose; what needs a C compiler is run, not linked.
#![forbid(unsafe_code)]

mod commands;
#[cfg(unix)]
mod faults;
mod fixtures;
mod fuzz;
mod instructions;
mod shell;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  demo                     export a small model as Q4_K_M and show what is in the file
  test                     the tests of the default members: no network, no peer
  ci                       formatting, lints, tests, documentation
  conformance [--quick] [--filter TEXT] [--weights N] [--seed N]
                           compare with the real peers (builds llama.cpp: 4 to 10 minutes the first
                           time); --quick needs no Python
  fixtures [NAME…]         make golden files again from the peers: models, kernels, recipe, tokenizer,
                           checkpoint, or all; needs the Python peers: conformance/scripts/setup.sh; fuzz:
                           the seeds and dictionaries of the fuzz targets, which need none
  bench kernels [--filter TEXT] [--isa NAME] [--seconds N] [--json]
                           a table of our kernels beside ggml's and a copy, in one process
  bench instructions       how many instructions a weight takes, ours and ggml's; needs valgrind
  bench export [--quant TYPE] [--rounds N] [--threads N] [--filter TEXT] [--from-gguf]
                           a table of our export beside convert_hf_to_gguf and llama-quantize
  bench [ARGUMENT…]        our kernels beside ggml's by criterion, which gets the arguments
  sanitize [address|valgrind]
                           all tests under AddressSanitizer and kquant's under valgrind, or one of the two
  faults [--tries N] [--filter TEXT]
                           commands killed, starved and disturbed on purpose, N times each kind (500 if
                           not said): a table of what was left; needs Linux and strace
  deny                     licences, bans and sources of other people's crates, and advisories where their
                           database can be reached; needs cargo-deny
  fuzz [--minutes N] [--target NAME]… [--coverage]
                           every fuzz target, or those that are named, N minutes in all (1 if not said), and a
                           table of executions and finds; --coverage: then how many of the readers' lines the
                           inputs run (with --minutes 0 that alone); needs cargo-fuzz, and LLVM's tools
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let result = match command {
        "demo" => commands::demo(rest),
        "test" => commands::test(rest),
        "ci" => commands::ci(rest),
        "conformance" => commands::conformance(rest),
        "fixtures" => fixtures::run(rest),
        "bench" => commands::bench(rest),
        "sanitize" => commands::sanitize(rest),
        #[cfg(unix)]
        "faults" => faults::faults(rest),
        "deny" => commands::deny(rest),
        "fuzz" => fuzz::fuzz(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => Err(shell::Error::Usage(format!("no command {other:?}; `cargo xtask help` lists them"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            match error {
                shell::Error::Usage(_) => ExitCode::from(2),
                shell::Error::Failed(_) => ExitCode::FAILURE,
            }
        }
    }
}
