//! A GGUF file in parts that can be damaged one by one, and then written as if nothing had happened.

use std::ops::Range;

/// How numbers are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    pub big: bool,
    /// Lengths and counts of 64 bits: all versions but the first.
    pub wide: bool,
}

/// A metadata pair.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub key: Vec<u8>,
    pub key_len: Option<u64>,
    pub ty: u32,
    /// Of an array: the elements' type and the number of them.
    pub array: Option<(u32, u64)>,
    /// The value, or the elements.
    pub value: Vec<u8>,
}

/// An entry of the directory of tensors.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub name: Vec<u8>,
    pub name_len: Option<u64>,
    pub dims: Vec<u64>,
    pub dims_count: Option<u32>,
    pub ty: u32,
    pub offset: u64,
}

/// A file.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub encoding: Encoding,
    pub version: u32,
    /// Tensors and pairs claimed, if not as many as there are.
    pub counts: [Option<u64>; 2],
    pub pairs: Vec<Pair>,
    pub tensors: Vec<Tensor>,
    /// What the data's beginning is a multiple of.
    pub alignment: usize,
    /// Bytes after the header's padding.
    pub data: usize,
}

impl Encoding {
    fn number<const N: usize>(self, out: &mut Vec<u8>, little: [u8; N]) {
        let bytes = little.into_iter();
        if self.big { out.extend(bytes.rev()) } else { out.extend(bytes) }
    }

    pub(super) fn u32(self, out: &mut Vec<u8>, number: u32) {
        self.number(out, number.to_le_bytes());
    }

    pub(super) fn length(self, out: &mut Vec<u8>, number: u64) {
        if self.wide { self.number(out, number.to_le_bytes()) } else { self.u32(out, number as u32) }
    }

    pub(super) fn text(self, out: &mut Vec<u8>, text: &[u8]) {
        self.length(out, text.len() as u64);
        out.extend_from_slice(text);
    }
}

/// Every type of a value: its number, and how many bytes one has (0: a text).
const TYPES: [(u32, usize); 12] =
    [(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (5, 4), (6, 4), (7, 1), (8, 0), (10, 8), (11, 8), (12, 8)];

/// Tensors: name, dimensions, type's number, bytes.
const TENSORS: [(&str, &[u64], u32, u64); 5] = [
    ("token_embd.weight", &[8, 3], 0, 96),
    ("blk.0.attn_q.weight", &[64, 2], 8, 136),
    ("blk.0.ffn_down.weight", &[256], 12, 144),
    ("blk.0.bias", &[5, 1, 2], 1, 20),
    ("scale", &[1], 24, 1),
];

impl File {
    /// A file with a value and an array of every type and some tensors.
    pub(super) fn whole(encoding: Encoding, version: u32, alignment: u32) -> Self {
        let mut pairs = vec![Pair::text(encoding, "general.architecture", b"llama")];
        if alignment != 32 {
            let mut value = Vec::new();
            encoding.u32(&mut value, alignment);
            pairs.push(Pair::new("general.alignment", 4, value));
        }
        for (ty, bytes) in TYPES {
            let elements: Vec<Vec<u8>> = (0..3).map(|i| element(encoding, ty, bytes, i)).collect();
            pairs.push(Pair::new(&format!("one.{ty}"), ty, elements[1].clone()));
            let array = Pair::new(&format!("many.{ty}"), 9, elements.concat());
            pairs.push(Pair { array: Some((ty, 3)), ..array });
        }
        let mut offset = 0;
        let mut tensors = Vec::new();
        for (name, dims, ty, bytes) in TENSORS {
            let name = name.as_bytes().to_vec();
            tensors.push(Tensor { name, name_len: None, dims: dims.to_vec(), dims_count: None, ty, offset });
            offset = (offset + bytes).next_multiple_of(alignment.into());
        }
        let (alignment, data) = (alignment as usize, offset as usize);
        Self { encoding, version, counts: [None; 2], pairs, tensors, alignment, data }
    }

    /// The bytes, and which of them are the header.
    pub(super) fn write(&self) -> (Vec<u8>, Range<usize>) {
        let encoding = self.encoding;
        let mut out = b"GGUF".to_vec();
        encoding.u32(&mut out, self.version);
        encoding.length(&mut out, self.counts[0].unwrap_or(self.tensors.len() as u64));
        encoding.length(&mut out, self.counts[1].unwrap_or(self.pairs.len() as u64));
        for pair in &self.pairs {
            encoding.length(&mut out, pair.key_len.unwrap_or(pair.key.len() as u64));
            out.extend_from_slice(&pair.key);
            encoding.u32(&mut out, pair.ty);
            if let Some((ty, count)) = pair.array {
                encoding.u32(&mut out, ty);
                encoding.length(&mut out, count);
            }
            out.extend_from_slice(&pair.value);
        }
        for tensor in &self.tensors {
            encoding.length(&mut out, tensor.name_len.unwrap_or(tensor.name.len() as u64));
            out.extend_from_slice(&tensor.name);
            encoding.u32(&mut out, tensor.dims_count.unwrap_or(tensor.dims.len() as u32));
            for dim in &tensor.dims {
                encoding.length(&mut out, *dim);
            }
            encoding.u32(&mut out, tensor.ty);
            encoding.number(&mut out, tensor.offset.to_le_bytes());
        }
        let header = 0..out.len();
        out.resize(out.len().next_multiple_of(self.alignment), 0);
        out.extend((0..self.data).map(|i| i as u8));
        (out, header)
    }
}

impl Pair {
    pub(super) fn new(key: &str, ty: u32, value: Vec<u8>) -> Self {
        Self { key: key.as_bytes().to_vec(), key_len: None, ty, array: None, value }
    }

    pub(super) fn text(encoding: Encoding, key: &str, text: &[u8]) -> Self {
        let mut value = Vec::new();
        encoding.text(&mut value, text);
        Self::new(key, 8, value)
    }
}

/// A value of a type; booleans are 0 or 1.
fn element(encoding: Encoding, ty: u32, bytes: usize, i: u8) -> Vec<u8> {
    let mut out = Vec::new();
    match (ty, bytes) {
        (7, _) => out.push(i % 2),
        (8, _) => encoding.text(&mut out, [b"\xe2\x96\x81the".as_slice(), b"", b"\xff\xfe"][usize::from(i)]),
        (_, bytes) => out.extend((0..bytes as u8).map(|byte| byte.wrapping_mul(37).wrapping_add(i))),
    }
    out
}
