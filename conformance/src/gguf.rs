//! Writing a small GGUF file.

use gguf_format::{Dims, GgmlType, Layout, Metadata, TensorSpec};

/// A tensor: its name, its dimensions (the contiguous one first), its type, its bytes.
pub(crate) type Tensor = (String, Vec<u64>, GgmlType, Vec<u8>);

/// A file with these metadata and tensors.
pub(crate) fn file(metadata: Metadata, tensors: Vec<Tensor>) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let (mut specs, mut data) = (Vec::new(), Vec::new());
    for (name, dims, ty, bytes) in tensors {
        specs.push(TensorSpec::new(name, Dims::new(&dims)?, ty));
        data.push(bytes);
    }
    let layout = Layout::new(metadata, specs)?;
    let mut bytes = layout.header();
    for (placed, data) in layout.tensors().iter().zip(data) {
        bytes.resize(usize::try_from(placed.offset())?, 0);
        bytes.extend(data);
    }
    bytes.resize(usize::try_from(layout.file_len())?, 0);
    Ok(bytes)
}
