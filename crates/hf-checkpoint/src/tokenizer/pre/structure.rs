//! Pre-tokenizers by how they split: a text, made to tell llama.cpp's ways of splitting apart, is split by the
//! tokenizer's own components and by each of llama.cpp's. It does not matter how the components are spelled.

use std::sync::OnceLock;

use serde_json::Value;

use super::super::decode::BYTE_CHARS;
use super::super::json::{TokenizerJson, component_type};
use super::encode::pre_tokenize_all;
use super::groups::{GROUPS, Group, RAW, When};
use super::split::{Behavior, Pattern, split};

/// Tells every two of llama.cpp's groups apart (a test checks it): contractions in both cases, numbers of all lengths,
/// scripts and their marks, capitals within words, signs before letters and line ends, runs of spaces.
const PROBE: &str = "I'm you'LL he'd'S 'tis O'Brien's Ali'sin a  12 b   3456\n\n don't\r\n  A1b22c333 1234567 12345 x=10.5;\t\ty+=(a->b)/c\n/*$z*/\n \
    getHTTPResponse CamelCaseÉtéÄpfel naïve cafe\u{301}s ΣΑΣ Привет-мир हिन्दी ภาษาไทย ខ្មែរ ქართული abc中文字123テスト。 \
    한국어ㄱㄴ ㄅㄆㄇ “quoted” ‘x’ …！？、：；—《书》 a b c e\u{301} f ½²Ⅷ٣ #tag @user _under~|`^<>$+= foo...bar!!!\n\n\n\
    end.  two   three    four\u{a0}nbsp\u{3000}wide\n    indent\n\t\ttab \r\n\r\n<sentinel:12> IMGIMGABCZ (p|q),r!s?t،u۔v।w 7.\n";

/// The words of the text by each group, made when they are first asked for.
static WORDS: [OnceLock<Option<Vec<String>>>; GROUPS.len()] = [const { OnceLock::new() }; GROUPS.len()];

/// What the structure tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recognised {
    pub name: &'static str,
    /// The regular expressions by which llama.cpp splits as the tokenizer does; empty: it does not split words.
    pub regexes: &'static [&'static str],
}

/// The name for a tokenizer of a vocabulary of its own, if it splits as one of llama.cpp's does.
pub(super) fn find(json: &TokenizerJson) -> Option<Recognised> {
    if json.model_kind() != "BPE" {
        return None;
    }
    if json.model.byte_fallback == Some(true) {
        let name = RAW.first().filter(|_| writes_spaces(&json.normalizer))?;
        return Some(Recognised { name, regexes: &[] });
    }
    if !harmless(&json.normalizer) {
        return None;
    }
    let probe = probe();
    let words = pre_tokenize_all(&json.pre_tokenizer, &probe)?;
    // In GPT-2's alphabet there is no space.
    if words.iter().any(|word| word.contains(' ')) {
        return None;
    }
    let alike = |(group, of_group): &(&'static Group, &OnceLock<_>)| {
        of_group.get_or_init(|| words_of(group, &probe)).as_ref() == Some(&words)
    };
    let group = match GROUPS.iter().zip(WORDS.iter()).find(alike) {
        Some((group, _)) => group,
        None => GROUPS.iter().find(|group| is_falcon(group) && falcons(&json.pre_tokenizer))?,
    };
    let (name, _) = group.choices.iter().find(|(_, when)| applies(*when, json))?;
    Some(Recognised { name, regexes: group.regexes })
}

/// The text, with the long runs of spaces that one way of splitting counts.
fn probe() -> String {
    [PROBE, &" ".repeat(700), "x", &" ".repeat(23), "\n"].concat()
}

/// The words that llama.cpp makes of a text, in GPT-2's alphabet.
fn words_of(group: &Group, text: &str) -> Option<Vec<String>> {
    let mut words = vec![text];
    for regex in group.regexes {
        let pattern = Pattern::regex(regex)?;
        let mut parts = Vec::with_capacity(words.len());
        for word in words {
            let ranges = split(word, &pattern, Behavior::Isolated, false)?;
            parts.extend(ranges.into_iter().filter_map(|range| word.get(range)));
        }
        words = parts;
    }
    let bytes = |word: &str| word.bytes().map(|b| BYTE_CHARS[usize::from(b)]).collect();
    Some(words.into_iter().map(bytes).collect())
}

fn applies(when: When, json: &TokenizerJson) -> bool {
    match when {
        When::IgnoresMerges(ignores) => (json.model.ignore_merges == Some(true)) == ignores,
        When::Composes => parts(&json.normalizer, "normalizers").any(|p| component_type(p) == "NFC"),
        When::Roberta => component_type(&json.post_processor) == "RobertaProcessing",
        When::Spelled(spelled) => {
            let mut splits = parts(&json.pre_tokenizer, "pretokenizers");
            splits.any(|p| p.pointer("/pattern/Regex").and_then(Value::as_str) == Some(spelled))
        }
        When::Otherwise => true,
    }
}

/// llama.cpp normalizes nothing for byte-level BPE; of the normalizers in use only NFC, which most text is in already,
/// is taken to be close enough, by the converter as well.
fn harmless(normalizer: &Value) -> bool {
    normalizer.is_null() || parts(normalizer, "normalizers").all(|part| component_type(part) == "NFC")
}

/// SentencePiece's sign stands for a space.
fn writes_spaces(normalizer: &Value) -> bool {
    parts(normalizer, "normalizers").any(|part| {
        component_type(part) == "Replace"
            && part.pointer("/pattern/String").and_then(Value::as_str) == Some(" ")
            && part.get("content").and_then(Value::as_str) == Some("▁")
    })
}

fn is_falcon(group: &Group) -> bool {
    group.names().any(|name| name == "falcon")
}

/// Falcon's components split after the alphabet too, where signs for bytes count as digits; llama.cpp splits before it.
fn falcons(pre_tokenizer: &Value) -> bool {
    let types: Vec<_> = parts(pre_tokenizer, "pretokenizers").map(component_type).collect();
    let regexes = parts(pre_tokenizer, "pretokenizers").filter_map(|p| p.pointer("/pattern/Regex"));
    types == ["Punctuation", "ByteLevel", "Digits", "Split"]
        && regexes.map(Value::as_str).eq([Some("[0-9][0-9][0-9]")])
}

/// The parts of a sequence of components; of any other, itself.
fn parts<'a>(component: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    let list = component.get(key).and_then(Value::as_array);
    list.map_or(std::slice::from_ref(component), Vec::as_slice).iter()
}

/// A tokenizer's structure in a few words, for an error message.
pub(super) fn describe(json: &TokenizerJson) -> String {
    let types =
        |component: &Value, key: &str| parts(component, key).map(part).collect::<Vec<_>>().join(" + ");
    format!(
        "normalizer {}, pre_tokenizer {}, model {}",
        types(&json.normalizer, "normalizers"),
        types(&json.pre_tokenizer, "pretokenizers"),
        json.model_kind()
    )
}

fn part(component: &Value) -> String {
    let regex = component.pointer("/pattern/Regex").or_else(|| component.pointer("/pattern/String"));
    match (component_type(component), regex.and_then(Value::as_str)) {
        ("", _) => "none".to_owned(),
        (name, Some(regex)) => format!("{name}({:?})", super::super::file::shorten(regex, 60)),
        (name, None) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Were two groups alike on the text, a tokenizer of the one could be taken for the other.
    #[test]
    fn the_probe_tells_the_groups_apart() {
        let probe = probe();
        let words: Vec<_> = GROUPS.iter().map(|g| words_of(g, &probe).expect("splits")).collect();
        let mut alike = Vec::new();
        for (i, a) in words.iter().enumerate() {
            let same = words.iter().zip(GROUPS).skip(i + 1).filter(|(b, _)| a == *b);
            alike.extend(same.map(|(_, group)| (GROUPS[i].choices, group.choices)));
        }
        assert!(alike.is_empty(), "{alike:?}");
    }
}
