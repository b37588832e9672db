//! Standard error: progress, notes; and the shape of error messages.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use entrenar::ecosystem::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text;

/// Writes a line to standard error, what strangers wrote escaped and of a length that a person reads. If nobody can hear it, the
/// work goes on all the same.
pub(crate) fn say(who: &str, what: &str) {
    let _ = writeln!(io::stderr(), "{who}: {}", text::escape(&text::readable(what)));
}

/// How many notes are said: each may be about one of a million tokens.
const NOTES: usize = 50;

/// Says the notes of a plan.
pub(crate) fn say_notes(notes: &[String]) {
    notes.iter().take(NOTES).for_each(|note| say("note", note));
    if let Some(more) = notes.len().checked_sub(NOTES).filter(|more| *more > 0) {
        say("note", &format!("and {more} more"));
    }
}

/// An error and what caused it, in one line, saying nothing twice.
pub(crate) fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    if error.is::<io::Error>() {
        // Errors of files name them.
        line.insert_str(0, "standard output: ");
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        let message = inner.to_string();
        if !line.contains(&message) {
            line.push_str(": ");
            line.push_str(&message);
        }
        cause = inner.source();
    }
    line
}

/// Whether whoever read our output has gone away.
pub(crate) fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// Progress of a run: a bar on a terminal, a line every tenth otherwise, nothing when told to be quiet.
pub(crate) enum Meter {
    Bar(ProgressBar),
    Lines(Lines),
    Quiet,
}

impl Meter {
    pub(crate) fn new(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            Self::Bar(bar)
        } else {
            Self::Lines(Lines { total: AtomicU64::new(0), done: AtomicU64::new(0), said: Mutex::new(None) })
        }
    }

    /// Takes the bar off the screen, so that the next line starts clean.
    pub(crate) fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Meter {
    fn begin(&self, bytes: u64) {
        match self {
            Self::Bar(bar) => {
                let style = "{bar:32} {percent:>3} %  {decimal_bytes} of {decimal_total_bytes}  \
                             {decimal_bytes_per_sec}  {eta} left {msg}";
                bar.set_length(bytes);
                if let Ok(style) = ProgressStyle::with_template(style) {
                    bar.set_style(style);
                }
            }
            Self::Lines(lines) => lines.begin(bytes),
            Self::Quiet => {}
        }
    }

    fn advance(&self, bytes: u64) {
        match self {
            Self::Bar(bar) => bar.inc(bytes),
            Self::Lines(lines) => lines.advance(bytes),
            Self::Quiet => {}
        }
    }

    fn finishing(&self) {
        if let Self::Bar(bar) = self {
            bar.set_message("(writing to disk)");
        }
    }
}

/// Progress for a log: a line every tenth, if the run takes longer than a few seconds.
pub(crate) struct Lines {
    total: AtomicU64,
    done: AtomicU64,
    said: Mutex<Option<(Instant, u64)>>,
}

impl Lines {
    fn begin(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
        if let Ok(mut said) = self.said.lock() {
            *said = Some((Instant::now(), 0));
        }
    }

    fn advance(&self, bytes: u64) {
        let total = self.total.load(Ordering::Relaxed).max(1);
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let tenths = (u128::from(done) * 10 / u128::from(total)) as u64;
        let Ok(mut said) = self.said.lock() else { return };
        let Some((started, last)) = said.as_mut() else { return };
        let seconds = started.elapsed().as_secs_f64();
        if tenths > *last && seconds > 3.0 {
            *last = tenths;
            let rate = text::bytes((done as f64 / seconds) as u64);
            let (done, total) = (text::bytes(done), text::bytes(total));
            let _ = writeln!(io::stderr(), "{:>3} %  {done} of {total}, {rate}/s", tenths * 10);
        }
    }
}
