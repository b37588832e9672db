//! The order in which llama.cpp's `llama-quantize` writes: a file laid out so comes back byte for byte from
//! `llama-quantize … COPY`, and keeps its digest wherever it is imported that way.
//!
//! Source of the facts: `weight_name_comparer` in `llama-model-loader.h`, `llama_model_quantize_impl` in
//! `llama-quant.cpp` and `gguf_write_out` in `gguf.cpp`, llama.cpp as pinned by `llama-cpp-sys-2` 0.1.161.

use std::cmp::Ordering;

use crate::keys;
use crate::metadata::Metadata;
use crate::tensor::TensorSpec;

/// The block (layer) number in a tensor name `blk.<n>.…`; −1 for a tensor that belongs to no block.
///
/// It is what C's `sscanf(name, "blk.%d.", …)` finds: white space and a sign may stand before the digits, and
/// what follows them does not matter.
#[must_use]
pub fn block_number(name: &str) -> i32 {
    let Some(rest) = name.strip_prefix("blk.") else { return -1 };
    let rest = rest.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let (negative, digits) = match rest.as_bytes() {
        [b'-', tail @ ..] => (true, tail),
        [b'+', tail @ ..] => (false, tail),
        all => (false, all),
    };
    if !digits.first().is_some_and(u8::is_ascii_digit) {
        return -1;
    }
    let sign = if negative { -1 } else { 1 };
    // glibc reads a long, which stops at its ends, and keeps the low half of it.
    let number = digits
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0i64, |n, b| n.saturating_mul(10).saturating_add(sign * i64::from(b - b'0')));
    number as i32
}

/// Compares two tensor names in canonical order: by [block number](block_number), then byte by byte.
#[must_use]
pub fn compare_tensor_names(a: &str, b: &str) -> Ordering {
    block_number(a).cmp(&block_number(b)).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}

/// Puts metadata and directory into the form that llama.cpp writes: `general.quantization_version` and then
/// `general.file_type` last, the `split.*` keys out, tensors by [name](compare_tensor_names), trailing
/// dimensions of 1 dropped.
///
/// The two `general.` keys are moved, not made: a file without them is no fixed point of `COPY`, which adds
/// them. Nor is one with an alignment other than 32, or with a NUL in a string.
pub fn canonicalize(metadata: &mut Metadata, tensors: &mut [TensorSpec]) {
    for key in [keys::SPLIT_NO, keys::SPLIT_COUNT, keys::SPLIT_TENSORS_COUNT] {
        metadata.remove(key);
    }
    for key in [keys::GENERAL_QUANTIZATION_VERSION, keys::GENERAL_FILE_TYPE] {
        if let Some(value) = metadata.remove(key) {
            metadata.insert(key, value);
        }
    }
    tensors.sort_by(|a, b| compare_tensor_names(&a.name, &b.name));
    for tensor in tensors {
        tensor.dims = tensor.dims.trimmed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ggml_type::GgmlType;
    use crate::tensor::Dims;
    use crate::value::Value;

    #[test]
    fn block_numbers_are_those_of_sscanf() {
        // What glibc 2.36 stores for the same names.
        let cases = [
            ("blk.0.attn_q.weight", 0),
            ("blk.12.ffn_up.weight", 12),
            ("blk.7", 7),
            ("blk.7x", 7),
            ("blk. 7.x", 7),
            ("blk.+7.x", 7),
            ("blk.-7.x", -7),
            ("blk.007.x", 7),
            ("blk.x", -1),
            ("blk.", -1),
            ("blk.+", -1),
            ("blk.- 7", -1),
            ("blk", -1),
            ("output.weight", -1),
            ("enc.blk.3.x", -1),
            ("blk.2147483648.x", i32::MIN),
            ("blk.4294967297.x", 1),
            ("blk.99999999999999999999.x", -1),
            ("blk.-99999999999999999999.x", 0),
        ];
        for (name, number) in cases {
            assert_eq!(block_number(name), number, "{name}");
        }
    }

    #[test]
    fn tensors_and_metadata_in_llama_quantizes_order() {
        let dims = Dims::new(&[4, 1]).unwrap();
        let mut tensors: Vec<_> = [
            "token_embd.weight",
            "blk.10.attn_q.weight",
            "blk.2.ffn_up.weight",
            "output.weight",
            "blk.2.attn_q.weight",
            "output_norm.weight",
        ]
        .map(|name| TensorSpec::new(name, dims, GgmlType::F32))
        .into();
        let mut metadata: Metadata = [
            ("general.file_type", Value::U32(1)),
            ("split.count", Value::U16(2)),
            ("general.quantization_version", Value::U32(2)),
            ("general.name", Value::from("x")),
        ]
        .into_iter()
        .collect();
        canonicalize(&mut metadata, &mut tensors);
        assert_eq!(
            tensors.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
            [
                "output.weight",
                "output_norm.weight",
                "token_embd.weight",
                "blk.2.attn_q.weight",
                "blk.2.ffn_up.weight",
                "blk.10.attn_q.weight",
            ]
        );
        assert!(tensors.iter().all(|t| t.dims.as_slice() == [4]));
        assert_eq!(
            metadata.iter().map(|(k, _)| k).collect::<Vec<_>>(),
            ["general.name", "general.quantization_version", "general.file_type"]
        );
    }
}
