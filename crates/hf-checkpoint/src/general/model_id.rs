//! What a model's id says: `org/Base-Name-7B-Instruct-v1.0`.

use std::sync::LazyLock;

use regex::Regex;

/// A model's id, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ModelId {
    /// The whole name, without the organization.
    pub full_name: String,
    pub organization: Option<String>,
    pub basename: Option<String>,
    pub finetune: Option<String>,
    pub version: Option<String>,
    pub size_label: Option<String>,
}

/// What a part of the name may be; several at once.
#[derive(Clone, Copy, Debug, Default)]
struct Roles {
    basename: bool,
    size: bool,
    finetune: bool,
    version: bool,
    /// A quantization type, which belongs to none of the fields.
    quantization: bool,
    /// That it is an adapter, which is said elsewhere.
    kind: bool,
}

impl Roles {
    fn none(self) -> bool {
        !(self.basename || self.size || self.finetune || self.version || self.quantization || self.kind)
    }
}

#[derive(Debug)]
struct Part {
    text: String,
    roles: Roles,
}

/// `None` in the impossible case that a pattern below is not one.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

fn is(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|p| p.is_match(text))
}

static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^(?i:(v|iter)?\d+([.]\d+)*)$"));
static QUANTIZATION: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^(?i:i?q\d(_\w)*|b?fp?(16|32))$"));
static SIZE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(?i:(([A]|\d+[x])?\d+([._]\d+)?[KMBT][\d]?|small|mini|medium|large|x?xl))$"));
static FINETUNE: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^(?i:chat|instruct|vision|lora)$"));
/// Words that a title leaves as they are: versions, and what starts with a digit.
static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^(v\d+(?:\.\d+)*|\d.*)$"));

impl ModelId {
    /// Takes an id apart. `parameters`, the number of weights that the model has (negative: an adapter), tells a
    /// size from a context length.
    pub(super) fn parse(id: &str, parameters: i64) -> Self {
        if id.contains(' ') {
            // A sentence, not an id.
            return Self { full_name: id.to_owned(), ..Self::default() };
        }
        let (organization, full_name) = match id.split_once('/') {
            Some((organization, name)) => (Some(organization).filter(|o| !o.starts_with('.')), name),
            None => (None, id),
        };
        let mut parts: Vec<Part> = full_name
            .split('-')
            .filter(|p| !p.is_empty())
            .map(|p| Part { text: p.to_owned(), roles: Roles::default() })
            .collect();
        for (i, part) in parts.iter_mut().enumerate() {
            part.annotate(i == 0, parameters);
        }
        forget_word_sizes(&mut parts);
        mark_basename(&mut parts);

        let mut id = Self {
            full_name: full_name.to_owned(),
            organization: organization.map(str::to_owned),
            basename: join(&parts, |r| r.basename),
            finetune: join(&parts, |r| r.finetune),
            version: join(&parts, |r| r.version && !r.basename),
            size_label: sizes(&parts),
        };
        if id.size_label.is_none() && id.finetune.is_none() && id.version.is_none() {
            // Too little to tell what is what.
            id.basename = None;
        }
        id
    }
}

impl Part {
    fn annotate(&mut self, first: bool, parameters: i64) {
        if is(&VERSION, &self.text) {
            self.roles.version = true;
        } else if is(&QUANTIZATION, &self.text) {
            self.roles.quantization = true;
            self.text = self.text.to_uppercase();
        } else if !first && is(&SIZE, &self.text) {
            self.annotate_size(parameters);
        } else if !first && parameters < 0 && self.text.eq_ignore_ascii_case("lora") {
            self.roles.kind = true;
        } else if !first && is(&FINETUNE, &self.text) {
            self.roles.finetune = true;
        }
    }

    /// The text matches [`SIZE`]: at least two characters.
    fn annotate_size(&mut self, parameters: i64) {
        let mut chars: Vec<char> = self.text.replace('_', ".").chars().collect();
        // `7b1` is 7.1b.
        if let [.., unit, digit] = *chars
            && digit.is_ascii_digit()
        {
            chars.truncate(chars.len() - 2);
            chars.extend(['.', digit, unit]);
        }
        if let [.., before, unit] = &mut *chars
            && before.is_ascii_digit()
            && matches!(unit, 'k' | 'm' | 'b' | 't')
        {
            unit.make_ascii_uppercase();
        }
        if let Some((unit, number)) = chars.split_last_mut() {
            let number: String = number.iter().collect();
            if parameters != 0
                && let Ok(number) = number.parse::<f64>()
            {
                let scale = match unit {
                    'K' => 1e3,
                    'M' => 1e6,
                    'B' => 1e9,
                    'T' => 1e12,
                    _ => 1e-3,
                };
                let size = parameters.unsigned_abs();
                // Far from the model's size it is rather a context length; an adapter may have few of the model's.
                let far = if parameters < 0 {
                    number * scale < (size / 8) as f64
                } else {
                    (number * scale - size as f64).abs() > (u128::from(size) * 7 / 8) as f64
                };
                if far {
                    self.roles.finetune = true;
                    unit.make_ascii_lowercase();
                }
            }
        }
        self.roles.size = self.roles.none();
        self.text = chars.into_iter().collect();
    }
}

/// `mini` and the like are no sizes beside a number.
fn forget_word_sizes(parts: &mut [Part]) {
    let numbered = |p: &Part| p.roles.size && p.text.contains(|c: char| c.is_ascii_digit());
    if parts.iter().any(numbered) {
        for part in parts {
            if part.text.chars().all(char::is_alphabetic) {
                part.roles.size = false;
            }
        }
    }
}

/// The name starts with the base name; what has no other role after it is the fine-tune's.
fn mark_basename(parts: &mut [Part]) {
    let mut at_start = true;
    for part in &mut *parts {
        let word = part.roles.none() && part.text.starts_with(char::is_alphabetic);
        if at_start && (word || part.roles.version) {
            part.roles.basename = true;
        } else {
            at_start = false;
            part.roles.finetune |= part.roles.none();
        }
    }
    // A version at the very end is the version, not part of the base name.
    for part in parts.iter_mut().rev() {
        if part.roles.basename && part.roles.version {
            part.roles.basename = false;
        } else {
            break;
        }
    }
}

fn join(parts: &[Part], role: impl Fn(Roles) -> bool) -> Option<String> {
    let parts: Vec<&str> = parts.iter().filter(|p| role(p.roles)).map(|p| p.text.as_str()).collect();
    Some(parts.join("-")).filter(|s| !s.is_empty())
}

/// The sizes, each once.
fn sizes(parts: &[Part]) -> Option<String> {
    let mut sizes: Vec<&str> = Vec::new();
    for part in parts.iter().filter(|p| p.roles.size) {
        if !sizes.contains(&part.text.as_str()) {
            sizes.push(&part.text);
        }
    }
    Some(sizes.join("-")).filter(|s| !s.is_empty())
}

/// An id as a title: `tiny-llama-v1.0` becomes `Tiny Llama v1.0`.
pub(super) fn title(id: &str) -> String {
    let words = id.trim().replace('-', " ");
    let words: Vec<String> = words
        .split_whitespace()
        .map(|word| {
            let has_case = word.chars().any(char::is_lowercase);
            let lower = has_case && !word.chars().any(char::is_uppercase);
            if lower && !is(&NUMBERED, word) { capitalized(word) } else { word.to_owned() }
        })
        .collect();
    words.join(" ")
}

/// A capital at the start of each run of letters.
fn capitalized(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut in_run = false;
    for c in word.chars() {
        let cased = c.is_lowercase() || c.is_uppercase();
        if cased && !in_run {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        in_run = cased;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/golden/model_ids.txt`: what gguf-py (llama.cpp as vendored by llama-cpp-python 0.3.36) reads off names.
    #[test]
    fn names_are_read_as_gguf_py_reads_them() {
        let golden = include_str!("../../tests/golden/model_ids.txt");
        let mut wrong = Vec::new();
        for line in golden.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let id = ModelId::parse(fields[0], fields[1].parse().unwrap());
            let field = |f: &Option<String>| f.clone().unwrap_or_else(|| "-".to_owned());
            let title = title(&id.full_name);
            let ours = [
                fields[0].to_owned(),
                fields[1].to_owned(),
                id.full_name.clone(),
                field(&id.organization),
                field(&id.basename),
                field(&id.finetune),
                field(&id.version),
                field(&id.size_label),
                title,
            ];
            if ours.join("\t") != line {
                wrong.push(format!("expected {line}\n   found {}", ours.join("\t")));
            }
        }
        assert!(golden.lines().count() > 500);
        assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
    }
}
