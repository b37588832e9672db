//! How an output is called where no name is given.

use std::fs;
use std::path::{Path, PathBuf};

use entrenar::ecosystem::QuantizationType;

use super::Failure;

/// A file in the current folder, named after the model and the type it gets: `my-model-Q4_K_M.gguf` of the folder
/// `my-model` or a file in it, of `my-model-BF16.gguf`, and of `my-model-BF16-00001-of-00003.gguf`.
pub(crate) fn default_output(input: &Path, quant: QuantizationType) -> Result<PathBuf, Failure> {
    let full = fs::canonicalize(input).map_err(|e| format!("{}: {e}", input.display()))?;
    let is_gguf = full.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
    let name = match (full.is_dir(), is_gguf) {
        (true, _) => full.file_name(),
        (false, true) => full.file_stem(),
        (false, false) => full.parent().unwrap_or(&full).file_name(),
    };
    let name = name.map_or_else(|| "model".into(), |name| name.to_string_lossy());
    let name = if full.is_dir() { &*name } else { without_type(without_shard(&name)) };
    Ok(PathBuf::from(format!("{name}-{quant}.gguf")))
}

/// `model` of `model-00001-of-00003`.
fn without_shard(stem: &str) -> &str {
    let is_index = |text: &str| text.len() == 5 && is_number(text);
    match stem.rsplit_once("-of-").and_then(|(rest, count)| Some((rest.rsplit_once('-')?, count))) {
        Some(((name, index), count)) if is_index(index) && is_index(count) => name,
        _ => stem,
    }
}

/// A name without the type that it ends with: `my-model` of `my-model-BF16` or `my-model.BF16`.
fn without_type(name: &str) -> &str {
    match name.rsplit_once(['-', '.']) {
        Some((rest, ty)) if !rest.is_empty() && !is_number(ty) && QuantizationType::parse(ty).is_some() => {
            rest
        }
        _ => name,
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{without_shard, without_type};

    #[test]
    fn types_and_shard_numbers_at_the_end_of_names_are_seen() {
        for (name, without) in [
            ("my-model-BF16", "my-model"),
            ("my-model.q8_0", "my-model"),
            ("my-model", "my-model"),
            ("llama-7", "llama-7"),
            ("Qwen3-0.6B", "Qwen3-0.6B"),
            ("-F16", "-F16"),
            ("my-model-F16-00002-of-00003", "my-model"),
            ("my-model-00002-of-3", "my-model-00002-of-3"),
            ("best-of-breed", "best-of-breed"),
        ] {
            assert_eq!(without_type(without_shard(name)), without);
        }
    }
}
