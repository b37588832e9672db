//! The language of the tables: what a family's GGUF files say of the model.

use gguf_format::{Metadata, Value as MetadataValue};

use crate::bounded::Folder;
use crate::config::Config;
use crate::error::Error;
use crate::json::bad_key;
use crate::sizes::Dim;

/// What a parameter's rule may look at.
pub(crate) struct Context<'a> {
    pub architecture: &'static str,
    pub folder: Folder<'a>,
    pub config: &'a Config,
    /// How many blocks the family's models have.
    pub blocks: Dim,
}

/// One metadata pair, or a rule that writes some. A key that starts with `.` has the architecture in front.
pub(crate) enum Parameter {
    /// A setting, if the first of the config's keys that is there is not null.
    Value { key: &'static str, kind: Kind, from: &'static [&'static str] },
    /// A setting that has to be there.
    Needed { key: &'static str, kind: Kind, from: &'static [&'static str] },
    /// A setting, or this.
    Or { key: &'static str, from: &'static [&'static str], or: Const },
    /// A dimension.
    Size { key: &'static str, dim: Dim },
    /// The same for all models of the family.
    Const { key: &'static str, value: Const },
    /// Anything else.
    Rule(Rule),
}

/// Writes pairs that are no plain copy of a setting.
pub(crate) type Rule = fn(&Context<'_>, &mut Metadata, &mut Vec<String>) -> Result<(), Error>;

/// The type of a pair's value.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    U32,
    /// Of a list, as it may be where layers differ, a list of I32.
    U32OrList,
    F32,
    Bool,
}

/// A value.
#[derive(Clone, Copy)]
pub(crate) enum Const {
    U32(u32),
    F32(f32),
    Bool(bool),
    Str(&'static str),
}

impl Const {
    fn kind(self) -> Option<Kind> {
        match self {
            Self::U32(_) => Some(Kind::U32),
            Self::F32(_) => Some(Kind::F32),
            Self::Bool(_) => Some(Kind::Bool),
            Self::Str(_) => None,
        }
    }

    fn value(self) -> MetadataValue {
        match self {
            Self::U32(v) => v.into(),
            Self::F32(v) => v.into(),
            Self::Bool(v) => v.into(),
            Self::Str(v) => v.into(),
        }
    }
}

impl Context<'_> {
    /// The whole of a key.
    pub(crate) fn key(&self, key: &str) -> String {
        if key.starts_with('.') { format!("{}{key}", self.architecture) } else { key.to_owned() }
    }

    /// A setting as a value of this type.
    pub(crate) fn value(
        &self,
        kind: Kind,
        name: &str,
        value: &serde_json::Value,
    ) -> Result<MetadataValue, Error> {
        let wrong = |expected| bad_key(self.config.path(), name, value, expected);
        Ok(match (kind, value) {
            (Kind::U32OrList, serde_json::Value::Array(list)) => {
                let sizes = list.iter().map(|v| integer(v).and_then(|n| i32::try_from(n).ok()));
                let sizes: Option<Vec<i32>> = sizes.collect();
                sizes.ok_or_else(|| wrong("integers from 0 to 2147483647"))?.into()
            }
            (Kind::U32 | Kind::U32OrList, _) => {
                integer(value).ok_or_else(|| wrong("an integer from 0 to 4294967295"))?.into()
            }
            (Kind::F32, _) => self.config.f32(name, value)?.into(),
            (Kind::Bool, _) => crate::json::truthy(value).into(),
        })
    }
}

/// An integer; Python's booleans and whole floats are some, too.
fn integer(value: &serde_json::Value) -> Option<u32> {
    value.as_u64().and_then(|v| u32::try_from(v).ok())
}

impl Parameter {
    /// Writes the pair or the pairs.
    pub(crate) fn write(
        &self,
        context: &Context<'_>,
        pairs: &mut Metadata,
        notes: &mut Vec<String>,
    ) -> Result<(), Error> {
        let config = context.config;
        match self {
            Self::Size { key, dim } => {
                let dim = if matches!(dim, Dim::Blocks) { context.blocks } else { *dim };
                let size = config.dim(dim)?;
                let size = u32::try_from(size).map_err(|_| {
                    bad_key(config.path(), &dim.name(), &size.into(), "an integer from 1 to 4294967295")
                })?;
                pairs.insert(context.key(key), size);
            }
            Self::Value { key, kind, from } => {
                if let Some((name, value)) = config.find(from) {
                    pairs.insert(context.key(key), context.value(*kind, name, value)?);
                }
            }
            Self::Needed { key, kind, from } => {
                let found = config.find(from).ok_or_else(|| config.missing(from, "a value"));
                let (name, value) = found?;
                pairs.insert(context.key(key), context.value(*kind, name, value)?);
            }
            Self::Or { key, from, or } => {
                let value = match (config.find(from), or.kind()) {
                    (Some((name, value)), Some(kind)) => context.value(kind, name, value)?,
                    _ => or.value(),
                };
                pairs.insert(context.key(key), value);
            }
            Self::Const { key, value } => {
                pairs.insert(context.key(key), value.value());
            }
            Self::Rule(rule) => rule(context, pairs, notes)?,
        }
        Ok(())
    }
}

/// The pair of a setting, if it is there and not null.
pub(crate) const fn value(key: &'static str, kind: Kind, from: &'static [&'static str]) -> Parameter {
    Parameter::Value { key, kind, from }
}

/// The pair of a setting that has to be there.
pub(crate) const fn needed(key: &'static str, kind: Kind, from: &'static [&'static str]) -> Parameter {
    Parameter::Needed { key, kind, from }
}

/// The pair of a dimension.
pub(crate) const fn size(key: &'static str, dim: Dim) -> Parameter {
    Parameter::Size { key, dim }
}

/// A pair that is the same for all models of the family.
pub(crate) const fn constant(key: &'static str, value: Const) -> Parameter {
    Parameter::Const { key, value }
}
