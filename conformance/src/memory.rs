//! (e) Peak memory of the command on a model that is much larger than it may use.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::report::{Outcome, Report};

/// Ten times SmolLM2-135M.
const WEIGHTS: u64 = 1_350_000_000;

/// What the issue allows, in bytes.
const LIMIT: u64 = 300 * 1_000_000;

/// Exports a synthetic model with the `entrenar` command, as two types, and watches it.
pub fn run(report: &mut Report, dir: &Path) {
    let name = |file_type: &str| format!("memory of a large {file_type} export");
    let types = ["Q4_K_M", "F16"];
    if !types.iter().any(|file_type| report.wants(&name(file_type))) {
        return;
    }
    let model = fixture_models::write_scaled(dir, WEIGHTS).map_err(|e| e.to_string());
    for file_type in types {
        report.check(name(file_type), || {
            let (folder, weights) = model.as_ref().map_err(Clone::clone)?;
            export(folder, *weights, &dir.join("large.gguf"), file_type)
        });
    }
    if let Ok((folder, _)) = &model
        && let Err(error) = std::fs::remove_dir_all(folder)
    {
        println!("{} stays there: {error}", folder.display());
    }
}

/// The command: `$ENTRENAR` (set by the xtask, which builds it), else beside this program.
fn command() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let beside = || Ok(std::env::current_exe()?.with_file_name("entrenar"));
    let path =
        std::env::var_os("ENTRENAR").map_or_else(beside, |p| Ok::<_, std::io::Error>(PathBuf::from(p)))?;
    if path.exists() { Ok(path) } else { Err(format!("{} is not built", path.display()).into()) }
}

fn export(folder: &Path, weights: u64, output: &Path, file_type: &str) -> Outcome {
    let start = Instant::now();
    let mut child = Command::new(command()?)
        .arg("export")
        .arg(folder)
        .arg(output)
        .args(["--quant", file_type, "--force", "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // VmHWM only grows, so the last reading before the end misses at most what the last moment added; the pause is
    // short against an export of many seconds.
    let status_file = PathBuf::from(format!("/proc/{}/status", child.id()));
    let (mut peak, mut readings) = (0, 0u64);
    let status = loop {
        if let Some(now) = std::fs::read_to_string(&status_file).ok().as_deref().and_then(high_water_mark) {
            peak = peak.max(now);
            readings += 1;
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        let mut text = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            std::io::Read::read_to_string(&mut stderr, &mut text)?;
        }
        return Err(format!("entrenar export ended with {status}: {}", text.trim()).into());
    }
    let length = std::fs::metadata(output).map_err(|e| format!("{}: {e}", output.display()))?.len();
    std::fs::remove_file(output)?;
    if readings < 10 {
        return Err(format!("only {readings} readings of the peak: no measurement").into());
    }
    let detail = format!(
        "{:.0} MB peak (limit {} MB), {:.2} billion weights, {:.2} GB written in {seconds:.1} s",
        peak as f64 / 1e6,
        LIMIT / 1_000_000,
        weights as f64 / 1e9,
        length as f64 / 1e9,
    );
    if peak < LIMIT { Ok(detail) } else { Err(detail.into()) }
}

/// `VmHWM` of a `/proc/PID/status`, in bytes.
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t    4376 kB\nVmRSS:\t 12 kB\n";
        assert_eq!(super::high_water_mark(status), Some(4376 * 1024));
        assert_eq!(super::high_water_mark("Name:\tx\n"), None);
    }
}
