//! Checks, one line each, and whether they passed.

use std::fmt::Display;
use std::time::Instant;

/// What a check gives: a few words about what was measured, or why it failed.
pub type Outcome = Result<String, Box<dyn std::error::Error>>;

/// One check that was made.
#[derive(Debug)]
struct Line {
    name: String,
    passed: bool,
    detail: String,
    seconds: f64,
}

/// All checks so far.
#[derive(Debug)]
pub struct Report {
    filter: Option<String>,
    lines: Vec<Line>,
}

impl Report {
    /// Only checks whose name contains the filter will be made.
    #[must_use]
    pub fn new(filter: Option<String>) -> Self {
        Self { filter, lines: Vec::new() }
    }

    /// Whether a check of this name is asked for.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|f| name.contains(f.as_str()))
    }

    /// Makes a check, if it is asked for, and prints its line.
    pub fn check(&mut self, name: impl Display, check: impl FnOnce() -> Outcome) {
        let name = name.to_string();
        if !self.wants(&name) {
            return;
        }
        let start = Instant::now();
        let (passed, detail) = match check() {
            Ok(detail) => (true, detail),
            Err(error) => (false, error.to_string()),
        };
        let line = Line { name, passed, detail, seconds: start.elapsed().as_secs_f64() };
        line.print();
        self.lines.push(line);
    }

    /// Prints the failures' names and the count; true when something was checked and everything passed.
    #[must_use]
    pub fn conclude(&self) -> bool {
        let failed: Vec<&Line> = self.lines.iter().filter(|l| !l.passed).collect();
        if !failed.is_empty() {
            println!("\nFailed:");
            failed.iter().for_each(|l| println!("  {}", l.name));
        }
        println!("\n{} passed, {} failed", self.lines.len() - failed.len(), failed.len());
        if self.lines.is_empty() {
            println!("no check has such a name");
        }
        failed.is_empty() && !self.lines.is_empty()
    }
}

impl Line {
    fn print(&self) {
        let verdict = if self.passed { "pass" } else { "FAIL" };
        let mut detail = self.detail.lines();
        let first = detail.next().unwrap_or_default();
        println!("{verdict}  {:<34} {:>6.1} s  {first}", self.name, self.seconds);
        for more in detail {
            println!("      {more}");
        }
    }
}

/// Joins the first few of many lines, and says how many more there are.
#[must_use]
pub fn first_few(lines: &[String]) -> String {
    const FEW: usize = 8;
    let mut text = lines.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join("\n");
    if lines.len() > FEW {
        text.push_str(&format!("\nand {} more", lines.len() - FEW));
    }
    text
}
