//! Shards that do not make one model: each an error that names the file.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use gguf_format::{
    Dims, GgmlType, GgufSet, Layout, Metadata, SplitError, TensorSpec, Value, shard_file_name,
};

/// A folder with a model of three shards, `a`, `b` and `c` in one each.
fn model() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for (i, name) in (0u16..).zip(["a", "b", "c"]) {
        shard(folder.path(), i, &[name], [Value::U16(i), Value::U16(3), Value::I32(3)]);
    }
    let first = folder.path().join(shard_file_name("m", 0, 3));
    (folder, first)
}

fn shard(folder: &Path, index: u16, tensors: &[&str], split: [Value; 3]) {
    let keys = ["split.no", "split.count", "split.tensors.count"];
    write(&folder.join(shard_file_name("m", index, 3)), tensors, keys.into_iter().zip(split).collect());
}

fn write(path: &Path, tensors: &[&str], metadata: Metadata) {
    let dims = Dims::new(&[8]).unwrap();
    let specs = tensors.iter().map(|name| TensorSpec::new(*name, dims, GgmlType::F32)).collect();
    let layout = Layout::new(metadata, specs).unwrap();
    let mut bytes = layout.header();
    bytes.resize(layout.file_len() as usize, 0);
    fs::write(path, bytes).unwrap();
}

fn message(error: &SplitError) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn a_missing_shard() {
    let (folder, first) = model();
    let third = folder.path().join(shard_file_name("m", 2, 3));
    fs::remove_file(&third).unwrap();
    let error = GgufSet::open(&first).unwrap_err();
    assert!(matches!(&error, SplitError::Missing { path, number: 3, count: 3 } if *path == third));
    assert!(message(&error).contains("m-00003-of-00003.gguf: shard 3 of 3 is missing"));
}

#[test]
fn a_shard_cut_short() {
    let (folder, first) = model();
    let second = folder.path().join(shard_file_name("m", 1, 3));
    let len = fs::metadata(&second).unwrap().len();
    fs::File::options().write(true).open(&second).unwrap().set_len(len - 1).unwrap();
    let error = GgufSet::open(&first).unwrap_err();
    assert!(matches!(&error, SplitError::File(file) if file.path == second));
    assert!(message(&error).contains("tensor \"b\""));
}

#[test]
fn shards_of_other_sets() {
    let set = |split: [Value; 3], tensors: &[&str]| {
        let (folder, first) = model();
        shard(folder.path(), 1, tensors, split);
        let error = GgufSet::open(first).unwrap_err();
        assert!(message(&error).contains("m-00002-of-00003.gguf"), "{error}");
        error
    };
    let ok = || [Value::U16(1), Value::U16(3), Value::I32(3)];
    let with = |i: usize, value: Value| {
        let mut split = ok();
        split[i] = value;
        split
    };
    assert!(matches!(set(with(0, Value::U16(2)), &["b"]), SplitError::Number { found: 2, expected: 1, .. }));
    assert!(matches!(set(with(1, Value::U16(4)), &["b"]), SplitError::Count { found: 4, expected: 3, .. }));
    assert!(matches!(
        set(with(1, Value::U32(1 << 20)), &["b"]),
        SplitError::TooLarge { key: "split.count", .. }
    ));
    assert!(matches!(
        set(with(2, Value::I32(9)), &["b"]),
        SplitError::TensorCount { found: 3, claimed: 9, .. }
    ));
    assert!(matches!(set(with(2, Value::I32(-1)), &["b"]), SplitError::Key { .. }));
    assert!(matches!(set(with(0, Value::from("1")), &["b"]), SplitError::Key { .. }));
    assert!(matches!(set(ok(), &["a"]), SplitError::DuplicateTensor { name, .. } if name == "a"));

    let (_folder, first) = model();
    shard(first.parent().unwrap(), 1, &["b", "d"], ok());
    assert!(matches!(
        GgufSet::open(first).unwrap_err(),
        SplitError::TensorCount { found: 4, claimed: 3, .. }
    ));
}

#[test]
fn a_shard_by_another_name() {
    let (folder, first) = model();
    let renamed = folder.path().join("m.gguf");
    fs::rename(&first, &renamed).unwrap();
    let error = GgufSet::open(&renamed).unwrap_err();
    assert!(matches!(&error, SplitError::Name { suffix, .. } if suffix == "-00001-of-00003.gguf"));
    // Its number and its name's do not agree.
    let swapped = folder.path().join(shard_file_name("m", 0, 3));
    fs::copy(folder.path().join(shard_file_name("m", 1, 3)), &swapped).unwrap();
    assert!(matches!(GgufSet::open(&swapped).unwrap_err(), SplitError::Name { .. }));
}

#[test]
fn a_shard_without_its_number() {
    let (folder, first) = model();
    let path = folder.path().join(shard_file_name("m", 1, 3));
    write(&path, &["b"], Metadata::new());
    let error = GgufSet::open(first).unwrap_err();
    assert!(message(&error).contains("key \"split.no\" is missing"), "{error}");
}

/// Numbers that a shard claims, and what is said: no file is asked for that the first one missing does not stop.
#[test]
fn numbers_of_shards_that_are_not_there() {
    let (folder, _) = model();
    let cases: [(u16, u16, [Value; 2], &str); 7] = [
        (
            0,
            u16::MAX,
            [Value::U16(0), Value::U16(u16::MAX)],
            "shard 2 of 65535 is missing: put it beside the others",
        ),
        (0, 9, [Value::I32(0), Value::U64(9)], "shard 2 of 9 is missing: put it beside the others"),
        (
            5,
            3,
            [Value::U16(5), Value::U16(3)],
            "split.no is 5, expected a number below split.count 3: the file is damaged",
        ),
        (
            0,
            3,
            [Value::U16(0), Value::U32(65_536)],
            "key \"split.count\" is 65536, expected at most 65535: the file is damaged",
        ),
        (
            0,
            3,
            [Value::U64(u64::MAX), Value::U16(3)],
            "key \"split.no\" is 18446744073709551615, expected at most 65535: the file is damaged",
        ),
        (
            0,
            3,
            [Value::U16(0), Value::I32(-1)],
            "key \"split.count\" is -1, expected 0 or more: correct it where the file is made",
        ),
        (
            0,
            3,
            [Value::U16(0), Value::from("3")],
            "key \"split.count\" is of type str, expected an integer: correct it where the file is made",
        ),
    ];
    for (index, count, values, said) in cases {
        let path = folder.path().join(shard_file_name("m", index, count));
        write(&path, &["a"], ["split.no", "split.count"].into_iter().zip(values).collect());
        let error = message(&GgufSet::open(&path).unwrap_err());
        assert!(error.ends_with(said), "{error}\nexpected {said}");
    }
}

#[test]
fn a_single_file_is_a_set_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.gguf");
    write(&path, &["a", "b"], Metadata::new());
    let set = GgufSet::open(&path).unwrap();
    assert_eq!((set.files().len(), set.tensor_count()), (1, 2));
    assert_eq!(set.tensors().map(|t| t.tensor.name().to_owned()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(set.read_tensor_at(1, 0, &mut [0; 32]).is_ok());
    let error = set.read_tensor_at(2, 0, &mut [0; 32]).unwrap_err();
    assert_eq!(error.path, path);
    // One shard of one is no split either, whatever its name.
    write(&path, &["a"], [("split.no", 0u16), ("split.count", 1)].into_iter().collect());
    assert_eq!(GgufSet::open(&path).unwrap().tensor_count(), 1);
}
