//! What can be wrong with a call.

use gguf_format::GgmlType;

use crate::Isa;

/// Why rows could not be encoded or decoded. Nothing has been written to the destination.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no encoder for this type (yet): see [`can_encode`](crate::can_encode).
    #[error("cannot encode {ty}: no encoder for this type; choose one for which kquant::can_encode holds")]
    CannotEncode {
        /// The type asked for.
        ty: GgmlType,
    },
    /// There is no decoder for this type (yet): see [`can_decode`](crate::can_decode).
    #[error("cannot decode {ty}: no decoder for this type; choose one for which kquant::can_decode holds")]
    CannotDecode {
        /// The type asked for.
        ty: GgmlType,
    },
    /// This machine does not have the instruction set asked for: see [`Isa::is_available`].
    #[error("no {isa} on this machine; choose an instruction set for which Isa::is_available holds")]
    IsaMissing {
        /// The instruction set asked for.
        isa: Isa,
    },
    /// A row is empty or not a whole number of blocks.
    #[error("row of {row_len} weights: {ty} needs a positive multiple of {} weights", ty.block_len())]
    RowLength {
        /// The type asked for.
        ty: GgmlType,
        /// Weights in a row, as given.
        row_len: usize,
    },
    /// The source is not a whole number of rows.
    #[error("source of {found} {unit}: not a whole number of rows of {row} {unit}")]
    SourceLength {
        /// Length of the source.
        found: usize,
        /// Length of a row, in the same unit.
        row: usize,
        /// `weights` when encoding, `bytes` when decoding.
        unit: &'static str,
    },
    /// The destination is not as long as the result.
    #[error("destination of {found} {unit}: the result takes {expected} {unit}")]
    DestinationLength {
        /// Length of the destination.
        found: usize,
        /// Length of the result, in the same unit.
        expected: usize,
        /// `bytes` when encoding, `weights` when decoding.
        unit: &'static str,
    },
    /// This type is not encoded without importance: see [`needs_importance`](crate::needs_importance).
    #[error("cannot encode {ty} without importance: give one value a column, a row of an importance matrix")]
    NeedsImportance {
        /// The type asked for.
        ty: GgmlType,
    },
    /// The importance does not hold one weight a column.
    #[error("importance of {found} values: a row has {expected} columns, give one value for each")]
    ImportanceLength {
        /// Values given.
        found: usize,
        /// Columns of a row.
        expected: usize,
    },
    /// An importance is not a finite number of at least zero.
    #[error("importance of column {column} is {value}: it must be finite and not negative")]
    ImportanceValue {
        /// Where it stands in the row.
        column: usize,
        /// What stands there.
        value: f32,
    },
}
