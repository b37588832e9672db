//! A source that computes its weights, for tests.

use std::ops::Range;

use export_pipeline::{Source, SourceError, SourceTensor};
use gguf_format::{Dims, GgmlType};

/// Pseudo-random weights of F32, a function of tensor and element alone.
pub(crate) struct Computed;

pub(crate) fn weight(tensor: usize, element: u64) -> f32 {
    let mut x = element.wrapping_add((tensor as u64) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 32;
    x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^= x >> 32;
    (x >> 40) as f32 / (1u32 << 24) as f32 - 0.5
}

impl Source for Computed {
    fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
        for (element, bytes) in elements.zip(out.chunks_exact_mut(4)) {
            bytes.copy_from_slice(&weight(tensor, element).to_le_bytes());
        }
        Ok(())
    }
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
pub(crate) fn source_tensors(shapes: &[(&str, &[u64])]) -> Vec<SourceTensor> {
    let tensor = |&(name, dims): &(&str, &[u64])| SourceTensor {
        name: name.into(),
        dims: Dims::new(dims).unwrap(),
        element: GgmlType::F32,
    };
    shapes.iter().map(tensor).collect()
}
