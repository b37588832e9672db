//! Any bytes through the whole reader: an error or a header, whose every accessor works, and which comes back
//! equal when it is written and read again.
#![no_main]
#![expect(clippy::expect_used, reason = "a fuzz target says what is wrong by panicking")]

use std::hint::black_box;

use gguf_format::{ArrayRef, FromValue, Gguf, Layout, Limits, MetadataRef, PlacedTensor, Scalar, ValueRef};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(gguf) = Gguf::parse(bytes, &Limits::default()) else { return };
    black_box((gguf.version(), gguf.byte_order(), gguf.alignment(), gguf.data_start(), gguf.file_len()));

    let metadata = gguf.metadata();
    assert_eq!(metadata.iter().count(), metadata.len());
    for (key, value) in metadata.iter() {
        let found = metadata.get(key).expect("a key that is there is found");
        assert_eq!(found.type_name(), value.type_name());
        black_box((value.as_str(), value.as_integer(), metadata.find_count(key).is_ok()));
        ask_for_every_type(metadata, key);
        if let ValueRef::Array(array) = value {
            walk(array);
        }
    }

    let tensors = gguf.tensors();
    assert_eq!(tensors.iter().count(), tensors.len());
    for tensor in tensors.iter() {
        assert_eq!(tensors.find(tensor.name()).map(|t| t.index()), Some(tensor.index()));
        let data = tensor.data(bytes).expect("a tensor is within its file");
        assert_eq!(data.len() as u64, tensor.byte_len());
        assert!(tensor.offset() >= gguf.data_start());
        assert!(tensor.offset().is_multiple_of(gguf.alignment().into()));
    }

    rewrite(&gguf);
});

fn walk(array: ArrayRef<'_>) {
    fn elements<T: Scalar>(array: ArrayRef<'_>) {
        if let Some(mut elements) = array.iter::<T>() {
            assert_eq!(elements.len(), array.len());
            let last = array.len().checked_sub(1).map(|last| elements.get(last).is_some());
            assert_ne!(last, Some(false));
            assert!(elements.get(array.len()).is_none());
            assert_eq!(elements.by_ref().count(), array.len());
        }
    }
    elements::<u8>(array);
    elements::<i8>(array);
    elements::<u16>(array);
    elements::<i16>(array);
    elements::<u32>(array);
    elements::<i32>(array);
    elements::<u64>(array);
    elements::<i64>(array);
    elements::<f32>(array);
    elements::<f64>(array);
    elements::<bool>(array);
    if let Some(strings) = array.strings() {
        assert_eq!(strings.count(), array.len());
    }
    if let Some(arrays) = array.arrays() {
        assert_eq!(arrays.clone().count(), array.len());
        arrays.for_each(walk);
    }
}

fn ask_for_every_type<'a>(metadata: MetadataRef<'a>, key: &str) {
    fn ask<'a, T: FromValue<'a>>(metadata: MetadataRef<'a>, key: &str) -> usize {
        metadata.get_as::<T>(key).map_err(|e| black_box(e.to_string())).is_ok().into()
    }
    let scalars = ask::<u8>(metadata, key)
        + ask::<i8>(metadata, key)
        + ask::<u16>(metadata, key)
        + ask::<i16>(metadata, key)
        + ask::<u32>(metadata, key)
        + ask::<i32>(metadata, key)
        + ask::<u64>(metadata, key)
        + ask::<i64>(metadata, key)
        + ask::<f32>(metadata, key)
        + ask::<f64>(metadata, key)
        + ask::<bool>(metadata, key)
        + ask::<&[u8]>(metadata, key)
        + ask::<ArrayRef<'a>>(metadata, key);
    assert_eq!(scalars, 1, "a value has one type");
    black_box(ask::<&str>(metadata, key));
}

/// What was read can be written, unless it is what readers take and writers do not: deep arrays no, since the
/// default limits are the writer's; a huge alignment yes.
fn rewrite(gguf: &Gguf<'_>) {
    let metadata = gguf.metadata().to_metadata();
    let specs: Vec<_> = gguf.tensors().iter().map(|t| t.to_spec()).collect();
    // The padding of a large alignment is written out.
    if gguf.alignment() > 4096 {
        return;
    }
    let layout = Layout::new(metadata, specs).expect("what was read can be written");
    let mut bytes = layout.header();
    assert_eq!(bytes.len() as u64, layout.data_start());
    // Tensors are within the file that was read, so that the new one is as small.
    bytes.resize(layout.file_len() as usize, 0);
    let again = Gguf::parse(&bytes, &Limits::default()).expect("what was written can be read");
    // Compared as text: a NaN does not equal itself.
    assert_eq!(format!("{:?}", again.metadata().to_metadata()), format!("{:?}", layout.metadata()));
    let specs: Vec<_> = again.tensors().iter().map(|t| t.to_spec()).collect();
    assert!(specs.iter().eq(layout.tensors().iter().map(PlacedTensor::spec)));
}
