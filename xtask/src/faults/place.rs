//! Where a command is disturbed: what it reads, the folder that it writes to with old files in it, and what the new files
//! must be.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{End, Verdict};
use crate::shell::{root, target};

/// A command that writes files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// A folder becomes a file.
    Export,
    /// A folder becomes eight shards.
    Shards,
    /// A file becomes eight shards.
    Split,
    /// Eight shards become a file.
    Merge,
    /// An adapter becomes a file.
    Adapter,
}

impl Job {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Shards => "export to shards",
            Self::Split => "split",
            Self::Merge => "merge",
            Self::Adapter => "export of an adapter",
        }
    }
}

/// Tensors in a shard.
const IN_A_SHARD: &str = "100";

pub(crate) struct Place {
    entrenar: PathBuf,
    job: Job,
    /// The folder that is read from.
    pub model: PathBuf,
    /// The folder of the targets.
    pub folder: PathBuf,
    /// The targets' names, the first shard first.
    names: Vec<String>,
    new: Vec<Vec<u8>>,
    /// How long the command takes.
    pub duration: Duration,
}

impl Place {
    pub(crate) fn new(job: Job) -> Result<Self, String> {
        let here = target().join("faults").join(format!("{job:?}").to_lowercase());
        let _ = fs::remove_dir_all(&here);
        let folder = here.join("out");
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let model = fixture_models::write("llama-80-layers", &here).map_err(|e| e.to_string())?;
        let full = |path: &Path| fs::canonicalize(path).map_err(|e| format!("{}: {e}", path.display()));
        let (model, folder) = (full(&model)?, full(&folder)?);
        let entrenar = full(&target().join("release/entrenar"))?;
        let (names, new, duration) = (Vec::new(), Vec::new(), Duration::ZERO);
        let mut place = Self { entrenar, job, model, folder, names, new, duration };
        place.prepare()?;
        place.run("Q4_K_M")?; // reads the files once
        let start = Instant::now();
        place.run("Q4_K_M")?;
        place.duration = start.elapsed();
        place.names = place.listed()?;
        place.new = place.contents()?;
        Ok(place)
    }

    /// Writes what a job reads besides the model.
    fn prepare(&self) -> Result<(), String> {
        let input = self.input();
        let whole = input.with_extension("gguf");
        let shards = [OsString::from("--split-max-tensors"), IN_A_SHARD.into()];
        let export = [OsString::from("export"), self.model.clone().into(), whole.clone().into()];
        let split = [OsString::from("split"), whole.into(), input.into()].into_iter().chain(shards);
        let commands: Vec<Vec<OsString>> = match self.job {
            Job::Split => vec![export.into()],
            Job::Merge => vec![export.into(), split.collect()],
            Job::Export | Job::Shards | Job::Adapter => Vec::new(),
        };
        for arguments in commands {
            let output = Command::new(&self.entrenar).args(arguments).arg("--quiet").output();
            let output = output.map_err(|e| e.to_string())?;
            if !output.status.success() {
                return Err(said(&output));
            }
        }
        Ok(())
    }

    /// What `split` and `merge` read, without its end.
    fn input(&self) -> PathBuf {
        self.folder.with_file_name("in")
    }

    fn arguments(&self, ty: &str) -> Vec<OsString> {
        let out = self.folder.join("out.gguf");
        let lora = root().join("crates/hf-checkpoint/tests/golden/lora/patterns-rslora");
        let mut all: Vec<OsString> = match self.job {
            Job::Export | Job::Shards => {
                vec!["export".into(), self.model.clone().into(), out.into(), "--quant".into(), ty.into()]
            }
            Job::Split => vec!["split".into(), self.input().with_extension("gguf").into(), out.into()],
            Job::Merge => {
                let first = self.input().with_file_name("in-00001-of-00008.gguf");
                vec!["merge".into(), first.into(), out.into()]
            }
            Job::Adapter => {
                let base = lora.join("base").into();
                vec!["export".into(), lora.join("0").into(), out.into(), "--base".into(), base]
            }
        };
        if matches!(self.job, Job::Shards | Job::Split) {
            all.extend(["--split-max-tensors".into(), IN_A_SHARD.into()]);
        }
        all.extend(["--force".into(), "--quiet".into()]);
        all
    }

    /// The command undisturbed.
    fn run(&self, ty: &str) -> Result<(), String> {
        let output = self.command(ty).output().map_err(|e| e.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!("undisturbed, it fails: {}", said(&output)))
        }
    }

    /// The files that the command makes of another type, undisturbed.
    pub(crate) fn made(&self, ty: &str) -> Result<Vec<Vec<u8>>, String> {
        self.run(ty)?;
        self.contents()
    }

    /// The command, over what is there.
    pub(crate) fn command(&self, ty: &str) -> Command {
        let mut command = Command::new(&self.entrenar);
        command.args(self.arguments(ty));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// The same command, run by another program.
    pub(crate) fn command_by(&self, program: &str, arguments: &[&str], ty: &str) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).arg(&self.entrenar).args(self.arguments(ty));
        // Cargo sets it, and the loader would look for every library in all of its folders first: none of our calls to break.
        command.env_remove("LD_LIBRARY_PATH");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Puts the old files there, and nothing else.
    pub(crate) fn reset(&self) -> Result<(), String> {
        fs::create_dir_all(&self.folder).map_err(|e| e.to_string())?;
        for name in self.listed()? {
            fs::remove_file(self.folder.join(name)).map_err(|e| e.to_string())?;
        }
        for name in &self.names {
            fs::write(self.folder.join(name), old(name)).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// All names in the folder of the targets, in order.
    fn listed(&self) -> Result<Vec<String>, String> {
        let entries = fs::read_dir(&self.folder).map_err(|e| format!("{}: {e}", self.folder.display()))?;
        let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    fn contents(&self) -> Result<Vec<Vec<u8>>, String> {
        let read = |name: String| fs::read(self.folder.join(&name)).map_err(|e| format!("{name}: {e}"));
        self.listed()?.into_iter().map(read).collect()
    }

    /// The verdict over a disturbed command that was let come to its end. A failure must say one of these.
    pub(crate) fn after(&self, output: &Output, reasons: &[&str]) -> Verdict {
        let end = self.after_without_next(output, reasons)?;
        self.recovers()?;
        Ok(end)
    }

    /// The same, where nothing more can be written.
    pub(crate) fn after_without_next(&self, output: &Output, reasons: &[&str]) -> Verdict {
        let end = self.targets(false)?;
        let text = String::from_utf8_lossy(&output.stderr);
        match (output.status.code(), end) {
            (Some(0), End::New) => {}
            (Some(0), _) => return Err(format!("exit status 0, and the target is not the new one: {text}")),
            (Some(1), end) => {
                let lines = text.lines().count();
                if lines != 1 || !text.starts_with("entrenar: ") || text.contains("panicked") {
                    return Err(format!("exit status 1 with {lines} lines: {text}"));
                }
                // Only a folder that cannot be synced comes to light when the new file is in place.
                if end == End::New && !text.contains("power failure") {
                    return Err(format!("exit status 1, and the target is the new one: {text}"));
                }
                if !reasons.iter().any(|reason| text.contains(reason)) {
                    return Err(format!("the message gives none of {reasons:?}: {text}"));
                }
            }
            (code, _) => return Err(format!("exit status {code:?}: {text}")),
        }
        if self.listed()? != self.names {
            return Err(format!("left behind: {}", self.listed()?.join(" ")));
        }
        Ok(end)
    }

    /// Bytes of all new files.
    pub(crate) fn size(&self) -> u64 {
        self.new.iter().map(|bytes| bytes.len() as u64).sum()
    }

    /// The verdict over a command that was killed: it could not clean up, so the next one has to.
    pub(crate) fn after_kill(&self) -> Verdict {
        let end = self.targets(true)?;
        self.recovers()?;
        Ok(end)
    }

    /// What the targets are. Shards may lack their first if the command was killed, so that nobody takes them for whole.
    pub(crate) fn targets(&self, killed: bool) -> Verdict {
        let found: Vec<Option<Vec<u8>>> =
            self.names.iter().map(|name| fs::read(self.folder.join(name)).ok()).collect();
        let is_old = |n: usize, bytes: &Vec<u8>| self.names.get(n).is_some_and(|name| *bytes == old(name));
        let is_new = |n: usize, bytes: &Vec<u8>| self.new.get(n) == Some(bytes);
        let all = |is: &dyn Fn(usize, &Vec<u8>) -> bool| {
            found.iter().enumerate().all(|(n, bytes)| bytes.as_ref().is_some_and(|bytes| is(n, bytes)))
        };
        if all(&is_old) {
            return Ok(End::Old);
        }
        if all(&is_new) {
            return Ok(End::New);
        }
        let known = |(n, bytes): (usize, &Option<Vec<u8>>)| {
            bytes.as_ref().is_none_or(|bytes| is_old(n, bytes) || is_new(n, bytes))
        };
        if killed && found.len() > 1 && found.first() == Some(&None) && found.iter().enumerate().all(known) {
            return self.is_refused().map(|()| End::Headless);
        }
        let lengths: Vec<_> = found.iter().map(|bytes| bytes.as_ref().map(Vec::len)).collect();
        Err(format!("the targets are neither the old ones nor the new ones: bytes {lengths:?}"))
    }

    /// A set without its first shard must be none for readers.
    fn is_refused(&self) -> Result<(), String> {
        let there = self.listed()?.into_iter().find(|name| name.ends_with(".gguf"));
        let Some(there) = there else { return Ok(()) };
        let output = Command::new(&self.entrenar).arg("inspect").arg(self.folder.join(&there)).output();
        match output.map_err(|e| e.to_string())?.status.code() {
            Some(1) => Ok(()),
            code => Err(format!("{there} of a set without its first is read: exit status {code:?}")),
        }
    }

    /// The next command must leave the new files and nothing else.
    fn recovers(&self) -> Result<(), String> {
        self.run("Q4_K_M")?;
        if self.listed()? != self.names {
            return Err(format!("after the next run: {}", self.listed()?.join(" ")));
        }
        if self.contents()? == self.new { Ok(()) } else { Err("the next run gives other files".to_owned()) }
    }

    /// Whether the targets are one of these sets, and alone.
    pub(crate) fn one_of(&self, sets: &[Vec<Vec<u8>>]) -> Verdict {
        if self.listed()? != self.names {
            return Err(format!("left behind: {}", self.listed()?.join(" ")));
        }
        let found = self.contents()?;
        if sets.contains(&found) {
            Ok(End::New)
        } else {
            Err("the targets are none of the new ones".to_owned())
        }
    }
}

/// What a file of this name is before.
fn old(name: &str) -> Vec<u8> {
    format!("the old {name}").into_bytes()
}

/// Starts a command.
pub(crate) fn start(command: &mut Command) -> Result<Child, String> {
    command.spawn().map_err(|e| format!("{}: {e}", Path::new(command.get_program()).display()))
}

/// Waits for its end.
pub(crate) fn end(child: Child) -> Result<Output, String> {
    child.wait_with_output().map_err(|e| e.to_string())
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.trim().lines().last().unwrap_or("no message").to_owned()
}
