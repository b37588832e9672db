//! Any metadata and tensors through the writer: refused, or a header that reads back as what was written.

use arbitrary::{Arbitrary, Unstructured};
use gguf_format::{Gguf, Layout, Limits, PlacedTensor};

use crate::check;
use crate::pairs::AnyModel;

/// Larger files are not read back: their bytes would all be in memory.
const MAX_FILE: u64 = 1 << 22;

/// Pairs and tensors, as `arbitrary` makes them of bytes.
pub fn body(input: &[u8]) -> bool {
    let Ok(model) = AnyModel::arbitrary_take_rest(Unstructured::new(input)) else { return false };
    let (metadata, specs) = model.parts();
    let layout = match Layout::new(metadata, specs) {
        Ok(layout) => layout,
        Err(error) => {
            check::one_line(&error);
            return true;
        }
    };
    let mut bytes = layout.header();
    assert_eq!(bytes.len() as u64, layout.data_start());
    assert!(layout.data_start().is_multiple_of(layout.alignment().into()));
    if layout.file_len() > MAX_FILE {
        return true;
    }
    bytes.resize(layout.file_len() as usize, 0);
    let read = Gguf::parse(&bytes, &Limits::default()).expect("what the writer takes the reader reads");
    // Compared as text: a NaN does not equal itself.
    assert_eq!(format!("{:?}", read.metadata().to_metadata()), format!("{:?}", layout.metadata()));
    let specs: Vec<_> = read.tensors().iter().map(|t| t.to_spec()).collect();
    assert!(specs.iter().eq(layout.tensors().iter().map(PlacedTensor::spec)));
    for (tensor, placed) in read.tensors().iter().zip(layout.tensors()) {
        assert_eq!(tensor.offset(), placed.offset());
        assert_eq!(tensor.byte_len(), placed.byte_len());
    }
    true
}
