//! What a directory says of a tensor: its name, its dimensions, its element type.

use std::fmt;

use crate::ggml_type::GgmlType;

/// The most dimensions a tensor can have (`GGML_MAX_DIMS`).
pub const MAX_DIMS: usize = 4;

/// The longest tensor name in bytes: `GGML_MAX_NAME` is 64 and counts the closing NUL.
pub const MAX_TENSOR_NAME_BYTES: usize = 63;

/// The dimensions of a tensor in ggml's order: the first is the length of a row, whose elements lie side by
/// side; numpy and PyTorch write the same shape the other way round.
///
/// Always one to four dimensions, none of them 0, and no more than `i64::MAX` elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dims {
    ne: [u64; MAX_DIMS],
    n: u8,
}

/// Dimensions that no tensor can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DimsError {
    /// Not one to four of them.
    #[error("{found} dimensions, where a tensor has 1 to {MAX_DIMS}")]
    Count {
        /// How many there are.
        found: usize,
    },
    /// One of them is 0.
    #[error("dimension {index} is 0, where every dimension is at least 1")]
    Zero {
        /// Which one, counted from 0.
        index: usize,
    },
    /// Their product does not fit in an `i64`, which is what ggml counts elements in.
    #[error("more elements than the 2^63 - 1 that ggml can count")]
    TooManyElements,
}

impl Dims {
    /// Dimensions in ggml's order, the row length first.
    ///
    /// # Errors
    /// If they are not one to four, if one is 0, or if there are more than `i64::MAX` elements.
    pub fn new(dims: &[u64]) -> Result<Self, DimsError> {
        if dims.is_empty() || dims.len() > MAX_DIMS {
            return Err(DimsError::Count { found: dims.len() });
        }
        let mut ne = [1; MAX_DIMS];
        let mut elements = 1u64;
        for (index, (slot, &dim)) in ne.iter_mut().zip(dims).enumerate() {
            if dim == 0 {
                return Err(DimsError::Zero { index });
            }
            *slot = dim;
            elements = elements
                .checked_mul(dim)
                .filter(|&n| i64::try_from(n).is_ok())
                .ok_or(DimsError::TooManyElements)?;
        }
        Ok(Self { ne, n: dims.len() as u8 })
    }

    /// The dimensions, one to four of them, the row length first.
    #[must_use]
    pub fn as_slice(&self) -> &[u64] {
        self.ne.get(..usize::from(self.n)).unwrap_or(&self.ne)
    }

    /// The dimensions as ggml holds them in memory: always four, filled up with ones.
    #[must_use]
    pub const fn ne(&self) -> [u64; MAX_DIMS] {
        self.ne
    }

    /// Elements in a row: the first dimension.
    #[must_use]
    pub const fn row_len(&self) -> u64 {
        self.ne[0]
    }

    /// The number of rows: the product of all dimensions but the first.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        // The product of all four was checked when the value was made.
        self.ne[1] * self.ne[2] * self.ne[3]
    }

    /// The number of elements.
    #[must_use]
    pub const fn elements(&self) -> u64 {
        self.ne[0] * self.rows()
    }

    /// The same shape without trailing dimensions of 1; one dimension always stays.
    ///
    /// It is what llama.cpp writes (`ggml_n_dims`), whatever the file that it read had.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        let n = self.ne.iter().rposition(|&d| d != 1).map_or(1, |last| last + 1);
        Self { ne: self.ne, n: n as u8 }
    }

    /// Bytes of a tensor of this shape and type.
    ///
    /// `None` if a row is not a whole number of blocks, or if the size does not fit in an `i64`.
    #[must_use]
    pub fn byte_len(&self, ty: GgmlType) -> Option<u64> {
        ty.row_bytes(self.row_len())?.checked_mul(self.rows()).filter(|&n| i64::try_from(n).is_ok())
    }
}

impl TryFrom<&[u64]> for Dims {
    type Error = DimsError;

    fn try_from(dims: &[u64]) -> Result<Self, DimsError> {
        Self::new(dims)
    }
}

impl fmt::Debug for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl fmt::Display for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, dim) in self.as_slice().iter().enumerate() {
            if i > 0 {
                f.write_str(" x ")?;
            }
            dim.fmt(f)?;
        }
        Ok(())
    }
}

/// A tensor to be written: an entry of the directory before its place in the file is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name: 1 to 63 bytes, no NUL among them.
    pub name: String,
    /// Its dimensions, the row length first.
    pub dims: Dims,
    /// The type of its elements.
    pub ty: GgmlType,
}

impl TensorSpec {
    /// A tensor of this name, dimensions and type.
    pub fn new(name: impl Into<String>, dims: Dims, ty: GgmlType) -> Self {
        Self { name: name.into(), dims, ty }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dims_that_no_tensor_can_have_are_refused() {
        assert_eq!(Dims::new(&[]), Err(DimsError::Count { found: 0 }));
        assert_eq!(Dims::new(&[1; 5]), Err(DimsError::Count { found: 5 }));
        assert_eq!(Dims::new(&[7, 0]), Err(DimsError::Zero { index: 1 }));
        assert_eq!(Dims::new(&[1 << 32, 1 << 31]), Err(DimsError::TooManyElements));
        assert_eq!(Dims::new(&[u64::MAX]), Err(DimsError::TooManyElements));
        assert_eq!(Dims::new(&[(1 << 42) + 1, 1 << 21, 2]), Err(DimsError::TooManyElements));
        assert_eq!(Dims::new(&[i64::MAX as u64]).map(|d| d.elements()), Ok(i64::MAX as u64));
    }

    #[test]
    fn sizes_and_trimming() {
        let dims = Dims::new(&[512, 1, 3, 1]).unwrap();
        assert_eq!((dims.row_len(), dims.rows(), dims.elements()), (512, 3, 1536));
        assert_eq!(dims.trimmed().as_slice(), [512, 1, 3]);
        assert_eq!(dims.byte_len(GgmlType::Q4_K), Some(3 * 2 * 144));
        assert_eq!(Dims::new(&[500]).unwrap().byte_len(GgmlType::Q4_K), None);
        assert_eq!(Dims::new(&[i64::MAX as u64]).unwrap().byte_len(GgmlType::F32), None);
        assert_eq!(Dims::new(&[1, 1]).unwrap().trimmed().as_slice(), [1]);
        assert_eq!(dims.to_string(), "512 x 1 x 3 x 1");
    }
}
