//! A set of three shards with damage done to it: refused, or every tensor reads to its end.
#![no_main]
#![expect(clippy::expect_used, reason = "a fuzz target says what is wrong by panicking")]

use std::sync::LazyLock;

use entrenar_fuzz::damage::Damage;
use gguf_format::{Dims, GgmlType, GgufSet, Layout, Metadata, TensorSpec, Value, shard_file_name};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

const SHARDS: u16 = 3;

struct Whole {
    folder: TempDir,
    shards: Vec<Vec<u8>>,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let shard = |index: u16| {
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
    };
    Whole { folder: entrenar_fuzz::folder(), shards: (0..SHARDS).map(shard).collect() }
});

fuzz_target!(|damages: Vec<(u8, Damage)>| {
    let mut shards = WHOLE.shards.clone();
    for (shard, damage) in &damages {
        let count = shards.len();
        if let Some(shard) = shards.get_mut(usize::from(*shard) % count) {
            damage.apply(shard);
        }
    }
    let path = |index| WHOLE.folder.path().join(shard_file_name("m", index, SHARDS));
    for (index, shard) in (0..SHARDS).zip(&shards) {
        std::fs::write(path(index), shard).expect("a shard is written");
    }
    let set = match GgufSet::open(path(1)) {
        Ok(set) => set,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text:?}");
            assert!(!damages.is_empty(), "{text}");
            return;
        }
    };
    assert_eq!(set.tensors().count(), set.tensor_count());
    for (index, found) in set.tensors().enumerate() {
        let mut bytes = vec![0; found.tensor.byte_len() as usize];
        set.read_tensor_at(index, 0, &mut bytes).expect("a tensor is within its shard");
        assert!(set.find_tensor(found.tensor.name()).is_some());
    }
});
