//! Encodes one text, the converter's, with the tokenizer of a `tokenizer.json`.
//!
//! Only that text is ever encoded, so only what it contains is provided for: its characters are all in NFC and NFD, one
//! changes in NFKC, three are nonspacing marks. A component that is not known gives `None`, and the caller goes on
//! without.

use fancy_regex::RegexBuilder;
use serde_json::Value;

use super::super::added::AddedVocabulary;
use super::super::decode::BYTE_CHARS;
use super::super::json::{AddedToken, TokenizerJson, component_type};
use super::groups::GPT2;
use super::model::Model;
use super::normalizer::Normalizer;
use super::split::{Behavior, Pattern, split};

/// How deep components may be nested.
const DEPTH: u8 = 8;
/// How long the text may become, and how many ids a post-processor may put around it: a few components in a row could fill the
/// memory, and merging takes the square of it. The text itself is some hundred bytes long.
pub(super) const MAX_LEN: usize = 1 << 13;

/// How often a search for one match may turn back, many times what a short text takes: where it may without end, each of the text's
/// characters could take a second.
const STEPS: usize = 1 << 14;
/// How large an expression may be once compiled.
pub(super) const REGEX_BYTES: usize = 1 << 20;

/// The ids of a text, without the special tokens around it. `added`: the added tokens are looked for in the text.
pub(super) fn encode(json: &TokenizerJson, added: Option<&AddedVocabulary>, text: &str) -> Option<Vec<u32>> {
    let mut pieces = vec![Piece::Text(text.to_owned())];
    if let Some(added) = added {
        let raw = Matcher::new(added, |token| (!token.normalized).then(|| token.content.clone()));
        pieces = raw.cut(pieces);
    }
    let normalizer = Normalizer::new(&json.normalizer)?;
    for piece in &mut pieces {
        if let Piece::Text(text) = piece {
            *text = normalizer.apply(text)?;
            if text.len() > MAX_LEN {
                return None;
            }
        }
    }
    if let Some(added) = added {
        let normalized = Matcher::new(added, |token| match token.normalized {
            true => normalizer.apply(&token.content),
            false => None,
        });
        pieces = normalized.cut(pieces);
    }
    let mut words = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                words.extend(
                    pre_tokenize(&json.pre_tokenizer, vec![text], DEPTH)?.into_iter().map(Piece::Text),
                );
            }
            token => words.push(token),
        }
    }
    let texts = words.iter().filter_map(|word| match word {
        Piece::Text(word) => Some(word.as_str()),
        Piece::Token(_) => None,
    });
    let model = Model::new(json, texts)?;
    let mut ids = Vec::new();
    for word in &words {
        match word {
            Piece::Token(id) => ids.push(*id),
            Piece::Text(word) => model.encode(word, &mut ids)?,
        }
    }
    Some(ids)
}

enum Piece {
    Text(String),
    Token(u32),
}

/// Finds added tokens in a text: the leftmost, of these the longest.
struct Matcher<'a> {
    tokens: Vec<(String, u32, &'a AddedToken)>,
}

impl<'a> Matcher<'a> {
    fn new(added: &'a AddedVocabulary, form: impl Fn(&AddedToken) -> Option<String>) -> Self {
        let tokens = added.iter().filter_map(|(id, token)| Some((form(token)?, id, token)));
        Self { tokens: tokens.filter(|(form, ..)| !form.is_empty()).collect() }
    }

    fn cut(&self, pieces: Vec<Piece>) -> Vec<Piece> {
        let mut cut = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) if !self.tokens.is_empty() => self.cut_text(&text, &mut cut),
                other => cut.push(other),
            }
        }
        cut
    }

    fn cut_text(&self, text: &str, pieces: &mut Vec<Piece>) {
        let push = |pieces: &mut Vec<Piece>, from: usize, to: usize| {
            if from < to {
                pieces.push(Piece::Text(text[from..to].to_owned()));
            }
        };
        let (mut at, mut done) = (0, 0);
        while let Some(c) = text[at..].chars().next() {
            let here = &text[at..];
            let longest = self
                .tokens
                .iter()
                .filter(|(form, ..)| here.starts_with(form.as_str()))
                .max_by_key(|(form, ..)| form.len());
            let Some((form, id, token)) = longest else {
                at += c.len_utf8();
                continue;
            };
            let (mut start, mut end) = (at, at + form.len());
            at = end;
            let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            if token.single_word
                && (word(text[..start].chars().next_back()) || word(text[end..].chars().next()))
            {
                continue;
            }
            if token.lstrip {
                start = text[..start].trim_end().len().max(done);
            }
            if token.rstrip {
                end = text.len() - text[end..].trim_start().len();
            }
            push(pieces, done, start);
            pieces.push(Piece::Token(*id));
            done = end;
            at = at.max(end);
        }
        push(pieces, done, text.len());
    }
}

/// The words that a whole pre-tokenizer makes of a text.
pub(super) fn pre_tokenize_all(pre_tokenizer: &Value, text: &str) -> Option<Vec<String>> {
    pre_tokenize(pre_tokenizer, vec![text.to_owned()], DEPTH)
}

/// The words that a pre-tokenizer makes of pieces of text.
fn pre_tokenize(component: &Value, pieces: Vec<String>, depth: u8) -> Option<Vec<String>> {
    let flag = |key: &str| component.get(key).and_then(Value::as_bool);
    let each = |pattern: &Pattern, behavior, invert| split_all(&pieces, pattern, behavior, invert);
    match component_type(component) {
        "" if component.is_null() => Some(pieces),
        "Sequence" if depth > 0 => component
            .get("pretokenizers")?
            .as_array()?
            .iter()
            .try_fold(pieces, |pieces, part| pre_tokenize(part, pieces, depth - 1)),
        "Split" => {
            let behavior = Behavior::new(component.get("behavior")?.as_str()?)?;
            each(&Pattern::new(component.get("pattern")?)?, behavior, flag("invert").unwrap_or(false))
        }
        "ByteLevel" => {
            let mut pieces = pieces;
            if flag("add_prefix_space") != Some(false) {
                for piece in pieces.iter_mut().filter(|p| !p.starts_with(' ')) {
                    piece.insert(0, ' ');
                }
            }
            if flag("use_regex") != Some(false) {
                // The expression that the library has for this component (tokenizers 0.23).
                pieces = split_all(&pieces, &Pattern::regex(GPT2)?, Behavior::Isolated, false)?;
            }
            if pieces.iter().map(String::len).sum::<usize>() > MAX_LEN {
                return None;
            }
            let bytes = |piece: &String| piece.bytes().map(|b| BYTE_CHARS[usize::from(b)]).collect();
            Some(pieces.iter().map(bytes).collect())
        }
        "Digits" => {
            let single = flag("individual_digits") == Some(true);
            let behavior = if single { Behavior::Isolated } else { Behavior::Contiguous };
            each(&Pattern::Char(char::is_numeric), behavior, false)
        }
        "Punctuation" => {
            let behavior = match component.get("behavior") {
                Some(name) => Behavior::new(name.as_str()?)?,
                None => Behavior::Isolated,
            };
            each(&Pattern::regex(PUNCTUATION)?, behavior, false)
        }
        "WhitespaceSplit" => each(&Pattern::Char(char::is_whitespace), Behavior::Removed, false),
        "Whitespace" => each(&Pattern::regex(r"\w+|[^\w\s]+")?, Behavior::Removed, true),
        "BertPreTokenizer" => {
            let words = each(&Pattern::Char(char::is_whitespace), Behavior::Removed, false)?;
            split_all(&words, &Pattern::regex(PUNCTUATION)?, Behavior::Isolated, false)
        }
        _ => None,
    }
}

/// ASCII has signs that Unicode counts as symbols.
const PUNCTUATION: &str = r"[!-/:-@\[-`{-~\p{P}]";

fn split_all(pieces: &[String], pattern: &Pattern, behavior: Behavior, invert: bool) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for piece in pieces {
        let ranges = split(piece, pattern, behavior, invert)?;
        words.extend(ranges.into_iter().filter_map(|r| piece.get(r)).map(str::to_owned));
    }
    Some(words)
}

/// The ids that a post-processor puts before and after a text.
pub(super) fn frame(post_processor: &Value, depth: u8) -> Option<(Vec<u32>, Vec<u32>)> {
    let id = |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    let one = |key: &str| id(post_processor.get(key)?.get(1)).map(|id| vec![id]);
    match component_type(post_processor) {
        "" if post_processor.is_null() => Some((Vec::new(), Vec::new())),
        "ByteLevel" => Some((Vec::new(), Vec::new())),
        "RobertaProcessing" | "BertProcessing" => Some((one("cls")?, one("sep")?)),
        "TemplateProcessing" => {
            let (mut before, mut after, mut past) = (Vec::new(), Vec::new(), false);
            for entry in post_processor.get("single")?.as_array()? {
                if entry.get("Sequence").is_some() {
                    past = true;
                    continue;
                }
                let name = entry.pointer("/SpecialToken/id")?.as_str()?;
                for value in post_processor.get("special_tokens")?.get(name)?.get("ids")?.as_array()? {
                    let ids = if past { &mut after } else { &mut before };
                    ids.push(id(Some(value))?);
                    if ids.len() > MAX_LEN {
                        return None;
                    }
                }
            }
            Some((before, after))
        }
        "Sequence" if depth > 0 => {
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for part in post_processor.get("processors")?.as_array()? {
                let (first, last) = frame(part, depth - 1)?;
                before.splice(0..0, first);
                after.extend(last);
                if before.len().max(after.len()) > MAX_LEN {
                    return None;
                }
            }
            Some((before, after))
        }
        _ => None,
    }
}

/// [`frame`] of a whole post-processor.
pub(super) fn frame_of(json: &TokenizerJson) -> Option<(Vec<u32>, Vec<u32>)> {
    frame(&json.post_processor, DEPTH)
}

impl Pattern {
    /// A pattern of `tokenizer.json`: `{"String": …}` or `{"Regex": …}`.
    fn new(pattern: &Value) -> Option<Self> {
        match pattern.get("String").and_then(Value::as_str) {
            Some(text) => Some(Self::Text(text.to_owned())),
            None => Self::regex(pattern.get("Regex")?.as_str()?),
        }
    }

    /// A regular expression.
    pub(super) fn regex(regex: &str) -> Option<Self> {
        let built = RegexBuilder::new(regex).backtrack_limit(STEPS).delegate_size_limit(REGEX_BYTES).build();
        built.ok().map(Self::Regex)
    }
}
