//! A set of three shards with damage done to it: refused, or every tensor reads to its end.

use std::path::PathBuf;

use gguf_format::{Dims, GgmlType, GgufSet, Layout, Metadata, TensorSpec, Value, shard_file_name};
use tempfile::TempDir;

use crate::check;
use crate::damage;
use crate::folders::folder;

const SHARDS: u16 = 3;

struct Whole {
    folder: TempDir,
    shards: Vec<Vec<u8>>,
}

thread_local! {
    static WHOLE: Whole = Whole { folder: folder(), shards: (0..SHARDS).map(shard).collect() };
}

fn shard(index: u16) -> Vec<u8> {
    let mut metadata = Metadata::new();
    if index == 0 {
        metadata.insert("general.architecture", "llama");
        metadata.insert("tokenizer.ggml.tokens", vec!["a".to_owned(), "b".to_owned()]);
    }
    metadata.insert("split.no", Value::U16(index));
    metadata.insert("split.count", Value::U16(SHARDS));
    metadata.insert("split.tensors.count", Value::I32(i32::from(SHARDS) * 2));
    let dims = Dims::new(&[32, 2]).expect("dimensions");
    let spec = |n| TensorSpec::new(format!("blk.{index}.{n}.weight"), dims, GgmlType::Q8_0);
    let layout = Layout::new(metadata, vec![spec(0), spec(1)]).expect("a layout");
    let mut bytes = layout.header();
    bytes.resize(layout.file_len() as usize, 1);
    bytes
}

/// Damages (`damage::read`) to the shards.
pub fn body(input: &[u8]) -> bool {
    let damages = damage::read(input);
    WHOLE.with(|whole| {
        let mut shards = whole.shards.clone();
        for damage in &damages {
            damage.apply(shards.iter_mut());
        }
        let path = |index| whole.folder.path().join(shard_file_name("m", index, SHARDS));
        for (index, shard) in (0..SHARDS).zip(&shards) {
            std::fs::write(path(index), shard).expect("a shard is written");
        }
        open(path(1), damages.is_empty());
    });
    true
}

fn open(path: PathBuf, must: bool) {
    let set = match GgufSet::open(path) {
        Ok(set) => set,
        Err(error) => {
            check::one_line(&error);
            assert!(!must, "{error}");
            return;
        }
    };
    assert_eq!(set.tensors().count(), set.tensor_count());
    assert_eq!(set.files().iter().map(|f| f.tensors().len()).sum::<usize>(), set.tensor_count());
    assert!(set.to_metadata().len() <= set.metadata().len());
    for (index, found) in set.tensors().enumerate() {
        let len = found.tensor.byte_len();
        let mut bytes = vec![0; len as usize];
        set.read_tensor_at(index, 0, &mut bytes).expect("a tensor is within its shard");
        set.read_tensor_at(index, len, &mut []).expect("nothing is left");
        let beyond = set.read_tensor_at(index, len, &mut [0]).expect_err("nothing is behind it");
        check::one_line(&beyond);
        let by_number = set.tensor(index).map(|t| t.tensor.name().to_owned());
        assert_eq!(by_number.as_deref(), Some(found.tensor.name()));
        assert!(set.find_tensor(found.tensor.name()).is_some());
    }
    assert!(set.tensor(set.tensor_count()).is_none());
}
