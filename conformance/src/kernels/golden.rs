//! What ggml says, kept for the tests of `kquant`, which need no ggml.

use std::fmt::Write as _;
use std::path::Path;

use peer::{ggml, guarded};
use sha2::{Digest, Sha256};

use super::Result;
use super::common::{Case, DECODE_ONLY, RANDOM_BLOCKS, TYPES, float_bytes, random_blocks};

/// Writes one file a type into `folder` (`crates/kquant/tests/golden`): for each case, the first 64 bits of
/// the SHA-256 of the blocks that ggml made of it and of the weights that ggml decoded from those. A
/// block at which ggml aborts is all zero. For a type that is
/// only decoded, random bytes stand in for the blocks.
///
/// # Errors
///
/// When ggml refuses a call or a file cannot be written.
pub fn write(folder: &Path) -> Result<()> {
    for ty in TYPES {
        let mut text =
            format!("# {ty}: {}\n# case, hash of blocks, hash of weights decoded\n", ggml::version());
        for case in Case::golden(ty) {
            let importance = case.importance.as_deref();
            let blocks = guarded::quantize_chunk(ty, &case.src, case.row_len, importance)?.blocks;
            let weights = ggml::dequantize_row(ty, &blocks)?;
            writeln!(text, "{}, {}, {}", case.name, short_hash(&blocks), short_hash(&float_bytes(&weights)))?;
        }
        std::fs::write(folder.join(format!("{ty}.txt")), text)?;
    }
    for ty in DECODE_ONLY {
        let mut text =
            format!("# {ty}: {}\n# random blocks, hash of them, hash of weights decoded\n", ggml::version());
        for count in RANDOM_BLOCKS {
            let blocks = random_blocks(ty, count);
            let weights = ggml::dequantize_row(ty, &blocks)?;
            writeln!(text, "{count}, {}, {}", short_hash(&blocks), short_hash(&float_bytes(&weights)))?;
        }
        std::fs::write(folder.join(format!("{ty}.txt")), text)?;
    }
    Ok(())
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
