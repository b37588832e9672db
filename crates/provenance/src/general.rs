//! What a model is: the `general.*` keys.

use gguf_format::{Metadata, Value};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::license;
use crate::pairs::{merge, to_text};
use crate::text::{Lines, check_doi, check_name, check_value};

macro_rules! general_metadata {
    ($($field:ident $with:ident $key:literal $lines:ident $doc:literal;)*) => {
        /// What a model is, in the standard keys that llama.cpp, hubs and viewers read.
        ///
        /// Only what is set is written; [`merge_into`](Self::merge_into) puts it over what a checkpoint says.
        /// [`Default`] has nothing set: for saying a thing or two about a checkpoint that names itself.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[non_exhaustive]
        pub struct GeneralMetadata {
            $(#[doc = concat!($doc, " (`", $key, "`).")]
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<String>,)*
            /// Tags to find the model by (`general.tags`).
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub tags: Vec<String>,
            /// Languages the model knows, as ISO 639 codes (`general.languages`).
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub languages: Vec<String>,
        }

        impl GeneralMetadata {
            /// A model of this architecture and name.
            #[must_use]
            pub fn new(architecture: impl Into<String>, name: impl Into<String>) -> Self {
                Self::default().with_architecture(architecture).with_name(name)
            }

            $(#[doc = concat!("Sets: ", $doc, " (`", $key, "`).")]
            #[must_use]
            pub fn $with(mut self, $field: impl Into<String>) -> Self {
                self.$field = Some($field.into());
                self
            })*

            /// The fields that are text, in write order: key, value, whether it may have several lines.
            fn texts(&self) -> impl Iterator<Item = (&'static str, &str, Lines)> {
                [$(($key, self.$field.as_deref(), Lines::$lines),)*]
                    .into_iter()
                    .filter_map(|(key, value, lines)| Some((key, value?, lines)))
            }
        }
    };
}

general_metadata! {
    architecture with_architecture "general.architecture" One "The architecture, in llama.cpp's spelling: \
        `llama`, `qwen2`, `bert`";
    name with_name "general.name" One "The model's name";
    author with_author "general.author" One "Who made the model; several with commas";
    version with_version "general.version" One "The model's version";
    organization with_organization "general.organization" One "The organization that publishes it";
    finetune with_finetune "general.finetune" One "What it was tuned for: `Instruct`, `Chat`";
    basename with_basename "general.basename" One "The name without size, version and tuning";
    description with_description "general.description" Many "What the model is, in free text";
    quantized_by with_quantized_by "general.quantized_by" One "Who quantized it";
    size_label with_size_label "general.size_label" One "The size: `7B`, `8x7B`";
    license with_license "general.license" One "The licence: an SPDX expression or an id of Hugging Face, written \
        as it is given (`MIT` stays `MIT`; model cards of the hub, and so llama.cpp's converter, say `mit`)";
    license_name with_license_name "general.license.name" One "The name of a licence that has no id";
    license_link with_license_link "general.license.link" One "Where to read the licence";
    url with_url "general.url" One "The model's page";
    doi with_doi "general.doi" One "The model's DOI";
    uuid with_uuid "general.uuid" One "The model's UUID";
    repo_url with_repo_url "general.repo_url" One "The model's repository";
    source_url with_source_url "general.source.url" One "The page of the model this one was converted from";
    source_doi with_source_doi "general.source.doi" One "The DOI of the model this one was converted from";
    source_uuid with_source_uuid "general.source.uuid" One "The UUID of the model this one was converted from";
    source_repo_url with_source_repo_url "general.source.repo_url" One
        "The repository of the model this one was converted from";
}

impl GeneralMetadata {
    /// Adds a tag.
    #[must_use]
    pub fn with_tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Adds a language, as an ISO 639 code.
    #[must_use]
    pub fn with_language(mut self, language: impl Into<String>) -> Self {
        self.languages.push(language.into());
        self
    }

    /// Sets a licence that no list knows: `general.license` becomes `other`, as on the Hugging Face hub, and
    /// name and link say which.
    #[must_use]
    pub fn with_custom_license(self, name: impl Into<String>, link: Option<&str>) -> Self {
        let mut general = self.with_license("other").with_license_name(name);
        general.license_link = link.map(String::from);
        general
    }

    /// Whether everything can be written.
    ///
    /// # Errors
    /// A value that is set is empty or has control characters, the licence is on no list, a DOI is none, or
    /// the architecture is not one word.
    pub fn validate(&self) -> Result<(), Error> {
        for (key, value, lines) in self.texts() {
            check_value(key, value, lines)?;
        }
        if let Some(architecture) = &self.architecture {
            check_name("architecture", "", architecture)?;
        }
        for (key, list) in self.lists() {
            for entry in list {
                check_value(key, entry, Lines::One)?;
            }
        }
        for doi in [&self.doi, &self.source_doi].into_iter().flatten() {
            check_doi(doi)?;
        }
        self.license.as_deref().map_or(Ok(()), license::check)
    }

    fn lists(&self) -> [(&'static str, &[String]); 2] {
        [("general.tags", &self.tags), ("general.languages", &self.languages)]
    }

    /// The typed pairs, in write order.
    fn pairs(&self) -> impl Iterator<Item = (String, Value)> {
        let texts = self.texts().map(|(key, value, _)| (key, Value::from(value)));
        let lists = self.lists().into_iter().filter(|(_, list)| !list.is_empty());
        texts
            .chain(lists.map(|(key, list)| (key, Value::from(list.to_vec()))))
            .map(|(key, value)| (key.to_string(), value))
    }

    /// The pairs as text, in write order. Lists have commas between their entries.
    ///
    /// Does not [validate](Self::validate).
    #[must_use]
    pub fn to_metadata_pairs(&self) -> Vec<(String, String)> {
        self.pairs().map(|(key, value)| (key, to_text(&value))).collect()
    }

    /// The pairs as they go into a file, in write order (that of gguf-py 0.19).
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn to_metadata(&self) -> Result<Metadata, Error> {
        self.validate()?;
        Ok(self.pairs().collect())
    }

    /// Puts these pairs over those of a checkpoint. New keys go to their place in the write order. An
    /// architecture that is already there stays: tensors and hyper-parameters are named after it.
    ///
    /// # Errors
    /// As [`validate`](Self::validate); the metadata is then unchanged.
    pub fn merge_into(&self, metadata: &mut Metadata) -> Result<(), Error> {
        self.validate()?;
        let keep = metadata.get("general.architecture").is_some();
        merge(metadata, self.pairs().filter(|(key, _)| !(keep && key == "general.architecture")));
        Ok(())
    }
}
