//! Disks that are full, read-only, or not ours to use; and an input that changes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;

use super::kinds::{ENDED, FULL, Tries};
use super::place::{Place, end, start};
use super::{End, Verdict};

/// Sizes from almost nothing to a little more than a file needs.
fn sizes(steps: u64, enough: u64) -> impl Iterator<Item = u64> {
    (0..steps).map(move |n| enough * n / (steps - 1).max(1))
}

/// No file may be longer than so much: writes fail as on a full disk, without any privilege.
pub(crate) fn size_limits(place: &Place, most: u64) -> Tries {
    let mut verdicts = Vec::new();
    for size in sizes((most / 5).max(2), place.size() + 512) {
        place.reset()?;
        // In units of 512 bytes.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", size / 512);
        let output = end(start(&mut place.command_by("sh", &["-c", &script], "Q4_K_M"))?)?;
        verdicts.push(place.after(&output, &["File too large"]));
    }
    Ok(verdicts)
}

/// Mounts a file system in memory on the folder of the targets; only the superuser can.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn new(folder: &'a Path, options: &str) -> Result<Self, String> {
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).output();
        if output.is_ok_and(|output| output.status.success()) {
            Ok(Self(folder))
        } else {
            Err("not run: a tmpfs needs the superuser".to_owned())
        }
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).output();
    }
}

/// File systems in memory, from too small by far to large enough for the new file beside the old one.
pub(crate) fn small_file_systems(place: &Place, most: u64) -> Tries {
    let mut verdicts = Vec::new();
    place.reset()?;
    // A page for each of the old files, and room for the new ones in whole pages.
    let enough = place.size() + 4096 * 64;
    for size in sizes(most.clamp(2, 100), enough) {
        let mounted = Mounted::new(&place.folder, &format!("size={}k", (size + 4096 * 8).div_ceil(1024)))?;
        verdicts.push((|| {
            place.reset()?;
            let output = end(start(&mut place.command("Q4_K_M"))?)?;
            place.after_without_next(&output, FULL)
        })());
        drop(mounted);
    }
    if verdicts.last() != Some(&Ok(End::New)) {
        verdicts.push(Err("the largest was not large enough".to_owned()));
    }
    Ok(verdicts)
}

/// A file system that cannot be written to any more.
pub(crate) fn read_only(place: &Place, _: u64) -> Tries {
    place.reset()?;
    let mounted = Mounted::new(&place.folder, "size=1m")?;
    place.reset()?;
    let again = Command::new("mount").args(["-o", "remount,ro"]).arg(&place.folder).output();
    if !again.is_ok_and(|output| output.status.success()) {
        return Err("not run: the file system cannot be made read-only".to_owned());
    }
    let output = end(start(&mut place.command("Q4_K_M"))?)?;
    let verdict = place.after_without_next(&output, &["Read-only file system"]);
    drop(mounted);
    Ok(vec![verdict])
}

/// A folder that may not be written to, and weights that may not be read; the superuser, whom nothing stops, becomes nobody.
pub(crate) fn no_permission(place: &Place, _: u64) -> Tries {
    let weights = place.model.join("model.safetensors");
    let cases = [(place.folder.as_path(), 0o555, 0o755), (weights.as_path(), 0o000, 0o644)];
    let mut verdicts = Vec::new();
    for (path, denied, usual) in cases {
        place.reset()?;
        let mode =
            |mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|e| e.to_string());
        mode(denied)?;
        let mut command = place.command("Q4_K_M");
        if fs::metadata(path).is_ok_and(|meta| meta.uid() == 0) {
            command.uid(65534).gid(65534);
        }
        let output = start(&mut command).and_then(end);
        mode(usual)?;
        let output = output?;
        verdicts.push(if output.status.success() {
            Err("done without permission".to_owned())
        } else {
            place.after(&output, &["Permission denied"])
        });
    }
    Ok(verdicts)
}

/// The file of the weights is cut, to a part that is another each time, at a moment that is another each time.
pub(crate) fn shard_cut(place: &Place, tries: u64) -> Tries {
    let weights = place.model.join("model.safetensors");
    let whole = fs::read(&weights).map_err(|e| format!("{}: {e}", weights.display()))?;
    let tries = (tries / 5).max(1);
    let one = |n: u64| -> Verdict {
        place.reset()?;
        let child = start(&mut place.command("Q4_K_M"))?;
        sleep(place.duration * ((n * 7 % tries) as u32) / (tries as u32));
        let file = fs::OpenOptions::new().write(true).open(&weights).map_err(|e| e.to_string())?;
        file.set_len(whole.len() as u64 * (n % 10) / 10).map_err(|e| e.to_string())?;
        let output = end(child)?;
        fs::write(&weights, &whole).map_err(|e| e.to_string())?;
        place.after(&output, ENDED)
    };
    Ok((0..tries).map(one).collect())
}
