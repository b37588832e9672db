//! Against what ggml said: `tests/golden`, written by `cargo xtask fixtures`.

#[expect(dead_code, reason = "shared with other tests")]
mod common;

use std::collections::HashMap;
use std::path::Path;

use common::{Case, TYPES, float_bytes};
use kquant::Isa;
use sha2::{Digest, Sha256};

#[test]
fn blocks_and_decoded_weights_are_those_of_ggml() {
    let mut failures = Vec::new();
    let mut compared = 0;
    for ty in TYPES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{ty}.txt"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let golden: HashMap<&str, (&str, &str)> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let [name, blocks, weights] = line.split(", ").collect::<Vec<_>>()[..] else {
                    panic!("{}: {line}", path.display())
                };
                (name, (blocks, weights))
            })
            .collect();
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

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
