//! The pipeline from plan to file, with a source that computes its weights.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a panic")]

use std::fs;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use export_pipeline::{
    Cancel, Error, Existing, Plan, Progress, RunOptions, Source, SourceError, SourceTensor, run,
};
use gguf_format::{Dims, GgmlType, GgufFile, Metadata};
use quant_recipe::{FileType, ModelFacts, Recipe, TensorDesc};

/// Pseudo-random weights, a function of tensor and element alone; one element may be spoilt.
struct Computed {
    spoilt: Option<(usize, u64, f32)>,
}

const SOUND: Computed = Computed { spoilt: None };

fn weight(tensor: usize, element: u64) -> f32 {
    let mut x = element.wrapping_add((tensor as u64) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 32;
    x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^= x >> 32;
    (x >> 40) as f32 / (1u32 << 24) as f32 - 0.5
}

impl Source for Computed {
    fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
        assert_eq!(out.len() as u64, (elements.end - elements.start) * 4);
        for (element, bytes) in elements.zip(out.chunks_exact_mut(4)) {
            let value = match self.spoilt {
                Some((t, e, value)) if t == tensor && e == element => value,
                _ => weight(tensor, element),
            };
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        Ok(())
    }
}

const SHAPES: [(&str, &[u64]); 5] = [
    ("blk.0.attn_v.weight", &[512, 256]),
    ("token_embd.weight", &[512, 1000]),
    // A row longer than a chunk.
    ("blk.1.ffn_down.weight", &[300 * 1024, 3]),
    ("blk.1.attn_norm.weight", &[512]),
    // A vector far longer than a chunk: it stays F32.
    ("flat.bias", &[400_000]),
];

fn plan(file_type: FileType) -> Plan {
    let metadata: Metadata = [("general.architecture", "none")].into_iter().collect();
    let described: Vec<_> =
        SHAPES.iter().map(|&(name, dims)| TensorDesc { name, dims, element: GgmlType::F32 }).collect();
    let facts = ModelFacts::from_metadata(&metadata).unwrap();
    let types = Recipe::new(file_type).assign(&facts, &described).unwrap();
    let tensors = SHAPES
        .iter()
        .map(|&(name, dims)| SourceTensor {
            name: name.into(),
            dims: Dims::new(dims).unwrap(),
            element: GgmlType::F32,
        })
        .collect();
    Plan::new(tensors, types, metadata).unwrap()
}

fn threads(n: usize) -> RunOptions<'static> {
    RunOptions { threads: NonZeroUsize::new(n), ..RunOptions::default() }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_tensor_is_encoded_whole_and_lies_where_the_plan_says() {
    let folder = tempfile::tempdir().unwrap();
    for file_type in [FileType::Q4_K_M, FileType::Q8_0, FileType::F16, FileType::F32] {
        let plan = plan(file_type);
        let target = folder.path().join("out.gguf");
        let report = run(&plan, &SOUND, &target, &threads(3), &()).unwrap();
        let bytes = fs::read(&target).unwrap();
        assert_eq!(bytes.len() as u64, plan.file_len());
        assert_eq!(report.bytes, plan.file_len());

        let file = GgufFile::open(&target).unwrap();
        assert_eq!(file.tensors().len(), SHAPES.len());
        for tensor in plan.tensors() {
            // The oracle: the whole tensor encoded in one call.
            let (at, &(_, dims)) = SHAPES.iter().enumerate().find(|(_, s)| s.0 == tensor.name).unwrap();
            let weights: Vec<f32> = (0..tensor.elements()).map(|e| weight(at, e)).collect();
            let mut expected = vec![0; tensor.bytes as usize];
            kquant::encode_rows(tensor.ty, &weights, dims[0] as usize, None, &mut expected).unwrap();
            let found = &bytes[tensor.offset as usize..][..tensor.bytes as usize];
            assert!(found == expected, "{file_type:?} {}", tensor.name);
        }
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_threads_or_on_validation() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(FileType::Q3_K_M);
    let mut files = Vec::new();
    for (i, options) in
        [threads(1), threads(2), threads(7), RunOptions { validate: false, ..threads(2) }].iter().enumerate()
    {
        let target = folder.path().join(format!("{i}.gguf"));
        let report = run(&plan, &SOUND, &target, options, &()).unwrap();
        files.push((fs::read(&target).unwrap(), report.tensors));
    }
    assert!(files[1..].iter().all(|f| f.0 == files[0].0));
    // The errors in the report are the same to the last bit, too.
    assert_eq!(files[0].1, files[1].1);
    assert_eq!(files[0].1, files[2].1);
    assert!(files[0].1.iter().any(|t| t.relative_error.is_some_and(|e| e > 0.05)));
    assert!(files[3].1.iter().all(|t| t.relative_error.is_none()));
}

#[test]
fn the_first_bad_weight_is_named_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(FileType::Q4_K_M);
    let target = folder.path().join("out.gguf");
    fs::write(&target, "old").unwrap();
    // Tensor 1 is the embedding, which is first in the file.
    for (element, value) in [(511_999, f32::NAN), (200_000, f32::INFINITY), (0, f32::NEG_INFINITY)] {
        let source = Computed { spoilt: Some((1, element, value)) };
        for n in [1, 2, 8] {
            let error = run(&plan, &source, &target, &threads(n), &()).unwrap_err();
            match &error {
                Error::NotFinite { tensor, index, .. } => {
                    assert_eq!((tensor.as_str(), *index), ("token_embd.weight", element));
                }
                other => panic!("{other}"),
            }
            let message = error.to_string();
            assert!(message.contains("token_embd.weight") && message.contains(&element.to_string()));
            assert_eq!(fs::read(&target).unwrap(), b"old");
            assert_eq!(names(folder.path()), ["out.gguf"]);
        }
    }
}

#[test]
fn without_validation_a_nan_in_a_float_tensor_goes_through_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(FileType::F32);
    let target = folder.path().join("out.gguf");
    let source = Computed { spoilt: Some((3, 7, f32::from_bits(0x7fc0_1234))) };
    run(&plan, &source, &target, &RunOptions { validate: false, ..threads(2) }, &()).unwrap();
    let norm = plan.tensors().iter().find(|t| t.name == "blk.1.attn_norm.weight").unwrap();
    let bytes = fs::read(&target).unwrap();
    assert_eq!(bytes[norm.offset as usize + 28..][..4], 0x7fc0_1234u32.to_le_bytes());
}

#[test]
fn weights_that_a_type_cannot_hold_are_refused() {
    // 1e30 is far above what an f16 scale can hold: the block would decode to infinity.
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.gguf");
    let source = Computed { spoilt: Some((1, 3, 1e30)) };
    let error = run(&plan(FileType::Q4_K_M), &source, &target, &threads(2), &()).unwrap_err();
    assert!(matches!(&error, Error::TooFar { tensor, .. } if tensor == "token_embd.weight"), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn an_existing_output_is_kept_or_replaced_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(FileType::Q8_0);
    let target = folder.path().join("out.gguf");
    fs::write(&target, "old").unwrap();
    let keep = RunOptions { existing: Existing::Keep, ..threads(1) };
    let error = run(&plan, &SOUND, &target, &keep, &()).unwrap_err();
    assert!(matches!(error, Error::OutputExists { .. }) && error.to_string().contains("out.gguf"));
    assert_eq!(fs::read(&target).unwrap(), b"old");
    run(&plan, &SOUND, &target, &threads(1), &()).unwrap();
    assert_eq!(fs::metadata(&target).unwrap().len(), plan.file_len());
    assert_eq!(names(folder.path()), ["out.gguf"]);
}

#[test]
fn outputs_that_cannot_be_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(FileType::Q8_0);
    let absent = folder.path().join("no such folder").join("out.gguf");
    let error = run(&plan, &SOUND, &absent, &threads(1), &()).unwrap_err();
    assert!(matches!(error, Error::OutputFolder { .. }) && error.to_string().contains("no such folder"));
    let error = run(&plan, &SOUND, folder.path(), &threads(1), &()).unwrap_err();
    assert!(matches!(error, Error::OutputNotAFile { .. }), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = run(&plan, &SOUND, &file.join("out.gguf"), &threads(1), &()).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    assert_eq!(names(folder.path()), ["file"]);
}

/// A model card can list more than a header may hold: that is said before any work, and not when the file is read back.
#[test]
fn a_header_that_nobody_would_read_is_not_planned() {
    let metadata = |pairs: u32| -> Metadata { (0..pairs).map(|n| (format!("k{n}"), n)).collect() };
    assert!(Plan::new(Vec::new(), Vec::new(), metadata(65_536)).is_ok());
    let error = Plan::new(Vec::new(), Vec::new(), metadata(65_537)).unwrap_err();
    let said = "the file would have 65537 metadata pairs, and readers take at most 65536";
    assert_eq!(error.to_string(), said);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_devices_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(FileType::Q8_0);
    let real = folder.path().join("real.gguf");
    fs::write(&real, "old").unwrap();
    let link = folder.path().join("link.gguf");
    std::os::unix::fs::symlink("real.gguf", &link).unwrap();
    run(&plan, &SOUND, &link, &threads(1), &()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().len(), plan.file_len());

    let null = folder.path().join("null.gguf");
    std::os::unix::fs::symlink("/dev/null", &null).unwrap();
    let error = run(&plan, &SOUND, &null, &threads(1), &()).unwrap_err();
    assert!(matches!(error, Error::OutputNotAFile { .. }), "{error}");
}

/// Stops the run once something was read; counts what was announced.
struct Stopper<'a> {
    cancel: Option<&'a Cancel>,
    announced: AtomicU64,
    done: AtomicU64,
}

impl Progress for Stopper<'_> {
    fn begin(&self, bytes: u64) {
        self.announced.store(bytes, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        if let Some(cancel) = self.cancel {
            cancel.cancel();
        }
    }
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.gguf");
    let cancel = Cancel::new();
    let stopper = Stopper { cancel: Some(&cancel), announced: AtomicU64::new(0), done: AtomicU64::new(0) };
    let options = RunOptions { cancel: Some(&cancel), ..threads(2) };
    let error = run(&plan(FileType::Q8_0), &SOUND, &target, &options, &stopper).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn progress_adds_up_to_what_was_announced() {
    let folder = tempfile::tempdir().unwrap();
    let counter = Stopper { cancel: None, announced: AtomicU64::new(0), done: AtomicU64::new(0) };
    let plan = plan(FileType::Q8_0);
    run(&plan, &SOUND, &folder.path().join("out.gguf"), &threads(4), &counter).unwrap();
    let elements: u64 = SHAPES.iter().map(|(_, dims)| dims.iter().product::<u64>()).sum();
    assert_eq!(counter.announced.into_inner(), elements * 4);
    assert_eq!(counter.done.into_inner(), elements * 4);
}

/// A source that fails somewhere in the middle.
struct Failing;

impl Source for Failing {
    fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
        if tensor == 0 && elements.start > 0 {
            return Err("shard 2: unexpected end of file".into());
        }
        SOUND.read(tensor, elements, out)
    }
}

#[test]
fn a_failing_source_is_named_with_its_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.gguf");
    // Rows of 512 in chunks of 256 rows: a tensor of 256 rows is one chunk, so none fails …
    run(&plan(FileType::Q8_0), &Failing, &target, &threads(2), &()).unwrap();
    // … and the long rows of tensor 2, given tensor 0's number, are many.
    struct Shifted;
    impl Source for Shifted {
        fn read(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), SourceError> {
            Failing.read(if tensor == 2 { 0 } else { tensor + 1 }, elements, out)
        }
    }
    let error = run(&plan(FileType::Q8_0), &Shifted, &target, &threads(2), &()).unwrap_err();
    assert!(matches!(&error, Error::Source { tensor, .. } if tensor == "blk.1.ffn_down.weight"), "{error}");
    assert_eq!(error.to_string(), "tensor \"blk.1.ffn_down.weight\": shard 2: unexpected end of file");
    assert_eq!(names(folder.path()), ["out.gguf"]);
}
