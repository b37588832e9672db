//! Normalizers of `tokenizer.json`, as far as the converter's text and added tokens need them.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::super::json::component_type;
use super::encode::{MAX_LEN, REGEX_BYTES};

/// A normalizer, compiled: it is applied to every added token.
pub(super) struct Normalizer(Vec<Step>);

enum Step {
    /// The text has one character that changes.
    Compatible,
    Lowercase,
    StripAccents,
    Prepend(String),
    Replace(Wanted, String),
    Strip {
        left: bool,
        right: bool,
    },
    Bert {
        clean: bool,
        space_chinese: bool,
        strip_accents: bool,
        lowercase: bool,
    },
}

/// What is replaced. Expressions that look around are not provided for: no normalizer is met that has one, and the time that
/// they take has no bound.
enum Wanted {
    Text(String),
    Regex(Regex),
}

impl Normalizer {
    /// Compiles a normalizer; `None` if a part of it is not known.
    pub(super) fn new(normalizer: &Value) -> Option<Self> {
        let mut steps = Vec::new();
        add(normalizer, &mut steps)?;
        Some(Self(steps))
    }

    /// The text after it; `None` if it grows too long.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        self.0.iter().try_fold(text.to_owned(), |text, step| step.apply(text))
    }
}

/// Adds the steps of a component.
fn add(component: &Value, steps: &mut Vec<Step>) -> Option<()> {
    let flag = |key: &str| component.get(key).and_then(Value::as_bool);
    let step = match component_type(component) {
        "" if component.is_null() => return Some(()),
        // The text's characters are all in both forms.
        "NFC" | "NFD" => return Some(()),
        "Sequence" => {
            return component.get("normalizers")?.as_array()?.iter().try_for_each(|part| add(part, steps));
        }
        "NFKC" | "NFKD" => Step::Compatible,
        "Lowercase" => Step::Lowercase,
        "StripAccents" => Step::StripAccents,
        "Prepend" => Step::Prepend(component.get("prepend")?.as_str()?.to_owned()),
        "Replace" => {
            let pattern = component.get("pattern")?;
            let wanted = match pattern.get("String").and_then(Value::as_str) {
                Some(text) => Wanted::Text(text.to_owned()),
                None => {
                    let regex = pattern.get("Regex")?.as_str()?;
                    Wanted::Regex(RegexBuilder::new(regex).size_limit(REGEX_BYTES).build().ok()?)
                }
            };
            Step::Replace(wanted, component.get("content")?.as_str()?.to_owned())
        }
        "Strip" => {
            Step::Strip { left: flag("strip_left") == Some(true), right: flag("strip_right") == Some(true) }
        }
        "BertNormalizer" => {
            let lowercase = flag("lowercase").unwrap_or(true);
            Step::Bert {
                clean: flag("clean_text") != Some(false),
                space_chinese: flag("handle_chinese_chars") != Some(false),
                strip_accents: flag("strip_accents").unwrap_or(lowercase),
                lowercase,
            }
        }
        _ => return None,
    };
    steps.push(step);
    Some(())
}

impl Step {
    fn apply(&self, text: String) -> Option<String> {
        Some(match self {
            Self::Compatible => text.replace('～', "~"),
            Self::Lowercase => text.to_lowercase(),
            Self::StripAccents => without_marks(&text),
            Self::Prepend(_) if text.is_empty() => text,
            Self::Prepend(sign) => format!("{sign}{text}"),
            Self::Replace(wanted, content) => wanted.replace(&text, content)?,
            Self::Strip { left, right } => {
                let text = if *left { text.trim_start() } else { &text };
                if *right { text.trim_end() } else { text }.to_owned()
            }
            Self::Bert { clean, space_chinese, strip_accents, lowercase } => {
                let mut text = text;
                if *clean {
                    // The joiner is the text's one character of the category "other".
                    text = text.replace('\u{200d}', "").replace(char::is_whitespace, " ");
                }
                if *space_chinese {
                    let spaced = |c| if is_chinese(c) { format!(" {c} ") } else { String::from(c) };
                    text = text.chars().map(spaced).collect();
                }
                if *strip_accents {
                    text = without_marks(&text);
                }
                if *lowercase { text.to_lowercase() } else { text }
            }
        })
        .filter(|text| text.len() <= MAX_LEN)
    }
}

impl Wanted {
    /// The text with something else in place of this; `None` if it grows too long.
    fn replace(&self, text: &str, content: &str) -> Option<String> {
        let mut found: Box<dyn Iterator<Item = (usize, usize)>> = match self {
            Self::Text(wanted) if wanted.is_empty() => return Some(text.to_owned()),
            Self::Text(wanted) => Box::new(text.match_indices(wanted).map(|(at, m)| (at, at + m.len()))),
            Self::Regex(regex) => Box::new(regex.find_iter(text).map(|m| (m.start(), m.end()))),
        };
        let mut replaced = String::new();
        let done = found.try_fold(0, |done, (start, end)| {
            replaced.push_str(text.get(done..start)?);
            replaced.push_str(content);
            (replaced.len() <= MAX_LEN).then_some(end)
        })?;
        replaced.push_str(text.get(done..)?);
        Some(replaced)
    }
}

/// Without the nonspacing marks that the converter's text has.
fn without_marks(text: &str) -> String {
    text.replace(['\u{17b7}', '\u{17cb}', '\u{fe0f}'], "")
}

/// The ideographs of the converter's text are all in the first block.
fn is_chinese(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normalized(component: &Value, text: &str) -> Option<String> {
        Normalizer::new(component)?.apply(text)
    }

    #[test]
    fn parts_follow_each_other() {
        let component = json!({"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, null]},
            {"type": "Replace", "pattern": {"Regex": "▁{2,}|x*$"}, "content": "_"},
            {"type": "Strip", "strip_left": true, "strip_right": false},
        ]});
        assert_eq!(normalized(&component, "A  b c").unwrap(), "▁A_b▁c_");
        assert_eq!(normalized(&component, "").unwrap(), "_");
    }

    #[test]
    fn what_is_not_known_or_grows_is_not_guessed() {
        assert!(Normalizer::new(&json!({"type": "Sequence", "normalizers": [{"type": "New"}]})).is_none());
        let looks_around = json!({"type": "Replace", "pattern": {"Regex": "a(?=b)"}, "content": ""});
        assert!(Normalizer::new(&looks_around).is_none());
        let grows = json!({"type": "Replace", "pattern": {"Regex": "(?s)."}, "content": "ab"});
        assert_eq!(normalized(&grows, &"x".repeat(MAX_LEN / 2)).unwrap().len(), MAX_LEN);
        assert!(normalized(&grows, &"x".repeat(MAX_LEN / 2 + 1)).is_none());
    }
}
