//! Where exports are disturbed: a model, a target with an old file, and what the new file must be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{End, Verdict};
use crate::shell::target;

const OLD: &[u8] = b"the old file";

pub(crate) struct Place {
    entrenar: PathBuf,
    model: PathBuf,
    /// The folder of the target.
    pub folder: PathBuf,
    new: Vec<u8>,
    /// How long an export takes.
    pub duration: Duration,
    /// A few words about the machine.
    pub system: String,
}

impl Place {
    pub(crate) fn new() -> Result<Self, String> {
        let root = target().join("faults");
        let _ = fs::remove_dir_all(&root);
        let folder = root.join("out");
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let model = fixture_models::write("llama-80-layers", &root).map_err(|e| e.to_string())?;
        let entrenar = fs::canonicalize(target().join("release/entrenar")).map_err(|e| e.to_string())?;
        let model = fs::canonicalize(model).map_err(|e| e.to_string())?;
        let folder = fs::canonicalize(folder).map_err(|e| e.to_string())?;
        let mut place = Self {
            entrenar,
            model,
            folder,
            new: Vec::new(),
            duration: Duration::ZERO,
            system: String::new(),
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        place.system = format!("{threads} processors ({})", std::env::consts::ARCH);
        place.export("Q4_K_M")?; // reads the files once
        let start = Instant::now();
        place.new = place.export("Q4_K_M")?;
        place.duration = start.elapsed();
        Ok(place)
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.join("out.gguf")
    }

    /// An undisturbed export; gives the file.
    pub(crate) fn export(&self, ty: &str) -> Result<Vec<u8>, String> {
        let output = self.command(ty).output().map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(format!("an undisturbed export fails: {}", said(&output)));
        }
        fs::read(self.out()).map_err(|e| e.to_string())
    }

    /// The command for an export over what is there.
    pub(crate) fn command(&self, ty: &str) -> Command {
        let mut command = Command::new(&self.entrenar);
        self.arguments(&mut command, ty);
        command
    }

    /// The same command, run by another program.
    pub(crate) fn command_by(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).arg(&self.entrenar);
        self.arguments(&mut command, "Q4_K_M");
        command
    }

    fn arguments(&self, command: &mut Command, ty: &str) {
        command.arg("export").arg(&self.model).arg(self.out()).args(["--quant", ty, "--force", "--quiet"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    }

    /// Puts the old file there, and nothing else.
    pub(crate) fn reset(&self) -> Result<(), String> {
        fs::create_dir_all(&self.folder).map_err(|e| e.to_string())?;
        for name in self.names()? {
            fs::remove_file(self.folder.join(name)).map_err(|e| e.to_string())?;
        }
        fs::write(self.out(), OLD).map_err(|e| e.to_string())
    }

    fn names(&self) -> Result<Vec<String>, String> {
        let entries = fs::read_dir(&self.folder).map_err(|e| format!("{}: {e}", self.folder.display()))?;
        Ok(entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect())
    }

    /// The verdict over a disturbed export that was let come to its end.
    pub(crate) fn after(&self, output: &Output) -> Verdict {
        let end = self.target()?;
        match (output.status.code(), end) {
            (Some(0), End::New) => {}
            (Some(0), _) => {
                return Err(format!("exit status 0, and the target is not the new file: {}", said(output)));
            }
            (Some(1), _) => {
                let lines = String::from_utf8_lossy(&output.stderr).lines().count();
                let panicked = String::from_utf8_lossy(&output.stderr).contains("panicked");
                if lines != 1 || panicked {
                    return Err(format!("exit status 1 with {lines} lines: {}", said(output)));
                }
            }
            (code, _) => return Err(format!("exit status {code:?}: {}", said(output))),
        }
        if self.names()?.len() != 1 {
            return Err(format!("left behind: {}", self.names()?.join(" ")));
        }
        self.recovers()?;
        Ok(end)
    }

    /// The verdict over an export that was killed: it could not clean up, so the next one has to.
    pub(crate) fn after_kill(&self) -> Verdict {
        let end = self.target()?;
        self.recovers()?;
        Ok(end)
    }

    /// What the target is.
    pub(crate) fn target(&self) -> Verdict {
        match fs::read(self.out()) {
            Ok(bytes) if bytes == OLD => Ok(End::Old),
            Ok(bytes) if bytes == self.new => Ok(End::New),
            Ok(bytes) => {
                Err(format!("the target is neither the old file nor the new one: {} bytes", bytes.len()))
            }
            Err(error) => Err(format!("the target: {error}")),
        }
    }

    /// The next export must leave the new file and nothing else.
    fn recovers(&self) -> Result<(), String> {
        if self.export("Q4_K_M")? != self.new {
            return Err("the next export gives another file".to_owned());
        }
        match self.names()?.as_slice() {
            [one] if one == "out.gguf" => Ok(()),
            names => Err(format!("after the next export: {}", names.join(" "))),
        }
    }

    /// Whether the target is one of these files, and alone.
    pub(crate) fn one_of(&self, files: &[Vec<u8>]) -> Verdict {
        let found = fs::read(self.out()).map_err(|e| e.to_string())?;
        if !files.contains(&found) {
            return Err(format!("the target is none of the new files: {} bytes", found.len()));
        }
        match self.names()?.len() {
            1 => Ok(End::New),
            _ => Err(format!("left behind: {}", self.names()?.join(" "))),
        }
    }
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
