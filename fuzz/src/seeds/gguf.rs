//! Seeds that are GGUF files: gguf-py's, ones of the older versions, one with every type of value and of tensor.

use std::fs;

use gguf_format::{Array, Dims, GgmlType, GgufString, Layout, Metadata, TensorSpec};
use serde_json::Value;

use super::{Inputs, files_of};

/// Seeds of the reader.
pub(super) fn reader() -> Inputs {
    let mut seeds = golden();
    for (version, big_endian, name) in
        [(1, false, "v1-le"), (1, true, "v1-be"), (2, false, "v2-le"), (2, true, "v2-be")]
    {
        seeds.insert(name.to_owned(), old_version(version, big_endian));
    }
    seeds.insert("everything".to_owned(), everything());
    let whole = &seeds["every-type-le"];
    let cut = whole[..700].to_vec();
    seeds.insert("cut-short".to_owned(), cut);
    seeds
}

/// Seeds of the writer: bytes that `arbitrary` makes metadata of.
pub(super) fn writer() -> Inputs {
    let mut seeds = golden();
    seeds.insert("counting".to_owned(), (0..=255).cycle().take(2000).collect());
    seeds.insert("ones".to_owned(), vec![1; 500]);
    seeds
}

/// What gguf-py wrote.
fn golden() -> Inputs {
    let files = files_of("crates/gguf-format/tests/golden").into_iter();
    files.filter_map(|(name, bytes)| Some((name.strip_suffix(".gguf")?.to_owned(), bytes))).collect()
}

/// A file of version 1 (lengths and dimensions of 32 bits) or 2.
fn old_version(version: u32, big_endian: bool) -> Vec<u8> {
    let mut out = b"GGUF".to_vec();
    let number = |out: &mut Vec<u8>, bytes: &mut [u8]| {
        if big_endian {
            bytes.reverse();
        }
        out.extend_from_slice(bytes);
    };
    let u32 = |out: &mut Vec<u8>, n: u32| number(out, &mut n.to_le_bytes());
    let count = |out: &mut Vec<u8>, n: u64| match version {
        1 => u32(out, n as u32),
        _ => number(out, &mut n.to_le_bytes()),
    };
    let string = |out: &mut Vec<u8>, text: &str| {
        count(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    };
    u32(&mut out, version);
    count(&mut out, 1);
    count(&mut out, 2);
    string(&mut out, "general.architecture");
    u32(&mut out, 8);
    string(&mut out, "llama");
    string(&mut out, "a");
    u32(&mut out, 9);
    u32(&mut out, 3);
    count(&mut out, 3);
    for n in [1i16, -2, 3] {
        number(&mut out, &mut n.to_le_bytes());
    }
    string(&mut out, "t");
    u32(&mut out, 2);
    count(&mut out, 2);
    count(&mut out, 3);
    u32(&mut out, 1);
    number(&mut out, &mut 0u64.to_le_bytes());
    out.resize(out.len().next_multiple_of(32), 0);
    out.resize(out.len() + 12, 7);
    out
}

/// Every type of tensor, nested arrays, strings that are not UTF-8.
fn everything() -> Vec<u8> {
    let mut metadata = Metadata::new();
    metadata.insert("general.alignment", 64u32);
    metadata.insert("text", GgufString::from(b"\xff\xfe\0".to_vec()));
    let texts = Array::String(vec![GgufString::from(b"\xc3".to_vec()), GgufString::from(b"a".to_vec())]);
    let deep = Array::Array(vec![Array::Array(vec![Array::Bool(vec![true, false])]), Array::U8(vec![])]);
    metadata.insert("nested", Array::Array(vec![texts.clone(), deep, Array::I64(vec![-1])]));
    metadata.insert("texts", texts);
    let spec = |ty: &GgmlType| {
        let dims = Dims::new(&[ty.block_len() as u64, 1, 2]).expect("dimensions");
        TensorSpec::new(format!("blk.{}.{}", ty.id(), ty.name()), dims, *ty)
    };
    let layout = Layout::new(metadata, GgmlType::ALL.iter().map(spec).collect()).expect("a layout");
    let mut file = layout.header();
    file.resize(layout.file_len() as usize, 0x3c);
    file
}

/// What quant-recipe's golden file has of importance matrices, as llama.cpp writes and reads them.
pub(super) fn imatrix() -> Inputs {
    let path = crate::root().join("crates/quant-recipe/tests/golden/imatrix.json");
    let golden: Value = serde_json::from_slice(&fs::read(path).expect("a golden file")).expect("JSON");
    let files = golden["files"].as_array().expect("files");
    let seed = |file: &Value| {
        let digits = file["bytes"].as_str().expect("hexadecimal").as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let bytes = digits.chunks(2).map(|pair| byte(pair).expect("two digits")).collect();
        (file["name"].as_str().expect("a name").to_owned(), bytes)
    };
    files.iter().map(seed).collect()
}
