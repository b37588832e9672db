//! Floats of four bits with a scale for each group: MXFP4 (32, power of two) and NVFP4 (16, E4M3 and a scale for all).

use std::ops::Range;

use gguf_format::GgmlType;

use super::part::Part;
use super::tile::Unpack;
use crate::error::Error;
use crate::shards::Shards;

/// Twice the values of the sixteen codes, as ggml's `kvalues_mxfp4` has them.
const DOUBLED: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// Elements of a block of MXFP4, and its bytes: the exponent, then the codes.
const MX_BLOCK: u64 = 32;
const MX_BYTES: usize = 17;

/// What scales the groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// A power of two for 32 elements.
    Mx,
    /// E4M3 for 16 elements, times this for all.
    Nv(f32),
}

/// Neighbouring elements are a byte, the first in its lower half.
#[derive(Debug)]
pub(super) struct Fp4 {
    pub codes: Part,
    pub scales: Part,
    pub scale: Scale,
    pub cols: u64,
    /// Which rows of what is stored: the first of them, and how far apart they are.
    pub first: u64,
    pub step: u64,
}

impl Scale {
    pub(super) fn group(self) -> u64 {
        match self {
            Self::Mx => MX_BLOCK,
            Self::Nv(_) => 16,
        }
    }
}

impl Fp4 {
    fn row(&self, row: u64) -> u64 {
        self.first + row * self.step
    }
}

/// Half of two to the power of `exponent` − 127, as ggml has it.
fn half_power(exponent: u8) -> f32 {
    let e = u32::from(exponent);
    f32::from_bits(if e < 2 { 0x0020_0000 << e } else { (e - 1) << 23 })
}

impl Unpack for Fp4 {
    fn cols(&self) -> u64 {
        self.cols
    }

    fn unpack(
        &self,
        shards: &Shards,
        rows: Range<u64>,
        cols: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let group = self.scale.group();
        let (first_byte, first_group) = (cols.start / 2, cols.start / group);
        let mut bytes = vec![0; (cols.end.div_ceil(2) - first_byte) as usize];
        let mut exponents = vec![0; (cols.end.div_ceil(group) - first_group) as usize];
        for (row, out) in rows.zip(out.chunks_exact_mut(((cols.end - cols.start) as usize).max(1))) {
            let row = self.row(row);
            self.codes.bytes(shards, row * (self.cols / 2) + first_byte, &mut bytes)?;
            let at = row * (self.cols / group) + first_group;
            let scales: Vec<f32> = match self.scale {
                Scale::Mx => {
                    self.scales.bytes(shards, at, &mut exponents)?;
                    exponents.iter().map(|e| half_power(*e)).collect()
                }
                Scale::Nv(_) => {
                    let scales = self.scales.floats(shards, at, exponents.len())?;
                    // ggml's scale has no sign.
                    scales.into_iter().map(|s| s.abs() * 0.5).collect()
                }
            };
            for (col, out) in cols.clone().zip(out) {
                let byte = bytes.get((col / 2 - first_byte) as usize).copied().unwrap_or_default();
                let code = if col % 2 == 0 { byte & 15 } else { byte >> 4 };
                let scale = scales.get((col / group - first_group) as usize).copied().unwrap_or(f32::NAN);
                let value = f32::from(DOUBLED.get(usize::from(code)).copied().unwrap_or_default()) * scale;
                *out = match self.scale {
                    Scale::Mx => value,
                    Scale::Nv(all) => value * all,
                };
            }
        }
        Ok(())
    }

    fn block_type(&self) -> Option<GgmlType> {
        match self.scale {
            Scale::Mx => Some(GgmlType::MXFP4),
            // A scale for all has no place in ggml's blocks.
            Scale::Nv(_) => None,
        }
    }

    /// ggml's blocks have the first sixteen elements in the lower halves and the others in the upper ones.
    fn blocks(&self, shards: &Shards, start: u64, out: &mut [u8]) -> Result<(), Error> {
        let per_row = self.cols / MX_BLOCK;
        let mut at = start / MX_BLOCK;
        let mut rest = out.as_chunks_mut::<MX_BYTES>().0;
        let (mut codes, mut exponents) = (Vec::new(), Vec::new());
        while !rest.is_empty() {
            let (row, block) = (self.row(at / per_row.max(1)), at % per_row.max(1));
            let n = (per_row - block).min(rest.len() as u64).clamp(1, 1 << 12) as usize;
            let (now, after) = rest.split_at_mut(n);
            codes.resize(n * 16, 0);
            exponents.resize(n, 0);
            self.codes.bytes(shards, (row * per_row + block) * 16, &mut codes)?;
            self.scales.bytes(shards, row * per_row + block, &mut exponents)?;
            for ((out, exponent), codes) in now.iter_mut().zip(&exponents).zip(codes.as_chunks::<16>().0) {
                let (low, high) = codes.split_at(8);
                let pair = |i: usize| {
                    let nibble = |bytes: &[u8]| {
                        let byte = bytes.get(i / 2).copied().unwrap_or_default();
                        if i.is_multiple_of(2) { byte & 15 } else { byte >> 4 }
                    };
                    nibble(low) | nibble(high) << 4
                };
                let [first, qs @ ..] = out;
                *first = *exponent;
                for (i, q) in qs.iter_mut().enumerate() {
                    *q = pair(i);
                }
            }
            rest = after;
            at += n as u64;
        }
        Ok(())
    }

    fn main(&self) -> &Part {
        &self.codes
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::limits::Limits;
    use crate::weights::Weights;

    /// The experts of gpt-oss, whose blocks the converter repacked: its digests, every cut, and the values of blocks.
    #[test]
    fn blocks_of_gpt_oss_are_those_of_the_converter() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/packed/gpt-oss-blocks");
        let shards = Shards::open(vec![golden.join("model.safetensors")], &Limits::new()).unwrap();
        let config = serde_json::json!({"quant_method": "mxfp4"});
        let weights = Weights::unpacked(shards, Path::new("config.json"), &config).unwrap();
        let mut lines = String::new();
        for (number, weight) in weights.list().iter().enumerate() {
            let to = weight.block_type().unwrap();
            let elements: u64 = weight.shape.iter().product();
            let mut whole = vec![0; (elements / MX_BLOCK) as usize * MX_BYTES];
            weights.read(number, to, 0, &mut whole).unwrap();
            for (i, block) in whole.chunks_exact(MX_BYTES).enumerate() {
                for n in 1..5usize.min(whole.len() / MX_BYTES - i) {
                    let mut piece = vec![0; n * MX_BYTES];
                    weights.read(number, to, i as u64, &mut piece).unwrap();
                    assert_eq!(piece, whole[i * MX_BYTES..(i + n) * MX_BYTES]);
                }
                let mut values = [0; 32 * 4];
                weights.read(number, GgmlType::F32, i as u64 * MX_BLOCK, &mut values).unwrap();
                for (j, value) in values.as_chunks::<4>().0.iter().enumerate() {
                    let byte = block[1 + j % 16];
                    let code = if j < 16 { byte & 15 } else { byte >> 4 };
                    let expected = f32::from(DOUBLED[usize::from(code)]) * half_power(block[0]);
                    assert_eq!(f32::from_le_bytes(*value).to_bits(), expected.to_bits());
                }
            }
            let hex: String = Sha256::digest(&whole).iter().map(|b| format!("{b:02x}")).collect();
            lines += &format!("{} {hex}\n", weight.name);
        }
        assert_eq!(lines, std::fs::read_to_string(golden.join("blocks.txt")).unwrap());
    }
}
