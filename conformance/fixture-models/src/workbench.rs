//! The folder where the Python peers are set up, and the one of them that is needed here: the converter.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::error::Error;
use crate::models::Model;
use crate::weights::Dtype;

/// The work folder of the conformance run: `$ENTRENAR_CONFORMANCE_DIR`, or `conformance/work`.
///
/// `conformance/scripts/setup.sh` fills it: `venv` (Python with the peers), `llama_cpp_python-VERSION` (the source
/// archive that carries llama.cpp's converter), `models` (real models).
#[derive(Debug, Clone)]
pub struct Workbench {
    root: PathBuf,
}

/// One conversion.
#[derive(Debug, Clone, Serialize)]
pub struct Conversion {
    /// The Hugging Face folder.
    pub folder: PathBuf,
    /// The GGUF file to write.
    pub out: PathBuf,
    /// The converter's `--outtype`.
    pub outtype: Cow<'static, str>,
    /// See [`Model::pre`].
    pub pre: Option<Cow<'static, str>>,
}

impl Model {
    /// The converter's `--outtype` that keeps every weight as it is.
    #[must_use]
    pub fn lossless_outtype(&self) -> &'static str {
        match self.dtype {
            Dtype::F16 => "f16",
            Dtype::Bf16 => "bf16",
            Dtype::F32 | Dtype::I64 => "f32",
        }
    }
}

impl Workbench {
    /// The folder as configured, whether or not it is there.
    #[must_use]
    pub fn new() -> Self {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../work");
        Self { root: std::env::var_os("ENTRENAR_CONFORMANCE_DIR").map_or_else(beside, PathBuf::from) }
    }

    /// A path within it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A folder within it, made if it is absent.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.join(name);
        std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
        Ok(path)
    }

    /// A project script, to be run by the Python that has the peers.
    ///
    /// # Errors
    /// When the peers are not set up.
    pub fn python(&self, script: &str) -> Result<Command, Error> {
        let interpreter = self.join("venv/bin/python");
        if !interpreter.exists() {
            return Err(Error::malformed(
                &self.root,
                "the Python peers are not set up here: run conformance/scripts/setup.sh",
            ));
        }
        let mut command = Command::new(interpreter);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts").join(script));
        Ok(command)
    }

    /// The source archive that carries the converter: its folder's name (with the version) and its llama.cpp.
    ///
    /// # Errors
    /// When there is none.
    pub fn converter(&self) -> Result<(String, PathBuf), Error> {
        let entries = std::fs::read_dir(&self.root).map_err(Error::io(&self.root))?;
        let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        let name = names.into_iter().rfind(|n| n.starts_with("llama_cpp_python-"));
        let name = name.ok_or_else(|| {
            Error::malformed(&self.root, "no llama_cpp_python-VERSION here: run conformance/scripts/setup.sh")
        })?;
        let source = self.root.join(&name).join("vendor/llama.cpp");
        Ok((name, source))
    }

    /// Runs llama.cpp's converter over the folders; returns the versions of what took part, by name.
    ///
    /// # Errors
    /// When the peers are not set up, or the converter fails; its output is then in `convert.log` of the folder.
    pub fn convert(&self, jobs: &[Conversion]) -> Result<BTreeMap<String, String>, Error> {
        self.run_converter(self.converter_command(jobs)?)
    }

    /// The same, but a folder that the converter fails on does not end the run; returns what it said of each, in order.
    ///
    /// # Errors
    /// When the peers are not set up, or the converter cannot be run at all.
    pub fn convert_each(&self, jobs: &[Conversion]) -> Result<Vec<Result<(), String>>, Error> {
        let error_of = |job: &Conversion| {
            let mut name = job.out.clone().into_os_string();
            name.push(".error");
            PathBuf::from(name)
        };
        for job in jobs {
            let _ = std::fs::remove_file(error_of(job));
        }
        let mut command = self.converter_command(jobs)?;
        command.arg("--keep-going");
        self.run_converter(command)?;
        Ok(jobs
            .iter()
            .map(|job| match std::fs::read_to_string(error_of(job)) {
                Ok(said) => Err(said),
                Err(_) if job.out.is_file() => Ok(()),
                Err(_) => Err("wrote no file".to_owned()),
            })
            .collect())
    }

    fn run_converter(&self, mut command: Command) -> Result<BTreeMap<String, String>, Error> {
        let (name, _) = self.converter()?;
        let log_path = self.join("convert.log");
        let log = std::fs::File::create(&log_path).map_err(Error::io(&log_path))?;
        let output = command.stderr(log).stdout(Stdio::piped()).output().map_err(Error::io(&log_path))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        let versions: Option<BTreeMap<String, String>> = serde_json::from_str(last).ok();
        let mut versions = versions
            .filter(|_| output.status.success())
            .ok_or_else(|| Error::malformed(&log_path, "convert_hf_to_gguf failed; this file says why"))?;
        versions.insert(
            "convert_hf_to_gguf".to_owned(),
            name.replace('_', "-").replacen("python-", "python ", 1),
        );
        Ok(versions)
    }

    /// The command that does so, its standard input given.
    ///
    /// # Errors
    /// When the peers are not set up.
    pub fn converter_command(&self, jobs: &[Conversion]) -> Result<Command, Error> {
        let (_, source) = self.converter()?;
        let jobs_path = self.join("convert.json");
        let text = serde_json::to_string(jobs).map_err(|e| Error::malformed(&jobs_path, e.to_string()))?;
        std::fs::write(&jobs_path, text).map_err(Error::io(&jobs_path))?;
        let jobs_file = std::fs::File::open(&jobs_path).map_err(Error::io(&jobs_path))?;
        let mut command = self.python("convert.py")?;
        command.arg(&source).stdin(jobs_file);
        Ok(command)
    }
}

impl Default for Workbench {
    fn default() -> Self {
        Self::new()
    }
}
