//! A stored tensor that a packed weight is made of.

use half::{bf16, f16};
use safetensors::Dtype;

use crate::error::Error;
use crate::header::Entry;
use crate::shards::{Shards, Stored};

/// A tensor of a shard.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub name: String,
    pub shape: Vec<u64>,
    pub dtype: Dtype,
    pub shard: usize,
    offset: u64,
}

impl Part {
    pub(super) fn of(stored: &Stored) -> Self {
        Self::new(&stored.entry, stored.shard)
    }

    /// A tensor of this shard.
    pub(crate) fn new(entry: &Entry, shard: usize) -> Self {
        Self {
            name: entry.name.clone(),
            shape: entry.shape.clone(),
            dtype: entry.dtype,
            shard,
            offset: entry.offset,
        }
    }

    /// The number of elements; the header's reader has checked that it is within 64 bits.
    pub(crate) fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    /// The shape as a matrix, if it is one.
    pub(crate) fn matrix(&self) -> Option<(u64, u64)> {
        match *self.shape {
            [rows, cols] => Some((rows, cols)),
            _ => None,
        }
    }

    /// Fills `out` with bytes from the element `first` on.
    pub(super) fn bytes(&self, shards: &Shards, first: u64, out: &mut [u8]) -> Result<(), Error> {
        let at = first.saturating_mul(self.dtype.bitsize() as u64 / 8).saturating_add(self.offset);
        let file = shards.file(self.shard).ok_or_else(|| self.wrong(shards, "its file is not open"))?;
        file.read_exact_at(out, at)
    }

    /// `n` 32-bit words from `first` on.
    pub(super) fn words(&self, shards: &Shards, first: u64, n: usize) -> Result<Vec<u32>, Error> {
        let mut bytes = vec![0; n * 4];
        self.bytes(shards, first, &mut bytes)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect())
    }

    /// `n` numbers from `first` on as F32: floats of 8, 16 and 32 bits, and integers of 8.
    pub(crate) fn floats(&self, shards: &Shards, first: u64, n: usize) -> Result<Vec<f32>, Error> {
        let size = self.dtype.bitsize() / 8;
        let mut bytes = vec![0; n * size];
        self.bytes(shards, first, &mut bytes)?;
        let words = bytes.as_chunks::<4>().0.iter();
        let halves = bytes.as_chunks::<2>().0.iter();
        Ok(match self.dtype {
            Dtype::F32 => words.map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F16 => halves.map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::BF16 => halves.map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::F8_E4M3 => bytes.iter().map(|b| e4m3(*b)).collect(),
            Dtype::F8_E5M2 => bytes.iter().map(|b| f16::from_bits(u16::from(*b) << 8).to_f32()).collect(),
            Dtype::I8 => bytes.iter().map(|b| f32::from(b.cast_signed())).collect(),
            Dtype::U8 => bytes.iter().map(|b| f32::from(*b)).collect(),
            _ => return Err(self.wrong(shards, &format!("dtype {} is no number that is read", self.dtype))),
        })
    }

    /// The error for a value that cannot be.
    pub(super) fn wrong(&self, shards: &Shards, detail: &str) -> Error {
        Error::PackedValue {
            path: shards.file(self.shard).map(|f| f.path().to_owned()).unwrap_or_default(),
            tensor: self.name.clone(),
            detail: detail.to_owned(),
        }
    }
}

/// A float of 8 bits: 4 of exponent with bias 7, 3 of mantissa, no infinity, NaN where all are set.
fn e4m3(bits: u8) -> f32 {
    let (exponent, mantissa) = (bits >> 3 & 15, bits & 7);
    let sign = u32::from(bits & 0x80) << 24;
    let magnitude = match (exponent, mantissa) {
        (15, 7) => f32::NAN,
        (0, m) => f32::from(m) / 512.0,
        (e, m) => f32::from_bits((u32::from(e) + 120) << 23 | u32::from(m) << 20),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}
