//! Characters that a reader does not see, or that change what he sees.

/// Whether a terminal, an editor or a web page shows nothing for a character, or shows those around it in another order:
/// control characters (C0, DEL, C1), bidirectional overrides, zero-width characters, tags.
///
/// What shows text of strangers writes such characters as escapes. Line breaks and tabs are control characters too.
///
/// ```
/// assert!(provenance::is_hidden('\u{202e}') && provenance::is_hidden('\u{1b}'));
/// assert!(!provenance::is_hidden('中') && !provenance::is_hidden('▁'));
/// ```
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text with its hidden characters as escapes, to be shown.
///
/// ```
/// assert_eq!(provenance::escape_hidden("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\u{a}");
/// assert_eq!(provenance::escape_hidden("né ▁ 中"), "né ▁ 中");
/// ```
#[must_use]
pub fn escape_hidden(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}
