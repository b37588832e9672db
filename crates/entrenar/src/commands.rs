//! The subcommands, one file each.

pub(crate) mod export;
pub(crate) mod inspect;
pub(crate) mod merge;
mod moving;
mod naming;
mod sharding;
pub(crate) mod split;
mod tuning;

/// What a command may fail with: its message is shown in one line.
pub(crate) type Failure = Box<dyn std::error::Error>;
