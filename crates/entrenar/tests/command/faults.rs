//! Input and disks that fail half-way: the old output stays, and nothing else does.

use std::fs;

use crate::place::{Place, says};

#[test]
fn a_nan_late_in_a_gguf_file_leaves_the_old_output() {
    let place = Place::new();
    assert!(place.run(&["export", place.model(), "m.gguf", "-q", "F32"]).status.success());
    let mut bytes = fs::read(place.path("m.gguf")).unwrap();
    let end = bytes.len() - 64;
    bytes[end..end + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(place.path("m.gguf"), bytes).unwrap();
    fs::write(place.path("out.gguf"), b"old").unwrap();
    let error = place.fails(&["export", "m.gguf", "out.gguf", "-q", "Q4_K_M", "--force"]);
    says(&error, &["NaN", ".weight"]);
    assert_eq!(fs::read(place.path("out.gguf")).unwrap(), b"old");
}

/// A limit on the size of files is the full disk that needs no privileges: the write fails after so many bytes.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_output() {
    use std::process::Command;

    use crate::place::listing;

    let place = Place::new();
    fs::write(place.path("out.gguf"), b"old").unwrap();
    let before = listing(place.folder.path());
    for blocks in [0, 1, 8, 64] {
        // The signal is ignored, so that the write reports its error as it does on a full disk.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_entrenar"), "export", place.model(), "out.gguf"])
            .args(["-q", "F16", "--force", "--quiet"])
            .current_dir(place.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{blocks} blocks: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        says(&said, &["out.gguf"]);
        assert_eq!(listing(place.folder.path()), before, "{blocks} blocks left something behind");
        assert_eq!(fs::read(place.path("out.gguf")).unwrap(), b"old");
    }
}

/// `/dev/full` takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn who_cannot_be_told_gets_the_file_all_the_same() {
    use std::process::{Command, Stdio};

    let place = Place::new();
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let command = |output: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_entrenar"));
        command
            .args(["export", place.model(), output, "-q", "Q4_K_M", "-v"])
            .current_dir(place.folder.path());
        command
    };
    let quiet = command("a.gguf").stderr(full()).output().unwrap();
    assert!(quiet.status.success());
    let output = command("b.gguf").stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    says(&said, &["entrenar: standard output: No space left on device"]);
    assert_eq!(fs::read(place.path("a.gguf")).unwrap(), fs::read(place.path("b.gguf")).unwrap());
}
