//! One target under libFuzzer.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Target, folder, inputs};
use crate::shell::{self, Error, cargo};

/// What came of a target's share of the time.
#[derive(Default)]
pub(super) struct Outcome {
    pub executions: u64,
    pub time: Duration,
    /// The inputs that cover something new, and their bytes.
    pub corpus: (u64, u64),
    /// The most resident memory, in MiB.
    pub peak_rss: u64,
    /// Inputs that found something.
    pub finds: Vec<PathBuf>,
}

/// An input takes no longer than this, under AddressSanitizer, in seconds.
const TIMEOUT: u32 = 1;

/// What the whole process may have in memory, in MiB: nearly all of it AddressSanitizer's own.
const RSS_LIMIT: u32 = 1024;

/// Fuzzes a target until its time is over or it finds something.
pub(super) fn run(target: &Target, share: Duration) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let logs = shell::target().join("fuzz");
    create(&logs)?;
    let [corpus, seeds, regressions] = inputs(target.name);
    create(&corpus)?;
    let start = Instant::now();
    for round in 0.. {
        let left = share.saturating_sub(start.elapsed()).as_secs();
        if round > 0 && left == 0 {
            break;
        }
        let log = logs.join(format!("{}-{round}.log", target.name));
        let mut command = libfuzzer(target);
        command.arg(&corpus).args([&seeds, &regressions].into_iter().filter(|folder| folder.is_dir()));
        command.arg("--").args(flags(target)).arg(format!("-max_total_time={}", left.max(1)));
        let ok = logged(&mut command, &log)?;
        let text = String::from_utf8_lossy(&fs::read(&log).map_err(|e| failed(&log, &e))?).into_owned();
        outcome.executions += statistic(&text, "number_of_executed_units");
        outcome.peak_rss = outcome.peak_rss.max(statistic(&text, "peak_rss_mb"));
        if ok {
            break;
        }
        let Some(find) = written(&text) else {
            return Err(Error::Failed(format!("{} ended without a find: {}", target.name, log.display())));
        };
        if !is_slow(&find) || again(target, &find, &logs)? {
            outcome.finds.push(find);
            break;
        }
        // The machine was busy: the input takes less time by itself.
        fs::remove_file(&find).map_err(|e| failed(&find, &e))?;
    }
    outcome.time = start.elapsed();
    outcome.corpus = size(&corpus)?;
    Ok(outcome)
}

fn libfuzzer(target: &Target) -> Command {
    let mut command = cargo(&["fuzz", "run", target.name]);
    command.env("RUSTC_BOOTSTRAP", "1");
    // A panic's backtrace would be an allocation beyond the limit, and is AddressSanitizer's to print.
    command.env("RUST_BACKTRACE", "0");
    // What was freed is not kept long: it counts as memory of ours.
    command.env("ASAN_OPTIONS", "quarantine_size_mb=16:detect_odr_violation=0");
    command
}

/// What an input may cost, as libFuzzer's flags.
pub(super) fn limits(target: &Target) -> String {
    format!("-timeout={TIMEOUT} -rss_limit_mb={RSS_LIMIT} -malloc_limit_mb={}", target.malloc_limit)
}

fn flags(target: &Target) -> Vec<String> {
    let mut flags: Vec<String> = limits(target).split(' ').map(str::to_owned).collect();
    flags.extend([format!("-max_len={}", target.max_len), "-print_final_stats=1".to_owned()]);
    let dictionary = folder().join("dictionaries").join(target.name);
    if dictionary.is_file() {
        flags.push(format!("-dict={}", dictionary.display()));
    }
    flags
}

/// Whether an input that took too long does so three times more.
fn again(target: &Target, find: &Path, logs: &Path) -> Result<bool, Error> {
    for _ in 0..3 {
        let mut command = libfuzzer(target);
        command.arg(find).arg("--").args(flags(target));
        if logged(&mut command, &logs.join(format!("{}-again.log", target.name)))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs a command, what it prints in a file; gives whether it ended well.
fn logged(command: &mut Command, log: &Path) -> Result<bool, Error> {
    let file = File::create(log).map_err(|e| failed(log, &e))?;
    let other = file.try_clone().map_err(|e| failed(log, &e))?;
    let status = command.stdin(Stdio::null()).stdout(file).stderr(other).status();
    Ok(status.map_err(|e| Error::Failed(format!("cargo fuzz did not start: {e}")))?.success())
}

/// A number of libFuzzer's final statistics.
fn statistic(log: &str, name: &str) -> u64 {
    let mut lines =
        log.lines().filter_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'));
    lines.next_back().and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

/// The file that libFuzzer wrote a find into.
fn written(log: &str) -> Option<PathBuf> {
    log.lines().find_map(|line| Some(PathBuf::from(line.split_once("Test unit written to ")?.1)))
}

/// Whether it is there because it took too long.
fn is_slow(find: &Path) -> bool {
    find.file_name().is_some_and(|name| name.to_string_lossy().starts_with("timeout-"))
}

fn create(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|e| failed(folder, &e))
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::Failed(format!("{}: {error}", path.display()))
}

/// The number of files in a folder, and of their bytes.
fn size(folder: &Path) -> Result<(u64, u64), Error> {
    let entries = fs::read_dir(folder).map_err(|e| failed(folder, &e))?;
    let sizes = entries.flatten().filter_map(|entry| entry.metadata().ok());
    Ok(sizes.fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.len())))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_slow, statistic, written};

    #[test]
    fn logs_are_understood() {
        let log = "\
#2 INITED cov: 1
artifact_prefix='a/'; Test unit written to fuzz/artifacts/config/timeout-0a
stat::number_of_executed_units: 1234
stat::peak_rss_mb:              88
";
        assert_eq!(statistic(log, "number_of_executed_units"), 1234);
        assert_eq!(statistic(log, "peak_rss_mb"), 88);
        assert_eq!(statistic(log, "new_units_added"), 0);
        let find = written(log);
        assert_eq!(find.as_deref(), Some(Path::new("fuzz/artifacts/config/timeout-0a")));
        assert!(find.is_some_and(|find| is_slow(&find)));
        assert_eq!(written("nothing"), None);
    }
}
