//! Writes a GGUF file whose one tensor is computed, not read: `cargo run --example ramp -- ramp.gguf`.

use std::ops::Range;
use std::path::Path;

use export_pipeline::{Plan, RunOptions, Source, SourceError, SourceTensor, run};
use gguf_format::{Dims, GgmlType, Metadata};
use quant_recipe::{FileType, ModelFacts, Recipe, TensorDesc};

/// Weights that rise from -1 to 1 along each row.
struct Ramp;

const ROW: u64 = 1024;

impl Source for Ramp {
    fn read(&self, _tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
        for (element, bytes) in elements.zip(out.chunks_exact_mut(4)) {
            let weight = (element % ROW) as f32 / (ROW as f32 / 2.0) - 1.0;
            bytes.copy_from_slice(&weight.to_le_bytes());
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "ramp.gguf".into());
    let dims = Dims::new(&[ROW, 64])?;
    let tensors = vec![SourceTensor { name: "ramp.weight".into(), dims, element: GgmlType::F32 }];
    let metadata: Metadata = [("general.architecture", "none")].into_iter().collect();

    let facts = ModelFacts::from_metadata(&metadata)?;
    let described = [TensorDesc { name: "ramp.weight", dims: &[ROW, 64], element: GgmlType::F32 }];
    let types = Recipe::new(FileType::Q4_K_M).assign(&facts, &described)?;

    let plan = Plan::new(tensors, types, metadata)?;
    let report = run(&plan, &Ramp, Path::new(&path), &RunOptions::default(), &())?;
    for tensor in &report.tensors {
        println!("{}: {}, {} bytes, error {:?}", tensor.name, tensor.to, tensor.bytes, tensor.relative_error);
    }
    println!("{}: {} bytes", report.path.display(), report.bytes);
    Ok(())
}
