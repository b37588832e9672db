//! What text may go into keys and values.

use crate::error::Error;

/// The longest key, in bytes (GGUF specification: 2^16 − 1).
const MAX_KEY: usize = 65_535;

/// Whether a text may have line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// An id, a name, a hash: one line.
    One,
    /// A description: line breaks and tabs are fine.
    Many,
}

/// A value that must say something, without control characters.
pub(crate) fn check_value(key: &str, value: &str, lines: Lines) -> Result<(), Error> {
    if value.trim().is_empty() {
        return Err(Error::Empty { what: key.to_string() });
    }
    let allowed = |c: char| lines == Lines::Many && matches!(c, '\n' | '\r' | '\t');
    match value.chars().find(|&c| c.is_control() && !allowed(c)) {
        Some(found) => Err(Error::ControlCharacter { key: key.to_string(), found }),
        None => Ok(()),
    }
}

/// A name that is to be the last part of a key. The specification wants keys in ASCII; spaces and control
/// characters would break the line-by-line output of every tool.
pub(crate) fn check_name(what: &'static str, prefix: &str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::Empty { what: format!("the name of a {what}") });
    }
    if let Some(found) = name.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(Error::KeyCharacter { what, name: name.to_string(), found });
    }
    let len = prefix.len() + name.len();
    if len > MAX_KEY {
        return Err(Error::KeyTooLong { what, start: name.chars().take(24).collect(), len, max: MAX_KEY });
    }
    Ok(())
}

/// A DOI: `10.`, a registrant of digits and dots, a slash, a suffix.
pub(crate) fn check_doi(doi: &str) -> Result<(), Error> {
    let bare = ["https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "doi:"]
        .iter()
        .find_map(|prefix| doi.strip_prefix(prefix))
        .unwrap_or(doi);
    let valid =
        bare.strip_prefix("10.").and_then(|rest| rest.split_once('/')).is_some_and(|(registrant, suffix)| {
            registrant.starts_with(|c: char| c.is_ascii_digit())
                && registrant.chars().all(|c| c.is_ascii_digit() || c == '.')
                && !suffix.is_empty()
                && !suffix.chars().any(|c| c.is_whitespace() || c.is_control())
        });
    if valid { Ok(()) } else { Err(Error::Doi { found: doi.to_string() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_says_something_in_one_line() {
        assert_eq!(check_value("k", "fine, ok", Lines::One), Ok(()));
        assert_eq!(check_value("k", "two\nlines", Lines::Many), Ok(()));
        assert_eq!(
            check_value("k", "two\nlines", Lines::One),
            Err(Error::ControlCharacter { key: "k".into(), found: '\n' })
        );
        assert_eq!(
            check_value("k", "nul\0", Lines::Many),
            Err(Error::ControlCharacter { key: "k".into(), found: '\0' })
        );
        assert_eq!(check_value("k", " \t", Lines::Many), Err(Error::Empty { what: "k".into() }));
    }

    #[test]
    fn a_name_fits_a_key() {
        assert_eq!(check_name("metric", "p.", "eval/loss@1"), Ok(()));
        for (name, found) in [("a b", ' '), ("a\n", '\n'), ("größe", 'ö')] {
            assert_eq!(
                check_name("metric", "p.", name),
                Err(Error::KeyCharacter { what: "metric", name: name.into(), found })
            );
        }
        assert!(matches!(check_name("metric", "p.", ""), Err(Error::Empty { .. })));
        assert_eq!(check_name("custom", "p.", &"x".repeat(65_533)), Ok(()));
        assert!(matches!(
            check_name("custom", "p.", &"x".repeat(65_534)),
            Err(Error::KeyTooLong { len: 65_536, .. })
        ));
    }

    #[test]
    fn a_doi_has_a_registrant_and_a_suffix() {
        for doi in ["10.48550/arXiv.2307.09288", "https://doi.org/10.1000/182", "doi:10.1.2/x(y)"] {
            assert_eq!(check_doi(doi), Ok(()), "{doi}");
        }
        for doi in ["", "10.1000", "10./x", "11.1000/182", "10.1000/", "10.a/b", "10.1000/a b"] {
            assert_eq!(check_doi(doi), Err(Error::Doi { found: doi.into() }));
        }
    }
}
