//! The bytes of a header: little-endian, version 3.

use crate::layout::{Layout, PlacedTensor};
use crate::metadata::Metadata;
use crate::value::{Array, Value};

/// The first four bytes of every GGUF file.
pub const MAGIC: [u8; 4] = *b"GGUF";

/// The version of the format that is written.
pub const WRITE_VERSION: u32 = 3;

impl Layout {
    /// The bytes of the file from its start to [`Layout::data_start`], padding included.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        // No larger than the metadata and names that are in memory already.
        let len = usize::try_from(self.data_start()).unwrap_or(0);
        let mut bytes = Vec::with_capacity(len);
        encode(self.metadata(), self.tensors(), self.data_start(), &mut bytes);
        bytes.resize(len, 0);
        bytes
    }
}

/// Bytes of the header before its padding.
pub(crate) fn header_len(metadata: &Metadata, tensors: &[PlacedTensor]) -> u64 {
    let mut counter = Counter(0);
    encode(metadata, tensors, 0, &mut counter);
    counter.0
}

/// Where encoded bytes go: into memory, or nowhere but into a count.
trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

struct Counter(u64);

impl Sink for Counter {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
}

/// Magic, version, counts, pairs and directory, as the specification orders them.
fn encode(metadata: &Metadata, tensors: &[PlacedTensor], data_start: u64, out: &mut impl Sink) {
    out.put(&MAGIC);
    u32(out, WRITE_VERSION);
    u64(out, tensors.len() as u64);
    u64(out, metadata.len() as u64);
    for (key, value) in metadata.iter() {
        string(out, key.as_bytes());
        u32(out, value.value_type().id());
        scalar_or_array(out, value);
    }
    for tensor in tensors {
        let spec = tensor.spec();
        let dims = spec.dims.as_slice();
        string(out, spec.name.as_bytes());
        u32(out, dims.len() as u32);
        for &dim in dims {
            u64(out, dim);
        }
        u32(out, spec.ty.id());
        u64(out, tensor.offset() - data_start);
    }
}

fn u32(out: &mut impl Sink, n: u32) {
    out.put(&n.to_le_bytes());
}

fn u64(out: &mut impl Sink, n: u64) {
    out.put(&n.to_le_bytes());
}

fn string(out: &mut impl Sink, bytes: &[u8]) {
    u64(out, bytes.len() as u64);
    out.put(bytes);
}

fn scalar_or_array(out: &mut impl Sink, value: &Value) {
    match value {
        Value::U8(v) => out.put(&v.to_le_bytes()),
        Value::I8(v) => out.put(&v.to_le_bytes()),
        Value::U16(v) => out.put(&v.to_le_bytes()),
        Value::I16(v) => out.put(&v.to_le_bytes()),
        Value::U32(v) => out.put(&v.to_le_bytes()),
        Value::I32(v) => out.put(&v.to_le_bytes()),
        Value::U64(v) => out.put(&v.to_le_bytes()),
        Value::I64(v) => out.put(&v.to_le_bytes()),
        Value::F32(v) => out.put(&v.to_le_bytes()),
        Value::F64(v) => out.put(&v.to_le_bytes()),
        Value::Bool(v) => out.put(&[u8::from(*v)]),
        Value::String(v) => string(out, v.as_bytes()),
        Value::Array(v) => array(out, v),
    }
}

fn array(out: &mut impl Sink, value: &Array) {
    u32(out, value.element_type().id());
    u64(out, value.len() as u64);
    match value {
        Array::U8(v) => out.put(v),
        Array::I8(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::U16(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::I16(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::U32(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::I32(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::U64(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::I64(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::F32(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::F64(v) => v.iter().for_each(|v| out.put(&v.to_le_bytes())),
        Array::Bool(v) => v.iter().for_each(|&v| out.put(&[u8::from(v)])),
        Array::String(v) => v.iter().for_each(|v| string(out, v.as_bytes())),
        Array::Array(v) => v.iter().for_each(|v| array(out, v)),
    }
}
