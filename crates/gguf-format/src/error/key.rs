//! The file lacks what a caller needs of its metadata.

/// A metadata key is not there, or not of the type that the caller needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no such key.
    #[error("key {key:?} is missing, expected a value of type {wanted}: the file lacks it")]
    Missing {
        /// The key.
        key: String,
        /// The type wanted.
        wanted: &'static str,
    },
    /// The value is of another type.
    #[error("key {key:?} is of type {found}, expected {wanted}: correct it where the file is made")]
    Type {
        /// The key.
        key: String,
        /// The type found: `u32`, `arr[str]`.
        found: String,
        /// The type wanted.
        wanted: &'static str,
    },
    /// The value is negative, where no negative number has a meaning.
    #[error("key {key:?} is {found}, expected 0 or more: correct it where the file is made")]
    Negative {
        /// The key.
        key: String,
        /// The value.
        found: i64,
    },
    /// The value is a string, but not UTF-8.
    #[error("key {key:?} is not UTF-8: read it as bytes, or correct it where the file is made")]
    NotUtf8 {
        /// The key.
        key: String,
    },
}
