//! `cargo xtask fuzz`: every target for its share of the time, one after another or some side by side, with limits on what an
//! input may cost; and a table. `fuzz/README.md` tells what the targets check.

mod coverage;
mod run;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::scope;
use std::time::Duration;

use crate::shell::{self, Error, Result, cargo};
use run::Outcome;

/// A target, and what an input of it may cost.
struct Target {
    name: &'static str,
    /// The longest input in bytes.
    max_len: u32,
    /// The largest single allocation, in MiB: a small multiple of the longest input and of what the target makes itself.
    malloc_limit: u32,
}

const fn target(name: &'static str, max_len: u32, malloc_limit: u32) -> Target {
    Target { name, max_len, malloc_limit }
}

const TARGETS: [Target; 13] = [
    target("adapter", 1 << 16, 8),
    target("config", 1 << 14, 8),
    target("export", 1 << 12, 32),
    target("folder", 1 << 12, 16),
    target("gguf_reader", 1 << 16, 4),
    target("gguf_writer", 1 << 14, 8),
    target("imatrix", 1 << 14, 4),
    target("kernels", 1 << 14, 4),
    target("metadata_file", 1 << 14, 4),
    target("safetensors", 1 << 15, 4),
    target("split_set", 1 << 12, 4),
    target("template", 1 << 14, 4),
    target("tokenizer", 1 << 15, 16),
];

/// What was asked for.
struct Plan {
    targets: Vec<&'static Target>,
    /// The time of all targets together.
    time: Duration,
    /// How many targets run at once.
    jobs: usize,
    coverage: bool,
}

pub(crate) fn fuzz(rest: &[String]) -> Result {
    let plan = Plan::of(rest)?;
    let (mut finds, mut failed) = (Vec::new(), None);
    if !plan.time.is_zero() {
        needs_cargo_fuzz()?;
        let names = plan.targets.iter().map(|target| target.name);
        for name in names {
            let mut build = cargo(&["fuzz", "build", name]);
            // Sanitizer flags are unstable; this lets the toolchain at hand, whichever it is, take them.
            shell::run(build.env("RUSTC_BOOTSTRAP", "1").stdout(Stdio::null()))?;
        }
        let share = plan.time / plan.targets.len() as u32;
        println!("{:.0} s for each of {} targets\n", share.as_secs_f64(), plan.targets.len());
        println!("| target | executions | a second | corpus | its bytes | memory, MB | finds |");
        println!("|---|---|---|---|---|---|---|");
        let (left, ended) = (Mutex::new(plan.targets.iter()), Mutex::new(Vec::new()));
        // The lock is for this alone, not for what is done with the target.
        let next = || lock(&left).next();
        let work = || {
            while let Some(target) = next() {
                let outcome = run::run(target, share);
                if let Ok(outcome) = &outcome {
                    println!("{}", outcome.row(target.name));
                }
                lock(&ended).push((*target, outcome));
            }
        };
        scope(|scope| (0..plan.jobs).for_each(|_| drop(scope.spawn(work))));
        for (target, outcome) in ended.into_inner().unwrap_or_else(PoisonError::into_inner) {
            match outcome {
                Ok(outcome) => finds.extend(outcome.finds.into_iter().map(|find| (target, find))),
                Err(error) => failed = Some(error),
            }
        }
    }
    if plan.coverage {
        coverage::print()?;
    }
    if finds.is_empty() {
        return failed.map_or(Ok(()), Err);
    }
    let lines = finds.iter().map(|(target, path)| {
        let (name, path, limits) = (target.name, path.display(), run::limits(target));
        format!("\n  {name}: {path}\n    again: RUSTC_BOOTSTRAP=1 cargo fuzz run {name} {path} -- {limits}")
    });
    let lines: String = lines.collect();
    Err(Error::Failed(format!("finds: {}; fuzz/README.md tells what to do with one{lines}", finds.len())))
}

/// What a mutex holds, whatever became of others who held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Plan {
    fn of(rest: &[String]) -> std::result::Result<Self, Error> {
        let mut plan = Self { targets: Vec::new(), time: Duration::from_secs(60), jobs: 1, coverage: false };
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| Error::Usage(format!("{word} wants a value")));
            match word.as_str() {
                "--coverage" => plan.coverage = true,
                "--minutes" => {
                    let text = value()?;
                    let minutes = text.parse().ok().filter(|m: &f64| (0.0..=1e5).contains(m));
                    let minutes = minutes
                        .ok_or_else(|| Error::Usage(format!("--minutes wants a number, not {text:?}")))?;
                    plan.time = Duration::from_secs_f64(minutes * 60.0);
                }
                "--jobs" => {
                    let text = value()?;
                    let jobs = text.parse().ok().filter(|jobs| (1..=64).contains(jobs));
                    plan.jobs =
                        jobs.ok_or_else(|| Error::Usage(format!("--jobs wants a number, not {text:?}")))?;
                }
                "--target" => {
                    let name = value()?;
                    let found = TARGETS.iter().find(|target| target.name == name);
                    plan.targets.push(found.ok_or_else(|| {
                        let names = TARGETS.map(|target| target.name).join(", ");
                        Error::Usage(format!("no target {name:?}; there are {names}"))
                    })?);
                }
                _ => {
                    return Err(Error::Usage(format!(
                        "fuzz takes --minutes N, --jobs N, --target NAME and --coverage, not {word:?}"
                    )));
                }
            }
        }
        if plan.targets.is_empty() {
            plan.targets = TARGETS.iter().collect();
        }
        Ok(plan)
    }
}

/// Says how to get cargo-fuzz, where there is none.
fn needs_cargo_fuzz() -> Result {
    let asked = cargo(&["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if asked.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let how = "cargo-fuzz is missing: `cargo install cargo-fuzz`; it needs a C++ compiler";
    Err(Error::Failed(how.to_owned()))
}

/// The folder of the fuzz targets.
fn folder() -> PathBuf {
    shell::root().join("fuzz")
}

/// The folders with inputs of a target, the one that grows first.
fn inputs(target: &str) -> [PathBuf; 3] {
    ["corpus", "seeds", "regressions"].map(|kind| folder().join(kind).join(target))
}

/// A number with spaces between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

impl Outcome {
    fn row(&self, target: &str) -> String {
        let (executions, seconds) = (self.executions, self.time.as_secs_f64().max(1e-3));
        let finds = if self.finds.is_empty() { "none".to_owned() } else { self.finds.len().to_string() };
        format!(
            "| {target} | {} | {} | {} | {} | {} | {finds} |",
            grouped(executions),
            grouped((executions as f64 / seconds) as u64),
            grouped(self.corpus.0),
            grouped(self.corpus.1),
            self.peak_rss,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{TARGETS, folder, grouped};

    #[test]
    fn every_target_has_its_limits() {
        let entries = std::fs::read_dir(folder().join("fuzz_targets")).into_iter().flatten().flatten();
        let names = entries.map(|e| e.file_name().to_string_lossy().trim_end_matches(".rs").to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        assert_eq!(names, TARGETS.map(|target| target.name));
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
    }
}
