//! Chat templates: one, or several with names, from whichever file keeps them.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gguf_format::Metadata;
use serde_json::Value;

use super::config::TokenizerConfig;
use super::error::TokenizerError;
use super::file::{brief, read_settings, read_text, value_error};
use super::metadata::{CHAT_TEMPLATE, CHAT_TEMPLATES};
use crate::bounded::Folder;

/// The chat templates of a folder.
#[derive(Debug, Default)]
pub(super) struct Templates {
    found: Found,
    path: PathBuf,
}

#[derive(Debug, Default, PartialEq)]
enum Found {
    #[default]
    None,
    /// Something that is no template; what it is.
    Wrong(String),
    One(String),
    Named(Vec<(String, String)>),
}

impl Templates {
    /// `tokenizer_config.json` comes first, then `chat_template.jinja` with `additional_chat_templates/*.jinja`, then
    /// `chat_template.json`. A null in `tokenizer_config.json` means that there is none.
    pub(super) fn read(folder: Folder<'_>, tokenizer: &TokenizerConfig) -> Result<Self, TokenizerError> {
        if let Some(value) = tokenizer.map.get("chat_template") {
            return Self::from_json(value, &tokenizer.path);
        }
        let path = folder.join("chat_template.jinja");
        if let Some(default) = read_text(&path, folder.limits)? {
            let more = additional(folder)?;
            let found = if more.is_empty() {
                Found::One(default)
            } else {
                Found::Named(std::iter::once(("default".to_owned(), default)).chain(more).collect())
            };
            return Ok(Self { found, path });
        }
        let path = folder.join("chat_template.json");
        match read_settings(&path, folder.limits)? {
            Some(json) => match json.get("chat_template") {
                Some(value) => Self::from_json(value, &path),
                None => Ok(Self::default()),
            },
            None => Ok(Self::default()),
        }
    }

    fn from_json(value: &Value, path: &Path) -> Result<Self, TokenizerError> {
        let found = match value {
            Value::Null => Found::None,
            Value::String(template) => Found::One(template.clone()),
            Value::Array(list) => {
                let mut named = Vec::new();
                for (i, entry) in list.iter().enumerate() {
                    let name = entry.get("name").and_then(Value::as_str).unwrap_or("");
                    match entry.get("template") {
                        Some(Value::String(template)) => named.push((name.to_owned(), template.clone())),
                        None | Some(Value::Null) if entry.is_object() => (),
                        _ => {
                            let key = format!("chat_template[{i}]");
                            return Err(value_error(path, key, brief(entry), "a map of name and template"));
                        }
                    }
                }
                Found::Named(named)
            }
            // The converter warns and goes on without.
            other => Found::Wrong(brief(other)),
        };
        Ok(Self { found, path: path.into() })
    }

    /// Writes the pairs. Named templates come first, each under its name, then the list of names, then the default.
    ///
    /// The converter lists the names in no particular order; ours is that of the file.
    pub(super) fn write(&self, pairs: &mut Metadata) -> Result<(), TokenizerError> {
        let default = match &self.found {
            Found::None | Found::Wrong(_) => return Ok(()),
            Found::One(template) => Some(template),
            Found::Named(templates) => {
                let (mut names, mut known) = (Vec::new(), BTreeSet::new());
                let mut default = None;
                for (name, template) in templates {
                    let name: String =
                        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
                    if name == "default" {
                        default = Some(template);
                    } else if !name.is_empty() {
                        if !template.is_empty() {
                            pairs.insert(format!("{CHAT_TEMPLATE}.{name}"), template.as_str());
                        }
                        if known.insert(name.clone()) {
                            names.push(name);
                        }
                    }
                }
                if !names.is_empty() {
                    pairs.insert(CHAT_TEMPLATES, names);
                }
                default
            }
        };
        if let Some(template) = default.filter(|t| !t.is_empty()) {
            pairs.insert(CHAT_TEMPLATE, template.as_str());
        }
        Ok(())
    }

    /// The file that the templates are written from; `None` if none is written.
    pub(super) fn source(&self, tokenizer: &TokenizerConfig) -> Option<std::path::Display<'_>> {
        let written = matches!(self.found, Found::One(_) | Found::Named(_));
        (!tokenizer.map.is_empty() && written).then(|| self.path.display())
    }

    /// What a user should know: a value that is no template.
    pub(super) fn note(&self) -> Option<String> {
        let Found::Wrong(found) = &self.found else { return None };
        Some(format!(
            "{}: chat_template is {found}, a text or a list expected: left out",
            self.path.display()
        ))
    }

    /// The file of templates that the converter does not look at, for want of a `tokenizer_config.json`.
    pub(super) fn ignored(&self, tokenizer: &TokenizerConfig) -> Option<&Path> {
        (tokenizer.map.is_empty() && self.found != Found::None).then_some(self.path.as_path())
    }
}

/// `additional_chat_templates/*.jinja` by file name, in order of name.
fn additional(within: Folder<'_>) -> Result<Vec<(String, String)>, TokenizerError> {
    let folder = within.join("additional_chat_templates");
    let io = |source| TokenizerError::Io { path: folder.clone(), source };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(e) => return Err(io(e)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|e| e == "jinja") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut templates = Vec::new();
    for path in paths {
        if let (Some(name), Some(text)) =
            (path.file_stem().and_then(|s| s.to_str()), read_text(&path, within.limits)?)
        {
            templates.push((name.to_owned(), text));
        }
    }
    Ok(templates)
}
