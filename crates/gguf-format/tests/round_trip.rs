//! Arbitrary metadata and tensors, laid out, written, read back: the same again.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::collections::BTreeSet;

use gguf_format::{
    Array, Dims, GgmlType, Gguf, GgufFile, GgufString, Layout, Limits, Metadata, TensorSpec, Value,
    canonicalize,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

fn string() -> impl Strategy<Value = GgufString> {
    prop_oneof![
        any::<String>().prop_map(GgufString::from),
        vec(any::<u8>(), 0..20).prop_map(GgufString::from)
    ]
}

// NaN does not equal itself; that its bits are kept is tested below.
fn f32s() -> impl Strategy<Value = f32> {
    any::<f32>().prop_filter("a number", |f| !f.is_nan())
}

fn f64s() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("a number", |f| !f.is_nan())
}

fn array() -> impl Strategy<Value = Array> {
    prop_oneof![
        vec(any::<u8>(), 0..20).prop_map(Array::U8),
        vec(any::<i8>(), 0..20).prop_map(Array::I8),
        vec(any::<u16>(), 0..20).prop_map(Array::U16),
        vec(any::<i16>(), 0..20).prop_map(Array::I16),
        vec(any::<u32>(), 0..20).prop_map(Array::U32),
        vec(any::<i32>(), 0..20).prop_map(Array::I32),
        vec(any::<u64>(), 0..20).prop_map(Array::U64),
        vec(any::<i64>(), 0..20).prop_map(Array::I64),
        vec(f32s(), 0..20).prop_map(Array::F32),
        vec(f64s(), 0..20).prop_map(Array::F64),
        vec(any::<bool>(), 0..20).prop_map(Array::Bool),
        vec(string(), 0..20).prop_map(Array::String),
    ]
    .prop_recursive(3, 30, 5, |inner| vec(inner, 0..5).prop_map(Array::Array))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<i8>().prop_map(Value::I8),
        any::<u16>().prop_map(Value::U16),
        any::<i16>().prop_map(Value::I16),
        any::<u32>().prop_map(Value::U32),
        any::<i32>().prop_map(Value::I32),
        any::<u64>().prop_map(Value::U64),
        any::<i64>().prop_map(Value::I64),
        f32s().prop_map(Value::F32),
        f64s().prop_map(Value::F64),
        any::<bool>().prop_map(Value::Bool),
        string().prop_map(Value::String),
        array().prop_map(Value::Array),
    ]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let key = "[a-z]{1,8}(\\.[a-z_]{1,8}){0,3}";
    vec((key, value()), 0..12).prop_map(|pairs| pairs.into_iter().collect())
}

fn tensors() -> impl Strategy<Value = Vec<TensorSpec>> {
    let names = btree_set("(blk\\.[0-9]{1,3}\\.)?[a-z_]{1,12}(\\.weight)?", 0..12);
    (names, vec((vec(1u64..5, 0..4), 1u64..4, 0..GgmlType::ALL.len()), 12)).prop_map(
        |(names, shapes): (BTreeSet<String>, _)| {
            let spec = |(name, (mut dims, blocks, ty)): (String, (Vec<u64>, u64, usize))| {
                let ty = GgmlType::ALL[ty];
                dims.insert(0, blocks * ty.block_len() as u64);
                TensorSpec::new(name, Dims::new(&dims).unwrap(), ty)
            };
            names.into_iter().zip(shapes).map(spec).collect()
        },
    )
}

/// The file of a layout, each tensor filled with its index + 1.
fn file(layout: &Layout) -> Vec<u8> {
    let mut bytes = layout.header();
    bytes.resize(layout.file_len() as usize, 0);
    for (i, tensor) in layout.tensors().iter().enumerate() {
        bytes[tensor.offset() as usize..][..tensor.byte_len() as usize].fill(i as u8 + 1);
    }
    bytes
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        metadata in metadata(),
        tensors in tensors(),
        alignment in proptest::option::of(0u32..13),
    ) {
        let mut metadata = metadata;
        if let Some(power) = alignment {
            metadata.insert("general.alignment", 1u32 << power);
        }
        let layout = Layout::new(metadata.clone(), tensors.clone()).unwrap();
        prop_assert_eq!(u64::from(layout.alignment()), 1u64 << alignment.unwrap_or(5));
        let bytes = file(&layout);
        let gguf = Gguf::parse(&bytes, &Limits::default()).unwrap();
        prop_assert_eq!(gguf.data_start(), layout.data_start());
        prop_assert_eq!(gguf.metadata().to_metadata(), metadata);
        for (key, value) in layout.metadata().iter() {
            prop_assert_eq!(&gguf.metadata().get(key).unwrap().to_value(), value);
        }
        prop_assert_eq!(gguf.tensors().len(), tensors.len());
        for (i, ((found, placed), spec)) in gguf.tensors().iter().zip(layout.tensors()).zip(&tensors).enumerate() {
            prop_assert_eq!(&found.to_spec(), spec);
            prop_assert_eq!((found.offset(), found.byte_len()), (placed.offset(), placed.byte_len()));
            prop_assert!(found.data(&bytes).unwrap().iter().all(|&b| b == i as u8 + 1));
        }
        // Written again, it is the same file.
        let again = Layout::new(gguf.metadata().to_metadata(), tensors).unwrap();
        prop_assert_eq!(file(&again), bytes);
    }

    #[test]
    fn canonical_order_is_a_fixed_point(metadata in metadata(), tensors in tensors()) {
        let (mut metadata, mut tensors) = (metadata, tensors);
        canonicalize(&mut metadata, &mut tensors);
        let (once_metadata, once_tensors) = (metadata.clone(), tensors.clone());
        canonicalize(&mut metadata, &mut tensors);
        prop_assert_eq!(once_metadata, metadata);
        prop_assert_eq!(once_tensors, tensors);
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in vec(any::<u8>(), 0..300), version in 1u32..4, big in any::<bool>()) {
        // Behind the version, so that most get further than that.
        let version = if big { version.to_be_bytes() } else { version.to_le_bytes() };
        bytes.splice(0..0, [*b"GGUF", version].concat());
        if let Ok(gguf) = Gguf::parse(&bytes, &Limits::default()) {
            prop_assert_eq!(gguf.metadata().to_metadata().len(), gguf.metadata().len());
        }
    }
}

#[test]
fn a_nan_keeps_its_bits() {
    let (single, double) = (f32::from_bits(0xFFC1_2345), f64::from_bits(0x7FF0_0000_0000_0001));
    let metadata: Metadata =
        [("s", Value::F32(single)), ("d", Value::F64(double)), ("a", vec![single].into())]
            .into_iter()
            .collect();
    let bytes = Layout::new(metadata, vec![]).unwrap().header();
    let gguf = Gguf::parse(&bytes, &Limits::default()).unwrap();
    assert_eq!(gguf.metadata().get_as::<f32>("s").unwrap().to_bits(), single.to_bits());
    assert_eq!(gguf.metadata().get_as::<f64>("d").unwrap().to_bits(), double.to_bits());
    let array: gguf_format::Elements<'_, f32> = gguf.metadata().get_as("a").unwrap();
    assert_eq!(array.map(f32::to_bits).collect::<Vec<_>>(), [single.to_bits()]);
}

#[test]
fn a_file_is_read_from_many_threads_at_once() {
    let dims = Dims::new(&[64, 100]).unwrap();
    let tensors: Vec<_> =
        (0..8).map(|i| TensorSpec::new(format!("blk.{i}.w"), dims, GgmlType::F32)).collect();
    // A header longer than the reader's first step.
    let tokens: Vec<String> = (0..20_000).map(|i| format!("token {i}")).collect();
    let metadata: Metadata = [("tokens", tokens.clone())].into_iter().collect();
    let layout = Layout::new(metadata, tensors).unwrap();
    assert!(layout.data_start() > 1 << 18);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, file(&layout)).unwrap();

    let opened = GgufFile::open(&path).unwrap();
    let found: Vec<_> =
        opened.metadata().get_as::<gguf_format::Strings<'_>>("tokens").unwrap().map(<[u8]>::to_vec).collect();
    assert_eq!(found, tokens.iter().map(|t| t.as_bytes().to_vec()).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let opened = &opened;
            scope.spawn(move || {
                let mut buffer = vec![0; 1000];
                for step in 0..400 {
                    let tensor = ((step + thread) % 8) as usize;
                    let offset = (step * 61) % (25_600 - 1000);
                    opened.read_tensor_at(tensor, offset, &mut buffer).unwrap();
                    assert!(buffer.iter().all(|&b| b == tensor as u8 + 1));
                }
            });
        }
    });

    let mut out = [0; 2];
    for (tensor, offset) in [(0, 25_599), (0, u64::MAX), (8, 0), (usize::MAX, 0)] {
        let error = opened.read_tensor_at(tensor, offset, &mut out).unwrap_err();
        assert!(matches!(error.source, gguf_format::ReadError::Range { .. }), "{error}");
    }
    assert!(opened.read_tensor_at(0, 25_598, &mut out).is_ok());
    assert!(opened.read_tensor_at(0, 25_600, &mut []).is_ok());
    // Cut short after it was opened.
    std::fs::File::options().write(true).open(&path).unwrap().set_len(layout.data_start()).unwrap();
    let error = opened.read_tensor_at(0, 0, &mut out).unwrap_err();
    assert!(matches!(error.source, gguf_format::ReadError::Io(_)), "{error}");
}
