//! The subcommands, one file each.

pub(crate) mod export;
pub(crate) mod inspect;
mod tuning;

/// What a command may fail with: its message is shown in one line.
pub(crate) type Failure = Box<dyn std::error::Error>;
