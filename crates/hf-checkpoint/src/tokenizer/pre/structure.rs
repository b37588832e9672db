//! Pre-tokenizers by how they split: the splits of a `tokenizer.json` as a list of regular expressions, and llama.cpp's
//! name for each list that it has.
//!
//! Several names may split alike and differ in what else llama.cpp does by them (whether merges are skipped for words
//! that are tokens, whether decoding tidies spaces). A row names the one that is right for any vocabulary.

use serde_json::Value;

use super::super::json::{TokenizerJson, component_type};

/// A list of splits that llama.cpp has.
#[derive(Debug)]
pub(super) struct Row {
    pub name: &'static str,
    /// What each split finds, in turn; after the last the text is in bytes.
    splits: &'static [&'static str],
    /// `ignore_merges` of the model, where the name depends on it.
    ignore_merges: Option<bool>,
    /// The real tokenizer that this row was tested with; `None`: taken from `llama-vocab.cpp` alone.
    #[cfg_attr(not(test), expect(dead_code, reason = "evidence, read by the tests"))]
    pub verified: Option<&'static str>,
}

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const JAIS2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";
const SEED_CODER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const BAILING: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const EXAONE_MOE: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";
const UFAKZEKA: &str = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const MINICPM5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";

const fn row(name: &'static str, splits: &'static [&'static str], verified: Option<&'static str>) -> Row {
    Row { name, splits, ignore_merges: None, verified }
}

/// The rows; the splits as they stand in a `tokenizer.json`.
pub(super) const ROWS: &[Row] = &[
    Row { ignore_merges: Some(true), ..row("llama-bpe", &[LLAMA3], Some("Llama 3.1")) },
    Row { ignore_merges: Some(false), ..row("dbrx", &[LLAMA3], Some("GPT-3.5")) },
    row("qwen2", &[QWEN2], Some("Qwen3")),
    row("qwen35", &[QWEN35], Some("Qwen3.6")),
    row("gpt-2", &[GPT2], Some("GPT-2")),
    row("smollm", &[r"\p{N}", GPT2], Some("SmolLM2")),
    row("gpt-4o", &[GPT4O], Some("gpt-oss")),
    row("tekken", &[TEKKEN], Some("Mistral Nemo")),
    row("deepseek-v3", &[r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3], Some("DeepSeek V3")),
    row("deepseek-coder", &[r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}"], None),
    row("jais-2", &[JAIS2], None),
    row("seed-coder", &[SEED_CODER], None),
    row("bailingmoe", &[BAILING], None),
    row("exaone-moe", &[EXAONE_MOE], None),
    row("ufakzeka", &[UFAKZEKA], None),
    row("minicpm5", &[r"\p{N}{1,3}", MINICPM5], None),
    row("tiny_aya", &[r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O], None),
    row("superbpe", &[r"\p{N}+", r"(?=(\d{3})+(?!\d))"], None),
    row("bloom", &[BLOOM], None),
    row("viking", &[BLOOM, r"\p{N}"], None),
];

/// The row of a tokenizer, if it splits as one does.
pub(super) fn find(json: &TokenizerJson) -> Option<&'static Row> {
    if json.model_kind() != "BPE" || json.model.byte_fallback == Some(true) || !harmless(&json.normalizer) {
        return None;
    }
    let mut splits = Vec::new();
    if !flatten(&json.pre_tokenizer, &mut splits) || splits.pop().as_deref() != Some(BYTES) {
        return None;
    }
    let ignore_merges = json.model.ignore_merges == Some(true);
    ROWS.iter().find(|r| r.splits == splits && r.ignore_merges.is_none_or(|i| i == ignore_merges))
}

/// The text turns into GPT-2's alphabet of bytes.
const BYTES: &str = "bytes";

/// llama.cpp normalizes nothing for byte-level BPE; of the normalizers in use only NFC, which most text is in already,
/// is taken to be close enough, by the converter as well.
fn harmless(normalizer: &Value) -> bool {
    match component_type(normalizer) {
        "" => normalizer.is_null(),
        "NFC" => true,
        "Sequence" => match normalizer.get("normalizers").and_then(Value::as_array) {
            Some(parts) => parts.iter().all(|part| component_type(part) == "NFC"),
            None => false,
        },
        _ => false,
    }
}

/// Appends a component's splits; false if it has one that is no plain search.
fn flatten(component: &Value, splits: &mut Vec<String>) -> bool {
    let flag = |key: &str| component.get(key).and_then(Value::as_bool);
    match component_type(component) {
        "Sequence" => match component.get("pretokenizers").and_then(Value::as_array) {
            // Nesting deeper than one is met nowhere.
            Some(parts) => {
                parts.iter().all(|part| component_type(part) != "Sequence" && flatten(part, splits))
            }
            None => false,
        },
        "Split" => {
            let invert = flag("invert").unwrap_or(false);
            let behavior = component.get("behavior").and_then(Value::as_str);
            // What the expression finds is kept; nothing is left over that it does not find.
            let keeps = matches!((behavior, invert), (Some("Isolated"), _) | (Some("Removed"), true));
            match component.pointer("/pattern/Regex").and_then(Value::as_str) {
                Some(regex) if keeps => {
                    splits.push(regex.replace('\r', r"\r").replace('\n', r"\n"));
                    true
                }
                _ => false,
            }
        }
        "Digits" => {
            let single = flag("individual_digits") == Some(true);
            splits.push(String::from(if single { r"\p{N}" } else { r"\p{N}+" }));
            true
        }
        "ByteLevel" if flag("add_prefix_space") == Some(false) => {
            if flag("use_regex") != Some(false) {
                splits.push(GPT2.to_owned());
            }
            splits.push(BYTES.to_owned());
            true
        }
        _ => false,
    }
}

/// A tokenizer's structure in a few words, for an error message.
pub(super) fn describe(json: &TokenizerJson) -> String {
    let types = |component: &Value, key: &str| match component.get(key).and_then(Value::as_array) {
        Some(parts) => parts.iter().map(part).collect::<Vec<_>>().join(" + "),
        None => part(component),
    };
    format!(
        "normalizer {}, pre_tokenizer {}, model {}",
        types(&json.normalizer, "normalizers"),
        types(&json.pre_tokenizer, "pretokenizers"),
        json.model_kind()
    )
}

fn part(component: &Value) -> String {
    let regex = component.pointer("/pattern/Regex").or_else(|| component.pointer("/pattern/String"));
    match (component_type(component), regex.and_then(Value::as_str)) {
        ("", _) => "none".to_owned(),
        (name, Some(regex)) => format!("{name}({:?})", super::super::file::shorten(regex, 60)),
        (name, None) => name.to_owned(),
    }
}
