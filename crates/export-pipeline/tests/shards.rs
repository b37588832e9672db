//! Output in several files.

use std::fs;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};

use export_pipeline::{Cancel, Error, Existing, Plan, Progress, RunOptions, run};
use gguf_format::{GgmlType, GgufSet, Metadata, ShardLimit, ShardRule};
use quant_recipe::{FileType, ModelFacts, Recipe, TensorDesc};

mod common;
use common::{Computed, source_tensors};

const SHAPES: &[(&str, &[u64])] = &[
    ("blk.1.attn_q.weight", &[512, 300]),
    ("token_embd.weight", &[512, 64]),
    ("blk.0.attn_q.weight", &[512, 64]),
    ("blk.0.attn_norm.weight", &[512]),
];

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn plan() -> Plan {
    let metadata: Metadata = [("general.architecture", "none"), ("general.name", "x")].into_iter().collect();
    let described: Vec<_> =
        SHAPES.iter().map(|&(name, dims)| TensorDesc { name, dims, element: GgmlType::F32 }).collect();
    let types = Recipe::new(FileType::Q8_0).assign(&ModelFacts::default(), &described).unwrap();
    Plan::new(source_tensors(SHAPES), types, metadata).unwrap()
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn by_tensors(n: u32) -> ShardRule {
    ShardRule::new(ShardLimit::Tensors(NonZeroU32::new(n).unwrap()))
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// All tensors of a model by name, with their bytes.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn contents(path: &PathBuf) -> Vec<(String, Vec<u8>)> {
    let set = GgufSet::open(path).unwrap();
    let mut all: Vec<_> = (0..set.tensor_count())
        .map(|index| {
            let tensor = set.tensor(index).unwrap().tensor;
            let mut bytes = vec![0; tensor.byte_len() as usize];
            set.read_tensor_at(index, 0, &mut bytes).unwrap();
            (tensor.name().to_owned(), bytes)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn shards_hold_together_what_one_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("one.gguf");
    run(&plan(), &Computed, &one, &RunOptions::default(), &()).unwrap();
    let expected = contents(&one);

    let by_size = ShardRule::new(ShardLimit::Bytes(NonZeroU64::new(40_000).unwrap()));
    for (rule, count) in [
        (by_tensors(1), 4),
        (by_tensors(3), 2),
        (by_tensors(128), 1),
        (by_tensors(2).with_metadata_alone(true), 3),
        // Embeddings 34 816, norm 2 048, attention 34 816, and 163 200 in the second block.
        (by_size, 3),
    ] {
        let target = folder.path().join(format!("{count}-{:?}", rule.limit()));
        let plan = plan().split(&rule).unwrap();
        let report = run(&plan, &Computed, &target, &RunOptions::default(), &()).unwrap();
        assert_eq!(report.files.len(), count, "{rule:?}");
        assert_eq!(report.path, report.files[0].path);
        for (i, file) in report.files.iter().enumerate() {
            let name = file.path.file_name().unwrap().to_str().unwrap();
            assert!(name.ends_with(&format!("-{:05}-of-{count:05}.gguf", i + 1)), "{name}");
            assert_eq!(fs::metadata(&file.path).unwrap().len(), file.bytes);
        }
        assert_eq!(report.bytes, report.files.iter().map(|f| f.bytes).sum::<u64>());
        assert_eq!(contents(&report.files[count - 1].path), expected, "{rule:?}");
        let set = GgufSet::open(&report.path).unwrap();
        assert_eq!(set.to_metadata(), *self::plan().metadata());
        assert_eq!(set.files()[0].tensors().len(), report.files[0].tensors);
    }
    assert_eq!(expected.len(), SHAPES.len());
    assert!(expected.iter().all(|(_, bytes)| bytes.iter().any(|b| *b != 0)));
}

#[test]
fn tensors_can_stay_in_the_shards_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("kept.gguf");
    let described: Vec<_> =
        SHAPES.iter().map(|&(name, dims)| TensorDesc { name, dims, element: GgmlType::F32 }).collect();
    let types = Recipe::new(FileType::Q8_0).assign(&ModelFacts::default(), &described).unwrap();
    let plan = Plan::in_order(source_tensors(SHAPES), types, Metadata::new()).unwrap();
    let kept = plan.clone().keep_shards(&[2, 0, 2, 0], 4).unwrap();
    let report = run(&kept, &Computed, &target, &RunOptions::default(), &()).unwrap();
    let tensors = |file: usize| -> Vec<_> {
        let set = GgufSet::open(&report.files[file].path).unwrap();
        set.files()[file].tensors().iter().map(|t| t.name().to_owned()).collect()
    };
    assert_eq!(report.files.len(), 4);
    assert_eq!(tensors(0), ["token_embd.weight", "blk.0.attn_norm.weight"]);
    assert!(tensors(1).is_empty() && tensors(3).is_empty());
    assert_eq!(tensors(2), ["blk.1.attn_q.weight", "blk.0.attn_q.weight"]);

    for (shards, count) in [(&[0, 1, 2, 3][..], 3), (&[0, 1], 2), (&[0, 0, 0, 0], 0)] {
        let error = plan.clone().keep_shards(shards, count).unwrap_err();
        assert!(matches!(error, Error::Shards { .. }), "{error}");
    }
}

#[test]
fn a_limit_that_is_too_small_is_refused() {
    let rule = ShardRule::new(ShardLimit::Bytes(NonZeroU64::new(1000).unwrap()));
    let error = plan().split(&rule).unwrap_err();
    assert!(matches!(error, Error::ShardTooSmall { size: 34_816, limit: 1000, .. }), "{error}");
    assert!(error.to_string().contains("token_embd.weight"), "{error}");
}

#[test]
fn a_shard_in_the_way_keeps_all_from_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("m.gguf");
    let plan = plan().split(&by_tensors(2)).unwrap();
    let paths = plan.paths(&target);
    fs::write(&paths[1], "old").unwrap();
    let keep = RunOptions { existing: Existing::Keep, ..RunOptions::default() };
    let error = run(&plan, &Computed, &target, &keep, &()).unwrap_err();
    assert!(matches!(&error, Error::OutputExists { path } if *path == paths[1]), "{error}");
    assert_eq!(names(folder.path()), ["m-00002-of-00002.gguf"]);
    assert_eq!(fs::read(&paths[1]).unwrap(), b"old");

    run(&plan, &Computed, &target, &RunOptions::default(), &()).unwrap();
    assert_eq!(names(folder.path()), ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]);
    assert_eq!(contents(&paths[0]).len(), SHAPES.len());

    // A folder in the way of the last is found before the first is begun.
    fs::remove_file(&paths[1]).unwrap();
    fs::create_dir(&paths[1]).unwrap();
    let before = fs::read(&paths[0]).unwrap();
    let error = run(&plan, &Computed, &target, &RunOptions::default(), &()).unwrap_err();
    assert!(matches!(error, Error::OutputNotAFile { .. }), "{error}");
    assert_eq!(fs::read(&paths[0]).unwrap(), before);
}

#[test]
fn a_run_that_is_stopped_leaves_the_old_set() {
    struct Stopper<'a>(&'a Cancel);
    impl Progress for Stopper<'_> {
        fn advance(&self, _bytes: u64) {
            self.0.cancel();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("m");
    let plan = plan().split(&by_tensors(2)).unwrap();
    for path in plan.paths(&target) {
        fs::write(path, "old").unwrap();
    }
    let cancel = Cancel::new();
    let options = RunOptions { cancel: Some(&cancel), ..RunOptions::default() };
    let error = run(&plan, &Computed, &target, &options, &Stopper(&cancel)).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
    assert_eq!(names(folder.path()), ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]);
    for path in plan.paths(&target) {
        assert_eq!(fs::read(path).unwrap(), b"old");
    }
}
