//! Files of every version in both byte orders, put together by hand, and typed access to them.

mod common;

use std::collections::BTreeMap;

use common::Raw;
use gguf_format::{
    ArrayRef, ByteOrder, Elements, GgmlType, Gguf, KeyError, Limits, MetadataRef, Strings, ValueRef,
};

fn file(version: u32, big: bool) -> Vec<u8> {
    let mut raw = Raw::new(version, big);
    raw.length(2).length(7);
    raw.key("general.architecture", 8).string(b"llama");
    raw.key("llama.block_count", 4).u32(0x0102_0304);
    raw.key("llama.rope.freq_base", 6).number(10_000f32.to_le_bytes());
    raw.key("tokenizer.ggml.tokens", 9).u32(8).length(3).string(b"<s>").string(b"").string(b"\xff\xfe");
    raw.key("tokenizer.ggml.scores", 9).u32(6).length(2);
    raw.number(0.5f32.to_le_bytes()).number((-1f32).to_le_bytes());
    raw.key("negative", 11).number((-5i64).to_le_bytes());
    raw.key("blob", 8).string(b"\xff");
    raw.tensor(b"b", &[4, 2], 0, 64).tensor(b"a", &[32], 8, 0);
    raw.data(32, 96);
    raw.bytes
}

const EVERY: [(u32, bool); 6] = [(1, false), (2, false), (3, false), (1, true), (2, true), (3, true)];

#[test]
fn every_version_in_both_byte_orders_reads_the_same() {
    for (version, big) in EVERY {
        let bytes = file(version, big);
        let gguf =
            Gguf::parse(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("v{version} {big}: {e}"));
        let order = if big { ByteOrder::Big } else { ByteOrder::Little };
        assert_eq!(
            (gguf.version(), gguf.byte_order(), gguf.file_len()),
            (version, order, bytes.len() as u64)
        );

        let metadata = gguf.metadata();
        assert_eq!(metadata.len(), 7);
        assert_eq!(metadata.get_as::<&str>("general.architecture"), Ok("llama"));
        assert_eq!(metadata.get_as::<u32>("llama.block_count"), Ok(0x0102_0304));
        assert_eq!(metadata.get_as::<f32>("llama.rope.freq_base"), Ok(10_000.0));
        let tokens: Vec<_> = metadata.get_as::<Strings<'_>>("tokenizer.ggml.tokens").unwrap().collect();
        assert_eq!(tokens, [b"<s>".as_slice(), b"", b"\xff\xfe"]);
        let scores: Elements<'_, f32> = metadata.get_as("tokenizer.ggml.scores").unwrap();
        assert_eq!((scores.len(), scores.get(1), scores.get(2)), (2, Some(-1.0), None));
        assert_eq!(scores.collect::<Vec<_>>(), [0.5, -1.0]);

        let tensors = gguf.tensors();
        let start = gguf.data_start();
        assert_eq!(start, bytes.len() as u64 - 96);
        let places: BTreeMap<_, _> = tensors
            .iter()
            .map(|t| (t.name(), (t.index(), t.ty(), t.offset() - start, t.byte_len())))
            .collect();
        assert_eq!(places["a"], (1, GgmlType::Q8_0, 0, 34));
        assert_eq!(places["b"], (0, GgmlType::F32, 64, 32));
        assert_eq!(tensors.find("b").map(|t| t.dims().as_slice().to_vec()), Some(vec![4, 2]));
        assert!(tensors.find("c").is_none());
    }
}

#[test]
fn a_wrong_type_is_named_with_key_found_and_wanted() {
    fn check<T: std::fmt::Debug>(found: Result<T, KeyError>, message: &str) {
        assert_eq!(found.unwrap_err().to_string(), message);
    }
    for (version, big) in EVERY {
        let bytes = file(version, big);
        let gguf = Gguf::parse(&bytes, &Limits::default()).unwrap();
        let metadata: MetadataRef<'_> = gguf.metadata();
        check(
            metadata.get_as::<u64>("llama.block_count"),
            "key \"llama.block_count\" is of type u32, expected u64: correct it where the file is made",
        );
        check(
            metadata.get_as::<Elements<'_, u32>>("tokenizer.ggml.scores"),
            "key \"tokenizer.ggml.scores\" is of type arr[f32], expected arr[u32]: correct it where the file is \
             made",
        );
        check(
            metadata.get_as::<u32>("llama.context_length"),
            "key \"llama.context_length\" is missing, expected a value of type u32: the file lacks it",
        );
        check(
            metadata.get_as::<&str>("blob"),
            "key \"blob\" is not UTF-8: read it as bytes, or correct it where the file is made",
        );
        check(
            metadata.find_count("negative"),
            "key \"negative\" is -5, expected 0 or more: correct it where the file is made",
        );
        check(
            metadata.find_count("blob"),
            "key \"blob\" is of type str, expected an integer: correct it where the file is made",
        );
        assert_eq!(metadata.find_as::<u32>("llama.context_length"), Ok(None));
        assert_eq!(metadata.find_count("llama.block_count"), Ok(Some(0x0102_0304)));
        assert_eq!(metadata.get_as::<&[u8]>("blob"), Ok(b"\xff".as_slice()));
        assert!(metadata.get_as::<ArrayRef<'_>>("tokenizer.ggml.tokens").is_ok());
        assert!(matches!(metadata.get("negative"), Some(ValueRef::I64(-5))));
    }
}

#[test]
fn a_tensor_without_dimensions_has_one_element() {
    let mut raw = Raw::v3(1, 0);
    raw.tensor(b"scalar", &[], 0, 0).data(32, 4);
    let gguf = Gguf::parse(&raw.bytes, &Limits::default()).unwrap();
    let tensor = gguf.tensors().get(0).unwrap();
    assert_eq!((tensor.dims().as_slice(), tensor.byte_len()), ([1u64].as_slice(), 4));
}

#[test]
fn tensors_may_lie_apart_and_in_any_order() {
    let mut raw = Raw::v3(3, 0);
    raw.tensor(b"a", &[8], 0, 128).tensor(b"b", &[1], 0, 32).tensor(b"c", &[1], 0, 0).data(32, 160);
    let gguf = Gguf::parse(&raw.bytes, &Limits::default()).unwrap();
    let offsets: Vec<_> = gguf.tensors().iter().map(|t| t.offset() - gguf.data_start()).collect();
    assert_eq!(offsets, [128, 32, 0]);
}
