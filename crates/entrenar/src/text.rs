//! Putting numbers and strangers' text on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

/// Text from a file, safe to show. All that the command prints and that strangers may have written goes through this or
/// [`crate::json`].
pub(crate) use entrenar::ecosystem::escape_hidden as escape;

/// A path, safe to show; bytes of its that are no text are escapes, too.
pub(crate) fn path(path: &Path) -> String {
    let mut out = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        out.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// A text cut to `width` characters, with an ellipsis where something was cut.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// A message of which no more is shown than a person reads: one that is far longer names something that a stranger made long. Such
/// words are cut first, then the middle of the whole.
pub(crate) fn readable(text: &str) -> Cow<'_, str> {
    const ALL: (usize, usize) = (3072, 1024);
    const WORD: (usize, usize) = (384, 128);
    if text.len() <= ALL.0 + ALL.1 {
        return text.into();
    }
    let words: String = text.split_inclusive(' ').map(|word| without_middle(word, WORD)).collect();
    without_middle(&words, ALL).into_owned().into()
}

/// A text with an ellipsis between its first and its last so many characters, if there are more.
fn without_middle(text: &str, (first, last): (usize, usize)) -> Cow<'_, str> {
    let Some((head, _)) = text.char_indices().nth(first) else { return text.into() };
    let tail = last.checked_sub(1).and_then(|n| text.char_indices().nth_back(n));
    match tail {
        Some((tail, _)) if tail > head => {
            format!("{}…{}", text.get(..head).unwrap_or(text), text.get(tail..).unwrap_or_default()).into()
        }
        _ => text.into(),
    }
}

/// A size as people read it: `105.5 MB` (powers of ten, as disks and hubs count).
pub(crate) fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.95 {
            return if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// A count with its digits in groups of three: `134 515 008`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Dimensions as ggml orders them: `576 × 49152`.
pub(crate) fn dims(dims: &[u64]) -> String {
    dims.iter().map(u64::to_string).collect::<Vec<_>>().join(" × ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_do_not_get_through() {
        assert_eq!(escape("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\u{a}");
        assert_eq!(escape("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(escape("\u{7f}\u{9b}31m\u{200b}"), "\\u{7f}\\u{9b}31m\\u{200b}");
        assert_eq!(escape("né ▁ 中"), "né ▁ 中");
    }

    #[cfg(unix)]
    #[test]
    fn paths_that_are_no_text_are_shown() {
        use std::os::unix::ffi::OsStrExt;

        let name = std::ffi::OsStr::from_bytes(b"a\xff\x1b/\xc3\xa9\xc3");
        assert_eq!(path(Path::new(name)), "a\\xff\\u{1b}/é\\xc3");
    }

    #[test]
    fn what_a_stranger_made_long_is_cut() {
        let ordinary = format!("model.safetensors: {}", "blk.0.attn_q.weight, ".repeat(190));
        assert_eq!(readable(&ordinary), ordinary);
        let name = "é".repeat(100_000);
        let said = readable(&format!("config.json: architecture {name} is not supported")).into_owned();
        let (head, tail) = ("é".repeat(384), "é".repeat(127));
        assert_eq!(said, format!("config.json: architecture {head}…{tail} is not supported"));
        let many = format!("config.json: {}: expected less", "a b ".repeat(100_000));
        let said = readable(&many).into_owned();
        assert_eq!(said.chars().count(), 3072 + 1 + 1024);
        assert!(said.starts_with("config.json: a b ") && said.ends_with(": expected less"));
    }

    #[test]
    fn numbers() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_000), "1.0 kB");
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(bytes(105_454_432), "105.5 MB");
        assert_eq!(bytes(2_000_000_000_000), "2.0 TB");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(134_515_008), "134 515 008");
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(shorten("abcd", 4), "abcd");
        assert_eq!(dims(&[576, 49152]), "576 × 49152");
    }
}
