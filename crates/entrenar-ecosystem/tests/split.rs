//! Splitting and merging, held to llama-gguf-split's files byte for byte.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a panic")]

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use entrenar_ecosystem::{
    Existing, GgufExportError, GgufExporter, GgufMerger, GgufSplitter, QuantizationType, Recipe, ShardLimit,
    ShardRule, Shards,
};
use gguf_format::{
    Dims, GgmlType, GgufFile, GgufSet, GgufString, Layout, Metadata, TensorSpec, Value, shard_file_name,
};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gguf_split").join(name)
}

fn by_tensors(n: u32) -> ShardRule {
    ShardRule::new(ShardLimit::Tensors(NonZeroU32::new(n).unwrap()))
}

fn by_megabyte() -> ShardRule {
    ShardRule::new("1M".parse().unwrap())
}

/// Every file in a folder with its bytes, by name.
fn listing(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap_or_default())
        })
        .collect();
    files.sort();
    files
}

/// The shards of a golden set, copied to a folder; the first's path.
fn copy_set(prefix: &str, count: u16, folder: &Path) -> PathBuf {
    for index in 0..count {
        let name = shard_file_name(prefix, index, count);
        fs::copy(golden(&name), folder.join(name)).unwrap();
    }
    folder.join(shard_file_name(prefix, 0, count))
}

#[test]
fn splits_are_llama_gguf_splits() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("by-three", by_tensors(3), 3),
        ("by-two-metadata-alone", by_tensors(2).with_metadata_alone(true), 5),
        ("whole", ShardRule::default(), 1),
    ];
    // Also of a set, cut anew, and of a file that was merged and has keys of a split.
    let inputs = ["small.gguf", "by-three-00002-of-00003.gguf", "merged.gguf"];
    for input in inputs {
        for (name, rule, count) in cases {
            let result = GgufSplitter::new(rule).split(golden(input), folder.path().join(name)).unwrap();
            assert_eq!(result.report.files.len(), usize::from(count));
            for (index, file) in (0..count).zip(&result.report.files) {
                let shard = shard_file_name(name, index, count);
                assert_eq!(file.path, folder.path().join(&shard));
                let (ours, theirs) = (fs::read(&file.path).unwrap(), fs::read(golden(&shard)).unwrap());
                assert!(ours == theirs, "{input}: {shard} differs from llama-gguf-split's");
                assert_eq!(file.bytes, theirs.len() as u64);
            }
        }
    }
    assert_eq!(listing(folder.path()).len(), 9);
}

#[test]
fn sizes_are_counted_as_llama_gguf_split_counts() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("zeros.gguf");
    let mut bytes = fs::read(golden("zeros.gguf.header")).unwrap();
    // What the header names, and what gguf-py pads the last tensor to.
    let data: usize = [600_000usize, 300_000, 100_000, 1_200_000, 5, 999_968, 32]
        .iter()
        .map(|n| n.next_multiple_of(32))
        .sum();
    bytes.resize(bytes.len() + data, 0);
    fs::write(&input, bytes).unwrap();
    for (name, rule, count) in [
        ("by-size", by_megabyte(), 4),
        ("by-size-metadata-alone", by_megabyte().with_metadata_alone(true), 5),
    ] {
        let result = GgufSplitter::new(rule).split(&input, folder.path().join(name)).unwrap();
        assert_eq!(result.report.files.len(), usize::from(count));
        for (index, file) in (0..count).zip(&result.report.files) {
            let ours = fs::read(&file.path).unwrap();
            let theirs =
                fs::read(golden(&format!("{}.header", shard_file_name(name, index, count)))).unwrap();
            let (header, tensors) = ours.split_at(theirs.len());
            assert!(header == theirs, "{}: differs from llama-gguf-split's", file.path.display());
            assert!(tensors.iter().all(|&b| b == 0));
        }
    }
    let error = GgufSplitter::new(by_megabyte()).plan(copied_first(&input, folder.path(), 3)).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("zeros.3") && said.contains("1200000") && said.contains("1000000"), "{said}");
}

/// The same file with its tensors from this one on only: the one that is too large comes first.
fn copied_first(input: &Path, folder: &Path, from: usize) -> PathBuf {
    let file = GgufFile::open(input).unwrap();
    let specs: Vec<TensorSpec> = file.tensors().iter().skip(from).map(|t| t.to_spec()).collect();
    write(&folder.join("large-first.gguf"), file.metadata().to_metadata(), specs)
}

/// Writes a file whose tensors' bytes count up.
fn write(path: &Path, metadata: Metadata, specs: Vec<TensorSpec>) -> PathBuf {
    let layout = Layout::new(metadata, specs).unwrap();
    let mut bytes = layout.header();
    for tensor in layout.tensors() {
        bytes.resize(tensor.offset() as usize, 0);
        bytes.extend((0..tensor.byte_len()).map(|i| i as u8));
    }
    bytes.resize(layout.file_len() as usize, 0);
    fs::write(path, bytes).unwrap();
    path.to_path_buf()
}

#[test]
fn merges_are_llama_gguf_splits_or_the_file_that_was_split() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("merged.gguf");
    let merged = fs::read(golden("merged.gguf")).unwrap();
    let small = fs::read(golden("small.gguf")).unwrap();
    for shard in [
        "by-three-00001-of-00003.gguf",
        "by-three-00003-of-00003.gguf",
        "by-two-metadata-alone-00001-of-00005.gguf",
        "whole-00001-of-00001.gguf",
    ] {
        GgufMerger::new().merge(golden(shard), &output).unwrap();
        assert!(fs::read(&output).unwrap() == merged, "{shard}");
        GgufMerger::new().without_split_keys().merge(golden(shard), &output).unwrap();
        assert!(fs::read(&output).unwrap() == small, "{shard}");
    }
}

#[test]
fn what_is_no_shard_is_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.gguf");
    for input in ["small.gguf", "merged.gguf"] {
        let error = GgufMerger::new().merge(golden(input), &output).unwrap_err();
        assert!(matches!(error, GgufExportError::NotSplit(_)), "{error:?}");
        assert!(error.to_string().contains(input), "{error}");
    }
    assert!(listing(folder.path()).is_empty());
}

/// Something done to a set, and what the error must name.
type Damage = (fn(&Path), &'static str);

#[test]
fn damaged_sets_are_refused_and_old_files_stay() {
    fn copy(from: &Path, to: &Path) {
        fs::copy(from, to).unwrap();
    }
    fn shard(folder: &Path, index: u16) -> PathBuf {
        folder.join(shard_file_name("by-three", index, 3))
    }
    let damages: [Damage; 5] = [
        (|f| fs::remove_file(shard(f, 1)).unwrap(), "by-three-00002-of-00003.gguf"),
        (
            // A byte of the last tensor, for llama-gguf-split merges that with what it read before.
            |f| {
                let bytes = fs::read(shard(f, 1)).unwrap();
                fs::write(shard(f, 1), &bytes[..bytes.len() - 1]).unwrap();
            },
            "by-three-00002-of-00003.gguf",
        ),
        (|f| copy(&shard(f, 1), &shard(f, 2)), "by-three-00003-of-00003.gguf"),
        (|f| copy(&golden("whole-00001-of-00001.gguf"), &shard(f, 1)), "by-three-00002"),
        (|f| copy(&golden("by-two-metadata-alone-00003-of-00005.gguf"), &shard(f, 2)), "by-three-00003"),
    ];
    for (damage, named) in damages {
        let folder = tempfile::tempdir().unwrap();
        let first = copy_set("by-three", 3, folder.path());
        damage(folder.path());
        fs::write(folder.path().join("out.gguf"), "old").unwrap();
        fs::write(folder.path().join("out-00001-of-00007.gguf"), "old").unwrap();
        let before = listing(folder.path());
        let error = GgufMerger::new().merge(&first, folder.path().join("out.gguf")).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        let error = GgufSplitter::new(by_tensors(1)).split(&first, folder.path().join("out")).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
        let error = GgufExporter::new(QuantizationType::Q80).export(&first, folder.path().join("out.gguf"));
        assert!(error.unwrap_err().to_string().contains(named));
        assert_eq!(listing(folder.path()), before);
    }
}

#[test]
fn existing_shards_are_kept_or_replaced_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("by-three.gguf");
    fs::write(folder.path().join("by-three-00003-of-00003.gguf"), "old").unwrap();
    let before = listing(folder.path());
    let splitter = GgufSplitter::new(by_tensors(3));
    let error =
        splitter.clone().with_existing(Existing::Keep).split(golden("small.gguf"), &prefix).unwrap_err();
    assert!(matches!(error, GgufExportError::OutputExists(_)), "{error:?}");
    assert_eq!(listing(folder.path()), before);
    splitter.split(golden("small.gguf"), &prefix).unwrap();
    // The prefix's `.gguf` is left out.
    let names: Vec<_> = listing(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, (0..3).map(|i| shard_file_name("by-three", i, 3)).collect::<Vec<_>>());
    assert_eq!(GgufSet::open(folder.path().join(&names[0])).unwrap().tensor_count(), 7);
}

#[test]
fn no_output_is_a_file_of_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let first = copy_set("by-three", 3, folder.path());
    let before = listing(folder.path());
    for output in 0..3 {
        let output = folder.path().join(shard_file_name("by-three", output, 3));
        let error = GgufMerger::new().merge(&first, output).unwrap_err();
        assert!(matches!(error, GgufExportError::OutputIsInput(_)), "{error:?}");
    }
    let error = GgufSplitter::new(by_tensors(3)).split(&first, folder.path().join("by-three")).unwrap_err();
    assert!(matches!(error, GgufExportError::OutputIsInput(_)), "{error:?}");
    let exporter = GgufExporter::with_recipe(Recipe::copy()).with_shards(Shards::AsInput);
    let error = exporter.export(&first, folder.path().join("by-three")).unwrap_err();
    assert!(matches!(error, GgufExportError::OutputIsInput(_)), "{error:?}");
    assert_eq!(listing(folder.path()), before);
}

#[test]
fn nul_bytes_and_other_alignments_come_through() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = vec![GgufString::from("a\0b"), GgufString::from("\0"), GgufString::from(&b"\xff\xfe"[..])];
    let metadata: Metadata = [
        ("general.alignment", Value::U32(64)),
        ("general.name", "x\0y".into()),
        ("tokenizer.ggml.tokens", tokens.into()),
    ]
    .into_iter()
    .collect();
    let dims = Dims::new(&[40]).unwrap();
    let specs = ["a", "b", "c"].map(|name| TensorSpec::new(name, dims, GgmlType::I8)).into();
    let input = write(&folder.path().join("in.gguf"), metadata.clone(), specs);
    let result = GgufSplitter::new(by_tensors(2)).split(&input, folder.path().join("out")).unwrap();
    let set = GgufSet::open(&result.report.path).unwrap();
    assert_eq!(set.to_metadata(), metadata);
    assert_eq!(set.files()[0].header().alignment(), 64);
    assert_eq!(set.files()[0].tensors().get(1).unwrap().offset() % 64, 0);
    let merged = folder.path().join("merged.gguf");
    GgufMerger::new().without_split_keys().merge(&result.report.path, &merged).unwrap();
    assert!(fs::read(merged).unwrap() == fs::read(input).unwrap());
}

/// A fixture model as F32 in one file, its tensors of two layers.
fn model(folder: &Path) -> PathBuf {
    let checkpoint = fixture_models::write("llama", folder).unwrap();
    let file = folder.join("F32.gguf");
    GgufExporter::new(QuantizationType::F32).export(checkpoint, &file).unwrap();
    file
}

#[test]
fn an_export_in_shards_is_the_split_of_the_export() {
    let folder = tempfile::tempdir().unwrap();
    let input = model(folder.path());
    for rule in [by_tensors(5), by_tensors(4).with_metadata_alone(true), by_megabyte()] {
        let exporter = GgufExporter::new(QuantizationType::Q4KM);
        let one = folder.path().join("one.gguf");
        exporter.export(&input, &one).unwrap();
        let split = GgufSplitter::new(rule).split(&one, folder.path().join("split")).unwrap();
        let plan = exporter.clone().with_shards(Shards::Rule(rule)).plan(&input).unwrap();
        assert_eq!(plan.summary().files.len(), split.report.files.len());
        let target = folder.path().join("shards.gguf");
        let result = exporter.write(&plan, target, &(), None).unwrap();
        assert_eq!(result.report.files.len(), split.report.files.len());
        for (ours, theirs) in result.report.files.iter().zip(&split.report.files) {
            assert!(fs::read(&ours.path).unwrap() == fs::read(&theirs.path).unwrap(), "{rule:?}");
        }
    }
}

#[test]
fn shards_can_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let input = model(folder.path());
    let rule = by_tensors(6).with_metadata_alone(true);
    let shards = GgufSplitter::new(rule).split(&input, folder.path().join("in")).unwrap().report;
    let exporter = GgufExporter::new(QuantizationType::Q4KM);
    let one = folder.path().join("one.gguf");
    exporter.export(&input, &one).unwrap();
    let keeping = exporter.clone().with_shards(Shards::AsInput);
    let kept = keeping.export(&shards.path, folder.path().join("kept")).unwrap();

    let (set, source) = (GgufSet::open(&kept.output_path).unwrap(), GgufSet::open(&shards.path).unwrap());
    let one = GgufFile::open(one).unwrap();
    assert!(set.files().len() > 3);
    assert_eq!(set.files().len(), source.files().len());
    for (number, (file, source)) in set.files().iter().zip(source.files()).enumerate() {
        let names = |file: &GgufFile| file.tensors().iter().map(|t| t.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(file), names(source));
        let keys: Vec<_> = file.metadata().iter().map(|(key, _)| key.to_owned()).collect();
        let split = ["split.no", "split.count", "split.tensors.count"];
        assert_eq!(keys[keys.len() - 3..], split, "llama-quantize's order");
        assert_eq!(keys.len() == 3, number > 0, "metadata in the first shard only");
        for tensor in file.tensors().iter() {
            let expected = one.tensors().find(tensor.name()).unwrap();
            let mut bytes = [vec![0; expected.byte_len() as usize], vec![0; tensor.byte_len() as usize]];
            one.read_tensor_at(expected.index(), 0, &mut bytes[0]).unwrap();
            file.read_tensor_at(tensor.index(), 0, &mut bytes[1]).unwrap();
            assert!(bytes[0] == bytes[1], "{}", tensor.name());
        }
    }
    // Without a set there is one shard and no key of a split, as from llama-quantize.
    let single = keeping.export(&input, folder.path().join("single.gguf")).unwrap();
    assert_eq!(single.output_path, folder.path().join("single-00001-of-00001.gguf"));
    let plain = exporter.export(&input, folder.path().join("plain.gguf")).unwrap();
    assert!(fs::read(single.output_path).unwrap() == fs::read(plain.output_path).unwrap());

    let error = keeping.plan(folder.path().join("Tiny-Llama-3.2-1M-Instruct")).unwrap_err();
    assert!(matches!(error, GgufExportError::NoShards(_)), "{error:?}");
    let error = exporter.with_raw_names().plan(&input).unwrap_err();
    assert!(matches!(error, GgufExportError::RawNames(_)), "{error:?}");
}
