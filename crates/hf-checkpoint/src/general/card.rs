//! The model card: the YAML at the top of README.md.

use serde_json::{Map, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

use crate::bounded::{self, Folder, Unread};

/// What the card says; nothing if there is none.
#[derive(Debug, Default)]
pub(super) struct Card(Map<String, Value>);

impl Card {
    /// Reads the card. One that cannot be read is left out with a note: it says nothing that a model needs to run.
    pub(super) fn read(folder: Folder<'_>, notes: &mut Vec<String>) -> Self {
        let path = folder.join("README.md");
        if !path.is_file() {
            return Self::default();
        }
        let parsed = match bounded::read(&path, folder.limits.settings_bytes).map(String::from_utf8) {
            Ok(Ok(text)) => Self::parse(&text),
            Ok(Err(_)) => Err("not UTF-8".to_owned()),
            Err(Unread::Io(error)) => Err(format!("cannot read: {error}")),
            Err(Unread::TooLarge { bytes, limit }) => Err(format!("{bytes} bytes, at most {limit} expected")),
        };
        parsed.unwrap_or_else(|why| {
            notes.push(format!("{}: {why}; the model card was left out", path.display()));
            Self::default()
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let Some(yaml) = front_matter(text) else { return Ok(Self::default()) };
        // Python's YAML keeps the last of two equal keys, and takes no `y` for yes. It does take `no` for a boolean,
        // but who writes `language: no` means Norwegian.
        let options = serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::LastWins,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
            strict_booleans: true,
            with_snippet: false,
            // Cards name nothing twice by reference; a few lines of such could stand for millions.
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        };
        match serde_saphyr::from_str_with_options(&yaml, options) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(Value::Null) => Ok(Self::default()),
            Ok(_) => Err("front matter is not a mapping".to_owned()),
            Err(error) => {
                let line = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
                Err(format!("front matter is not valid YAML: {line}"))
            }
        }
    }

    /// The first of these keys that the card has, as text.
    pub(super) fn text(&self, keys: &[&str]) -> Option<String> {
        // A key that is null does not keep the next one from counting.
        keys.iter().find_map(|key| self.joined(key, ", "))
    }

    /// A text, or a list with this between its entries: gguf-py writes a comma between licences, and gives up on
    /// lists elsewhere.
    pub(super) fn joined(&self, key: &str, between: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::Array(list) => Some(list.iter().filter_map(text).collect::<Vec<_>>().join(between)),
            other => text(other),
        }
    }

    /// The texts under all these keys together.
    pub(super) fn list(&self, keys: &[&str]) -> Vec<String> {
        let values = keys.iter().filter_map(|k| self.0.get(*k));
        let texts = values.flat_map(|value| match value {
            Value::Array(list) => list.iter().filter_map(text).collect(),
            Value::String(text) => vec![text.clone()],
            _ => Vec::new(),
        });
        texts.collect()
    }

    /// The first of these keys that the card has, as a list of entries; `None` if it has none of them.
    pub(super) fn entries(&self, keys: &[&str]) -> Option<Vec<&Value>> {
        let value = keys.iter().find_map(|k| self.0.get(*k))?;
        Some(match value {
            Value::Array(list) => list.iter().collect(),
            Value::String(_) => vec![value],
            _ => Vec::new(),
        })
    }
}

/// A scalar as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The lines between the first, `---`, and the next `---` (or the end), as gguf-py reads them.
fn front_matter(text: &str) -> Option<String> {
    let mut lines = lines(text);
    if lines.next() != Some("---") {
        return None;
    }
    let mut yaml = String::new();
    for line in lines.take_while(|l| *l != "---") {
        yaml.push_str(line);
        yaml.push('\n');
    }
    // `no`, the language, is not `no`, the boolean; and tabs are no indentation.
    Some(yaml.replace("- no\n", "- \"no\"\n").replace('\t', "  "))
}

/// Lines as Python splits them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    const ENDS: &[char] =
        &['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut rest = Some(text).filter(|t| !t.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let Some((line, after)) = text.split_once(ENDS) else {
            rest = None;
            return Some(text);
        };
        let after = match after.strip_prefix('\n') {
            Some(after) if text.as_bytes().get(line.len()) == Some(&b'\r') => after,
            _ => after,
        };
        rest = Some(after).filter(|t| !t.is_empty());
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_python() {
        let split = |t| lines(t).collect::<Vec<_>>();
        assert_eq!(split("---\r\na\rb\n\nc"), ["---", "a", "b", "", "c"]);
        assert_eq!(split("---\n"), ["---"]);
        assert_eq!(split(""), [""; 0]);
        assert_eq!(split("\u{2028}x"), ["", "x"]);
    }

    #[test]
    fn cards_of_all_sorts() {
        let card = |t: &str| Card::parse(t);
        assert!(card("# No card\n---\na: 1\n").unwrap().0.is_empty());
        assert!(card("").unwrap().0.is_empty());
        assert!(card("---\n---\ntext").unwrap().0.is_empty());
        assert!(card("\u{feff}---\na: 1\n---\n").unwrap().0.is_empty());
        assert!(card("---\n- a\n---\n").unwrap_err().contains("not a mapping"));
        let error = card("---\na: [1\n---\n").unwrap_err();
        assert!(error.contains("not valid YAML") && !error.contains('\n'), "{error}");

        let card = card(
            "---\nlanguage:\n- en\n- no\nlicense: [mit, apache-2.0]\ntags:\n\t- x\npipeline_tag: y\nname: ~\n\
             model_name: M\nversion: 2.5\nbase_model: a/b\nbase_model: c/d\ndatasets:\nx: .nan\n---\nbody: no\n",
        )
        .unwrap();
        assert_eq!(card.list(&["languages", "language"]), ["en", "no"]);
        assert_eq!(card.list(&["tags", "pipeline_tag"]), ["x", "y"]);
        assert_eq!(card.joined("license", ",").unwrap(), "mit,apache-2.0");
        assert_eq!(card.text(&["name", "model_name"]).unwrap(), "M");
        assert_eq!(card.text(&["version"]).unwrap(), "2.5");
        assert_eq!(card.entries(&["base_model"]), Some(vec![&Value::from("c/d")]));
        assert_eq!(card.entries(&["datasets"]), Some(vec![]));
        assert_eq!(card.entries(&["dataset"]), None);
        assert_eq!(card.text(&["body"]), None);
    }
    /// PyYAML reads `no` and the like as booleans, and gguf-py mends lines of `- no` only: of `language: no` it writes
    /// nothing, and at `[en, no]` it gives up. Who writes them means words.
    #[test]
    fn no_is_a_language_and_yes_a_tag() {
        for text in ["language: no", "language: [no]", "language:\n- no", "language: 'no'", "languages: no"] {
            let card = Card::parse(&format!("---\n{text}\n---\n")).unwrap();
            assert_eq!(card.list(&["languages", "language"]), ["no"], "{text}");
        }
        let card =
            Card::parse("---\nlanguage: [en, no]\ntags: [on, Yes, y, OFF, 2024, 1.5]\nauthor: [A, B]\n---\n")
                .unwrap();
        assert_eq!(card.list(&["language"]), ["en", "no"]);
        assert_eq!(card.list(&["tags"]), ["on", "Yes", "y", "OFF", "2024", "1.5"]);
        assert_eq!(card.text(&["author"]).unwrap(), "A, B");
        let card = Card::parse("---\nlanguage: false\nname: No\n---\n").unwrap();
        assert_eq!((card.list(&["language"]), card.text(&["name"]).unwrap()), (vec![], "No".to_owned()));
    }
}
