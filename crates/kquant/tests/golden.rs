//! Against what ggml said: `tests/golden`, written by `cargo xtask fixtures`.

#[expect(dead_code, reason = "shared with other tests")]
mod common;

use std::collections::HashMap;
use std::path::Path;

use common::{Case, DECODE_ONLY, RANDOM_BLOCKS, TYPES, float_bytes, random_blocks};
use gguf_format::GgmlType;
use kquant::Isa;
use sha2::{Digest, Sha256};

#[test]
fn blocks_and_decoded_weights_are_those_of_ggml() {
    let mut failures = Vec::new();
    let mut compared = 0;
    for ty in TYPES {
        let text = golden_file(ty);
        let golden: HashMap<&str, (&str, &str)> = lines(&text).collect();
        let cases: Vec<Case> = Case::golden(ty).collect();
        assert_eq!(cases.len(), golden.len(), "{ty}: a golden file of other cases; make them again");
        for case in cases {
            let &(blocks, weights) = golden.get(case.name.as_str()).expect("a golden line for each case");
            let rows = case.src.len() / case.row_len;
            let row_bytes = ty.row_bytes(case.row_len as u64).unwrap() as usize;
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let mut encoded = vec![0xaa; rows * row_bytes];
                let importance = case.importance.as_deref();
                kquant::encode_rows_on(isa, ty, &case.src, case.row_len, importance, &mut encoded).unwrap();
                if short_hash(&encoded) != blocks {
                    failures.push(format!("{ty}: {}: encoded on {isa}", case.name));
                } else {
                    let mut decoded = vec![-1.0; case.src.len()];
                    kquant::decode_rows_on(isa, ty, &encoded, case.row_len, &mut decoded).unwrap();
                    if short_hash(&float_bytes(&decoded)) != weights {
                        failures.push(format!("{ty}: {}: decoded on {isa}", case.name));
                    }
                }
                compared += 1;
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {compared} differ from ggml:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(compared > 4000, "only {compared} cases");
}

#[test]
fn decode_only_types_decode_as_in_ggml() {
    for ty in DECODE_ONLY {
        let text = golden_file(ty);
        let golden: Vec<(&str, (&str, &str))> = lines(&text).collect();
        assert_eq!(golden.len(), RANDOM_BLOCKS.len(), "{ty}: a golden file of other cases; make them again");
        for (count, (name, (blocks_hash, weights_hash))) in RANDOM_BLOCKS.into_iter().zip(golden) {
            let blocks = random_blocks(ty, count);
            assert_eq!(
                (name, blocks_hash),
                (&*count.to_string(), &*short_hash(&blocks)),
                "{ty}: another case"
            );
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let mut weights = vec![-1.0; count * ty.block_len()];
                kquant::decode_rows_on(isa, ty, &blocks, weights.len(), &mut weights).unwrap();
                assert_eq!(short_hash(&float_bytes(&weights)), weights_hash, "{ty}: {count} blocks on {isa}");
            }
        }
    }
}

fn golden_file(ty: GgmlType) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{ty}.txt"));
    let text = std::fs::read_to_string(&path);
    assert!(text.is_ok(), "{}: {text:?}", path.display());
    text.unwrap_or_default()
}

/// Name, hash of blocks and hash of weights of each case.
fn lines(text: &str) -> impl Iterator<Item = (&str, (&str, &str))> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let parts: Vec<&str> = line.split(", ").collect();
        assert_eq!(parts.len(), 3, "{line}");
        (parts[0], (parts[1], parts[2]))
    })
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
