//! Any bytes through the whole reader: an error or a header, whose every accessor works, which reads the same from a
//! file, and which comes back equal when it is written and read again.

use std::hint::black_box;

use gguf_format::{
    ArrayRef, Elements, FromValue, Gguf, GgufFile, Layout, Limits, MetadataRef, PlacedTensor, ReadError,
    Scalar, Strings, TensorRef, ValueRef, block_number, canonicalize, swap_byte_order,
};

use crate::check;
use crate::folders::folder;

thread_local! {
    static FOLDER: tempfile::TempDir = folder();
}

/// A GGUF file.
pub fn body(input: &[u8]) -> bool {
    let parsed = Gguf::parse(input, &Limits::default());
    from_a_file(input, &parsed);
    under_strict_limits(input, &parsed);
    let gguf = match parsed {
        Ok(gguf) => gguf,
        Err(error) => {
            check::one_line(&error);
            return true;
        }
    };
    black_box((gguf.version(), gguf.byte_order(), gguf.alignment()));
    assert!(gguf.data_start() <= gguf.file_len() || gguf.tensors().is_empty());
    read_metadata(gguf.metadata());
    read_tensors(&gguf, input);
    rewrite(&gguf);
    true
}

fn read_metadata(metadata: MetadataRef<'_>) {
    assert_eq!(metadata.iter().count(), metadata.len());
    assert_eq!(metadata.is_empty(), metadata.iter().next().is_none());
    for (key, value) in metadata.iter() {
        let found = metadata.get(key).expect("a key that is there is found");
        assert_eq!(found.type_name(), value.type_name());
        let owned = value.to_value();
        assert_eq!(owned.value_type(), value.value_type());
        assert_eq!(owned.as_str(), value.as_str());
        assert_eq!(value.as_str().is_some(), metadata.get_as::<&str>(key).is_ok());
        black_box((owned.as_u64(), value.as_integer(), format!("{value:?}")));
        if let Err(error) = metadata.find_count(key) {
            check::one_line(&error);
        }
        ask_for_every_type(metadata, key);
        if let Some(array) = value.as_array() {
            walk(array);
        } else if let ValueRef::String(bytes) = value {
            assert_eq!(value.as_str().map(str::as_bytes), str::from_utf8(bytes).ok().map(str::as_bytes));
        }
    }
    assert!(metadata.get("a key that\nis not there").is_none());
}

fn read_tensors(gguf: &Gguf<'_>, input: &[u8]) {
    let tensors = gguf.tensors();
    assert_eq!(tensors.iter().count(), tensors.len());
    assert_eq!(tensors.is_empty(), tensors.iter().next().is_none());
    assert!(tensors.get(tensors.len()).is_none());
    for tensor in tensors.iter() {
        assert_eq!(tensors.find(tensor.name()).map(|t| t.index()), Some(tensor.index()));
        assert_eq!(tensors.get(tensor.index()).map(|t| t.offset()), Some(tensor.offset()));
        read_tensor(gguf, &tensor, input);
    }
}

fn read_tensor(gguf: &Gguf<'_>, tensor: &TensorRef<'_>, input: &[u8]) {
    let data = tensor.data(input).expect("a tensor is within its file");
    assert!(tensor.data(&[]).is_none_or(<[u8]>::is_empty), "no byte of a file without any");
    assert_eq!(data.len() as u64, tensor.byte_len());
    assert_eq!(tensor.range(), tensor.offset()..tensor.offset() + tensor.byte_len());
    assert!(tensor.offset() >= gguf.data_start() && tensor.range().end <= gguf.file_len());
    assert!(tensor.offset().is_multiple_of(gguf.alignment().into()));
    let dims = tensor.dims();
    assert_eq!(dims.row_len().checked_mul(dims.rows()), Some(dims.elements()));
    assert_eq!(dims.ne().iter().product::<u64>(), dims.elements());
    assert_eq!(dims.byte_len(tensor.ty()), Some(tensor.byte_len()));
    assert_eq!(dims.trimmed().elements(), dims.elements());
    assert_eq!(tensor.to_spec().name, tensor.name());
    black_box((block_number(tensor.name()), dims.as_slice(), tensor.ty().bits_per_weight()));
    let mut swapped = data.to_vec();
    if swap_byte_order(tensor.ty(), &mut swapped) {
        assert!(swap_byte_order(tensor.ty(), &mut swapped));
        assert_eq!(swapped, data, "swapped twice");
    }
}

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
    let owned = array.to_array();
    assert_eq!((owned.len(), owned.is_empty()), (array.len(), array.is_empty()));
    assert_eq!(owned.element_type(), array.element_type());
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
        assert!(matches!(metadata.find_as::<T>("a key that is not there"), Ok(None)));
        assert_eq!(metadata.find_as::<T>(key).is_ok(), metadata.get_as::<T>(key).is_ok());
        metadata.get_as::<T>(key).map_err(|error| check::one_line(&error)).is_ok().into()
    }
    let array = ask::<ArrayRef<'a>>(metadata, key);
    let types = array
        + ask::<u8>(metadata, key)
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
        + ask::<&[u8]>(metadata, key);
    assert_eq!(types, 1, "a value has one type");
    let of_elements = ask::<Strings<'a>>(metadata, key)
        + ask::<Elements<'a, u8>>(metadata, key)
        + ask::<Elements<'a, i8>>(metadata, key)
        + ask::<Elements<'a, u16>>(metadata, key)
        + ask::<Elements<'a, i16>>(metadata, key)
        + ask::<Elements<'a, u32>>(metadata, key)
        + ask::<Elements<'a, i32>>(metadata, key)
        + ask::<Elements<'a, u64>>(metadata, key)
        + ask::<Elements<'a, i64>>(metadata, key)
        + ask::<Elements<'a, f32>>(metadata, key)
        + ask::<Elements<'a, f64>>(metadata, key)
        + ask::<Elements<'a, bool>>(metadata, key);
    assert!(of_elements <= array, "elements are an array's");
}

/// A file is read as its bytes are.
fn from_a_file(input: &[u8], parsed: &Result<Gguf<'_>, ReadError>) {
    FOLDER.with(|folder| {
        let path = folder.path().join("model.gguf");
        std::fs::write(&path, input).expect("the file is written");
        match (GgufFile::open(&path), parsed) {
            (Ok(file), Ok(gguf)) => {
                assert_eq!(file.path(), path);
                assert_eq!(file.header().data_start(), gguf.data_start());
                assert_eq!(file.metadata().len(), gguf.metadata().len());
                assert_eq!(file.tensors().len(), gguf.tensors().len());
                for tensor in file.tensors().iter() {
                    let mut bytes = vec![0; tensor.byte_len() as usize];
                    file.read_tensor_at(tensor.index(), 0, &mut bytes).expect("a tensor is within its file");
                    assert_eq!(Some(bytes.as_slice()), tensor.data(input));
                }
            }
            (Err(error), Err(_)) => check::one_line(&error),
            (file, parsed) => unreachable!("from a file {file:?}, from bytes {parsed:?}"),
        }
    });
}

/// Strict limits refuse more, and nothing else.
fn under_strict_limits(input: &[u8], parsed: &Result<Gguf<'_>, ReadError>) {
    let mut limits = Limits::default();
    (limits.header_bytes, limits.pairs, limits.tensors, limits.array_depth) = (512, 4, 2, 1);
    match Gguf::parse(input, &limits) {
        Ok(gguf) => {
            assert!(parsed.is_ok(), "what strict limits take, others do");
            assert!(gguf.metadata().len() <= 4 && gguf.tensors().len() <= 2);
        }
        Err(error) => check::one_line(&error),
    }
}

/// What was read can be written, unless it is what readers take and writers do not: deep arrays no, since the
/// default limits are the writer's; a huge alignment yes.
fn rewrite(gguf: &Gguf<'_>) {
    let mut metadata = gguf.metadata().to_metadata();
    let mut specs: Vec<_> = gguf.tensors().iter().map(|t| t.to_spec()).collect();
    // The padding of a large alignment is written out.
    if gguf.alignment() > 4096 {
        return;
    }
    let layout = Layout::new(metadata.clone(), specs.clone()).expect("what was read can be written");
    let mut bytes = layout.header();
    assert_eq!(bytes.len() as u64, layout.data_start());
    // Tensors are within the file that was read, so that the new one is as small.
    bytes.resize(layout.file_len() as usize, 0);
    let again = Gguf::parse(&bytes, &Limits::default()).expect("what was written can be read");
    // Compared as text: a NaN does not equal itself.
    assert_eq!(format!("{:?}", again.metadata().to_metadata()), format!("{:?}", layout.metadata()));
    let read: Vec<_> = again.tensors().iter().map(|t| t.to_spec()).collect();
    assert!(read.iter().eq(layout.tensors().iter().map(PlacedTensor::spec)));

    canonicalize(&mut metadata, &mut specs);
    assert!(Layout::new(metadata, specs).is_ok(), "an order does not make a file wrong");
}
