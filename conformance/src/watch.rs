//! Other programs, run and watched: how long they take and how much memory at most.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a program took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// From its start to its end.
    pub time: Duration,
    /// Peak resident memory in bytes (`VmHWM`).
    pub peak: u64,
}

/// The command `entrenar`: `$ENTRENAR` (set by the xtask, which builds it), else beside this program.
///
/// # Errors
/// When it is not there.
pub fn entrenar() -> Result<Command, Box<dyn std::error::Error>> {
    let beside = || Ok(std::env::current_exe()?.with_file_name("entrenar"));
    let path =
        std::env::var_os("ENTRENAR").map_or_else(beside, |p| Ok::<_, std::io::Error>(PathBuf::from(p)))?;
    if path.exists() {
        Ok(Command::new(path))
    } else {
        Err(format!("{} is not built", path.display()).into())
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started or does not end well (with what it wrote to its standard error), or was too short to be
/// measured.
pub fn run(command: &mut Command) -> Result<Run, Box<dyn std::error::Error>> {
    let name = PathBuf::from(command.get_program()).display().to_string();
    let errors = tempfile()?;
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(errors.try_clone()?).spawn()?;
    // VmHWM only grows, so the last reading before the end misses at most what the last moment added; the pause is
    // short against a run of many seconds.
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
    let time = start.elapsed();
    if !status.success() {
        return Err(format!("{name} ended with {status}: {}", last_line(errors)?).into());
    }
    if readings < 3 {
        return Err(format!("{name}: only {readings} readings of the peak: no measurement").into());
    }
    Ok(Run { time, peak })
}

/// A file without a name: a pipe that nobody reads could fill up and stop the program.
fn tempfile() -> std::io::Result<std::fs::File> {
    let path = std::env::temp_dir().join(format!("conformance-{}.err", std::process::id()));
    let file = std::fs::File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

fn last_line(mut file: std::fs::File) -> std::io::Result<String> {
    use std::io::{Read as _, Seek as _};
    file.rewind()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).trim().lines().last().unwrap_or_default().to_owned())
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
