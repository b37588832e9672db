//! The names and texts that the rules know.

use super::{TemplateIssue, TemplateLevel};

/// Attributes that lead from a value to Python's internals, of names without two underscores (`jinja2/sandbox.py`, 3.1:
/// what its sandbox refuses, and what is reached through that).
const INTERNALS: &[&str] = &[
    "ag_code",
    "ag_frame",
    "co_code",
    "co_consts",
    "cr_code",
    "cr_frame",
    "cr_origin",
    "f_back",
    "f_builtins",
    "f_code",
    "f_globals",
    "f_locals",
    "func_closure",
    "func_code",
    "func_defaults",
    "func_globals",
    "gi_code",
    "gi_frame",
    "gi_yieldfrom",
    "im_class",
    "im_func",
    "im_self",
    "mro",
    "tb_frame",
    "tb_next",
];

/// Names between two underscores that are the way out of a sandbox, without those underscores.
const DUNDERS: &[&str] = &[
    "base",
    "bases",
    "builtins",
    "call",
    "class",
    "closure",
    "code",
    "delattr",
    "dict",
    "doc",
    "enter",
    "exit",
    "file",
    "func",
    "get",
    "getattr",
    "getattribute",
    "getitem",
    "globals",
    "import",
    "init",
    "loader",
    "main",
    "module",
    "mro",
    "name",
    "new",
    "reduce",
    "reduce_ex",
    "self",
    "set",
    "setattr",
    "setitem",
    "setstate",
    "spec",
    "subclasses",
    "wrapped",
];

/// Whether a name stands between two underscores.
pub(super) fn is_dunder(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

/// Whether an attribute is none of a message, a tool or a text. Jinja's sandbox refuses all that begin with an underscore.
pub(super) fn is_internal(attribute: &str) -> bool {
    attribute.split('.').any(|part| part.starts_with('_') || INTERNALS.contains(&part))
}

/// The first name in a text that leads to Python's internals: `__class__`, in any case and also backwards.
pub(super) fn dunder_in(text: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(at) = text[from..].find("__").map(|at| at + from) {
        let word = &text[at + 2..];
        let len = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let inner = word[..len].find("__").map(|end| &word[..end]);
        if let Some(inner) = inner {
            let lower = inner.to_ascii_lowercase();
            let backwards: String = lower.chars().rev().collect();
            if DUNDERS.contains(&lower.as_str()) || DUNDERS.contains(&backwards.as_str()) {
                return Some(&text[at..at + 4 + inner.len()]);
            }
        }
        from = at + 1;
    }
    None
}

/// Fields of a message, or of a part of one, that are what somebody wrote.
pub(super) const CONTENT: &[&str] =
    &["content", "text", "reasoning_content", "reasoning", "thinking", "parts"];

/// Methods and filters that compare with their arguments.
pub(super) const COMPARING: &[&str] = &[
    "startswith",
    "endswith",
    "find",
    "rfind",
    "index",
    "rindex",
    "count",
    "in",
    "eq",
    "equalto",
    "sameas",
    "==",
    "ne",
    "!=",
    "lt",
    "gt",
];

/// Methods and filters that cut or change a text where it has their argument.
pub(super) const CUTTING: &[&str] =
    &["split", "rsplit", "partition", "rpartition", "replace", "removeprefix", "removesuffix", "translate"];

/// Tests that look at what a value is, not what it says.
pub(super) const NAMES_OF_TESTS: &[&str] = &[
    "content",
    "text",
    "in",
    "eq",
    "equalto",
    "==",
    "ne",
    "!=",
    "defined",
    "undefined",
    "none",
    "string",
    "mapping",
    "sequence",
    "iterable",
    "number",
    "boolean",
    "true",
    "false",
    "lt",
    "gt",
    "le",
    "ge",
];

/// Parts of a message and their fields, which templates ask for by these words.
const PARTS: &[&str] = &[
    "text",
    "image",
    "image_url",
    "images",
    "video",
    "video_url",
    "videos",
    "audio",
    "audio_url",
    "audios",
    "input_audio",
    "input_text",
    "input_image",
    "document",
    "file",
    "type",
    "thinking",
    "reasoning",
    "tool_use",
    "tool_call",
    "tool_calls",
    "tool_result",
    "content",
    "parts",
    "blocks",
    "value",
];

/// Phrases by which published models are switched: Nemotron, Ling; Muse.
const SWITCHES: &[&str] = &["detailed thinking on", "detailed thinking off", "reasoning strength"];

/// What it means that the content of a message is compared with a text; `part`: what is asked may be a part of a message
/// and not its text.
pub(super) fn judge(text: &str, part: bool) -> Option<TemplateLevel> {
    let text = text.trim();
    let is_field = PARTS.contains(&text);
    if !text.chars().any(char::is_alphabetic) || (part && is_field) {
        return None;
    }
    // `</think>`, `/no_think`, `[BEGIN FINAL RESPONSE]`, `CONTINUE_FINAL_MESSAGE_TAG`: marks that models and their programs write.
    let in_brackets = [("<", ">"), ("[", "]"), ("{", "}")]
        .iter()
        .any(|(opening, closing)| text.starts_with(opening) && text.ends_with(closing));
    let bare = !text.starts_with(char::is_alphanumeric) && !text.contains(char::is_whitespace);
    let constant = text.contains('_') && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let usual = is_field || in_brackets || bare || constant || SWITCHES.contains(&text);
    Some(if usual { TemplateLevel::Note } else { TemplateLevel::Danger })
}

/// Addresses in a text, one after the other, with the offsets at which they begin.
pub(super) fn urls(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + text[from..].find("://")?;
            let before = &text[from..at];
            let scheme = before.len() - before.trim_end_matches(|c: char| c.is_ascii_alphanumeric()).len();
            let host = &text[at + 3..];
            let ends = |c: char| {
                c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '{' | '}' | '\\' | ')' | ']')
            };
            let len = host.find(ends).unwrap_or(host.len());
            from = at + 3 + len;
            if scheme > 0 && len > 0 {
                return Some((at - scheme, &text[at - scheme..from]));
            }
        }
    })
}

/// Whether a template may hold a hidden character without being a trap: a joiner between letters or symbols that are not
/// ASCII, as in scripts and emoji that need one; a mark at the start of a file.
pub(super) fn hidden_level(c: char, before: Option<char>, after: Option<char>) -> TemplateLevel {
    let foreign = |c: Option<char>| c.is_some_and(|c| !c.is_ascii());
    let joiner = matches!(c, '\u{200c}' | '\u{200d}') && foreign(before) && foreign(after);
    let mark = c == '\u{feff}' && before.is_none();
    if joiner || mark { TemplateLevel::Note } else { TemplateLevel::Danger }
}

impl TemplateIssue {
    /// The rest of the sentence that begins with what was found.
    pub(super) fn means(self) -> &'static str {
        match self {
            Self::Internals => "leads to Python's internals",
            Self::ComputedAttribute => "asks for an attribute whose name is not to be seen here",
            Self::OtherTemplate => "reads another template",
            Self::ContentBranch => "is looked for in what a message says",
            Self::Url => "is an address",
            Self::HiddenCharacter => "cannot be seen",
            Self::NotUtf8 => "is not text: the template is not UTF-8",
            Self::Unreadable => "is not understood",
        }
    }
}
