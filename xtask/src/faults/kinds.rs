//! The kinds of faults. Calls of the system fail by strace's injection; it is at hand wherever Linux is.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::Verdict;
use super::calls::{each_call, each_of, kills_at_the_end, order, order_of_shards};
use super::disk::{no_permission, read_only, shard_cut, size_limits, small_file_systems};
use super::place::{Job, Place, end, start};

pub(crate) type Tries = Result<Vec<Verdict>, String>;

/// A kind of fault, and the command that meets it.
pub(crate) struct Kind {
    pub name: &'static str,
    pub job: Job,
    /// Tries it so many times (or as many as there are places where it can strike, if that is what decides).
    pub tries: fn(&Place, u64) -> Tries,
}

/// What a failure may give as its reason.
pub(crate) const FULL: &[&str] = &["No space left on device", "no room on the disk"];
const IO: &[&str] = &["Input/output error"];
const STOPPED: &[&str] = &["stopped before the end; nothing was written"];

macro_rules! kinds {
    ($($job:ident, $name:literal: $tries:expr;)*) => {
        pub(crate) const ALL: &[Kind] = &[$(Kind { name: $name, job: Job::$job, tries: $tries },)*];
    };
}

kinds! {
    Export, "SIGKILL at a random moment": |p, n| signals(p, n, "KILL");
    Export, "SIGINT at a random moment": |p, n| signals(p, n / 5, "INT");
    Export, "SIGTERM at a random moment": |p, n| signals(p, n / 5, "TERM");
    Export, "SIGHUP at a random moment": |p, n| signals(p, n / 5, "HUP");
    Export, "disk full when room is reserved": |p, n| each_call(p, n, "fallocate", "error=ENOSPC", FULL);
    Export, "disk full at each write": |p, n| each_call(p, n, "pwrite64", "error=ENOSPC", FULL);
    Export, "I/O error at a write": |p, n| each_call(p, n / 5, "pwrite64", "error=EIO", IO);
    Export, "I/O error when made durable": |p, n| each_call(p, n, "fsync", "error=EIO", IO);
    Export, "I/O error when renamed": |p, n| each_of(p, n, RENAMES, "error=EIO", IO);
    Export, "I/O error at each read of a weight": |p, n| each_call(p, n, "pread64", "error=EIO", IO);
    Export, "I/O error at each read of another file": |p, n| each_call(p, n, "read", "error=EIO", IO);
    Export, "no more open files": |p, n| each_call(p, n, "openat", "error=EMFILE", &["Too many open files"]);
    Export, "end of file at a read of a weight": |p, n| each_call(p, n / 5, "pread64", "retval=0", ENDED);
    Export, "shard cut while it is read": shard_cut;
    Export, "SIGKILL at a write": |p, n| each_call(p, n / 5, "pwrite64", "signal=KILL", &[]);
    Export, "SIGKILL when made durable or renamed": kills_at_the_end;
    Export, "file size limit, up to the file's size": size_limits;
    Export, "file system too small, up to large enough": small_file_systems;
    Export, "no permission to write, or to read": no_permission;
    Export, "read-only file system": read_only;
    Export, "output folder removed": folder_removed;
    Export, "order of durability (power loss)": order;
    Export, "two exports to one target": two_at_once;
    Shards, "SIGKILL at a random moment": |p, n| signals(p, n, "KILL");
    Shards, "SIGTERM at a random moment": |p, n| signals(p, n / 5, "TERM");
    Shards, "disk full when room is reserved": |p, n| each_call(p, n, "fallocate", "error=ENOSPC", FULL);
    Shards, "disk full at a write": |p, n| each_call(p, n / 5, "pwrite64", "error=ENOSPC", FULL);
    Shards, "I/O error when made durable": |p, n| each_call(p, n, "fsync", "error=EIO", IO);
    Shards, "I/O error at each rename": |p, n| each_of(p, n, RENAMES, "error=EIO", IO);
    Shards, "SIGKILL when made durable or renamed": kills_at_the_end;
    Shards, "file system too small, up to large enough": small_file_systems;
    Shards, "order of durability (power loss)": order_of_shards;
    Shards, "two exports to one target": two_at_once;
    Split, "SIGKILL at a random moment": |p, n| signals(p, n / 5, "KILL");
    Split, "disk full at a write": |p, n| each_call(p, n / 5, "pwrite64", "error=ENOSPC", FULL);
    Split, "I/O error at a read of a weight": |p, n| each_call(p, n / 5, "pread64", "error=EIO", IO);
    Split, "SIGKILL when made durable or renamed": kills_at_the_end;
    Merge, "SIGKILL at a random moment": |p, n| signals(p, n / 5, "KILL");
    Merge, "disk full at a write": |p, n| each_call(p, n / 5, "pwrite64", "error=ENOSPC", FULL);
    Merge, "SIGKILL when made durable or renamed": kills_at_the_end;
    Adapter, "SIGKILL at a random moment": |p, n| signals(p, n / 5, "KILL");
    Adapter, "disk full at a write": |p, n| each_call(p, n / 5, "pwrite64", "error=ENOSPC", FULL);
    Adapter, "SIGKILL when made durable or renamed": kills_at_the_end;
}

/// The calls that rename; strace counts each by itself.
pub(crate) const RENAMES: &[&str] = &["rename", "renameat", "renameat2"];
/// What is said of a file that ends too early.
pub(crate) const ENDED: &[&str] = &["failed to fill whole buffer", "cut short", "truncated"];

/// Random numbers (SplitMix64), the same in every run.
fn random(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A signal after a part of the time that the command takes.
fn signals(place: &Place, tries: u64, signal: &str) -> Tries {
    let one = |n: u64| -> Verdict {
        place.reset()?;
        let child = start(&mut place.command("Q4_K_M"))?;
        let part = (random(n + 1) % 1_100) as u32;
        sleep(place.duration * part / 1_000);
        // It may have ended by itself meanwhile.
        let _ = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).output();
        let output = end(child)?;
        // Before its handler is set, a signal is the end.
        if output.status.code().is_none() { place.after_kill() } else { place.after(&output, STOPPED) }
    };
    Ok((0..tries).map(one).collect())
}

/// The target's folder goes while its bytes are made durable, which strace draws out.
fn folder_removed(place: &Place, tries: u64) -> Tries {
    let one = |_| -> Verdict {
        place.reset()?;
        let arguments =
            ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=400000"];
        let child = start(&mut place.command_by("strace", &arguments, "Q4_K_M"))?;
        sleep(Duration::from_millis(50));
        let deadline = std::time::Instant::now() + place.duration * 20 + Duration::from_secs(2);
        // Until the temporary file is there.
        while fs::read_dir(&place.folder).is_ok_and(|d| d.count() < 2) && std::time::Instant::now() < deadline
        {
            sleep(Duration::from_millis(2));
        }
        fs::remove_dir_all(&place.folder).map_err(|e| e.to_string())?;
        let output = end(child)?;
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() != Some(1) || message.lines().count() != 1 || place.folder.exists() {
            return Err(format!("exit status {:?}: {}", output.status.code(), message.trim()));
        }
        Ok(super::End::Gone)
    };
    Ok((0..(tries / 50).max(1)).map(one).collect())
}

/// Two exports of different types: one's files, whole. Every other time strace draws their renames out, so that each would
/// meet the other in the middle of its exchange.
fn two_at_once(place: &Place, tries: u64) -> Tries {
    let sets = [place.made("Q4_K_M")?, place.made("Q8_0")?];
    let renames = RENAMES.join(",");
    let (traced, injected) = (format!("trace={renames}"), format!("inject={renames}:delay_exit=10000"));
    let slowly = ["-f", "-qq", "-o", "/dev/null", "-e", &traced, "-e", &injected];
    let one = |n: u64| -> Verdict {
        place.reset()?;
        let export = |ty| match n % 2 {
            0 => start(&mut place.command(ty)),
            _ => start(&mut place.command_by("strace", &slowly, ty)),
        };
        let first = export("Q4_K_M")?;
        let part = (random(n + 1) % 1_000) as u32;
        sleep(place.duration * part / 2_000);
        let second = export("Q8_0")?;
        for output in [end(first)?, end(second)?] {
            if !output.status.success() {
                return Err(format!("one fails: {}", String::from_utf8_lossy(&output.stderr).trim()));
            }
        }
        place.one_of(&sets)
    };
    Ok((0..tries / 5).map(one).collect())
}
