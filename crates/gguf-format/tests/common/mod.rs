//! Files put together byte by byte, by the letter of the specification and with no code of the crate.

/// A file in the making.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) bytes: Vec<u8>,
    big: bool,
    wide: bool,
}

impl Raw {
    /// Magic and version.
    pub(crate) fn new(version: u32, big: bool) -> Self {
        let mut raw = Self { bytes: b"GGUF".to_vec(), big, wide: version > 1 };
        raw.u32(version);
        raw
    }

    /// Little-endian, version 3, with these counts.
    pub(crate) fn v3(tensors: u64, pairs: u64) -> Self {
        Self::new(3, false).length(tensors).length(pairs).clone()
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A number given as its little-endian bytes.
    pub(crate) fn number<const N: usize>(&mut self, mut little: [u8; N]) -> &mut Self {
        if self.big {
            little.reverse();
        }
        self.put(&little)
    }

    pub(crate) fn u32(&mut self, n: u32) -> &mut Self {
        self.number(n.to_le_bytes())
    }

    pub(crate) fn u64(&mut self, n: u64) -> &mut Self {
        self.number(n.to_le_bytes())
    }

    /// A length or count: 32 bits in version 1.
    pub(crate) fn length(&mut self, n: u64) -> &mut Self {
        if self.wide { self.u64(n) } else { self.u32(n as u32) }
    }

    pub(crate) fn string(&mut self, text: &[u8]) -> &mut Self {
        self.length(text.len() as u64).put(text)
    }

    /// A key and the id of its value's type.
    pub(crate) fn key(&mut self, key: &str, ty: u32) -> &mut Self {
        self.string(key.as_bytes()).u32(ty)
    }

    /// A directory entry.
    pub(crate) fn tensor(&mut self, name: &[u8], dims: &[u64], ty: u32, offset: u64) -> &mut Self {
        self.string(name).u32(dims.len() as u32);
        for &dim in dims {
            self.length(dim);
        }
        self.u32(ty).u64(offset)
    }

    /// Zeros up to a multiple of this, then this many more bytes.
    pub(crate) fn data(&mut self, alignment: usize, bytes: usize) -> &mut Self {
        let start = self.bytes.len().next_multiple_of(alignment);
        self.bytes.resize(start + bytes, 0);
        self
    }
}
