//! `cargo xtask faults`: exports that are killed, starved and disturbed on purpose, and what is left of them.
//!
//! Each kind of fault is tried many times on an export over an old file. Afterwards the target must be the old file or
//! the whole new one, the exit status and the message those of a failure (or of success, where it was not disturbed in
//! time), and an export that nobody disturbs must leave the new file and nothing else.

mod kinds;
mod place;

use std::time::Instant;

use crate::shell::{Error, Result, cargo, run};
use place::Place;

/// What became of one try: in order, or what was wrong.
pub(crate) type Verdict = std::result::Result<End, String>;

/// How the disturbed export ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It failed and the old file is there.
    Old,
    /// The new file is there.
    New,
    /// There is no file, since its folder is gone.
    Gone,
}

/// A kind of fault.
pub(crate) struct Kind {
    pub name: &'static str,
    /// Tries it so many times (or as many as there are places where it can strike, if that is what decides).
    pub tries: fn(&Place, u64) -> std::result::Result<Vec<Verdict>, String>,
}

pub(crate) fn faults(rest: &[String]) -> Result {
    let tries = match rest {
        [] => 500,
        [flag, n] if flag == "--tries" => {
            n.parse().map_err(|_| Error::Usage(format!("--tries wants a number, not {n:?}")))?
        }
        _ => return Err(Error::Usage("faults takes only --tries N".to_owned())),
    };
    run(&mut cargo(&["build", "--quiet", "--release", "-p", "entrenar"]))?;
    let place = Place::new().map_err(Error::Failed)?;
    println!("an undisturbed export takes {:.0} ms; {}", place.duration.as_secs_f64() * 1e3, place.system);
    println!("\n| fault | tries | old file kept | new file whole | kept whole | seconds |");
    println!("|---|---|---|---|---|---|");
    let mut broken = 0;
    for kind in kinds::ALL {
        let start = Instant::now();
        let verdicts = (kind.tries)(&place, tries).unwrap_or_else(|error| vec![Err(error)]);
        let ended = |end| verdicts.iter().filter(|v| **v == Ok(end)).count();
        let wrong: Vec<&String> = verdicts.iter().filter_map(|v| v.as_ref().err()).collect();
        println!(
            "| {} | {} | {} | {} | {} | {:.0} |",
            kind.name,
            verdicts.len(),
            ended(End::Old) + ended(End::Gone),
            ended(End::New),
            if wrong.is_empty() { "all".to_owned() } else { format!("NOT {}", wrong.len()) },
            start.elapsed().as_secs_f64()
        );
        wrong.iter().take(3).for_each(|error| println!("  {error}"));
        broken += wrong.len();
    }
    if broken == 0 { Ok(()) } else { Err(Error::Failed(format!("{broken} tries were not in order"))) }
}
