//! How far a run has come, for whoever wants to show it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Hears how a run goes, from many threads.
pub trait Progress: Sync {
    /// Work begins: `bytes` of source data will be read.
    fn begin(&self, bytes: u64) {
        let _ = bytes;
    }

    /// `bytes` of source data more have been read, encoded and written.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }

    /// All tensors are written; the file is being checked and made durable.
    fn finishing(&self) {}
}

/// Nobody listens.
impl Progress for () {}

/// Lets another thread, or a signal handler, stop a run: the run then cleans up and fails with
/// [`Error::Cancelled`](crate::Error::Cancelled).
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Not cancelled.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks the run to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
