//! What an added token becomes when it is encoded and decoded again.
//!
//! llama.cpp wants added tokens as they stand in the text, so the converter sends those that are not normalized through
//! the tokenizer and back. Encoding finds the token whole; only the decoder can change it.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::json::component_type;

/// GPT-2's alphabet: printable bytes stand for themselves, the rest for U+0100 and on.
pub(super) static BYTE_CHARS: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut next = 0x100;
    std::array::from_fn(|byte| match u8::try_from(byte) {
        Ok(b @ (b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)) => char::from(b),
        _ => {
            next += 1;
            char::from_u32(next - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    })
});

static CHAR_BYTES: LazyLock<HashMap<char, u8>> =
    LazyLock::new(|| BYTE_CHARS.iter().copied().zip(0..=u8::MAX).collect());

/// The text that a decoder of `tokenizer.json` makes of one token alone.
pub(super) fn decode(decoder: &Value, token: String) -> String {
    let text = |key: &str| decoder.get(key).and_then(Value::as_str).unwrap_or("");
    let count = |key: &str| decoder.get(key).and_then(Value::as_u64).unwrap_or(0);
    match component_type(decoder) {
        "ByteLevel" => byte_level(token),
        "WordPiece" => match decoder.get("cleanup").and_then(Value::as_bool) {
            Some(false) => token,
            _ => clean_up(&token),
        },
        "ByteFallback" => byte_fallback(token),
        "Replace" => match decoder.pointer("/pattern/String").and_then(Value::as_str) {
            Some(pattern) if !pattern.is_empty() && fits(&token, pattern, text("content")) => {
                token.replace(pattern, text("content"))
            }
            _ => token,
        },
        "Strip" => strip(&token, text("content"), count("start"), count("stop")),
        "Metaspace" => metaspace(decoder, &token),
        "BPEDecoder" if !text("suffix").is_empty() => token.replace(text("suffix"), ""),
        "Sequence" => match decoder.get("decoders").and_then(Value::as_array) {
            Some(parts) => parts.iter().fold(token, |token, part| decode(part, token)),
            None => token,
        },
        _ => token,
    }
}

/// Whether what comes out is no longer than a decoder makes a token: a few replacements in a row, or one for each of a
/// million tokens, could fill the memory.
fn fits(token: &str, pattern: &str, content: &str) -> bool {
    const MAX_GROWTH: usize = 16;
    let grows = content.len().saturating_sub(pattern.len());
    grows == 0 || token.matches(pattern).count().saturating_mul(grows) <= MAX_GROWTH
}

/// A token wholly of GPT-2's alphabet is read as bytes, any other is taken as it is.
fn byte_level(token: String) -> String {
    match token.chars().map(|c| CHAR_BYTES.get(&c).copied()).collect::<Option<Vec<u8>>>() {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => token,
    }
}

/// `<0x41>` is the byte 0x41.
fn byte_fallback(token: String) -> String {
    let byte = token
        .strip_prefix("<0x")
        .and_then(|t| t.strip_suffix('>'))
        .filter(|hex| hex.len() == 2)
        .and_then(|hex| u8::from_str_radix(hex, 16).ok());
    match byte {
        Some(byte) => String::from_utf8_lossy(&[byte]).into_owned(),
        None => token,
    }
}

fn strip(token: &str, content: &str, start: u64, stop: u64) -> String {
    let mut rest = token;
    if content.is_empty() {
        return token.to_owned();
    }
    for _ in 0..start {
        match rest.strip_prefix(content) {
            Some(r) => rest = r,
            None => break,
        }
    }
    for _ in 0..stop {
        match rest.strip_suffix(content) {
            Some(r) => rest = r,
            None => break,
        }
    }
    rest.to_owned()
}

fn metaspace(decoder: &Value, token: &str) -> String {
    let replacement = decoder.get("replacement").and_then(Value::as_str).unwrap_or("▁");
    let prepends = decoder.get("prepend_scheme").and_then(Value::as_str) != Some("never")
        && decoder.get("add_prefix_space").and_then(Value::as_bool) != Some(false);
    let token = if prepends { token.strip_prefix(replacement).unwrap_or(token) } else { token };
    if replacement.is_empty() { token.to_owned() } else { token.replace(replacement, " ") }
}

/// WordPiece's tidying of spaces before punctuation and English contractions.
fn clean_up(token: &str) -> String {
    const SPACED: [(&str, &str); 11] = [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" do not", " don't"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];
    SPACED.iter().fold(token.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn byte_level_reads_its_alphabet_and_leaves_the_rest() {
        let decoder = json!({"type": "ByteLevel"});
        let decoded = |t: &str| decode(&decoder, t.into());
        assert_eq!(decoded("<|im_end|>"), "<|im_end|>");
        assert_eq!(decoded("Ġhello"), " hello");
        assert_eq!(
            decoded("<｜User｜>"),
            "<｜User｜>",
            "a character outside the alphabet keeps the token whole"
        );
        assert_eq!(decoded("a b"), "a b", "a space is outside the alphabet");
        assert_eq!(decoded("é"), "\u{FFFD}", "the byte E9 alone is not UTF-8");
        assert_eq!(decoded("ĠĠ"), "  ");
    }

    #[test]
    fn llama_decoder_strips_one_leading_space() {
        let decoder = json!({"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]});
        assert_eq!(decode(&decoder, "▁<PRE>".into()), "<PRE>");
        assert_eq!(decode(&decoder, "<0x41>".into()), "A");
    }
}
