//! Safetensors files, written straight from the generator: memory is one buffer, whatever the file's size.
//!
//! Format: a little-endian u64 with the header's length, the header (JSON: name → dtype, shape, data_offsets, relative
//! to the end of the header, padded with spaces to 8 bytes), the tensors' bytes back to back.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::weights::{self, Dtype, Kind};

/// A tensor to be generated.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<u64>,
    pub(crate) dtype: Dtype,
    pub(crate) kind: Kind,
    pub(crate) seed: u64,
}

impl Tensor {
    pub(crate) fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.elements() * self.dtype.size()
    }
}

/// Elements made at a time.
const CHUNK: u64 = 1 << 16;

/// Writes the tensors to `dir` as `shards` files of about equal size, with an index when there are several.
pub(crate) fn write(dir: &Path, tensors: &[Tensor], shards: usize) -> Result<(), Error> {
    let groups = cut(tensors, shards);
    if let [only] = groups.as_slice() {
        return write_file(&dir.join("model.safetensors"), only);
    }
    let mut weight_map = Map::new();
    for (i, group) in groups.iter().enumerate() {
        let file = format!("model-{:05}-of-{:05}.safetensors", i + 1, groups.len());
        write_file(&dir.join(&file), group)?;
        weight_map.extend(group.iter().map(|t| (t.name.clone(), Value::from(file.as_str()))));
    }
    let total: u64 = tensors.iter().map(Tensor::bytes).sum();
    let index = json!({ "metadata": { "total_size": total }, "weight_map": weight_map });
    let path = dir.join("model.safetensors.index.json");
    std::fs::write(&path, format!("{index:#}\n")).map_err(Error::io(&path))
}

/// Consecutive groups, each closed as soon as it has its share of the bytes.
fn cut(tensors: &[Tensor], shards: usize) -> Vec<&[Tensor]> {
    let total: u64 = tensors.iter().map(Tensor::bytes).sum();
    let (mut groups, mut start, mut done) = (Vec::new(), 0, 0);
    for (i, tensor) in tensors.iter().enumerate() {
        done += tensor.bytes();
        if done * shards as u64 >= total * (groups.len() as u64 + 1) {
            groups.extend(tensors.get(start..=i));
            start = i + 1;
        }
    }
    groups
}

pub(crate) fn write_file(path: &Path, tensors: &[Tensor]) -> Result<(), Error> {
    let mut header = Map::from_iter([("__metadata__".to_owned(), json!({ "format": "pt" }))]);
    let mut offset = 0;
    for t in tensors {
        let end = offset + t.bytes();
        header.insert(
            t.name.clone(),
            json!({ "dtype": t.dtype.name(), "shape": t.shape, "data_offsets": [offset, end] }),
        );
        offset = end;
    }
    let mut header = Value::Object(header).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let io = || Error::io(path);
    let mut file = File::create(path).map_err(io())?;
    file.write_all(&(header.len() as u64).to_le_bytes()).map_err(io())?;
    file.write_all(header.as_bytes()).map_err(io())?;
    let mut buffer = Vec::new();
    for t in tensors {
        let mut from = 0;
        while from < t.elements() {
            let count = CHUNK.min(t.elements() - from);
            buffer.clear();
            weights::append(&mut buffer, t.kind, t.dtype, t.seed, from, count);
            file.write_all(&buffer).map_err(io())?;
            from += count;
        }
    }
    Ok(())
}
