//! `cargo xtask faults`: commands that are killed, starved and disturbed on purpose, and what is left of them.
//!
//! Each kind of fault is tried many times on a command that writes over old files. Afterwards the target must be the old file or
//! the whole new one, the exit status and the message those of a failure (or of success, where it was not disturbed in
//! time), and a command that nobody disturbs must leave the new file and nothing else. Shards of a command that was killed may
//! lack their first, so that no reader takes them for whole.

mod calls;
mod disk;
mod kinds;
mod place;

use std::time::Instant;

use crate::shell::{Error, Result, cargo, run};
use place::Place;

/// What became of one try: in order, or what was wrong.
pub(crate) type Verdict = std::result::Result<End, String>;

/// How the disturbed command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It failed and the old files are there.
    Old,
    /// The new files are there.
    New,
    /// It was killed while it exchanged shards, and the first of them is not there.
    Headless,
    /// There is no file, since its folder is gone.
    Gone,
}

pub(crate) fn faults(rest: &[String]) -> Result {
    let (mut tries, mut filter) = (500, "");
    let mut rest = rest.iter();
    while let Some(flag) = rest.next() {
        match (flag.as_str(), rest.next()) {
            ("--tries", Some(n)) => {
                tries = n.parse().map_err(|_| Error::Usage(format!("--tries wants a number, not {n:?}")))?;
            }
            ("--filter", Some(text)) => filter = text,
            _ => return Err(Error::Usage("faults takes only --tries N and --filter TEXT".to_owned())),
        }
    }
    run(&mut cargo(&["build", "--quiet", "--release", "-p", "entrenar"]))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{threads} processors ({})", std::env::consts::ARCH);
    println!("\n| command | fault | tries | old kept | new whole | no first shard | in order | seconds |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut broken = 0;
    let mut place: Option<(place::Job, Place)> = None;
    for kind in kinds::ALL {
        if !format!("{}, {}", kind.job.name(), kind.name).contains(filter) {
            continue;
        }
        let start = Instant::now();
        if place.as_ref().is_none_or(|(job, _)| *job != kind.job) {
            place = Some((kind.job, Place::new(kind.job).map_err(Error::Failed)?));
        }
        let Some((_, place)) = &place else { continue };
        let verdicts = (kind.tries)(place, tries).unwrap_or_else(|error| vec![Err(error)]);
        let ended = |end| verdicts.iter().filter(|v| **v == Ok(end)).count();
        let wrong: Vec<&String> = verdicts.iter().filter_map(|v| v.as_ref().err()).collect();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.0} |",
            kind.job.name(),
            kind.name,
            verdicts.len(),
            ended(End::Old) + ended(End::Gone),
            ended(End::New),
            ended(End::Headless),
            if wrong.is_empty() { "all".to_owned() } else { format!("NOT {}", wrong.len()) },
            start.elapsed().as_secs_f64()
        );
        wrong.iter().take(3).for_each(|error| println!("  {}", error.trim()));
        broken += wrong.len();
    }
    if broken == 0 { Ok(()) } else { Err(Error::Failed(format!("{broken} tries were not in order"))) }
}
