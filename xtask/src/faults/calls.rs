//! Faults of single calls of the system, and the order of calls.

use std::fs;

use super::kinds::{RENAMES, Tries};
use super::place::{Place, end, start};

/// The first, the second … call of one kind fails, until there is none left to fail. `when` counts by thread.
pub(crate) fn each_call(place: &Place, most: u64, calls: &str, what: &str, reasons: &[&str]) -> Tries {
    let log = place.folder.with_file_name("injected.log");
    let path = log.display().to_string();
    let mut verdicts = Vec::new();
    for n in 1..=most.max(1) {
        place.reset()?;
        let injected = format!("inject={calls}:{what}:when={n}");
        let traced = format!("trace={calls}");
        let arguments = ["-f", "-qq", "-o", &path, "-e", &traced, "-e", &injected];
        let output = end(start(&mut place.command_by("strace", &arguments, "Q4_K_M"))?)?;
        // The call was one of the loader's: the program was never begun, so this is no try of it.
        if output.status.code() == Some(127) {
            continue;
        }
        if output.status.code().is_none() {
            verdicts.push(place.after_kill());
            continue;
        }
        let struck = fs::read(&log).is_ok_and(|text| text.windows(10).any(|part| part == b"(INJECTED)"));
        if !struck {
            break;
        }
        // There are failures that the command may pass over: that the system does not say how many processors it has.
        verdicts.push(place.after(&output, reasons));
    }
    if verdicts.is_empty() { Err("not one call was met".to_owned()) } else { Ok(verdicts) }
}

/// The same for several calls that do one thing, of which not all need occur.
pub(crate) fn each_of(place: &Place, most: u64, calls: &[&str], what: &str, reasons: &[&str]) -> Tries {
    let met = calls.iter().filter_map(|call| each_call(place, most, call, what, reasons).ok());
    let verdicts: Vec<_> = met.flatten().collect();
    if verdicts.is_empty() { Err("not one call was met".to_owned()) } else { Ok(verdicts) }
}

pub(crate) fn kills_at_the_end(place: &Place, most: u64) -> Tries {
    let calls = [&["fsync", "unlink", "unlinkat"], RENAMES].concat();
    each_of(place, most, &calls, "signal=KILL", &[])
}

/// The steps of an undisturbed run, each with the name of its file, and what became of the targets.
fn steps(place: &Place) -> Result<(Vec<String>, super::Verdict), String> {
    place.reset()?;
    let log = place.folder.with_file_name("strace.log");
    let path = log.display().to_string();
    let traced = format!("trace=pwrite64,fsync,fdatasync,{}", RENAMES.join(","));
    let arguments = ["-f", "-qq", "-y", "-s", "300", "-o", &path, "-e", &traced];
    let output = end(start(&mut place.command_by("strace", &arguments, "Q4_K_M"))?)?;
    let verdict = place.after(&output, &[]);
    let text = fs::read_to_string(&log).map_err(|e| e.to_string())?;
    let folder = format!("<{}>", place.folder.display());
    let mut steps: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some(call) = line.split_whitespace().nth(1).and_then(|word| word.split('(').next()) else {
            continue;
        };
        let temporary = line.contains(".partial");
        steps.push(match call {
            "pwrite64" if temporary => "write".to_owned(),
            "fsync" if temporary => "sync file".to_owned(),
            "fsync" if line.contains(&folder) => "sync folder".to_owned(),
            // The old file goes away, or the new one comes: which shard?
            name if name.starts_with("rename") => {
                let what = if line.contains(".replaced") { "away" } else { "place" };
                let shard =
                    line.split("-of-").next().and_then(|start| start.get(start.len().checked_sub(5)?..));
                format!("{what} {}", shard.filter(|_| line.contains("-of-")).unwrap_or("file"))
            }
            _ => continue,
        });
    }
    steps.dedup();
    Ok((steps, verdict))
}

/// The bytes must be durable before the name changes, and the folder after: else a power failure in between leaves a
/// file of zeros under the target's name, or loses it.
pub(crate) fn order(place: &Place, _: u64) -> Tries {
    let (steps, verdict) = steps(place)?;
    let expected = ["write", "sync file", "place file", "sync folder"];
    Ok(vec![if steps.ends_with(&expected.map(str::to_owned)) {
        verdict
    } else {
        Err(format!("the order is {}", steps.join(", ")))
    }])
}

/// Of shards: all bytes, then the old ones go, the first of them first, then the new ones come, the first of them last; the
/// folder is synced between.
pub(crate) fn order_of_shards(place: &Place, _: u64) -> Tries {
    let (steps, verdict) = steps(place)?;
    let mut expected = vec!["sync file".to_owned()];
    expected.extend((1..=8).map(|n| format!("away {n:05}")));
    expected.push("sync folder".to_owned());
    expected.extend((2..=8).map(|n| format!("place {n:05}")));
    expected.extend(["sync folder", "place 00001", "sync folder"].map(str::to_owned));
    Ok(vec![if steps.ends_with(&expected) {
        verdict
    } else {
        Err(format!("the order is {}", steps.join(", ")))
    }])
}
