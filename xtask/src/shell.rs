//! Running other programs.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

/// Why a command of ours ended without success.
#[derive(Debug)]
pub(crate) enum Error {
    /// It was called wrongly.
    Usage(String),
    /// It did not work.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(text) | Self::Failed(text)) = self;
        f.write_str(text)
    }
}

impl From<fixture_models::Error> for Error {
    fn from(error: fixture_models::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

pub(crate) type Result = std::result::Result<(), Error>;

/// The top of the repository: of the one that `cargo xtask` runs in, should two share a target directory.
pub(crate) fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
        .join("..")
}

/// Where cargo builds, and where throw-away files of ours may go.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs us, in the repository's top folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments);
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result {
    let name = || {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ")
    };
    let name = name();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Failed(format!("`{name}` ended with {status}"))),
        Err(error) => Err(Error::Failed(format!("`{name}` did not start: {error}"))),
    }
}

/// Refuses arguments where none are taken.
pub(crate) fn no_arguments(rest: &[String]) -> Result {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(Error::Usage(format!("unexpected argument {extra:?}"))),
    }
}
