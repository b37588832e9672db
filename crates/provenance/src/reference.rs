//! A base model or a dataset, as the standard keys name it.

use std::fmt;

/// The kind of thing that is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BaseModel,
    Dataset,
}

impl Kind {
    /// The keys' common prefix, with the dot at its end.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::BaseModel => "general.base_model.",
            Self::Dataset => "general.dataset.",
        }
    }

    /// Where repositories of this kind are on the Hugging Face hub.
    const fn hub(self) -> &'static str {
        match self {
            Self::BaseModel => "https://huggingface.co/",
            Self::Dataset => "https://huggingface.co/datasets/",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BaseModel => "base model",
            Self::Dataset => "dataset",
        })
    }
}

/// What a user's word for a base model or a dataset tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) name: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) repo_url: Option<String>,
}

impl Reference {
    /// Takes a reference apart, by the rules of gguf-py's `metadata.py` (0.19) cut down to what is certain:
    ///
    /// - a URL is the repository; on the hub, it also tells organization and name;
    /// - `organization/name` is a repository of the hub;
    /// - a path of this machine gives only its last part, as the name;
    /// - anything else is a name.
    ///
    /// A version is not guessed from the name.
    pub(crate) fn parse(kind: Kind, text: &str) -> Self {
        let text = text.trim();
        if ["http://", "https://", "ssh://"].iter().any(|scheme| text.starts_with(scheme)) {
            let repository = text.strip_prefix(kind.hub()).and_then(organization_and_name);
            return Self {
                name: repository.map(|(_, name)| title(name)),
                organization: repository.map(|(organization, _)| title(organization)),
                repo_url: Some(text.to_string()),
            };
        }
        if text.contains(' ') {
            return Self { name: Some(title(text)), ..Self::default() };
        }
        if let Some((organization, name)) = organization_and_name(text) {
            return Self {
                name: Some(title(name)),
                organization: Some(title(organization)),
                repo_url: Some(format!("{}{organization}/{name}", kind.hub())),
            };
        }
        let last = text.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(text);
        Self { name: Some(title(last)), ..Self::default() }
    }

    /// The pairs of the keys `general.base_model.*` or `general.dataset.*`, in write order; values but the
    /// count are strings.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("name", &self.name), ("organization", &self.organization), ("repo_url", &self.repo_url)]
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.as_deref()?)))
    }
}

/// A reference as it is told: of a path from a root or from a home folder, the last part only. Where someone keeps files is
/// nobody's business.
pub(crate) fn told(text: &str) -> &str {
    let drive = text.as_bytes().get(1..3).is_some_and(|part| matches!(part, b":\\" | b":/"));
    if drive || text.starts_with(['/', '\\', '~']) {
        text.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or_default()
    } else {
        text
    }
}

/// The two parts of a hub id, if this is one: two names that do not begin with what begins a path.
fn organization_and_name(id: &str) -> Option<(&str, &str)> {
    let (organization, name) = id.split_once('/')?;
    let fits = |part: &str| {
        part.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && !part.contains(['/', '\\', ':', '?', '#'])
    };
    (fits(organization) && fits(name)).then_some((organization, name))
}

/// A name for people: hyphens become spaces, and words in lower case get a capital, save versions and words that
/// begin with a digit (`llama-2-7b` → `Llama 2 7b`).
fn title(id: &str) -> String {
    let words: Vec<String> = id
        .split(|c: char| c == '-' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| if is_lower(word) && !is_version(word) { capitalize(word) } else { word.to_string() })
        .collect();
    words.join(" ")
}

/// Python's `str.islower`: at least one letter with case, none of them upper.
fn is_lower(word: &str) -> bool {
    word.chars().any(char::is_lowercase) && !word.chars().any(char::is_uppercase)
}

/// `v1`, `v0.3`, and anything that begins with a digit.
fn is_version(word: &str) -> bool {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    word.strip_prefix('v').is_some_and(|rest| {
        rest.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
    })
}

/// Python's `str.title`, for a word in lower case: a capital wherever letters begin (`qwen2vl` → `Qwen2Vl`).
fn capitalize(word: &str) -> String {
    let mut result = String::with_capacity(word.len());
    let mut in_letters = false;
    for c in word.chars() {
        if c.is_alphabetic() && !in_letters {
            result.extend(c.to_uppercase());
        } else {
            result.push(c);
        }
        in_letters = c.is_alphabetic();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(kind: Kind, text: &str) -> (Option<String>, Option<String>, Option<String>) {
        let Reference { name, organization, repo_url } = Reference::parse(kind, text);
        (name, organization, repo_url)
    }

    #[test]
    fn of_paths_the_last_part_is_told() {
        for (text, expected) in [
            ("/home/me/models/base/", "base"),
            ("~/base", "base"),
            ("C:\\models\\base", "base"),
            ("\\\\host\\share\\base", "base"),
            ("org/base", "org/base"),
            ("./runs/base", "./runs/base"),
            ("https://example.org/base", "https://example.org/base"),
            ("a b", "a b"),
        ] {
            assert_eq!(told(text), expected);
        }
    }

    #[test]
    fn a_hub_id_gives_name_organization_and_address() {
        let some = |s: &str| Some(s.to_string());
        assert_eq!(
            parts(Kind::BaseModel, "meta-llama/Llama-2-7b-hf"),
            (
                some("Llama 2 7b Hf"),
                some("Meta Llama"),
                some("https://huggingface.co/meta-llama/Llama-2-7b-hf")
            )
        );
        assert_eq!(
            parts(Kind::Dataset, "roneneldan/TinyStories"),
            (
                some("TinyStories"),
                some("Roneneldan"),
                some("https://huggingface.co/datasets/roneneldan/TinyStories")
            )
        );
        assert_eq!(
            parts(Kind::BaseModel, "https://huggingface.co/mistralai/Mistral-7B-v0.1"),
            (
                some("Mistral 7B v0.1"),
                some("Mistralai"),
                some("https://huggingface.co/mistralai/Mistral-7B-v0.1")
            )
        );
        assert_eq!(
            parts(Kind::BaseModel, "https://example.org/models/7"),
            (None, None, some("https://example.org/models/7"))
        );
    }

    #[test]
    fn a_name_or_a_path_gives_only_a_name() {
        for (text, name) in [
            ("llama-2-7b", "Llama 2 7b"),
            ("imagenet-1k", "Imagenet 1k"),
            ("custom-dataset", "Custom Dataset"),
            ("my own data", "My Own Data"),
            ("/home/me/models/base", "Base"),
            ("./base/", "Base"),
            ("../x", "X"),
            ("C:\\models\\base", "Base"),
            ("a/b/c", "C"),
            ("qwen2vl", "Qwen2Vl"),
        ] {
            assert_eq!(parts(Kind::BaseModel, text), (Some(name.into()), None, None), "{text}");
        }
    }
}
