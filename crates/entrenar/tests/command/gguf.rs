//! GGUF files by hand, with what a writer would refuse.

/// A key and its value, as they lie in the file.
pub(crate) struct Pair(Vec<u8>);

fn text(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_le_bytes(), bytes].concat()
}

impl Pair {
    pub(crate) fn text(key: &[u8], value: &[u8]) -> Self {
        Self([text(key), 8_u32.to_le_bytes().to_vec(), text(value)].concat())
    }

    pub(crate) fn texts(key: &[u8], values: &[&[u8]]) -> Self {
        let mut bytes = text(key);
        bytes.extend([9_u32, 8].iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend((values.len() as u64).to_le_bytes());
        bytes.extend(values.iter().flat_map(|value| text(value)));
        Self(bytes)
    }
}

/// A file of these pairs and one tensor of 32 zeros.
pub(crate) fn gguf(pairs: &[Pair], tensor: &[u8]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend([1, pairs.len() as u64].iter().flat_map(|n| n.to_le_bytes()));
    bytes.extend(pairs.iter().flat_map(|pair| &pair.0));
    bytes.extend(text(tensor));
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(32_u64.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.resize(bytes.len().next_multiple_of(32) + 128, 0);
    bytes
}
