//! The commands that are a line or two each.

use crate::shell::{Error, Result, cargo, no_arguments, run, target};

/// The main job on a model that is made on the spot.
pub(crate) fn demo(rest: &[String]) -> Result {
    no_arguments(rest)?;
    let dir = target().join("demo");
    std::fs::create_dir_all(&dir).map_err(|e| Error::Failed(format!("{}: {e}", dir.display())))?;
    let folder = fixture_models::write("llama", &dir)?;
    let file = dir.join("tiny-llama-q4_k_m.gguf");
    println!("A model of random weights as a Hugging Face folder: {}\n", folder.display());
    run(cargo(&["build", "--quiet", "--release", "-p", "entrenar"]).env("CARGO_TERM_COLOR", "auto"))?;
    let entrenar = |words: &[&str]| {
        let mut command = std::process::Command::new(target().join("release").join("entrenar"));
        command.args(words);
        command
    };
    println!("$ entrenar export {} {} --quant Q4_K_M --force", folder.display(), file.display());
    run(entrenar(&["export"]).arg(&folder).arg(&file).args(["--quant", "Q4_K_M", "--force"]))?;
    println!("\n$ entrenar inspect {}", file.display());
    run(entrenar(&["inspect"]).arg(&file))
}

pub(crate) fn test(rest: &[String]) -> Result {
    run(cargo(&["test", "--quiet"]).args(rest))
}

/// What a machine without peers can check.
pub(crate) fn ci(rest: &[String]) -> Result {
    no_arguments(rest)?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]))?;
    run(&mut cargo(&["test", "--quiet"]))?;
    run(cargo(&["doc", "--quiet", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Everything at once, as `.ci/run` lints it: another selection of packages would have other features in its build tools,
/// and compile llama.cpp a second time.
fn build_with_peers() -> Result {
    run(&mut cargo(&["build", "--quiet", "--release", "--workspace", "--exclude", "entrenar-fuzz"]))
}

/// A program that [`build_with_peers`] built; the command is for what watches it.
fn with_peers(name: &str) -> std::process::Command {
    let binary = |name: &str| target().join("release").join(name);
    let mut command = std::process::Command::new(binary(name));
    command.env("ENTRENAR", binary("entrenar"));
    command
}

pub(crate) fn conformance(rest: &[String]) -> Result {
    build_with_peers()?;
    run(with_peers("conformance").args(rest))
}

/// `bench kernels`, `bench instructions`, `bench export`; anything else is criterion's.
pub(crate) fn bench(rest: &[String]) -> Result {
    match rest.split_first() {
        Some((what, rest)) if what == "kernels" => {
            build_with_peers()?;
            run(with_peers("entrenar-benches").args(rest))
        }
        Some((what, rest)) if what == "instructions" => {
            no_arguments(rest)?;
            build_with_peers()?;
            crate::instructions::table(|| with_peers("entrenar-benches"))
        }
        Some((what, rest)) if what == "export" => {
            build_with_peers()?;
            run(with_peers("conformance").arg("two-step").args(rest))
        }
        _ => run(cargo(&["bench", "-p", "entrenar-benches", "--"]).args(rest)),
    }
}

/// The tests under what finds mistakes of unsafe code: all of them under AddressSanitizer, which watches what our calls lead
/// to in other people's crates as well; those of the one crate that has such code under valgrind, which is far slower.
pub(crate) fn sanitize(rest: &[String]) -> Result {
    let (address, valgrind) = match rest {
        [] => (true, true),
        [what] if what == "address" => (true, false),
        [what] if what == "valgrind" => (false, true),
        _ => return Err(Error::Usage("sanitize takes address, valgrind or nothing".to_owned())),
    };
    // The target must be named, else build scripts get the flags too.
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    // No documentation tests, which get no such flags.
    let tests = ["test", "--quiet", "--tests", "--target", TARGET];
    if address {
        println!("all tests of the default members under AddressSanitizer");
        let mut command = cargo(&tests);
        command.arg("--target-dir").arg(target().join("asan"));
        run(command.env("RUSTFLAGS", "-Zsanitizer=address").env("RUSTC_BOOTSTRAP", "1"))?;
    }
    if valgrind {
        println!("kquant's tests under valgrind, which has no AVX-512: scalar, portable, AVX2");
        let runner = "valgrind --quiet --error-exitcode=1";
        let mut command = cargo(&tests);
        command.args(["-p", "kquant"]);
        run(command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", runner))?;
    }
    Ok(())
}

/// What other people's code there is: by deny.toml. Advisories need a network; without one, the rest is checked.
pub(crate) fn deny(rest: &[String]) -> Result {
    no_arguments(rest)?;
    if run(&mut cargo(&["deny", "--version"])).is_err() {
        let missing =
            "cargo-deny is not installed, so nothing was checked: cargo install --locked cargo-deny";
        return Err(Error::Failed(missing.to_owned()));
    }
    run(&mut cargo(&["deny", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))?;
    if run(&mut cargo(&["deny", "fetch", "db"])).is_err() {
        println!("advisories were NOT checked: their database cannot be reached");
        return Ok(());
    }
    run(&mut cargo(&["deny", "check", "--hide-inclusion-graph", "advisories"]))
}
