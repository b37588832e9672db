//! What can go wrong, by who is at fault.

mod format;
mod key;
mod layout;
mod read;
mod shard;
mod split;

pub use format::{FormatError, Place};
pub use key::KeyError;
pub use layout::LayoutError;
pub use read::{FileError, LimitError, ReadError};
pub use shard::ShardError;
pub use split::SplitError;

/// How a name out of a file begins, fit to be shown: what is not UTF-8 replaced, long ones cut.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    match bytes.get(..SHOWN) {
        Some(start) if bytes.len() > SHOWN => format!("{}…", String::from_utf8_lossy(start)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
