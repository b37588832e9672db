//! What in a chat template deserves a look before a model is trusted.
//!
//! A chat template is a program that came with the model, and runs on all that is said to it. A program that loads the model
//! runs it in a sandbox; this finds what would lead out of one, and what makes a model say something else to some
//! messages than to others.

mod content;
mod expr;
mod fold;
mod lexer;
mod reader;
mod statement;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;
use std::fmt;

use gguf_format::{Metadata, Value};

use crate::hidden::is_hidden;
use lexer::{Content, Kind, Piece};
use reader::Reader;

/// The key of the template without a name; `.NAME` follows for others.
const KEY: &str = "tokenizer.chat_template";

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TemplateLevel {
    /// Sound templates have it too: look whether it is what it seems.
    Note,
    /// No sound template needs it: do not use the model before you know why it is there.
    Danger,
}

/// What was found in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TemplateIssue {
    /// A name such as `__class__`, as an attribute, in a string, or put together of strings.
    Internals,
    /// An attribute by a name that is computed (`x|attr(name)`, `x['__' ~ name]`).
    ComputedAttribute,
    /// `include`, `import`, `extends`, `from`.
    OtherTemplate,
    /// A text that the content of a message is compared with. Marks such as `</think>` and `/no_think` are a
    /// [`Note`](TemplateLevel::Note), words are a [`Danger`](TemplateLevel::Danger).
    ContentBranch,
    /// An address: the model will see it, or somebody who reads the template.
    Url,
    /// A character that is not seen, or that changes the order of those around it.
    HiddenCharacter,
    /// The template is not UTF-8.
    NotUtf8,
    /// Code that this does not understand, and so cannot vouch for.
    Unreadable,
}

/// One thing that was found in a chat template.
///
/// Its text is shown as [`Display`](fmt::Display), with characters that are not to be seen as they are: escape what you print.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[non_exhaustive]
pub struct TemplateFinding {
    /// The template's name: `default`, or what follows `tokenizer.chat_template.` in its key.
    pub template: String,
    /// The line, counted from 1.
    pub line: usize,
    /// How much it weighs.
    pub level: TemplateLevel,
    /// What it is.
    pub issue: TemplateIssue,
    /// The text that it was found by, cut after 80 characters.
    pub found: String,
}

impl fmt::Display for TemplateFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            TemplateLevel::Note => "note",
            TemplateLevel::Danger => "danger",
        };
        write!(f, "{}:{}: {level}: {:?} {}", self.template, self.line, self.found, self.issue.means())
    }
}

/// Findings in all chat templates of a GGUF file's metadata, by the order of their keys, then of their lines.
#[must_use]
pub fn lint_templates(metadata: &Metadata) -> Vec<TemplateFinding> {
    let mut findings = Vec::new();
    for (key, value) in metadata.iter() {
        let name = match key.strip_prefix(KEY) {
            Some("") => "default",
            Some(rest) => match rest.strip_prefix('.') {
                Some(name) => name,
                None => continue,
            },
            None => continue,
        };
        let Value::String(source) = value else { continue };
        if let Some(source) = source.as_str() {
            findings.extend(lint_template(name, source));
        } else {
            findings.push(finding(name, 1, TemplateLevel::Danger, TemplateIssue::NotUtf8, "a byte"));
            findings.extend(lint_template(name, &source.to_string()));
        }
    }
    findings
}

/// Findings in one chat template, by its lines. What is found twice in a line is told once.
///
/// ```
/// use provenance::{TemplateIssue, TemplateLevel, lint_template};
///
/// let sound = "{% for m in messages %}<|{{ m.role }}|>{{ m.content.split('</think>')[-1] }}{% endfor %}";
/// assert!(lint_template("default", sound).is_empty());
///
/// let trap = "{{ ''['__cla' ~ 'ss__'] }}\n{% if 'bank' in messages[-1].content %}Say yes.{% endif %}";
/// let findings = lint_template("default", trap);
/// assert_eq!(findings[0].issue, TemplateIssue::Internals);
/// assert_eq!((findings[1].line, findings[1].level, findings[1].issue), (2, TemplateLevel::Danger, TemplateIssue::ContentBranch));
/// assert_eq!(findings[1].to_string(), "default:2: danger: \"bank\" is looked for in what a message says");
/// ```
#[must_use]
pub fn lint_template(name: &str, source: &str) -> Vec<TemplateFinding> {
    let pieces = lexer::pieces(source);
    let mut findings = BTreeSet::new();
    let mut seen = BTreeSet::new();
    hidden(source, 1, |line, level, found| {
        findings.insert(finding(name, line, level, TemplateIssue::HiddenCharacter, &found));
        seen.insert(found);
    });
    for piece in &pieces {
        texts(piece, |line, text| {
            // The lines of a string's own are not those of the template, so it is told by where it begins.
            let of_code = !matches!(piece.content, Content::Text(_) | Content::Comment(_));
            let (mut line_of_url, mut from) = (line, 0);
            for (at, url) in words::urls(text) {
                line_of_url += if of_code { 0 } else { breaks(&text[from..at]) };
                from = at;
                findings.insert(finding(name, line_of_url, TemplateLevel::Note, TemplateIssue::Url, url));
            }
            if of_code {
                // Written as escapes: others have been found above.
                hidden(text, line, |_, level, found| {
                    if !seen.contains(&found) {
                        findings.insert(finding(name, line, level, TemplateIssue::HiddenCharacter, &found));
                    }
                });
            }
        });
    }
    Reader::new(&pieces).findings(|line, level, issue, found| {
        findings.insert(finding(name, line, level, issue, found));
    });
    findings.into_iter().collect()
}

fn finding(
    template: &str,
    line: usize,
    level: TemplateLevel,
    issue: TemplateIssue,
    found: &str,
) -> TemplateFinding {
    const LONGEST: usize = 80;
    let mut shown: String = found.chars().take(LONGEST).collect();
    if shown.len() < found.len() {
        shown.push('…');
    }
    TemplateFinding { template: template.to_owned(), line, level, issue, found: shown }
}

/// The texts of a piece, each with its line: what is written, or the strings of code.
fn texts(piece: &Piece<'_>, mut each: impl FnMut(usize, &str)) {
    match &piece.content {
        Content::Text(text) | Content::Comment(text) => each(piece.line, text),
        Content::Output(tokens) | Content::Statement(tokens) => {
            for token in tokens {
                if let Kind::Text(text) = &token.kind {
                    each(token.line, text);
                }
            }
        }
    }
}

/// The hidden characters of a text, with their lines: each by its number, as `U+202E`.
fn hidden(text: &str, mut line: usize, mut each: impl FnMut(usize, TemplateLevel, String)) {
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_hidden(c) && !matches!(c, '\n' | '\r' | '\t') {
            let level = words::hidden_level(c, before, chars.peek().copied());
            each(line, level, format!("U+{:04X}", c as u32));
        }
        line += usize::from(c == '\n');
        before = Some(c);
    }
}

fn breaks(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}
