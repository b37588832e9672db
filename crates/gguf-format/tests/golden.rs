//! What gguf-py wrote (see `golden/README.md`), read and written by us.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use gguf_format::{
    Array, ByteOrder, Dims, GgmlType, Gguf, GgufSet, Layout, Limits, Metadata, TensorSpec, Value,
};

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The content that `golden/make.py` describes.
fn every_type() -> (Metadata, Vec<(TensorSpec, Vec<u8>)>) {
    let mut m = Metadata::new();
    m.insert("general.architecture", "golden");
    m.insert("scalar.u8", 255u8);
    m.insert("array.u8", vec![0u8, 1, 255]);
    m.insert("scalar.i8", -128i8);
    m.insert("array.i8", vec![-128i8, 0, 127]);
    m.insert("scalar.u16", 0x1234u16);
    m.insert("array.u16", vec![0u16, 0x1234, 65535]);
    m.insert("scalar.i16", -2i16);
    m.insert("array.i16", vec![-32768i16, -2, 32767]);
    m.insert("scalar.u32", 0x1234_5678u32);
    m.insert("array.u32", vec![0u32, 0x1234_5678, u32::MAX]);
    m.insert("scalar.i32", i32::MIN);
    m.insert("array.i32", vec![i32::MIN, -2, i32::MAX]);
    m.insert("scalar.u64", 0x1234_5678_9ABC_DEF0u64);
    m.insert("array.u64", vec![0u64, 0x1234_5678_9ABC_DEF0, u64::MAX]);
    m.insert("scalar.i64", i64::MIN);
    m.insert("array.i64", vec![i64::MIN, -2, i64::MAX]);
    m.insert("scalar.f32", 0.1f32);
    m.insert("array.f32", vec![0.1f32, -0.0, f32::INFINITY, f32::from_bits(1)]);
    m.insert("scalar.f64", 0.1f64);
    m.insert("array.f64", vec![0.1f64, -0.0, f64::NEG_INFINITY, f64::from_bits(1)]);
    m.insert("scalar.bool", true);
    m.insert("array.bool", vec![true, false, true]);
    m.insert("scalar.str", "naïve ▁token");
    m.insert("array.str", ["", "a", "▁the", "\0", "日本語"].map(String::from).to_vec());
    m.insert(
        "array.nested",
        Array::Array(vec![
            Array::I32(vec![1, 2, 3]),
            Array::String(vec!["x".into()]),
            Array::Array(vec![Array::Bool(vec![true]), Array::F32(vec![0.5, 0.25])]),
        ]),
    );
    let tensor =
        |name: &str, dims: &[u64], ty, data| (TensorSpec::new(name, Dims::new(dims).unwrap(), ty), data);
    let tensors = vec![
        tensor("token_embd.weight", &[4, 3], GgmlType::F32, bytes(0..12, |i| (i as f32).to_le_bytes())),
        // -2, -1, 0, 1, 2 as f16.
        tensor(
            "half",
            &[5],
            GgmlType::F16,
            [0xC000u16, 0xBC00, 0, 0x3C00, 0x4000].iter().flat_map(|h| h.to_le_bytes()).collect(),
        ),
        tensor(
            "double",
            &[2, 1],
            GgmlType::F64,
            [0.5f64, -0.25].iter().flat_map(|d| d.to_le_bytes()).collect(),
        ),
        tensor("bytes", &[7], GgmlType::I8, bytes(-3..4, |i| (i as i8).to_le_bytes())),
        tensor("shorts", &[1, 3, 2, 1], GgmlType::I16, bytes(-3..3, |i| (i as i16).to_le_bytes())),
        tensor("ints", &[3], GgmlType::I32, bytes(0..3, i32::to_le_bytes)),
        tensor("longs", &[2], GgmlType::I64, [1i64 << 62, -1].iter().flat_map(|n| n.to_le_bytes()).collect()),
        tensor("blk.0.q8_0", &[64, 2], GgmlType::Q8_0, bytes(0..136, |i| (i as u8).to_le_bytes())),
    ];
    (m, tensors)
}

fn bytes<const N: usize>(range: std::ops::Range<i32>, f: impl Fn(i32) -> [u8; N]) -> Vec<u8> {
    range.flat_map(f).collect()
}

/// Our file of this content.
fn ours(metadata: Metadata, tensors: Vec<(TensorSpec, Vec<u8>)>) -> Vec<u8> {
    let (specs, data): (Vec<_>, Vec<_>) = tensors.into_iter().unzip();
    let layout = Layout::new(metadata, specs).unwrap();
    let mut file = layout.header();
    assert_eq!(file.len() as u64, layout.data_start());
    file.resize(layout.file_len() as usize, 0);
    for (tensor, data) in layout.tensors().iter().zip(data) {
        assert_eq!(tensor.byte_len(), data.len() as u64);
        file[tensor.offset() as usize..][..data.len()].copy_from_slice(&data);
    }
    file
}

#[test]
fn every_value_type_is_read_from_a_little_endian_file() {
    let file = golden("every-type-le.gguf");
    let gguf = Gguf::parse(&file, &Limits::default()).unwrap();
    assert_eq!((gguf.version(), gguf.byte_order(), gguf.alignment()), (3, ByteOrder::Little, 32));
    let (metadata, tensors) = every_type();
    assert_eq!(gguf.metadata().to_metadata(), metadata);
    assert_eq!(gguf.tensors().iter().map(|t| t.to_spec()).collect::<Vec<_>>(), specs(&tensors));
    for (found, (_, data)) in gguf.tensors().iter().zip(&tensors) {
        assert_eq!(found.data(&file), Some(data.as_slice()), "{}", found.name());
    }
}

#[test]
fn every_value_type_is_read_from_a_big_endian_file() {
    let file = golden("every-type-be.gguf");
    let gguf = Gguf::parse(&file, &Limits::default()).unwrap();
    assert_eq!((gguf.version(), gguf.byte_order(), gguf.alignment()), (3, ByteOrder::Big, 32));
    let (metadata, tensors) = every_type();
    assert_eq!(gguf.metadata().to_metadata(), metadata);
    assert_eq!(gguf.tensors().iter().map(|t| t.to_spec()).collect::<Vec<_>>(), specs(&tensors));
    for (found, (spec, mut data)) in gguf.tensors().iter().zip(tensors) {
        if !spec.ty.is_quantized() {
            data.chunks_mut(spec.ty.block_bytes()).for_each(<[u8]>::reverse);
        }
        assert_eq!(found.data(&file), Some(data.as_slice()), "{}", found.name());
    }
}

fn specs(tensors: &[(TensorSpec, Vec<u8>)]) -> Vec<TensorSpec> {
    tensors.iter().map(|(spec, _)| spec.clone()).collect()
}

#[test]
fn our_files_are_gguf_pys_byte_for_byte() {
    let (metadata, tensors) = every_type();
    assert_eq!(ours(metadata.clone(), tensors.clone()), golden("every-type-le.gguf"));

    let mut small = Metadata::new();
    small.insert("general.architecture", "golden");
    let mut aligned = small.clone();
    aligned.insert("general.alignment", 64u32);
    assert_eq!(ours(aligned, tensors[..2].to_vec()), golden("alignment-64.gguf"));

    small.insert("golden.block_count", 0u32);
    assert_eq!(ours(small.clone(), vec![]), golden("no-tensors.gguf"));

    for (i, tensor) in tensors.into_iter().take(3).enumerate() {
        let mut shard = if i == 0 { small.clone() } else { Metadata::new() };
        shard.insert("split.no", i as u16);
        shard.insert("split.count", 3u16);
        shard.insert("split.tensors.count", 3i32);
        let name = gguf_format::shard_file_name("split", i as u16, 3);
        assert_eq!(ours(shard, vec![tensor]), golden(&name), "{name}");
    }
}

#[test]
fn a_split_set_is_read_as_one_from_any_shard() {
    let (_, tensors) = every_type();
    for shard in 0..3 {
        let set = GgufSet::open(path(&gguf_format::shard_file_name("split", shard, 3))).unwrap();
        assert_eq!((set.files().len(), set.tensor_count()), (3, 3));
        let metadata = set.to_metadata();
        assert_eq!(metadata.len(), 2);
        assert_eq!(metadata.get("golden.block_count"), Some(&Value::U32(0)));
        for (i, (spec, data)) in tensors.iter().take(3).enumerate() {
            let found = set.tensor(i).unwrap();
            assert_eq!((found.shard, &found.tensor.to_spec()), (i, spec));
            assert_eq!(set.find_tensor(&spec.name).unwrap().shard, i);
            let mut bytes = vec![0; data.len()];
            set.read_tensor_at(i, 0, &mut bytes).unwrap();
            assert_eq!(&bytes, data);
        }
    }
}
