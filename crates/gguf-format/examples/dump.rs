//! Prints the metadata and the directory of a GGUF model: `cargo run --example dump -- model.gguf`.
//!
//! Any shard of a split model will do; all of them are shown as one.

use std::error::Error;
use std::fmt::Debug;
use std::io::{self, Write};

use gguf_format::{ArrayRef, GgufSet, Scalar, ValueRef};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args_os().nth(1) else { return Err("usage: dump FILE.gguf".into()) };
    let set = GgufSet::open(path)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for file in set.files() {
        let header = file.header();
        writeln!(
            out,
            "{}: version {}, {:?}-endian, {} pairs, {} tensors, data from byte {}",
            file.path().display(),
            header.version(),
            header.byte_order(),
            file.metadata().len(),
            file.tensors().len(),
            header.data_start(),
        )?;
    }
    for (key, value) in set.metadata().iter() {
        writeln!(out, "{key} = {} {}", value.type_name(), shown(value))?;
    }
    for found in set.tensors() {
        let tensor = found.tensor;
        writeln!(
            out,
            "{:<40} {:>6}  {:<20} {:>12} bytes at {} of file {}",
            tensor.name(),
            tensor.ty(),
            tensor.dims().to_string(),
            tensor.byte_len(),
            tensor.offset(),
            found.shard + 1,
        )?;
    }
    Ok(out.flush()?)
}

/// A value on one line of moderate length.
fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::String(text) => {
            format!("{:?}", String::from_utf8_lossy(text).chars().take(60).collect::<String>())
        }
        ValueRef::Array(array) => format!("{} elements: {}", array.len(), first_elements(array)),
        // A number or a bool prints as `U32(7)`.
        other => format!("{:?}", other.to_value()),
    }
}

fn first_elements(array: ArrayRef<'_>) -> String {
    fn numbers<T: Scalar + Debug>(array: ArrayRef<'_>) -> Option<String> {
        array.iter::<T>().map(|numbers| format!("{:?}", numbers.take(5).collect::<Vec<_>>()))
    }
    let strings = |array: ArrayRef<'_>| {
        let texts: Vec<_> = array.strings()?.take(5).map(String::from_utf8_lossy).collect();
        Some(format!("{texts:?}"))
    };
    // An array is of one type: the first that fits is it.
    strings(array)
        .or_else(|| numbers::<i32>(array))
        .or_else(|| numbers::<u32>(array))
        .or_else(|| numbers::<f32>(array))
        .or_else(|| numbers::<bool>(array))
        .unwrap_or_else(|| format!("of {}", array.element_type()))
}
