//! Weights out of nothing: a counter-based generator in integers, so every machine makes the same bytes.
//!
//! Value `i` of a tensor is a function of the tensor's seed and `i` alone. It is a sum of four 16-bit uniforms (near
//! enough normal), one in 1024 of them eight times as large (trained weights have outliers, and scale searches behave
//! differently when they meet one), counted in units of 2^-26. Standard deviation 0.036 without the outliers.

/// What a tensor holds, which decides how its values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A projection or an embedding: centred on 0.
    Weight,
    /// The scale of a normalisation: centred on 1.
    Norm,
    /// A bias: centred on 0.
    Bias,
    /// `0, 1, 2, …`, always stored as I64 (BERT's position ids).
    Positions,
    /// The inverse frequencies old Llama checkpoints carry; converters skip them.
    InverseFrequencies,
}

/// An element type of a safetensors file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit IEEE float.
    F32,
    /// 16-bit IEEE float.
    F16,
    /// The upper half of an F32.
    Bf16,
    /// 64-bit signed integer.
    I64,
}

impl Dtype {
    /// The name in a safetensors header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::I64 => "I64",
        }
    }

    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> u64 {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::I64 => 8,
        }
    }
}

/// 2^26: the number of units in 1.0.
const ONE: i64 = 1 << 26;

/// The seed of a tensor: FNV-1a, 64 bits, over its name.
pub(crate) fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The `i`-th number of `SplitMix64` with this seed, counted from 1: 64 bits, the same on every machine.
#[must_use]
pub const fn split_mix(seed: u64, i: u64) -> u64 {
    mix(seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// `SplitMix64`'s output function.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Value `i` of the tensor with this seed, in units of 2^-26.
fn draw(seed: u64, i: u64) -> i64 {
    let a = split_mix(seed, i);
    let b = mix(a ^ 0x5851_f42d_4c95_7f2d);
    let uniforms = (a & 0xffff) + ((a >> 16) & 0xffff) + ((a >> 32) & 0xffff) + (a >> 48);
    let centred = uniforms.cast_signed() - 2 * 0xffff;
    let fine = (b & 63).cast_signed();
    let value = centred * 64 + fine;
    if (b >> 6) & 1023 == 0 { value * 8 } else { value }
}

/// `count` values of the tensor `name`, in little-endian bytes: a norm's around 1, all others around 0.
#[must_use]
pub fn values(name: &str, dtype: Dtype, count: u64) -> Vec<u8> {
    let kind = if name.ends_with("norm.weight") { Kind::Norm } else { Kind::Weight };
    let mut out = Vec::new();
    append(&mut out, kind, dtype, seed(name), 0, count);
    out
}

/// Appends elements `from..from + count` of a tensor to `out`, in little-endian bytes of `dtype`.
///
/// Integers become F32 in one correctly rounded step, F32 becomes F16 or BF16 by round-to-nearest-even: both are the
/// same everywhere.
pub(crate) fn append(out: &mut Vec<u8>, kind: Kind, dtype: Dtype, seed: u64, from: u64, count: u64) {
    for i in from..from + count {
        let value = match kind {
            Kind::Weight | Kind::Bias => to_f32(draw(seed, i)),
            Kind::Norm => to_f32(ONE + draw(seed, i)),
            Kind::Positions => {
                out.extend_from_slice(&i.to_le_bytes());
                continue;
            }
            // Halves instead of the real powers of theta^(1/n): nothing reads them, and these are exact.
            Kind::InverseFrequencies => 1.0 / (1u64 << i.min(60)) as f32,
        };
        match dtype {
            Dtype::F32 => out.extend_from_slice(&value.to_le_bytes()),
            Dtype::F16 => out.extend_from_slice(&half::f16::from_f32(value).to_le_bytes()),
            Dtype::Bf16 => out.extend_from_slice(&half::bf16::from_f32(value).to_le_bytes()),
            Dtype::I64 => out.extend_from_slice(&i.to_le_bytes()),
        }
    }
}

fn to_f32(units: i64) -> f32 {
    units as f32 / ONE as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_values_are_these_on_every_machine() {
        let mut out = Vec::new();
        append(&mut out, Kind::Weight, Dtype::F32, seed("a"), 0, 4);
        let values: Vec<f32> =
            out.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect();
        // The same definition, computed apart with Python's unbounded integers.
        assert_eq!(
            values,
            [-3513473.0, 2172414.0, 4987239.0, 3359866.0].map(|units: f32| units / ONE as f32)
        );
    }

    #[test]
    fn values_are_roughly_normal_with_outliers() {
        let n = 1 << 16;
        let units: Vec<f64> = (0..n).map(|i| draw(7, i) as f64 / ONE as f64).collect();
        let mean = units.iter().sum::<f64>() / n as f64;
        let deviation = (units.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64).sqrt();
        assert!(mean.abs() < 0.001, "{mean}");
        assert!((0.034..0.042).contains(&deviation), "{deviation}");
        assert!(units.iter().any(|v| v.abs() > 0.25), "no outlier");
    }

    #[test]
    fn a_chunk_does_not_depend_on_where_it_was_cut() {
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        append(&mut whole, Kind::Norm, Dtype::Bf16, 3, 0, 100);
        append(&mut parts, Kind::Norm, Dtype::Bf16, 3, 0, 33);
        append(&mut parts, Kind::Norm, Dtype::Bf16, 3, 33, 67);
        assert_eq!(whole, parts);
    }
}
