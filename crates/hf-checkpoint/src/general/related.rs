//! What a model was made from: `general.base_model.*` and `general.dataset.*`.

use gguf_format::Metadata;
use serde_json::Value;

use super::card::text;
use super::model_id::{ModelId, title};
use super::put;

/// The fields of an entry, in gguf-py's order.
const FIELDS: &[&str] =
    &["name", "author", "version", "organization", "description", "url", "doi", "uuid", "repo_url"];

/// A base model or a dataset: its fields and their values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Related(Vec<(&'static str, String)>);

impl Related {
    /// An entry each; one that is of no known form is an empty one.
    pub(super) fn all(entries: &[&Value], parameters: i64) -> Vec<Self> {
        entries.iter().map(|entry| Self::new(entry, parameters)).collect()
    }

    fn new(entry: &Value, parameters: i64) -> Self {
        match entry {
            Value::String(id) => Self::of_id(id, parameters),
            Value::Object(fields) => {
                let known = FIELDS.iter().filter_map(|f| Some((*f, text(fields.get(*f)?)?)));
                Self(known.collect())
            }
            _ => Self::default(),
        }
    }

    fn of_id(id: &str, parameters: i64) -> Self {
        if ["http://", "https://", "ssh://"].iter().any(|scheme| id.starts_with(scheme)) {
            let mut related =
                hub_id(id).map(|id| Self::names(&ModelId::parse(id, parameters))).unwrap_or_default();
            related.0.push(("repo_url", id.to_owned()));
            return related;
        }
        let id = ModelId::parse(id, parameters);
        let mut related = Self::names(&id);
        if let Some(organization) = &id.organization {
            // The address of a model on the hub, as gguf-py makes it up.
            let url = format!("https://huggingface.co/{organization}/{}", id.full_name);
            related.0.push(("repo_url", url));
        }
        related
    }

    fn names(id: &ModelId) -> Self {
        let mut fields = vec![("name", title(&id.full_name))];
        fields.extend(id.version.clone().map(|v| ("version", v)));
        fields.extend(id.organization.as_deref().map(|o| ("organization", title(o))));
        Self(fields)
    }
}

/// The id in the address of a model on the hub, if it is one.
fn hub_id(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http")?;
    let rest = rest.strip_prefix('s').unwrap_or(rest).strip_prefix("://")?;
    // In gguf-py's pattern the dot stands for any character.
    let after = rest.strip_prefix("huggingface")?;
    let mut chars = after.chars();
    chars.next().filter(|c| *c != '\n')?;
    let id = chars.as_str().strip_prefix("co/")?;
    let (organization, name) = id.split_once('/')?;
    let plain = !organization.is_empty() && !name.is_empty() && !name.contains('/');
    (plain && url.contains("huggingface.co")).then_some(id)
}

/// Writes `general.{what}.count` and the entries.
pub(super) fn write(what: &str, entries: &[Related], pairs: &mut Metadata) {
    pairs.insert(format!("general.{what}.count"), u32::try_from(entries.len()).unwrap_or(u32::MAX));
    for (i, Related(fields)) in entries.iter().enumerate() {
        for field in FIELDS {
            if let Some((_, value)) = fields.iter().find(|(name, _)| name == field) {
                put(pairs, format!("general.{what}.{i}.{field}"), value);
            }
        }
    }
}
