//! Sending what was written to the disk while the rest is being computed, so that the last wait is short.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

/// Bytes written between two requests: long transfers, and little left for the end.
const STEP: u64 = 64 << 20;

/// A thread that flushes files, which are written one after the other, from time to time. Everything is flushed once more before the file gets its name: this is
/// for speed, and yet its errors count, for a system may tell of a lost write only once.
pub(crate) struct Writeback<'scope> {
    written: AtomicU64,
    wake: SyncSender<usize>,
    thread: ScopedJoinHandle<'scope, io::Result<()>>,
}

impl<'scope> Writeback<'scope> {
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        files: Vec<&'env File>,
    ) -> io::Result<Self> {
        let (wake, requests) = sync_channel(1);
        let flush = move |requests: Receiver<usize>| {
            let mut first = 0;
            for last in requests {
                // What lies before the file that is being written is done, but for chunks under way.
                for file in files.iter().take(last + 1).skip(first) {
                    file.sync_data()?;
                }
                first = first.max(last);
            }
            Ok(())
        };
        let thread = thread::Builder::new()
            .name("writeback".to_owned())
            .spawn_scoped(scope, move || flush(requests))?;
        Ok(Self { written: AtomicU64::new(0), wake, thread })
    }

    /// Counts bytes that are in the file of this number now.
    pub(crate) fn wrote(&self, file: usize, bytes: u64) {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before / STEP != (before + bytes) / STEP {
            // One request that waits is enough; a thread that has failed says so at the end.
            let _ = self.wake.try_send(file);
        }
    }

    /// Waits for the flush under way.
    ///
    /// # Errors
    /// That of the first flush that failed.
    pub(crate) fn finish(self) -> io::Result<()> {
        drop(self.wake);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn flushes_that_succeed_are_no_error_however_many() -> io::Result<()> {
        let mut file = tempfile::tempfile()?;
        file.write_all(&[1; 1000])?;
        thread::scope(|scope| {
            let writeback = Writeback::start(scope, vec![&file])?;
            for _ in 0..100 {
                writeback.wrote(0, STEP / 3);
            }
            writeback.finish()
        })
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_flush_that_fails_is_told_at_the_end() -> io::Result<()> {
        // A pipe has nothing to flush: EINVAL.
        let (_reader, writer) = io::pipe()?;
        let file = File::from(std::os::fd::OwnedFd::from(writer));
        let told = thread::scope(|scope| {
            let writeback = Writeback::start(scope, vec![&file])?;
            writeback.wrote(0, STEP);
            writeback.finish()
        });
        assert_eq!(told.map_err(|e| e.kind()), Err(io::ErrorKind::InvalidInput));
        Ok(())
    }
}
