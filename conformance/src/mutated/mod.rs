//! Damaged GGUF files, read by us and by llama.cpp: what it reads we read with the same meaning or refuse for a reason
//! that is written down, what it refuses we refuse or read for such a reason, and what stops it we refuse.
//!
//! The reasons are those of gguf-format's README (section "Limits").

mod damage;
mod file;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gguf_format::{
    Array, ByteOrder, DimsError, FormatError, Gguf, Limits, Place, ReadError, SUPER_BLOCK_LEN, TensorRef,
    Value, ValueRef,
};
use peer::gguf::{Answer, Header, read_all};

use crate::report::{Outcome, Report, first_few};
use damage::Damaged;

/// Makes the check, and prints its table.
pub fn run(report: &mut Report, dir: &Path, quick: bool) {
    report.check("mutated files", || {
        let files = if quick { damage::files(40, 2_000) } else { damage::files(1, 40_000) };
        compare(&files, dir)
    });
}

/// How both read a file: a row of the table, or what should not be.
type Verdict = std::result::Result<[&'static str; 3], String>;

fn compare(files: &[Damaged], dir: &Path) -> Outcome {
    let folder = dir.join("mutated");
    fs::create_dir_all(&folder)?;
    let answers = read_all(files, &folder)?;
    let mut rows = BTreeMap::<[&str; 3], usize>::new();
    let mut wrong = Vec::new();
    for (file, answer) in files.iter().zip(&answers) {
        let ours = Gguf::parse(&file.bytes, &Limits::default());
        match verdict(file, answer, ours) {
            Ok(row) => *rows.entry(row).or_default() += 1,
            Err(what) => {
                fs::write(folder.join(format!("wrong-{}.gguf", wrong.len())), &file.bytes)?;
                wrong.push(format!("{}: {what}", file.done));
            }
        }
    }
    println!("| llama.cpp | we | why | files |\n|---|---|---|---|");
    for ([theirs, ours, why], count) in &rows {
        println!("| {theirs} | {ours} | {why} | {count} |");
    }
    println!();
    if wrong.is_empty() {
        Ok(format!("{} files: the same, or a difference that is written down", files.len()))
    } else {
        let folder = folder.display();
        Err(format!("{} of {} files (kept in {folder}):\n{}", wrong.len(), files.len(), first_few(&wrong))
            .into())
    }
}

fn verdict(file: &Damaged, answer: &Answer, ours: Result<Gguf<'_>, ReadError>) -> Verdict {
    match (answer, ours) {
        (Answer::Read(theirs), Ok(gguf)) => {
            same(theirs, &gguf)?;
            Ok(["reads", "read the same", ""])
        }
        (Answer::HeaderOnly(theirs), Ok(gguf)) => {
            same(theirs, &gguf)?;
            if ends_early(&gguf) {
                Ok(["refuses", "read", "no padding after the last tensor"])
            } else {
                Err("llama.cpp reads the header and not the data, we read both".to_owned())
            }
        }
        (Answer::Refused, Ok(gguf)) => match laxer(&gguf) {
            Some(why) => Ok(["refuses", "read", why]),
            None => Err("llama.cpp refuses it, we read it".to_owned()),
        },
        (Answer::Stopped, Ok(_)) => Err("it stops llama.cpp, we read it".to_owned()),
        (Answer::Read(_), Err(error)) => match stricter(&error) {
            Some(why) => Ok(["reads", "refuse", why]),
            None => Err(format!("llama.cpp reads it, we do not: {error}")),
        },
        (Answer::HeaderOnly(_) | Answer::Refused, Err(_)) => Ok(["refuses", "refuse", ""]),
        (Answer::Stopped, Err(_)) => Ok(["is stopped", "refuse", ""]),
    }
    .map_err(|what| format!("{what} ({} bytes)", file.bytes.len()))
}

/// Why we refuse what llama.cpp reads.
fn stricter(error: &ReadError) -> Option<&'static str> {
    let ReadError::Format(error) = error else { return None };
    Some(match &**error {
        FormatError::Bool { .. } => "a bool is neither 0 nor 1",
        FormatError::NameNotText { .. } => "a key or name is not UTF-8 without NUL",
        FormatError::NameTooLong { place: Place::Key { .. }, .. } => "a key has more than 65535 bytes",
        FormatError::EmptyName { place: Place::TensorName { .. } } => "a tensor has no name",
        FormatError::Dims { problem: DimsError::Zero { .. }, .. } => "a dimension is 0",
        // A row's elements times a block's bytes: beyond 64 bits if the size times the longest block is.
        FormatError::OutOfFile { needed, .. } if needed.checked_mul(SUPER_BLOCK_LEN as u64).is_none() => {
            "the bytes of a tensor wrap when llama.cpp counts them"
        }
        _ => return None,
    })
}

/// Why we read what llama.cpp refuses.
fn laxer(gguf: &Gguf<'_>) -> Option<&'static str> {
    let nested = |(_, value): (&str, ValueRef<'_>)| {
        value.as_array().is_some_and(|array| array.element_type() == gguf_format::ValueType::Array)
    };
    if gguf.version() == 1 {
        Some("version 1")
    } else if gguf.byte_order() == ByteOrder::Big {
        Some("big-endian")
    } else if gguf.metadata().iter().any(nested) {
        Some("arrays of arrays")
    } else if !contiguous(gguf) {
        Some("gaps between tensors, or another order")
    } else {
        None
    }
}

/// Whether tensors follow each other without gaps, as llama.cpp asks for.
fn contiguous(gguf: &Gguf<'_>) -> bool {
    let mut next = gguf.data_start();
    gguf.tensors().iter().all(|tensor| {
        let found = std::mem::replace(&mut next, padded_end(gguf, tensor));
        tensor.offset() == found
    })
}

/// Whether the file ends within the padding after its last tensor.
fn ends_early(gguf: &Gguf<'_>) -> bool {
    gguf.tensors().iter().last().is_some_and(|last| gguf.file_len() < padded_end(gguf, last))
}

fn padded_end(gguf: &Gguf<'_>, tensor: TensorRef<'_>) -> u64 {
    tensor.range().end.next_multiple_of(gguf.alignment().into())
}

/// Whether what we read means what llama.cpp reads.
fn same(theirs: &Header, gguf: &Gguf<'_>) -> Result<(), String> {
    match ours(gguf).difference(theirs) {
        None => Ok(()),
        Some((ours, theirs)) => Err(format!("we read {ours}; llama.cpp {theirs}")),
    }
}

/// A header in the peer's words. Where the data begin has no meaning without tensors.
fn ours(gguf: &Gguf<'_>) -> Header {
    let data_start = (!gguf.tensors().is_empty()).then(|| gguf.data_start());
    let mut header = Header::new(gguf.version(), gguf.alignment().into(), data_start);
    for (key, value) in gguf.metadata().iter() {
        let (value, ty) = (value.to_value(), value.value_type().id());
        let element_type = match &value {
            Value::Array(array) => Some(array.element_type().id()),
            _ => None,
        };
        let elements = elements(&value);
        header.pair(key.as_bytes(), (ty, element_type), elements.iter().map(Vec::as_slice));
    }
    for tensor in gguf.tensors().iter() {
        let offset = tensor.offset() - gguf.data_start();
        header.tensor(
            tensor.name().as_bytes(),
            tensor.dims().ne(),
            tensor.ty().id(),
            offset,
            tensor.byte_len(),
        );
    }
    header
}

/// The bytes of a value, or of an array's elements. Of arrays of arrays none: llama.cpp reads no such file.
fn elements(value: &Value) -> Vec<Vec<u8>> {
    macro_rules! bytes {
        ($($variant:ident)*) => {
            match value {
                $(Value::$variant(v) => vec![v.to_le_bytes().to_vec()],)*
                Value::Bool(v) => vec![vec![u8::from(*v)]],
                Value::String(v) => vec![v.as_bytes().to_vec()],
                Value::Array(array) => match array {
                    $(Array::$variant(list) => list.iter().map(|v| v.to_le_bytes().to_vec()).collect(),)*
                    Array::Bool(list) => list.iter().map(|v| vec![u8::from(*v)]).collect(),
                    Array::String(list) => list.iter().map(|v| v.as_bytes().to_vec()).collect(),
                    Array::Array(_) => Vec::new(),
                },
            }
        };
    }
    bytes! { U8 I8 U16 I16 U32 I32 U64 I64 F32 F64 }
}
