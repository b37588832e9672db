//! Importance: every row is weighed with its own matrix's, whatever the chunks; the oracle is one kernel call a matrix.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;

use export_pipeline::{Error, Plan, PlannedTensor, RunOptions, run};
use gguf_format::Metadata;
use quant_recipe::{FileType, ModelFacts, Recipe, TensorDesc, TensorTypeOverride};

mod common;
use common::{Computed, source_tensors, weight};

/// Chunks are of 128 Ki weights, tiles of 16 Ki.
const SHAPES: &[(&str, &[u64])] = &[
    // Several matrices in what would be one chunk.
    ("blk.0.small_exps.weight", &[512, 40, 3]),
    // Matrices of one and a half chunks.
    ("blk.0.large_exps.weight", &[1024, 200, 3]),
    // Rows longer than a tile, and longer than a chunk.
    ("blk.0.tiled.weight", &[40 * 1024, 5]),
    ("blk.0.cut.weight", &[144 * 1024, 2, 2]),
    // One matrix, of rows that do not divide a chunk.
    ("blk.0.plain.weight", &[768, 400]),
];

/// Types that look at a whole row, at a super-block, or that need importance.
const TYPES: &[&str] = &["q4_0", "q5_1", "iq4_nl", "q4_k", "q3_k", "iq2_xxs", "q8_0"];

fn importance(tensor: &PlannedTensor) -> Arc<[f32]> {
    let [columns, _, matrices, more] = tensor.dims.ne();
    (0..columns * matrices * more)
        .map(|i| weight(100 + tensor.source, i).abs() * (1 + i % 7) as f32)
        .collect()
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn plan(ty: &str) -> Plan {
    let described: Vec<_> = SHAPES
        .iter()
        .map(|&(name, dims)| TensorDesc { name, dims, element: gguf_format::GgmlType::F32 })
        .collect();
    let overrides = TensorTypeOverride::parse_list(&format!("weight={ty}")).unwrap();
    let recipe = Recipe::new(FileType::Q4_0).with_tensor_types(overrides).with_importance_matrix(true);
    let types = recipe.assign(&ModelFacts::default(), &described).unwrap();
    Plan::new(source_tensors(SHAPES), types, Metadata::new()).unwrap()
}

#[test]
fn every_matrix_is_encoded_with_its_own_importance() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.gguf");
    let mut differ_without = 0;
    for ty in TYPES {
        let plan = plan(ty).with_importance(|tensor| Some(importance(tensor))).unwrap();
        let options = RunOptions { threads: NonZeroUsize::new(3), ..RunOptions::default() };
        run(&plan, &Computed, &target, &options, &()).unwrap();
        let bytes = fs::read(&target).unwrap();
        for tensor in plan.tensors() {
            let [columns, rows, matrices, _] = tensor.dims.ne().map(|n| n as usize);
            let found = &bytes[tensor.offset as usize..][..tensor.bytes as usize];
            let values = importance(tensor);
            let mut expected = vec![0; found.len()];
            let parts = expected.chunks_mut(found.len() / matrices);
            for ((matrix, expected), values) in parts.enumerate().zip(values.chunks(columns)) {
                let start = (matrix * columns * rows) as u64;
                let weights: Vec<f32> =
                    (0..(columns * rows) as u64).map(|e| weight(tensor.source, start + e)).collect();
                kquant::encode_rows(tensor.ty, &weights, columns, Some(values), expected).unwrap();
            }
            assert!(found == expected, "{} as {}", tensor.name, tensor.ty);

            // The check can fail: for types that use it, the first matrix's importance is not the second's.
            if matrices > 1 && kquant::uses_importance(tensor.ty) {
                let len = found.len() / matrices;
                let weights: Vec<f32> = (0..(columns * rows) as u64)
                    .map(|e| weight(tensor.source, (columns * rows) as u64 + e))
                    .collect();
                let mut other = vec![0; len];
                kquant::encode_rows(tensor.ty, &weights, columns, Some(&values[..columns]), &mut other)
                    .unwrap();
                differ_without += usize::from(other != found[len..2 * len]);
            }
        }
    }
    // Three tensors have several matrices, six types look at importance.
    assert_eq!(differ_without, 18);
}

#[test]
fn importance_that_does_not_fit_is_refused_by_name() {
    for len in [512, 512 * 3 - 1, 512 * 40 * 3] {
        let error = plan("q4_k").with_importance(|tensor| {
            (tensor.name == "blk.0.small_exps.weight").then(|| vec![1.0; len].into())
        });
        let error = error.unwrap_err();
        assert!(
            matches!(&error, Error::Importance { found, expected: 1536, .. } if *found == len),
            "{error}"
        );
        assert!(error.to_string().contains("blk.0.small_exps.weight"), "{error}");
    }
}

#[test]
fn a_type_that_needs_importance_says_so_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.gguf");
    let error = run(&plan("iq2_xxs"), &Computed, &target, &RunOptions::default(), &()).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("weight\"") && said.contains("IQ2_XXS") && said.contains("importance"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
