//! Splitting a text at what a pattern finds, as the tokenizers library does (0.23, `normalizer.rs`).

use std::ops::Range;

use fancy_regex::Regex;

/// What to look for.
pub(super) enum Pattern {
    Text(String),
    Regex(Regex),
    Char(fn(char) -> bool),
}

/// What becomes of that which was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behavior {
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

impl Behavior {
    /// By its name in `tokenizer.json`.
    pub(super) fn new(name: &str) -> Option<Self> {
        Some(match name {
            "Removed" => Self::Removed,
            "Isolated" => Self::Isolated,
            "MergedWithPrevious" => Self::MergedWithPrevious,
            "MergedWithNext" => Self::MergedWithNext,
            "Contiguous" => Self::Contiguous,
            _ => return None,
        })
    }
}

impl Pattern {
    /// The whole text in ranges, each with whether the pattern found it. `None` if the search takes too long.
    pub(super) fn find(&self, text: &str) -> Option<Vec<(Range<usize>, bool)>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        match self {
            Self::Text(wanted) if wanted.is_empty() => (),
            Self::Text(wanted) => found.extend(text.match_indices(wanted).map(|(at, m)| at..at + m.len())),
            Self::Regex(regex) => {
                for m in regex.find_iter(text) {
                    found.push(m.ok()?.range());
                }
            }
            Self::Char(is) => {
                found
                    .extend(text.char_indices().filter(|(_, c)| is(*c)).map(|(at, c)| at..at + c.len_utf8()));
            }
        }
        let (mut ranges, mut done) = (Vec::new(), 0);
        for range in found {
            if done < range.start {
                ranges.push((done..range.start, false));
            }
            done = range.end;
            ranges.push((range, true));
        }
        if done < text.len() {
            ranges.push((done..text.len(), false));
        }
        Some(ranges)
    }
}

/// The ranges that a text is split into; empty ones are left out. `None` if the search takes too long.
pub(super) fn split(
    text: &str,
    pattern: &Pattern,
    behavior: Behavior,
    invert: bool,
) -> Option<Vec<Range<usize>>> {
    let found: Vec<_> = pattern.find(text)?.into_iter().map(|(r, m)| (r, m != invert)).collect();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut previous = false;
    match behavior {
        Behavior::Isolated => ranges.extend(found.into_iter().map(|(r, _)| r)),
        Behavior::Removed => ranges.extend(found.into_iter().filter(|(_, m)| !m).map(|(r, _)| r)),
        Behavior::Contiguous => {
            for (range, is_match) in found {
                match ranges.last_mut() {
                    Some(last) if is_match == previous => last.end = range.end,
                    _ => ranges.push(range),
                }
                previous = is_match;
            }
        }
        Behavior::MergedWithPrevious => {
            for (range, is_match) in found {
                match ranges.last_mut() {
                    Some(last) if is_match && !previous => last.end = range.end,
                    _ => ranges.push(range),
                }
                previous = is_match;
            }
        }
        Behavior::MergedWithNext => {
            for (range, is_match) in found.into_iter().rev() {
                match ranges.last_mut() {
                    Some(last) if is_match && !previous => last.start = range.start,
                    _ => ranges.push(range),
                }
                previous = is_match;
            }
            ranges.reverse();
        }
    }
    ranges.retain(|r| !r.is_empty());
    Some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the tokenizers library's own documentation.
    #[test]
    fn behaviors() {
        let text = "the-final--countdown";
        let parts = |behavior| -> Vec<&str> {
            let pattern = Pattern::Text("-".into());
            split(text, &pattern, behavior, false).unwrap().into_iter().map(|r| &text[r]).collect()
        };
        assert_eq!(parts(Behavior::Removed), ["the", "final", "countdown"]);
        assert_eq!(parts(Behavior::Isolated), ["the", "-", "final", "-", "-", "countdown"]);
        assert_eq!(parts(Behavior::MergedWithPrevious), ["the-", "final-", "-", "countdown"]);
        assert_eq!(parts(Behavior::MergedWithNext), ["the", "-final", "-", "-countdown"]);
        assert_eq!(parts(Behavior::Contiguous), ["the", "-", "final", "--", "countdown"]);
    }

    #[test]
    fn inverted_and_removed_is_what_was_found() {
        let pattern = Pattern::Regex(Regex::new(r"\p{L}+").unwrap());
        assert_eq!(split("ab, cd", &pattern, Behavior::Removed, true).unwrap(), [0..2, 4..6]);
    }

    #[test]
    fn a_search_without_end_is_given_up() {
        let pattern = Pattern::Regex(Regex::new(r"(?:(?=(a+))a+)+b\1").unwrap());
        assert_eq!(split(&"a".repeat(60), &pattern, Behavior::Isolated, false), None);
    }
}
