//! The merges of a BPE model: `"a b"` up to transformers 4.44, `["a", "b"]` since.
//!
//! There are hundreds of thousands, so they are kept in one text rather than each in two of its own.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The merges in order of rank; empty where the file has none.
#[derive(Debug, Default)]
pub(super) struct Merges {
    /// All of them, each with a space between its sides.
    text: String,
    /// Of each, where the space is (none: `u32::MAX`), and where it ends.
    bounds: Vec<(u32, u32)>,
    /// They were written as pairs, so that a side may have a space in it.
    pairs: bool,
}

/// A merge of two tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Merge<'a> {
    text: &'a str,
    space: Option<usize>,
    pair: bool,
}

impl<'a> Merge<'a> {
    /// The two sides; of a text with no space, `None`.
    pub(super) fn sides(self) -> Option<(&'a str, &'a str)> {
        let space = self.space?;
        self.text.get(..space).zip(self.text.get(space + 1..))
    }

    /// As GGUF has it, `a b`: a space within a side is written as byte-level BPE's sign for it.
    pub(super) fn gguf(self) -> String {
        match self.sides() {
            Some((a, b)) if self.pair && (a.contains(' ') || b.contains(' ')) => {
                format!("{} {}", a.replace(' ', "Ġ"), b.replace(' ', "Ġ"))
            }
            _ => self.text.to_owned(),
        }
    }
}

impl Merges {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.bounds.is_empty()
    }

    /// The merges in order of rank.
    pub(super) fn iter(&self) -> impl Iterator<Item = Merge<'_>> {
        let mut start = 0;
        self.bounds.iter().filter_map(move |&(space, end)| {
            let text = self.text.get(start..end as usize)?;
            let space = (space != u32::MAX).then(|| space as usize - start);
            start = end as usize;
            Some(Merge { text, space, pair: self.pairs })
        })
    }

    /// Ends the merge that was written last; its space, if it has one, is at this place of the text.
    fn end<E: serde::de::Error>(&mut self, space: Option<usize>) -> Result<(), E> {
        let place = |at: usize| u32::try_from(at).map_err(|_| E::custom("merges of more than 4 GiB"));
        self.bounds.push((space.map_or(Ok(u32::MAX), place)?, place(self.text.len())?));
        Ok(())
    }
}

/// Of texts, each two tokens with a space between.
impl<'a> FromIterator<&'a str> for Merges {
    fn from_iter<T: IntoIterator<Item = &'a str>>(texts: T) -> Self {
        let mut merges = Self::default();
        for text in texts {
            let space = text.find(' ').map(|at| merges.text.len() + at);
            merges.text.push_str(text);
            // A file of text is far below 4 GiB.
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            merges.bounds.push((space.map_or(u32::MAX, place), place(merges.text.len())));
        }
        merges
    }
}

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Merges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of merges")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Merges, A::Error> {
                let mut merges = Merges::default();
                while seq.next_element_seed(One(&mut merges))?.is_some() {}
                Ok(merges)
            }
        }
        deserializer.deserialize_seq(All)
    }
}

/// Reads one merge to the end of the text.
struct One<'m>(&'m mut Merges);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a merge: \"a b\" or [\"a\", \"b\"]")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let space = text.find(' ').map(|at| self.0.text.len() + at);
        self.0.text.push_str(text);
        self.0.end(space)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let short = |n| A::Error::invalid_length(n, &"two tokens");
        seq.next_element_seed(Side(&mut self.0.text))?.ok_or_else(|| short(0))?;
        let space = self.0.text.len();
        self.0.text.push(' ');
        seq.next_element_seed(Side(&mut self.0.text))?.ok_or_else(|| short(1))?;
        if seq.next_element::<IgnoredAny>()?.is_some() {
            return Err(short(3));
        }
        self.0.pairs = true;
        self.0.end(Some(space))
    }
}

/// Reads one side of a merge to the end of a text.
struct Side<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for Side<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Side<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Merges {
        serde_json::from_str(json).expect("merges")
    }

    #[test]
    fn both_forms_are_read_and_written() {
        let texts = read(r#"["a b", "ab c", "whole", "a b c"]"#);
        let sides: Vec<_> = texts.iter().map(Merge::sides).collect();
        assert_eq!(sides, [Some(("a", "b")), Some(("ab", "c")), None, Some(("a", "b c"))]);
        let written: Vec<_> = texts.iter().map(Merge::gguf).collect();
        assert_eq!(written, ["a b", "ab c", "whole", "a b c"]);

        let pairs = read(r#"[["a", "b"], ["", "c"], ["x y", "z "], ["é", "\u00e9"]]"#);
        let sides: Vec<_> = pairs.iter().filter_map(Merge::sides).collect();
        assert_eq!(sides, [("a", "b"), ("", "c"), ("x y", "z "), ("é", "é")]);
        let written: Vec<_> = pairs.iter().map(Merge::gguf).collect();
        assert_eq!(written, ["a b", " c", "xĠy zĠ", "é é"]);
        assert!(read("[]").is_empty() && !pairs.is_empty());
    }
}
