//! `rank_pattern` and `alpha_pattern`: which modules have a rank or an alpha of their own.

use std::path::Path;

use fancy_regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::json::bad_key;

/// More patterns than an adapter has ranks of their own: one for every expert of a large model.
const MAX_PATTERNS: usize = 1 << 14;
/// The most of them that are more than names: each takes some fifteen thousand bytes once compiled.
const MAX_EXPRESSIONS: usize = 1 << 10;
/// Bytes of all compiled expressions together, and of one at most. Forty characters can ask for any number; one with a few of
/// `\w+` in it takes less than the most.
const ALL_BYTES: usize = 64 << 20;
const MOST_BYTES: usize = 1 << 20;

/// A regular expression that matches whole names, or the end of one after a dot, as `get_pattern_key` of peft does.
#[derive(Debug)]
pub(super) enum Pattern {
    /// What nearly all are: the name of a module, in which a dot stands for any character. `None` is such a dot; `whole`: it began
    /// with `^`.
    Name { characters: Vec<Option<char>>, whole: bool },
    /// Anything else.
    Expression(Box<Regex>),
}

/// The patterns of a setting, with their values.
pub(super) fn compiled<T>(
    path: &Path,
    key: &str,
    patterns: Option<&Map<String, Value>>,
    value: fn(&Path, &str, &Value) -> Result<T, Error>,
) -> Result<Vec<(Pattern, T)>, Error> {
    let expressions = patterns.into_iter().flat_map(Map::keys).filter(|text| name(text).is_none()).count();
    for (found, most, what) in [
        (patterns.map_or(0, Map::len), MAX_PATTERNS, "patterns"),
        (expressions, MAX_EXPRESSIONS, "patterns that are no names"),
    ] {
        if found > most {
            let expected = format!("at most {most} {what}");
            return Err(bad_key(path, &format!("{key}.len"), &found.into(), &expected));
        }
    }
    let bytes = (ALL_BYTES / expressions.max(1)).min(MOST_BYTES);
    let compile = |(text, given): (&String, &Value)| {
        let pattern = match name(text) {
            Some(pattern) => pattern,
            // What the parser says is several lines long.
            None => Pattern::Expression(Box::new(expression(text, bytes).map_err(|_| {
                bad_key(path, key, &Value::String(text.clone()), "a regular expression of ordinary size")
            })?)),
        };
        Ok((pattern, value(path, &format!("{key}.{text}"), given)?))
    };
    patterns.into_iter().flatten().map(compile).collect()
}

impl Pattern {
    /// Whether it matches the name of a module.
    ///
    /// # Errors
    /// If that takes too long to find out: the expression, and why.
    pub(super) fn matches(&self, module: &str) -> Result<bool, (&str, Box<fancy_regex::Error>)> {
        let (characters, whole) = match self {
            Self::Expression(regex) => {
                return regex.is_match(module).map_err(|error| (regex.as_str(), Box::new(error)));
            }
            Self::Name { characters, whole } => (characters, *whole),
        };
        let mut rest = module.chars();
        let is = |wanted: &Option<char>, c: char| wanted.map_or(c != '\n', |wanted| wanted == c);
        let ends = characters.iter().rev().all(|wanted| rest.next_back().is_some_and(|c| is(wanted, c)));
        let before = rest.as_str();
        // `.*\.` in front, in which a dot is any character but the end of a line.
        Ok(ends && (before.is_empty() || (!whole && before.ends_with('.') && !before.contains('\n'))))
    }
}

/// The pattern, if it is a name.
fn name(text: &str) -> Option<Pattern> {
    let (whole, text) = text.strip_prefix('^').map_or((false, text), |text| (true, text));
    let mut characters = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        characters.push(match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => Some(c),
            '.' => None,
            '\\' if rest.next() == Some('.') => Some('.'),
            _ => return None,
        });
    }
    Some(Pattern::Name { characters, whole })
}

/// An expression that takes no more than so many bytes.
fn expression(text: &str, bytes: usize) -> Result<Regex, fancy_regex::Error> {
    RegexBuilder::new(&format!(r"^(?:.*\.)?(?:{text})$")).delegate_size_limit(bytes).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(_: &Path, _: &str, value: &Value) -> Result<Value, Error> {
        Ok(value.clone())
    }

    #[test]
    fn patterns_of_names_are_small_enough() {
        let all = [
            r"model.layers.11.self_attn.q_proj",
            r".*\.layers\.(?:[0-9]|1[0-5])\.mlp\.(?:gate|up|down)_proj",
            r"\w+\.layers\.\d+\.\w+\.\w+_proj",
            r"^(?!.*vision).*layers\.\d+\..*",
        ];
        let patterns: Map<String, Value> = all.iter().map(|p| ((*p).to_owned(), Value::from(4))).collect();
        assert!(expression("(a{1,1000}){1,1000}", MOST_BYTES).is_err());
        let compiled = compiled(Path::new("a"), "rank_pattern", Some(&patterns), number).unwrap();
        let matches = |name: &str| {
            compiled.iter().map(|(pattern, _)| pattern.matches(name).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(matches("model.layers.11.self_attn.q_proj"), [true, false, true, true]);
        assert_eq!(matches("base.model.layers.12.mlp.up_proj"), [false, true, true, true]);
        assert_eq!(matches("vision.layers.12.mlp.up_proj"), [false, true, true, false]);
    }

    #[test]
    fn no_more_expressions_than_fit() {
        let of = |count: usize, text: &str| -> Map<String, Value> {
            (0..count).map(|n| (format!("{n}{text}"), Value::from(4))).collect()
        };
        let compiled = |map: &Map<String, Value>| compiled(Path::new("a"), "rank_pattern", Some(map), number);
        assert_eq!(compiled(&of(MAX_PATTERNS, ".q_proj")).unwrap().len(), MAX_PATTERNS);
        let said = compiled(&of(MAX_PATTERNS + 1, ".q_proj")).unwrap_err().to_string();
        assert_eq!(said, "a: key `rank_pattern.len` is 16385, expected at most 16384 patterns");
        let said = compiled(&of(MAX_EXPRESSIONS + 1, ".+")).unwrap_err().to_string();
        let expected = "a: key `rank_pattern.len` is 1025, expected at most 1024 patterns that are no names";
        assert_eq!(said, expected);
    }

    proptest::proptest! {
        /// A name matches as the expression that it is.
        #[test]
        fn names_match_as_expressions(
            text in r"\^?([ab_.]|\\\.){0,5}",
            module in "[ab._é\n]{0,4}",
            end in "[ab._]{0,5}",
        ) {
            let module = format!("{module}{end}");
            let name = name(&text).unwrap();
            let regex = expression(&text, MOST_BYTES).unwrap();
            proptest::prop_assert_eq!(name.matches(&module).unwrap(), regex.is_match(&module).unwrap());
        }
    }
}
