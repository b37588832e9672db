//! Strangers' text in messages.

use std::fmt::Display;

/// A text that a file brought, for a message of one line: control characters are escaped.
pub(crate) fn line(text: impl Display) -> String {
    let text = text.to_string();
    if !text.contains(char::is_control) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn control_characters_are_escaped_and_nothing_else() {
        assert_eq!(line("naïve ▁ \"a\""), "naïve ▁ \"a\"");
        assert_eq!(line("a\nb\u{1b}[2J\u{7f}\u{9b}"), "a\\nb\\u{1b}[2J\\u{7f}\\u{9b}");
    }
}
