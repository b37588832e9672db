//! A checkpoint as lines of text, in the form that `conformance/scripts/checkpoint_golden.py` writes of a GGUF file.

use std::fmt::Write;

use gguf_format::{Array, GgufString, Value};
use hf_checkpoint::{Checkpoint, Error};
use sha2::{Digest, Sha256};

/// Arrays and strings longer than this stand as their digest.
const SHORT: usize = 200;

/// Metadata in order, then tensors by name with so many digits of the digest of their bytes.
pub(crate) fn listing(checkpoint: &Checkpoint, digits: usize) -> Result<String, Error> {
    let mut text = String::new();
    for (key, v) in checkpoint.metadata().iter() {
        let _ = writeln!(text, "{key} {}", value(v));
    }
    let mut lines = Vec::new();
    for (i, tensor) in checkpoint.tensors().iter().enumerate() {
        let dims: Vec<String> = tensor.dims.iter().map(u64::to_string).collect();
        let digest = digest(checkpoint, i)?;
        let digest = &digest[..digits.min(digest.len())];
        lines.push(format!("{} {} {} {digest}\n", tensor.name, tensor.element, dims.join("x")));
    }
    lines.sort();
    text.extend(lines);
    Ok(text)
}

/// The digest of a tensor's bytes, read some rows at a time.
fn digest(checkpoint: &Checkpoint, tensor: usize) -> Result<String, Error> {
    let info = &checkpoint.tensors()[tensor];
    let row_bytes = info.element.row_bytes(info.dims[0]).unwrap_or_default() as usize;
    let step = (1 << 18) / row_bytes.max(1) + 1;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; step * row_bytes];
    for start in (0..info.rows()).step_by(step) {
        let end = (start + step as u64).min(info.rows());
        let out = &mut buffer[..(end - start) as usize * row_bytes];
        checkpoint.read_rows(tensor, start..end, out)?;
        hash.update(out);
    }
    Ok(hex(hash))
}

/// A value with its type.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::U32(v) => format!("u32 {v}"),
        Value::I32(v) => format!("i32 {v}"),
        Value::Bool(v) => format!("bool {v}"),
        // The bits, so that equal means equal.
        Value::F32(v) => format!("f32 {:08x}", v.to_bits()),
        Value::String(s) => format!("str {}", text(s)),
        Value::Array(array) => self::array(array),
        other => format!("{} {other:?}", other.value_type()),
    }
}

fn array(array: &Array) -> String {
    let (items, bytes): (Vec<String>, Vec<Vec<u8>>) = match array {
        Array::String(v) => v
            .iter()
            .map(|s| (text(s), [&(s.as_bytes().len() as u64).to_le_bytes(), s.as_bytes()].concat()))
            .unzip(),
        Array::U8(v) => v.iter().map(|v| (v.to_string(), vec![*v])).unzip(),
        Array::U32(v) => v.iter().map(|v| (v.to_string(), v.to_le_bytes().to_vec())).unzip(),
        Array::I32(v) => v.iter().map(|v| (v.to_string(), v.to_le_bytes().to_vec())).unzip(),
        Array::F32(v) => v.iter().map(|v| (format!("{:08x}", v.to_bits()), v.to_le_bytes().to_vec())).unzip(),
        Array::Bool(v) => v.iter().map(|v| (v.to_string(), vec![u8::from(*v)])).unzip(),
        other => return format!("arr[{}] {other:?}", other.element_type()),
    };
    let all = items.join(", ");
    let of = array.element_type();
    if all.len() <= SHORT {
        return format!("arr[{of}] [{all}]");
    }
    format!("arr[{of}] {} items sha256 {}", array.len(), hex(Sha256::new_with_prefix(bytes.concat())))
}

fn text(s: &GgufString) -> String {
    if s.as_bytes().len() <= SHORT {
        format!("{:?}", s.to_string())
    } else {
        format!("{} bytes sha256 {}", s.as_bytes().len(), hex(Sha256::new_with_prefix(s.as_bytes())))
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
