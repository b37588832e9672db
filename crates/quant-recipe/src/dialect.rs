//! Where regular expressions of C++ (`std::regex`, ECMAScript, as libstdc++ has it) and of the `regex` crate differ.
//!
//! Most differences end in an error of the engine. Here are the rest: text that both accept and read in different
//! ways, and text that only the `regex` crate accepts.

/// Escapes of letters that mean the same in both.
const LETTERS: &[char] = &['d', 'D', 'w', 'W', 's', 'S', 'b', 'B', 'f', 'n', 'r', 't', 'v'];

/// Says what is wrong with a pattern that the two would not read alike.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    let mut rest = pattern.chars();
    let mut in_class = false;
    while let Some(c) = rest.next() {
        let tail = rest.as_str();
        match c {
            '\\' => {
                escape(&mut rest)?;
                if !in_class && tail.starts_with(['b', 'B']) {
                    unrepeated(rest.as_str())?;
                }
            }
            '^' | '$' if !in_class => unrepeated(tail)?,
            '[' if !in_class => {
                in_class = true;
                if tail.starts_with(']') || tail.starts_with("^]") {
                    return Err(r"a class cannot begin with ]; write [\]…]".to_owned());
                }
            }
            // The name of a class: `[:alpha:]`.
            '[' if tail.starts_with(':') => {
                let end = tail.find(":]").ok_or(r"[: in a class; write \[:")?;
                rest = tail.get(end + 2..).unwrap_or_default().chars();
            }
            '[' => return Err(r"[ in a class; write \[".to_owned()),
            ']' => in_class = false,
            '&' | '-' | '~' if in_class && tail.starts_with(c) => {
                return Err(format!(r"{c}{c} in a class; write \{c}"));
            }
            '(' if !in_class && (tail.starts_with("?=") || tail.starts_with("?!")) => {
                return Err("look-around is not supported; write the names out".to_owned());
            }
            '(' if !in_class && tail.starts_with('?') && !tail.starts_with("?:") => {
                return Err("(? begins something other than (?:…), which llama-quantize refuses".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

fn escape(rest: &mut std::str::Chars<'_>) -> Result<(), String> {
    match rest.next() {
        Some(c) if LETTERS.contains(&c) => Ok(()),
        Some('x') => hexadecimal(rest, 2),
        Some('u') => hexadecimal(rest, 4),
        Some(c) if c.is_ascii_digit() => {
            Err("back-references are not supported; write the names out".to_owned())
        }
        Some(c @ ('<' | '>')) => Err(format!(r"\{c} is read in different ways; write {c}")),
        Some(c) if c.is_ascii_punctuation() => Ok(()),
        Some(c) => Err(format!(r"\{c} is read in different ways; write what you mean without it")),
        None => Err("ends with a backslash".to_owned()),
    }
}

/// What stands behind an anchor or a word boundary.
fn unrepeated(tail: &str) -> Result<(), String> {
    if tail.starts_with(['*', '+', '?', '{']) {
        return Err("a place in the text is repeated, which llama-quantize refuses".to_owned());
    }
    Ok(())
}

fn hexadecimal(rest: &mut std::str::Chars<'_>, digits: usize) -> Result<(), String> {
    if rest.by_ref().take(digits).filter(char::is_ascii_hexdigit).count() == digits {
        Ok(())
    } else {
        Err(format!(r"expected {digits} hexadecimal digits after \x or \u"))
    }
}

/// The first escape of a class in upper case (`\D`, `\S`, `\W`, `\B`), which lower case turns into its opposite.
pub(crate) fn class_in_upper_case(pattern: &str) -> Option<char> {
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c == '\\'
            && let Some(escaped @ ('D' | 'S' | 'W' | 'B')) = rest.next()
        {
            return Some(escaped);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_read_alike_passes() {
        for pattern in [
            r"blk\.(\d+)\.ffn_(up|down)",
            r"^output\.weight$",
            r"blk\.(?:[0-9]|1[0-5])\.",
            r"[[:digit:]]+[^a-z]",
            r"[$*^+]\$*\bx",
            r"[[:alpha:][:digit:]_]",
            r"[a\[\]b-]",
            r"\x41\u0042\/\-",
            "a{2,3}?b*",
            "",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
            assert!(regex::bytes::RegexBuilder::new(pattern).unicode(false).build().is_ok());
        }
    }

    #[test]
    fn what_they_read_in_different_ways_does_not() {
        for (pattern, message) in [
            ("a(?=b)", "look-around"),
            ("a(?!b)", "look-around"),
            ("(?<=a)b", "(?"),
            ("(?i)a", "(?"),
            ("(?P<n>a)", "(?"),
            (r"(a)\1", "back-references"),
            (r"\0", "back-references"),
            (r"\a", r"\a is read"),
            (r"\Aa", r"\A is read"),
            (r"\<a", r"\< is read"),
            (r"\x4", "hexadecimal"),
            (r"\x{41}", "hexadecimal"),
            ("[a&&b]", "&& in a class"),
            ("[a--b]", "-- in a class"),
            ("[a~~b]", "~~ in a class"),
            ("[a[b]]", "[ in a class"),
            ("[[.a.]]", "[ in a class"),
            ("[]a]", "cannot begin"),
            ("^*a", "is repeated"),
            ("a${2}", "is repeated"),
            (r"\b?a", "is repeated"),
            ("[^]a]", "cannot begin"),
            (r"a\", "backslash"),
        ] {
            let problem = check(pattern).unwrap_err();
            assert!(problem.contains(message), "{pattern}: {problem}");
        }
    }

    #[test]
    fn classes_in_upper_case_are_found() {
        assert_eq!(class_in_upper_case(r"a\.\D"), Some('D'));
        assert_eq!(class_in_upper_case(r"\\D"), None);
        assert_eq!(class_in_upper_case(r"\d\X41"), None);
    }
}
