//! Research artifacts: what is published, under which licence, by whom.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::general::GeneralMetadata;
use crate::license::License;
use crate::text::{Lines, check_doi, check_value};

/// What kind of thing an artifact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ArtifactType {
    /// A trained model.
    Model,
    /// Data.
    Dataset,
    /// Program code.
    Code,
    /// A publication.
    Paper,
    /// A notebook.
    Notebook,
    /// A sequence of steps that makes other artifacts.
    Workflow,
}

/// The name in lower case.
impl fmt::Display for ArtifactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
            Self::Code => "code",
            Self::Paper => "paper",
            Self::Notebook => "notebook",
            Self::Workflow => "workflow",
        })
    }
}

/// A research artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ResearchArtifact {
    /// The id.
    pub id: String,
    /// The title.
    pub title: String,
    /// What kind of thing it is.
    pub artifact_type: ArtifactType,
    /// The licence.
    pub license: License,
    /// The version; `1.0.0` if none was set.
    #[serde(default = "first_version")]
    pub version: String,
    /// The authors, first author first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// Keywords.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// The DOI: `10.1234/suffix`, or the address of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doi: Option<String>,
    /// What it is, in free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn first_version() -> String {
    "1.0.0".to_string()
}

impl ResearchArtifact {
    /// An artifact, version `1.0.0`.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        artifact_type: ArtifactType,
        license: License,
    ) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            artifact_type,
            license,
            version: first_version(),
            authors: Vec::new(),
            keywords: Vec::new(),
            doi: None,
            description: None,
        }
    }

    /// Sets the version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Adds an author.
    #[must_use]
    pub fn with_author(mut self, author: impl Into<String>) -> Self {
        self.authors.push(author.into());
        self
    }

    /// Adds authors.
    #[must_use]
    pub fn with_authors<A: Into<String>>(mut self, authors: impl IntoIterator<Item = A>) -> Self {
        self.authors.extend(authors.into_iter().map(Into::into));
        self
    }

    /// Adds a keyword.
    #[must_use]
    pub fn with_keyword(mut self, keyword: impl Into<String>) -> Self {
        self.keywords.push(keyword.into());
        self
    }

    /// Adds keywords.
    #[must_use]
    pub fn with_keywords<K: Into<String>>(mut self, keywords: impl IntoIterator<Item = K>) -> Self {
        self.keywords.extend(keywords.into_iter().map(Into::into));
        self
    }

    /// Sets the DOI.
    #[must_use]
    pub fn with_doi(mut self, doi: impl Into<String>) -> Self {
        self.doi = Some(doi.into());
        self
    }

    /// Sets the description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Whether the artifact says what it must, in a form that can be written.
    ///
    /// # Errors
    /// A value is empty or has control characters, the licence is no licence, the DOI is none.
    pub fn validate(&self) -> Result<(), Error> {
        let one = [("id", &self.id), ("title", &self.title), ("version", &self.version)];
        let authors = self.authors.iter().map(|author| ("authors", author));
        let keywords = self.keywords.iter().map(|keyword| ("keywords", keyword));
        for (field, value) in one.into_iter().chain(authors).chain(keywords) {
            check_value(field, value, Lines::One)?;
        }
        if let Some(description) = &self.description {
            check_value("description", description, Lines::Many)?;
        }
        if let Some(doi) = &self.doi {
            check_doi(doi)?;
        }
        self.license.validate()
    }

    /// The standard metadata of a model of this architecture that is this artifact: title as name, authors
    /// with commas, keywords as tags; a custom licence as `other` with its name.
    #[must_use]
    pub fn to_general_metadata(&self, architecture: impl Into<String>) -> GeneralMetadata {
        let mut general = GeneralMetadata::new(architecture, &self.title).with_version(&self.version);
        general = match &self.license {
            License::Custom(name) => general.with_custom_license(name, None),
            listed => general.with_license(listed.to_string()),
        };
        if !self.authors.is_empty() {
            general.author = Some(self.authors.join(", "));
        }
        general.description.clone_from(&self.description);
        general.doi.clone_from(&self.doi);
        general.tags.clone_from(&self.keywords);
        general
    }
}
