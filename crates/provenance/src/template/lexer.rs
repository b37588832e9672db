//! A Jinja template as pieces: text, comments, and code as tokens.
//!
//! Nothing is refused here: what is no token of Jinja's becomes [`Kind::Other`], and what is not closed ends with the
//! template. So a template cannot hide from a reader by being wrong.

use std::str::Chars;

/// A part of a template, with the line that it starts in.
pub(super) struct Piece<'a> {
    pub(super) line: usize,
    pub(super) content: Content<'a>,
}

pub(super) enum Content<'a> {
    /// What is written as it stands.
    Text(&'a str),
    /// `{# … #}`.
    Comment(&'a str),
    /// `{{ … }}`.
    Output(Vec<Token>),
    /// `{% … %}`.
    Statement(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name(String),
    /// A string, its escapes resolved.
    Text(String),
    Number(String),
    Operator(&'static str),
    /// Nothing that Jinja knows.
    Other,
}

/// Longer ones first.
const OPERATORS: &[&str] = &[
    "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{",
    "}", ".", ",", ":", "|", ";",
];

/// Cuts a template into pieces.
pub(super) fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = source;
    let mut line = 1;
    let mut raw = false;
    while !rest.is_empty() {
        let start = if raw { end_of_raw(rest) } else { start_of_code(rest) };
        let (text, code) = rest.split_at(start.unwrap_or(rest.len()));
        if !text.is_empty() {
            pieces.push(Piece { line, content: Content::Text(text) });
        }
        line += breaks(text);
        raw = false;
        if code.is_empty() {
            break;
        }
        let (opening, inner) = code.split_at(2);
        let len = if opening == "{#" {
            let end = inner.find("#}").unwrap_or(inner.len());
            pieces.push(Piece { line, content: Content::Comment(&inner[..end]) });
            end + 2
        } else {
            let closing = if opening == "{{" { "}}" } else { "%}" };
            let (tokens, len) = tokens(inner, closing, line);
            raw = opening == "{%"
                && matches!(tokens.as_slice(), [Token { kind: Kind::Name(n), .. }] if n == "raw");
            let content = if opening == "{{" { Content::Output(tokens) } else { Content::Statement(tokens) };
            pieces.push(Piece { line, content });
            len
        };
        let len = len.min(inner.len());
        line += breaks(&inner[..len]);
        rest = &inner[len..];
    }
    pieces
}

fn breaks(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}

fn start_of_code(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|two| matches!(two, b"{{" | b"{%" | b"{#"))
}

/// Where the `{% endraw %}` is.
fn end_of_raw(text: &str) -> Option<usize> {
    text.match_indices("{%").map(|(at, _)| at).find(|at| {
        let word = text[at + 2..].trim_start_matches(['-', '+']).trim_start();
        word.starts_with("endraw")
    })
}

/// The tokens up to the closing mark, and how many bytes they take with it.
fn tokens(text: &str, closing: &str, mut line: usize) -> (Vec<Token>, usize) {
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    // The mark of white space control at the start.
    let mut at = usize::from(text.starts_with(['-', '+']));
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let unsigned = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        // Within brackets, two braces close a dict in a dict.
        if (depth == 0 || closing == "%}") && unsigned.starts_with(closing) {
            return (tokens, at + rest.len() - unsigned.len() + closing.len());
        }
        let (kind, len) = if c.is_whitespace() {
            line += usize::from(c == '\n');
            at += c.len_utf8();
            continue;
        } else if c == '"' || c == '\'' {
            string(rest, c)
        } else if c.is_alphabetic() || c == '_' {
            let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Kind::Name(rest[..len].to_owned()), len)
        } else if c.is_ascii_digit() {
            let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Kind::Number(rest[..len].to_owned()), len)
        } else if let Some(operator) = OPERATORS.iter().find(|o| rest.starts_with(**o)) {
            match *operator {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            (Kind::Operator(operator), operator.len())
        } else {
            (Kind::Other, c.len_utf8())
        };
        tokens.push(Token { line, kind });
        line += breaks(&rest[..len]);
        at += len;
    }
    // Never closed: no code that runs.
    tokens.push(Token { line, kind: Kind::Other });
    (tokens, text.len())
}

/// A string from its quote on, and how many bytes it takes.
fn string(text: &str, quote: char) -> (Kind, usize) {
    let mut value = String::new();
    let mut chars = text[1..].chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return (Kind::Text(value), text.len() - chars.as_str().len()),
            '\\' => escape(&mut chars, &mut value),
            c => value.push(c),
        }
    }
    (Kind::Text(value), text.len())
}

/// What follows a backslash, as Python reads it.
fn escape(chars: &mut Chars<'_>, value: &mut String) {
    let Some(c) = chars.next() else { return };
    let mut digits = |count: usize, radix: u32, start: u32| {
        let mut code = start;
        for _ in 0..count {
            let Some(digit) = chars.clone().next().and_then(|c| c.to_digit(radix)) else { break };
            code = code.wrapping_mul(radix).wrapping_add(digit);
            chars.next();
        }
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    let c = match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        'x' => digits(2, 16, 0),
        'u' => digits(4, 16, 0),
        'U' => digits(8, 16, 0),
        '0'..='7' => digits(2, 8, c as u32 - '0' as u32),
        '\n' => return,
        '\\' | '\'' | '"' => c,
        other => {
            value.push('\\');
            other
        }
    };
    value.push(c);
}
