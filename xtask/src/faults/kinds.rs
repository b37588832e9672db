//! The kinds of faults. Calls of the system fail by strace's injection; it is at hand wherever Linux is.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::place::{Place, end, start};
use super::{End, Kind, Verdict};

type Tries = Result<Vec<Verdict>, String>;

pub(crate) const ALL: &[Kind] = &[
    Kind { name: "SIGKILL at a random moment", tries: |place, n| signals(place, n, "KILL") },
    Kind { name: "SIGINT at a random moment", tries: |place, n| signals(place, n / 5, "INT") },
    Kind { name: "SIGTERM at a random moment", tries: |place, n| signals(place, n / 5, "TERM") },
    Kind {
        name: "disk full when room is reserved",
        tries: |p, n| each_call(p, n, "fallocate", "error=ENOSPC"),
    },
    Kind { name: "disk full at each write", tries: |p, n| each_call(p, n, "pwrite64", "error=ENOSPC") },
    Kind { name: "I/O error at each write", tries: |p, n| each_call(p, n, "pwrite64", "error=EIO") },
    Kind { name: "I/O error when made durable", tries: |p, n| each_call(p, n, "fsync", "error=EIO") },
    Kind {
        name: "I/O error when renamed",
        tries: |p, n| each_call(p, n, "rename,renameat,renameat2", "error=EIO"),
    },
    Kind { name: "I/O error at each read", tries: |p, n| each_call(p, n, "pread64", "error=EIO") },
    Kind { name: "end of file at each read", tries: |p, n| each_call(p, n, "pread64", "retval=0") },
    Kind { name: "SIGKILL at each write", tries: |p, n| each_call(p, n, "pwrite64", "signal=KILL") },
    Kind { name: "SIGKILL when made durable or renamed", tries: kills_at_the_end },
    Kind { name: "file size limit, every 4 kB", tries: size_limits },
    Kind { name: "file system of few kB", tries: small_file_systems },
    Kind { name: "no permission to write", tries: no_permission },
    Kind { name: "output folder removed", tries: folder_removed },
    Kind { name: "order of durability (power loss)", tries: order },
    Kind { name: "two exports to one target", tries: two_at_once },
];

/// Random numbers (SplitMix64), the same in every run.
fn random(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A signal after a part of the time that an export takes.
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
        if output.status.code().is_none() { place.after_kill() } else { place.after(&output) }
    };
    Ok((0..tries).map(one).collect())
}

/// The first, the second … call of one kind fails, until there is none left to fail. `when` counts by thread.
fn each_call(place: &Place, most: u64, calls: &str, what: &str) -> Tries {
    let mut verdicts = Vec::new();
    for n in 1..=most.max(1) {
        place.reset()?;
        let injected = format!("inject={calls}:{what}:when={n}");
        let traced = format!("trace={calls}");
        let arguments = ["-f", "-qq", "-o", "/dev/null", "-e", &traced, "-e", &injected];
        let output = end(start(&mut place.command_by("strace", &arguments))?)?;
        // The call was one of the loader's: the program was never begun, so this is no try of it.
        if output.status.code() == Some(127) {
            continue;
        }
        let verdict = if output.status.code().is_none() { place.after_kill() } else { place.after(&output) };
        let done = verdict == Ok(End::New) && output.status.success();
        if done {
            // Nothing was left to fail; or the failure was one that the export may pass over, which counts as a try.
            if verdicts.is_empty() {
                verdicts.push(verdict);
            }
            break;
        }
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

fn kills_at_the_end(place: &Place, most: u64) -> Tries {
    let mut verdicts = each_call(place, most, "fsync", "signal=KILL")?;
    verdicts.extend(each_call(place, most, "rename,renameat,renameat2", "signal=KILL")?);
    Ok(verdicts)
}

/// No file may be longer than so much: writes fail as on a full disk, without any privilege.
fn size_limits(place: &Place, most: u64) -> Tries {
    let mut verdicts = Vec::new();
    // In units of 512 bytes.
    for blocks in (0..).step_by(8).take(most as usize) {
        place.reset()?;
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let output = end(start(&mut place.command_by("sh", &["-c", &script]))?)?;
        let verdict = place.after(&output);
        if verdict == Ok(End::New) {
            break;
        }
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// File systems in memory, from too small by far to just large enough; only the superuser can make one.
fn small_file_systems(place: &Place, most: u64) -> Tries {
    let mount = |size: u64| {
        let size = format!("size={size}k");
        let output =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&place.folder).output();
        output.is_ok_and(|o| o.status.success())
    };
    let unmount = || Command::new("umount").arg(&place.folder).output();
    let mut verdicts = Vec::new();
    place.reset()?;
    for n in 0..most.min(40) {
        if !mount(8 + n * 64) {
            return Err("not run: a tmpfs needs the superuser".to_owned());
        }
        let verdict = (|| {
            place.reset()?;
            let output = end(start(&mut place.command("Q4_K_M"))?)?;
            let found = place.target()?;
            match output.status.code() {
                Some(0) if found == End::New => Ok(found),
                Some(1) if found == End::Old && fs::read_dir(&place.folder).is_ok_and(|d| d.count() == 1) => {
                    Ok(found)
                }
                code => {
                    Err(format!("exit status {code:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
                }
            }
        })();
        unmount().map_err(|e| e.to_string())?;
        let done = verdict == Ok(End::New);
        verdicts.push(verdict);
        if done {
            break;
        }
    }
    Ok(verdicts)
}

/// A folder that may not be written to; the superuser, whom nothing stops, becomes nobody.
fn no_permission(place: &Place, _: u64) -> Tries {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    place.reset()?;
    let mode = |mode| {
        fs::set_permissions(&place.folder, fs::Permissions::from_mode(mode)).map_err(|e| e.to_string())
    };
    mode(0o555)?;
    let mut command = place.command("Q4_K_M");
    if fs::metadata(&place.folder).is_ok_and(|meta| meta.uid() == 0) {
        command.uid(65534).gid(65534);
    }
    let output = start(&mut command).and_then(end);
    mode(0o755)?;
    let output = output?;
    if output.status.success() {
        return Ok(vec![Err("written without permission".to_owned())]);
    }
    Ok(vec![place.after(&output)])
}

/// The target's folder goes while its bytes are made durable, which strace draws out.
fn folder_removed(place: &Place, tries: u64) -> Tries {
    let one = |_| -> Verdict {
        place.reset()?;
        let arguments =
            ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=400000"];
        let child = start(&mut place.command_by("strace", &arguments))?;
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
        Ok(End::Gone)
    };
    Ok((0..(tries / 50).max(1)).map(one).collect())
}

/// The bytes must be durable before the name changes, and the folder after: else a power failure in between leaves a
/// file of zeros under the target's name, or loses it.
fn order(place: &Place, _: u64) -> Tries {
    place.reset()?;
    let log = place.folder.with_file_name("strace.log");
    let path = log.display().to_string();
    let traced = "trace=pwrite64,fsync,fdatasync,rename,renameat,renameat2";
    let output =
        end(start(&mut place.command_by("strace", &["-f", "-qq", "-y", "-o", &path, "-e", traced]))?)?;
    let verdict = place.after(&output);
    let text = fs::read_to_string(&log).map_err(|e| e.to_string())?;
    let temporary = |line: &str| line.contains(".partial");
    let steps: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            let call = line.split_whitespace().nth(1)?.split('(').next()?;
            let folder = line.contains(&format!("<{}>", place.folder.display()));
            match call {
                "pwrite64" if temporary(line) => Some("write"),
                "fsync" if temporary(line) => Some("sync file"),
                "fsync" if folder => Some("sync folder"),
                name if name.starts_with("rename") => Some("rename"),
                _ => None,
            }
        })
        .collect();
    let mut steps = steps;
    steps.dedup();
    if steps.ends_with(&["write", "sync file", "rename", "sync folder"]) {
        Ok(vec![verdict])
    } else {
        Ok(vec![Err(format!("the order is {}", steps.join(", ")))])
    }
}

/// Two exports of different types: one's file, whole.
fn two_at_once(place: &Place, tries: u64) -> Tries {
    let files = [place.export("Q4_K_M")?, place.export("Q8_0")?];
    let one = |n: u64| -> Verdict {
        place.reset()?;
        let first = start(&mut place.command("Q4_K_M"))?;
        let part = (random(n + 1) % 1_000) as u32;
        sleep(place.duration * part / 2_000);
        let second = start(&mut place.command("Q8_0"))?;
        for output in [end(first)?, end(second)?] {
            if !output.status.success() {
                return Err(format!("one fails: {}", String::from_utf8_lossy(&output.stderr).trim()));
            }
        }
        place.one_of(&files)
    };
    Ok((0..tries / 5).map(one).collect())
}
