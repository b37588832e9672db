//! What cannot be written, and why.

/// A value that cannot go into a file's metadata. Whoever set it has to change it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that must be there is empty or blank.
    #[error("{what} is empty: give it a value")]
    Empty {
        /// The metadata key or the field.
        what: String,
    },
    /// A value holds a control character: a line break where one line is meant, or a NUL, at which programs
    /// written in C cut a string off.
    #[error("{key}: the value holds the control character {found:?}; take it out")]
    ControlCharacter {
        /// The metadata key or the field.
        key: String,
        /// The character.
        found: char,
    },
    /// A name that becomes part of a key holds a character that keys cannot have.
    #[error(
        "{what} name {name:?}: {found:?} cannot stand in a metadata key; use ASCII letters, digits and punctuation"
    )]
    KeyCharacter {
        /// `metric`, `custom` or `architecture`.
        what: &'static str,
        /// The name as it was given.
        name: String,
        /// The first character that cannot be.
        found: char,
    },
    /// A key is longer than the format allows (GGUF specification: 2^16 − 1 bytes).
    #[error(
        "{what} name {start:?}…: the key would have {len} bytes, at most {max} are allowed; shorten the name"
    )]
    KeyTooLong {
        /// `metric` or `custom`.
        what: &'static str,
        /// The first characters of the name.
        start: String,
        /// Bytes of the whole key.
        len: usize,
        /// The most that the format allows.
        max: usize,
    },
    /// A metric is NaN or infinite.
    #[error(
        "metric {metric:?} is {value}: only finite numbers can be written; leave it out or say it with with_custom"
    )]
    NotFinite {
        /// The metric's name.
        metric: String,
        /// Its value.
        value: f64,
    },
    /// A timestamp whose year is not between 0 and 9999.
    #[error("timestamp {found}: the year must have four digits")]
    Timestamp {
        /// The timestamp as chrono prints it.
        found: String,
    },
    /// A licence that neither SPDX nor Hugging Face knows.
    #[error(
        "licence {found:?} is neither an SPDX expression nor an id of Hugging Face ({hint}); \
         for one of your own, \"other\" with a name (with_custom_license)"
    )]
    License {
        /// The licence as it was given.
        found: String,
        /// What was wrong with it, or what may have been meant.
        hint: String,
    },
    /// A DOI that is not of the form `10.prefix/suffix`.
    #[error("DOI {found:?}: expected the form 10.1234/suffix, with or without https://doi.org/ before it")]
    Doi {
        /// The DOI as it was given.
        found: String,
    },
}
